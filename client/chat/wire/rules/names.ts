import { visibleLine } from "./display.ts";

/** Characters of a display name; official clients cut longer ones off. */
export const MAX_NAME_LENGTH = 50;

/**
 * What is wrong with a display name that a person chooses; null when nothing is. Names of others are not refused,
 * only neutralised when they are shown.
 */
export function nameProblem(name: string): string | null {
  if ([...name].length > MAX_NAME_LENGTH) return `a name must not be longer than ${MAX_NAME_LENGTH} characters`;
  if (visibleLine(name) === "") return "a name must not be empty";
  if (/^[#@]/u.test(name)) return "a name must not begin with # or @";
  if (name.includes("'")) return "a name must not contain '";
  return visibleLine(name) === name ? null : "a name must not contain invisible characters or spaces at its ends";
}

/** Bytes of a file's name, which every file system takes. */
const MAX_FILE_NAME = 200;
/** Names of devices: Windows opens them whatever follows the first dot. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/iu;

const utf8Length = (text: string): number => new TextEncoder().encode(text).length;

/** Cuts the stem, so that the extension stays. */
function shortened(name: string): string {
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && utf8Length(name.slice(dot)) <= 20 ? name.slice(dot) : "";
  const stem = Array.from(name.slice(0, name.length - extension.length));
  while (utf8Length(stem.join("")) + extension.length > MAX_FILE_NAME) stem.pop();
  return stem.join("") + extension;
}

/**
 * The name under which a received file can be kept: the last component of what was sent, with nothing in it that a
 * file system, a terminal or a reader takes for something else. Never empty, never hidden, never a way to another
 * folder.
 */
export function safeFileName(name: string): string {
  const last = name.slice(-1024).split(/[/\\]/u).at(-1) ?? "";
  const plain = visibleLine(last)
    .replace(/[\u2400-\u2426\u{fffd}<>:"|?*]/gu, "_")
    .replace(/^[.\s]+|[.\s]+$/gu, "");
  return shortened(plain.replace(DEVICE, "_$&")) || "file";
}
