import { displayText } from "../../chat/wire/rules/display.ts";
import type { MsgContainer } from "../../chat/wire/container.ts";
import type { MsgContent } from "../../chat/wire/content.ts";
import type { Item, ItemStatus, MessageItem } from "../../chat/records.ts";
import { block } from "../text/markdown.ts";
import { cyan, dim, green, type Line, line, plain, red, type Span, yellow } from "../text/styled.ts";
import { preview, shownLength, shownName, shownSize, shownSpan, shownTime } from "./words.ts";

/** Where an item stands: what is needed to show it. */
export interface Place {
  readonly type: "contact" | "group" | "notes";
  /** Of the contact or group. */
  readonly name: string;
  /** Who wrote it, in a group; null: this side, or nobody in particular. */
  readonly member: string | null;
  readonly now: number;
  /** The moderator who deleted it; null: nobody did, or who wrote it. */
  readonly deletedBy: string | null;
  /** The number by which a file can be asked for; null: none. */
  readonly file: number | null;
}

const INDENT = "      ";

export function isMessage(item: Item): item is MessageItem {
  return item.body.type === "message";
}

/** A conversation as it is typed. */
export function shownPlace({ type, name }: Pick<Place, "type" | "name">): string {
  if (type === "notes") return "*";
  return (type === "group" ? "#" : "@") + shownName(name);
}

/** Who speaks, as before every message. */
export function speaker(isOwn: boolean, place: Place): Span {
  if (place.type === "notes") return cyan("* ");
  if (isOwn) return cyan(`${shownPlace(place)} `);
  if (place.type === "contact") return yellow(`${shownName(place.name)}> `);
  return yellow(`${shownPlace(place)} ${place.member === null ? "" : shownName(place.member)}> `);
}

/** What became of an own message. */
export function shownStatus(status: ItemStatus): Span {
  switch (status.type) {
    case "new":
    case "sending":
      return dim(" …");
    case "sent":
      return dim(" ✓");
    case "delivered":
      return status.isIntact ? dim(" ✓✓") : red(" ✓✓ [arrived as something else]");
    case "error":
      return red(` [not sent: ${displayText(status.detail)}]`);
    case "unread":
    case "read":
      return plain("");
  }
}

/** What a message is besides its text; empty for text alone. */
export function shownKind(content: MsgContent, container: Pick<MsgContainer, "file">): string {
  const size = container.file ? `, ${shownSize(container.file.fileSize)}` : "";
  switch (content.type) {
    case "text":
    case "link":
      return "";
    case "image":
      return `[picture${size}] `;
    case "video":
      return `[video ${shownLength(content.duration)}${size}] `;
    case "voice":
      return `[voice message ${shownLength(content.duration)}] `;
    case "file":
      return "";
    case "report":
      return `[report: ${preview(String(content.reason), 30)}] `;
    case "chat":
      return "[link to a chat] ";
    case "unknown":
      return `[message of an unknown kind: ${preview(content.tag, 30)}] `;
  }
}

/** What can be quoted or listed of a message, in one line. */
export function summary(container: Pick<MsgContainer, "content" | "file">, columns?: number): string {
  const { content, file } = container;
  const name = content.text === "" && file ? `[file ${preview(file.fileName, 40)}]` : "";
  return preview(shownKind(content, container) + (content.text || name), columns);
}

function linkLines(content: MsgContent): Line[] {
  if (content.type === "link") return [line(INDENT, dim(preview(content.preview.title)), " ", preview(content.preview.uri, 200))];
  if (content.type !== "chat") return [];
  const { chatLink } = content;
  const link = chatLink.type === "invitation" ? chatLink.invLink : chatLink.connLink;
  return [line(INDENT, dim("to connect: "), green(`/c ${preview(link, 2000)}`))];
}

function fileLines(item: MessageItem, { file: number }: Place): Line[] {
  const { file } = item.body.container;
  if (!file) return [];
  const what = `file ${preview(file.fileName)}, ${shownSize(file.fileSize)}`;
  const state = item.file;
  if (number === null) return [line(INDENT, dim(state === null ? what : `${what} (${state.state})`))];
  if (state === null) return [line(INDENT, dim(`${what}: this program cannot receive files sent this way`))];
  if (item.isOwn || state.state === "sending" || state.state === "sent") return [line(INDENT, dim(`${what} (file ${number})`))];
  if (state.state === "received") return [line(INDENT, dim(`${what}: `), green(`/fr ${number}`), dim(" saves it"))];
  if (state.state === "cancelled") return [line(INDENT, dim(`${what}: cancelled`))];
  if (state.state === "unsupported") return [line(INDENT, dim(`${what}: this program cannot receive files sent this way`))];
  return [line(INDENT, dim(`${what}: ${shownSize(state.received)} are here; `), green(`/fr ${number}`), dim(" saves it"))];
}

