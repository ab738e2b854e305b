import { displayText } from "../../chat/wire/rules/display.ts";

/** How a part of a line looks. */
export type Style = "plain" | "dim" | "bold" | "red" | "green" | "yellow" | "cyan" | "underline" | "inverse";

export interface Span {
  readonly text: string;
  readonly style: Style;
}

/** One line, however long: the terminal wraps it, so that it can be copied as a whole. */
export type Line = readonly Span[];

const CODES: Readonly<Record<Style, string>> = {
  plain: "",
  dim: "2",
  bold: "1",
  red: "31",
  green: "32",
  yellow: "33",
  cyan: "36",
  underline: "4",
  inverse: "7",
};

export const styledAs = (style: Style) => (text: string): Span => ({ text, style });
export const plain = styledAs("plain");
export const dim = styledAs("dim");
export const bold = styledAs("bold");
export const red = styledAs("red");
export const green = styledAs("green");
export const yellow = styledAs("yellow");
export const cyan = styledAs("cyan");

/** A line of parts; texts are plain. */
export function line(...parts: readonly (string | Span)[]): Line {
  return parts.map((part) => (typeof part === "string" ? plain(part) : part)).filter(({ text }) => text !== "");
}

const TAB = "    ";

/**
 * The last word on what reaches the terminal: whatever a view let through, no control character, no escape and no
 * switch of direction leaves here.
 */
function harmless(text: string): string {
  return displayText(text).replaceAll("\t", TAB).replaceAll("\n", " ");
}

export function textOfLine(spans: Line): string {
  return spans.map(({ text }) => harmless(text)).join("");
}

/** The line as bytes for a terminal. */
export function paint(spans: Line, hasColours: boolean): string {
  if (!hasColours) return textOfLine(spans);
  return spans.map(({ text, style }) => painted(harmless(text), style)).join("");
}

function painted(text: string, style: Style): string {
  return style === "plain" ? text : `\u001b[${CODES[style]}m${text}\u001b[0m`;
}
