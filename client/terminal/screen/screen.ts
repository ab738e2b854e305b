import { EMPTY_INPUT, type Input } from "../input/input.ts";
import { rowsOf } from "../text/width.ts";
import { type Line, paint, textOfLine } from "../text/styled.ts";
import { type Layout, layoutInput, rowsAbove, type Window } from "./layout.ts";

const ESC = "\u001b[";
const HIDE = `${ESC}?25l`;
const SHOW = `${ESC}?25h`;
/** Without it a row that is a column too wide, by the terminal's own count, would become two. */
const NO_WRAP = `${ESC}?7l`;
const WRAP = `${ESC}?7h`;
/** From the beginning of a row on. Erased from the very first place of the window, tmux would keep it in its scrollback. */
const BELOW = `${ESC}K${ESC}C${ESC}J\r`;

/** Lines that were printed at once and can be printed otherwise as long as all of them can be seen. */
interface Printed {
  readonly id: string | null;
  readonly text: string;
  /** Null: terminals differ in how many it takes. */
  readonly rows: number | null;
}

const KEPT = 60;

/**
 * Lines go above, what is typed stays below. Printed lines are the terminal's: it wraps them and keeps them in its
 * scrollback. Only the last ones that can be seen are ever printed again, for a mark that changes.
 */
export class Screen {
  readonly #write: (bytes: string) => void;
  readonly #hasColours: boolean;
  #window: Window;
  #layout: Layout = { rows: [""], row: 0, before: "" };
  #input: Input = EMPTY_INPUT;
  #prompt = "";
  #isHidden = false;
  #printed: Printed[] = [];

  constructor(write: (bytes: string) => void, window: Window, hasColours: boolean) {
    this.#write = write;
    this.#window = window;
    this.#hasColours = hasColours;
  }

  /** Shows what is typed. */
  show(prompt: string, input: Input, isHidden = false): void {
    const before = this.#up();
    this.#take(prompt, input, isHidden);
    this.#write(`${HIDE}${before}${this.#drawing()}${SHOW}`);
  }

  /** @param id by which the lines can be changed */
  print(lines: readonly Line[], id: string | null = null): void {
    if (lines.length === 0) return;
    const before = this.#up();
    const printed = this.#printing(lines, id);
    this.#printed.push(printed);
    this.#printed.splice(0, this.#printed.length - KEPT);
    this.#write(`${HIDE}${before}${printed.text}${this.#drawing()}${SHOW}`);
  }

  /** Changes lines in their place, if they can still be seen. */
  change(id: string, lines: readonly Line[]): boolean {
    const index = this.#printed.findLastIndex((one) => one.id === id);
    const old = this.#printed[index];
    if (!old) return false;
    const later = this.#printed.slice(index);
    // What nobody can count is taken for more than fits.
    const above = later.reduce((sum, { rows }) => sum + (rows ?? this.#window.rows), 0);
    if (above + this.#layout.rows.length > this.#window.rows) return false;
    const changed = this.#printing(lines, id);
    if (changed.text === old.text) return true;
    this.#printed[index] = changed;
    const up = `${this.#up()}${ESC}${above}A${BELOW}`;
    const texts = this.#printed.slice(index).map(({ text }) => text);
    this.#write(`${HIDE}${up}${texts.join("")}${this.#drawing()}${SHOW}`);
    return true;
  }

  resize(window: Window): void {
    const rows = rowsAbove(this.#layout, Math.max(1, window.columns));
    this.#window = window;
    // What was printed is wrapped by the terminal in its own way now.
    this.#printed = [];
    this.#take(this.#prompt, this.#input, this.#isHidden);
    this.#write(`${HIDE}${rows > 0 ? `${ESC}${rows}A` : ""}\r${BELOW}${this.#drawing()}${SHOW}`);
  }

  /** Empties the screen; the scrollback stays. */
  clear(): void {
    this.#printed = [];
    this.#write(`${HIDE}${ESC}H${ESC}2J${this.#drawing()}${SHOW}`);
  }

  bell(): void {
    this.#write("\u0007");
  }

  /** Takes away what is typed, for the last time or until `show`. */
  leave(): void {
    this.#write(this.#up());
    this.#layout = { rows: [""], row: 0, before: "" };
  }

  #take(prompt: string, input: Input, isHidden: boolean): void {
    [this.#prompt, this.#input, this.#isHidden] = [prompt, input, isHidden];
    this.#layout = layoutInput(prompt, input, this.#window, isHidden);
  }

  #up(): string {
    const { row } = this.#layout;
    return `${row > 0 ? `${ESC}${row}A` : ""}\r${BELOW}`;
  }

  #drawing(): string {
    const { rows, row, before } = this.#layout;
    const up = rows.length - 1 - row;
    // The part before the cursor is written a second time: wherever the terminal is after it, there is the place.
    return `${NO_WRAP}${rows.join("\r\n")}${up > 0 ? `${ESC}${up}A` : ""}\r${before}${WRAP}`;
  }

  #printing(lines: readonly Line[], id: string | null): Printed {
    const rows = lines.map((one) => rowsOf(textOfLine(one), Math.max(1, this.#window.columns)));
    return {
      id,
      text: lines.map((one) => `${paint(one, this.#hasColours)}\r\n`).join(""),
      rows: rows.reduce((sum, one) => (sum === null || one === null ? null : sum + one), 0),
    };
  }
}
