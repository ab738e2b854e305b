import { displayText } from "../../chat/wire/rules/display.ts";
import type { Input } from "../input/input.ts";
import { graphemes, graphemeWidth, rowsOf, widthOf } from "../text/width.ts";

/** What stands below the messages: rows that fit, and where the cursor is. */
export interface Layout {
  readonly rows: readonly string[];
  /** Row of the cursor, and what stands before it there. */
  readonly row: number;
  readonly before: string;
}

export interface Window {
  readonly columns: number;
  readonly rows: number;
}

const TAB = "    ";
/** Shown for each character of what nobody may see. */
const HIDDEN = "*";

/** Marks what lies beyond the rows that are shown. */
const MORE = "…";

/** A typed text can hold anything that was pasted; what is not a character is shown as a picture of itself. */
function shownText(text: string): string {
  return displayText(text).replaceAll("\t", TAB);
}

interface Rows {
  readonly rows: string[];
  column: number;
}

/** One column is left free: some terminals wrap as soon as the last one is filled. */
function add(into: Rows, text: string, columns: number): void {
  for (const one of graphemes(text)) {
    const isBreak = one === "\n" || one === "\r\n";
    const width = isBreak ? 0 : graphemeWidth(one);
    if (isBreak || into.column + width > columns - 1) {
      into.rows.push("");
      into.column = 0;
    }
    if (isBreak) continue;
    into.rows[into.rows.length - 1] += one;
    into.column += width;
  }
}

/** The rows around the cursor, where not all of them fit. */
function clipped({ rows, row, before }: Layout, height: number): Layout {
  if (rows.length <= height) return { rows, row, before };
  const from = Math.min(Math.max(0, row - height + 1), rows.length - height);
  const visible = rows.slice(from, from + height);
  const last = height - 1;
  if (from > 0 && row > from) visible[0] = MORE;
  if (from + height < rows.length && row < from + last) visible[last] = MORE;
  return { rows: visible, row: row - from, before };
}

/** The prompt and what is typed. */
export function layoutInput(prompt: string, input: Input, window: Window, isHidden = false): Layout {
  const columns = Math.max(4, window.columns);
  const height = Math.max(1, window.rows - 1);
  const head = isHidden ? HIDDEN.repeat(graphemes(input.text.slice(0, input.at)).length) : shownText(input.text.slice(0, input.at));
  const tail = isHidden ? HIDDEN.repeat(graphemes(input.text.slice(input.at)).length) : shownText(input.text.slice(input.at));
  const lead = input.search === null ? shownText(prompt) : `(search: ${shownText(input.search).replaceAll("\n", " ")}) `;
  const all: Rows = { rows: [""], column: 0 };
  add(all, lead, columns);
  add(all, head, columns);
  const row = all.rows.length - 1;
  const before = all.rows[row] ?? "";
  add(all, tail, columns);
  return clipped({ rows: all.rows, row, before }, height);
}

/** Rows that the top of a drawn layout is above the cursor now that the terminal has other columns and has wrapped it. */
export function rowsAbove({ rows, row, before }: Layout, columns: number): number {
  const wrapped = (text: string): number => rowsOf(text, columns) ?? Math.ceil(widthOf(text) / columns);
  const above = rows.slice(0, row).reduce((sum, one) => sum + wrapped(one), 0);
  // The cursor is where one more character would be.
  return above + wrapped(`${before}x`) - 1;
}