/** Emoji with how many there are. */
export function shownReactions(item: Item): string {
  const counts = new Map<string, number>();
  for (const { reaction } of item.reactions) {
    const sign = reaction.type === "emoji" ? reaction.emoji : "?";
    counts.set(sign, (counts.get(sign) ?? 0) + 1);
  }
  return [...counts].map(([sign, count]) => `${sign} ${count}`).join(" ");
}

/** The lines of a quote or of a forwarded message, which stand before the message. */
function leading({ quote, forward }: MsgContainer, before: readonly Span[]): Line | null {
  if (quote) {
    const sign = quote.msgRef.sent ? "> " : ">> ";
    return [...before, dim(`${sign}${summary({ content: quote.content })}`)];
  }
  return forward ? [...before, dim("-> forwarded")] : null;
}

/** A message as it stands in the conversation. */
export function messageLines(item: MessageItem, place: Place, isListed = false): Line[] {
  const { container } = item.body;
  const { content } = container;
  const by = place.deletedBy === null ? "" : ` by ${shownName(place.deletedBy)}`;
  const mark = item.deletedAt !== null ? red(`[deleted${by}] `) : item.isEdited ? dim("[edited] ") : plain("");
  const before = [dim(`${shownTime(item.sentAt, place.now)} `), speaker(item.isOwn, place)];
  const lead = leading(container, before);
  const words = content.text || (container.file ? "" : shownKind(content, container) === "" ? "(nothing)" : "");
  const head: readonly Span[] = [...(lead ? [plain(INDENT)] : before), mark, dim(shownKind(content, container))];
  const lines: Line[] = [...(lead ? [lead] : []), ...block(head, words, INDENT)];
  const signs: Span[] = [
    ...(container.live ? [dim(" [live]")] : []),
    ...(container.scope ? [dim(" [only moderators see this]")] : []),
    ...(item.ttl !== null ? [dim(` [disappears after ${shownSpan(item.ttl)}]`)] : []),
    ...(item.isOwn ? [shownStatus(item.status)] : []),
  ];
  const last = lines.at(-1) ?? [];
  const rest = [...linkLines(content), ...fileLines(item, place)];
  const reactions = isListed ? shownReactions(item) : "";
  return [
    ...lines.slice(0, -1),
    [...last, ...signs],
    ...rest,
    ...(reactions === "" ? [] : [line(INDENT, reactions)]),
  ].map((one) => one.filter(({ text }) => text !== ""));
}

/**
 * What is said of an item that changed, apart from its status.
 * @param reactor who reacted, in a group
 */
export function changeLines(before: Item, item: Item, place: Place, reactor: string | null = null): Line[] {
  if (!isMessage(item)) return [];
  if (item.deletedAt !== null && before.deletedAt === null) return messageLines(item, place);
  const isSame = isMessage(before) && JSON.stringify(before.body.container.content) === JSON.stringify(item.body.container.content);
  if (!isSame) return messageLines({ ...item, isEdited: true }, place);
  return reactionLines(before, item, { ...place, member: reactor });
}

/** A file that is here now as a whole. */
export function arrivalLines(before: Item, item: Item, place: Place): Line[] {
  const isNew = item.file?.state === "received" && before.file?.state !== "received";
  return isNew && !item.isOwn && isMessage(item) ? fileLines(item, place) : [];
}

const keyOf = ({ reaction }: Item["reactions"][number]): string => (reaction.type === "emoji" ? reaction.emoji : "?");

/** How often each reaction of one side is there. */
function countsOf(item: Item, isOwn: boolean): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of item.reactions) {
    if (one.isOwn === isOwn) counts.set(keyOf(one), (counts.get(keyOf(one)) ?? 0) + 1);
  }
  return counts;
}

function reactionLines(before: Item, item: MessageItem, place: Place): Line[] {
  const lines: Line[] = [];
  for (const isOwn of [true, false]) {
    const [old, now] = [countsOf(before, isOwn), countsOf(item, isOwn)];
    for (const emoji of new Set([...old.keys(), ...now.keys()])) {
      const difference = (now.get(emoji) ?? 0) - (old.get(emoji) ?? 0);
      if (difference === 0) continue;
      const sign = difference > 0 ? "+" : "-";
      if (isOwn) {
        lines.push(line(dim(`${difference > 0 ? "added" : "took back"} ${emoji}`)));
        continue;
      }
      const quoted = dim(`${item.isOwn ? ">>" : ">"} ${summary(item.body.container)}`);
      lines.push(line(dim(`${shownTime(place.now, place.now)} `), speaker(false, place), quoted), line(`    ${sign} ${emoji}`));
    }
  }
  return lines;
}
