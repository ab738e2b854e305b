import type { MsgContent } from "../content.ts";

const NEEDS_FILE: ReadonlySet<MsgContent["type"]> = new Set<MsgContent["type"]>(["image", "video", "voice", "file"]);
const NEEDS_TEXT: ReadonlySet<MsgContent["type"]> = new Set<MsgContent["type"]>(["text", "link"]);

/**
 * What is wrong with a message that is to be sent; null when nothing is. What others send is not refused for this.
 */
export function contentProblem(content: MsgContent, hasFile: boolean): string | null {
  if (NEEDS_TEXT.has(content.type) && content.text === "") return "a message must not be empty";
  if (NEEDS_FILE.has(content.type) && !hasFile) return `a message of type ${content.type} needs its file`;
  return null;
}

/** Messages of these types carry a picture or more of their own: what they quote is only text. */
const QUOTES_TEXT: ReadonlySet<MsgContent["type"]> = new Set<MsgContent["type"]>([
  "link",
  "image",
  "video",
  "chat",
  "unknown",
]);
const NAMED_BY_FILE: ReadonlySet<MsgContent["type"]> = new Set<MsgContent["type"]>(["image", "file"]);

/**
 * What a new message quotes of another one (chat specification, section 4.1).
 * @param fileName of the quoted message's file; stands for a text that it does not have.
 */
export function quotedContent(quoted: MsgContent, fileName: string | null, newContent: MsgContent): MsgContent {
  const text = quoted.text === "" ? (fileName ?? "") : quoted.text;
  if (QUOTES_TEXT.has(newContent.type)) return { type: "text", text };
  return NAMED_BY_FILE.has(quoted.type) ? { ...quoted, text } : quoted;
}
