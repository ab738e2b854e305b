import type { Item } from "../../chat/records.ts";
import type { MsgContent } from "../../chat/wire/content.ts";
import { displayLine, displayText } from "../../chat/wire/rules/display.ts";
import { words } from "../words/words.ts";
import { playTime } from "./dates.ts";

const EXCERPT = 160;
const { talk } = words;

function kindOf(content: MsgContent): string {
  switch (content.type) {
    case "image":
      return talk.photo;
    case "video":
      return talk.video;
    case "voice":
      return talk.voiceOf(playTime(content.duration));
    case "file":
      return talk.file;
    case "link":
      return talk.link;
    case "report":
      return talk.report;
    case "chat":
      return talk.card;
    case "unknown":
      return talk.unknownContent;
    default:
      return "";
  }
}

/** What a message says, in one line. */
export function excerptOfContent(content: MsgContent, fileName = ""): string {
  const text = displayLine(content.text.slice(0, 2 * EXCERPT));
  const kind = kindOf(content);
  if (content.type === "unknown") return text === "" ? kind : text;
  if (content.type === "file") return [text, displayLine(fileName)].find((one) => one !== "") ?? kind;
  const said = [kind, text].filter((one) => one !== "").join(": ");
  return said.length > EXCERPT ? `${said.slice(0, EXCERPT)}…` : said;
}

/** What the conversation says of itself, in words. @param who did it */
export function eventText(event: string, detail: string, who: string): string {
  const said: string | ((detail: string, who: string) => string) | undefined = Object.hasOwn(talk.events, event)
    ? talk.events[event as keyof typeof talk.events]
    : undefined;
  if (said === undefined) return talk.unknownEvent(displayLine(event));
  const shown = event === "preferencesChanged" ? featuresOf(detail) : displayLine(displayText(detail));
  return typeof said === "string" ? said : said(shown, who);
}

function featuresOf(detail: string): string {
  const names: Readonly<Record<string, string>> = words.people.features;
  return detail.split(" ").map((one) => names[one] ?? displayLine(one)).join(", ");
}

/** An item in one line. @param who did it */
export function excerptOf({ body, deletedAt }: Item, who: string): string {
  if (body.type === "event") return eventText(body.event, body.detail, who);
  if (body.type === "unknown") return talk.unknownEvent(displayLine(body.event));
  if (deletedAt !== null) return talk.deletedText;
  const { content, file } = body.container;
  return excerptOfContent(content, file?.fileName);
}
