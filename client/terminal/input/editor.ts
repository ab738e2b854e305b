import { graphemes } from "../text/width.ts";

// The line that is being typed. node:readline does not suffice: it sends a pasted text of several lines line by line,
// knows no search in its history, and counts columns of emoji of several parts as those of the parts.

/** A key as `readline.emitKeypressEvents` names it. */
export interface Key {
  readonly name: string | undefined;
  /** What it sent. */
  readonly sequence: string;
  readonly ctrl: boolean;
  readonly meta: boolean;
  readonly shift: boolean;
}

export interface Text {
  readonly text: string;
  /** Where the cursor is: an offset between two graphemes. */
  readonly at: number;
}

export const EMPTY_TEXT: Text = { text: "", at: 0 };

export const textAtEnd = (text: string): Text => ({ text, at: text.length });

export function insert({ text, at }: Text, piece: string): Text {
  return { text: text.slice(0, at) + piece + text.slice(at), at: at + piece.length };
}

function lastLength(text: string): number {
  // Far enough back for any grapheme, so that long texts cost nothing.
  return graphemes(text.slice(-200)).at(-1)?.length ?? 0;
}

function firstLength(text: string): number {
  return graphemes(text.slice(0, 200))[0]?.length ?? 0;
}

const wordBefore = (text: string): number => /\S*\s*$/u.exec(text)?.[0].length ?? 0;
const wordAfter = (text: string): number => /^\s*\S*/u.exec(text)?.[0].length ?? 0;
const lineBefore = (text: string): number => /[^\n]*$/u.exec(text)?.[0].length ?? 0;
const lineAfter = (text: string): number => /^[^\n]*/u.exec(text)?.[0].length ?? 0;

function back({ text, at }: Text, length: number): Text {
  return { text: text.slice(0, at - length) + text.slice(at), at: at - length };
}

function forth({ text, at }: Text, length: number): Text {
  return { text: text.slice(0, at) + text.slice(at + length), at };
}

type Edit = (text: Text) => Text;

const before = ({ text, at }: Text): string => text.slice(0, at);
const after = ({ text, at }: Text): string => text.slice(at);

/** Edits that take something out which ^Y brings back. */
const CUTS: Readonly<Record<string, Edit>> = {
  "^w": (one) => back(one, wordBefore(before(one))),
  "^u": (one) => back(one, lineBefore(before(one))),
  "^k": (one) => forth(one, lineAfter(after(one)) || (after(one) === "" ? 0 : 1)),
  "~backspace": (one) => back(one, wordBefore(before(one))),
  "~d": (one) => forth(one, wordAfter(after(one))),
};

const EDITS: Readonly<Record<string, Edit>> = {
  backspace: (one) => back(one, lastLength(before(one))),
  "^h": (one) => back(one, lastLength(before(one))),
  delete: (one) => forth(one, firstLength(after(one))),
  left: (one) => ({ ...one, at: one.at - lastLength(before(one)) }),
  "^b": (one) => ({ ...one, at: one.at - lastLength(before(one)) }),
  right: (one) => ({ ...one, at: one.at + firstLength(after(one)) }),
  "^f": (one) => ({ ...one, at: one.at + firstLength(after(one)) }),
  home: (one) => ({ ...one, at: one.at - lineBefore(before(one)) }),
  "^a": (one) => ({ ...one, at: one.at - lineBefore(before(one)) }),
  end: (one) => ({ ...one, at: one.at + lineAfter(after(one)) }),
  "^e": (one) => ({ ...one, at: one.at + lineAfter(after(one)) }),
  "~b": (one) => ({ ...one, at: one.at - wordBefore(before(one)) }),
  "~f": (one) => ({ ...one, at: one.at + wordAfter(after(one)) }),
  "^left": (one) => ({ ...one, at: one.at - wordBefore(before(one)) }),
  "^right": (one) => ({ ...one, at: one.at + wordAfter(after(one)) }),
  "~left": (one) => ({ ...one, at: one.at - wordBefore(before(one)) }),
  "~right": (one) => ({ ...one, at: one.at + wordAfter(after(one)) }),
};

/** `^x` with Ctrl, `~x` with Alt. */
export function keyName({ name = "", ctrl, meta }: Key): string {
  return `${ctrl ? "^" : ""}${meta ? "~" : ""}${name}`;
}

/** The text after an editing key; `cut`: what it took out. Null when the key edits nothing. */
export function edited(text: Text, key: Key): { readonly text: Text; readonly cut: string | null } | null {
  const name = keyName(key);
  const edit = Object.hasOwn(EDITS, name) ? EDITS[name] : undefined;
  if (edit) return { text: edit(text), cut: null };
  const cutting = Object.hasOwn(CUTS, name) ? CUTS[name] : undefined;
  if (!cutting) return null;
  const rest = cutting(text);
  const length = text.text.length - rest.text.length;
  return { text: rest, cut: text.text.slice(rest.at, rest.at + length) };
}

/** What a key types; null when it is no character. */
export function typed({ name, sequence, ctrl, meta }: Key): string | null {
  if (ctrl || meta || sequence === "" || sequence.startsWith("\u001b")) return null;
  if (name === "return" || name === "enter" || name === "tab" || name === "backspace" || name === "escape") return null;
  return /\p{Cc}/u.test(sequence) ? null : sequence;
}
