import { emitKeypressEvents } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";
import { Mailbox } from "../../mailbox.ts";
import { type Key, textAtEnd } from "../input/editor.ts";
import { type Act, EMPTY_INPUT, type Input, press } from "../input/input.ts";
import { dim, type Line, line } from "../text/styled.ts";
import { shortened } from "../text/width.ts";
import type { Face, Helper, Typed } from "./face.ts";
import { Screen } from "./screen.ts";

const PASTE_ON = "\u001b[?2004h";
const PASTE_OFF = "\u001b[?2004l";
const PROMPT = "> ";
/** Milliseconds after which a lone Escape is no beginning of something longer. */
const ESCAPE_TIMEOUT = 50;
/** Choices of a completion that are listed. */
const MAX_LISTED = 60;

interface Question {
  readonly prompt: string;
  readonly isHidden: boolean;
  /** What was being typed. */
  readonly before: Input;
  readonly answer: (text: string | null) => void;
}

export interface TerminalOptions {
  readonly input: ReadStream;
  readonly output: WriteStream;
  readonly hasColours: boolean;
  readonly hasBell: boolean;
  /** Whether notes for the desktop are sent, as OSC 9. */
  readonly notifies: boolean;
}

/** A person at a terminal. */
export class Terminal implements Face {
  readonly #options: TerminalOptions;
  readonly #screen: Screen;
  readonly #typed = new Mailbox<Typed>();
  #helper: Helper | null = null;
  #input: Input = EMPTY_INPUT;
  #question: Question | null = null;
  #isDue = false;
  /** Keys that came while names were looked for; null: none are. */
  #waiting: Key[] | null = null;
  #isOpen = true;
  readonly #onKey = (text: string | undefined, key: Key): void => this.#key({ ...key, sequence: key.sequence || text || "" });
  readonly #onResize = (): void => this.#resized();
  readonly #onEnd = (): void => this.#typed.put({ type: "end" });
  /** Whatever the program ends by, the terminal is left as it was. */
  readonly #onExit = (): void => this.close();
  readonly #onContinue = (): void => this.#resume();

  constructor(options: TerminalOptions) {
    this.#options = options;
    const { input, output } = options;
    this.#screen = new Screen((bytes) => void output.write(bytes), this.#window(), options.hasColours);
    // An interface of readline is only asked for the time after which Escape stands alone.
    emitKeypressEvents(input, { escapeCodeTimeout: ESCAPE_TIMEOUT } as never);
    input.on("keypress", this.#onKey);
    input.on("end", this.#onEnd);
    output.on("resize", this.#onResize);
    process.on("SIGCONT", this.#onContinue);
    process.on("exit", this.#onExit);
    this.#resume();
  }

  /** Who is asked about what is typed. */
  help(helper: Helper): void {
    this.#helper = helper;
  }

  print(lines: readonly Line[], id?: string): void {
    if (!this.#isOpen) return;
    this.#screen.print(lines, id ?? null);
  }

  change(id: string, lines: readonly Line[]): boolean {
    if (!this.#isOpen) return false;
    return this.#screen.change(id, lines);
  }

  bell(): void {
    if (this.#isOpen && this.#options.hasBell) this.#screen.bell();
  }

  notify(title: string, text: string): void {
    if (!this.#isOpen || !this.#options.notifies) return;
    // Nothing that could end the sequence, or begin another one.
    const harmless = `${title}: ${text}`.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ");
    this.#options.output.write(`\u001b]9;${shortened(harmless, 120)}\u0007`);
  }

  ask(question: string, isHidden: boolean): Promise<string | null> {
    return new Promise((answer) => {
      this.#question = { prompt: question, isHidden, before: this.#input, answer };
      this.#input = { ...EMPTY_INPUT, history: [] };
      this.#due();
    });
  }

  setPrefix(prefix: string): void {
    if (this.#question) this.#question = { ...this.#question, before: { ...this.#question.before, prefix } };
    else this.#input = { ...this.#input, prefix };
  }

  setHistory(history: readonly string[]): void {
    this.#input = { ...this.#input, history };
  }

  clear(): void {
    this.#screen.clear();
  }

  async next(): Promise<Typed> {
    const { value } = await this.#typed.next();
    return value ?? { type: "end" };
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const { input, output } = this.#options;
    input.off("keypress", this.#onKey);
    input.off("end", this.#onEnd);
    output.off("resize", this.#onResize);
    process.off("SIGCONT", this.#onContinue);
    process.off("exit", this.#onExit);
    this.#release();
    input.pause();
    this.#question?.answer(null);
    this.#typed.end();
  }

  #window(): { readonly columns: number; readonly rows: number } {
    // A terminal that does not know its size says 0.
    return { columns: this.#options.output.columns || 80, rows: this.#options.output.rows || 24 };
  }

  #release(): void {
    this.#screen.leave();
    this.#options.output.write(PASTE_OFF);
    this.#options.input.setRawMode(false);
  }

  #resume(): void {
    if (!this.#isOpen) return;
    this.#options.input.setRawMode(true);
    this.#options.input.resume();
    this.#options.output.write(PASTE_ON);
    this.#draw();
  }

  /** Keys that came at once, as in a paste, are drawn at once. */
  #due(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      if (this.#isOpen) this.#draw();
    });
  }

  #resized(): void {
    if (this.#isOpen) this.#screen.resize(this.#window());
  }

  #draw(): void {
    const { prompt = PROMPT, isHidden = false } = this.#question ?? {};
    this.#screen.show(prompt, this.#input, isHidden);
  }

  #key(key: Key): void {
    if (this.#waiting) {
      this.#waiting.push(key);
      return;
    }
    const { input, act } = press(this.#input, key);
    this.#input = input;
    this.#do(act);
    this.#due();
  }

  #do(act: Act): void {
    if (this.#question && act.type !== "none") return this.#answer(this.#question, act);
    switch (act.type) {
      case "submit":
        return this.#typed.put({ type: "line", text: act.text });
      case "interrupt":
      case "end":
        return this.#typed.put({ type: act.type });
      case "complete":
        return this.#inBackground(() => this.#complete());
      case "editLast":
        return this.#inBackground(() => this.#editLast());
      case "clear":
        return this.#screen.clear();
      case "suspend":
        this.#release();
        process.kill(process.pid, "SIGTSTP");
        return;
      case "bell":
        return this.bell();
      case "none":
    }
  }

  /** A question is answered by a line, and by everything else that ends one. */
  #answer({ before, answer }: Question, act: Act): void {
    if (act.type !== "submit" && act.type !== "interrupt" && act.type !== "end") return;
    this.#question = null;
    this.#input = before;
    this.#draw();
    answer(act.type === "submit" ? act.text : null);
  }

  /** What is typed meanwhile is taken afterwards. */
  #inBackground(work: () => Promise<void>): void {
    this.#waiting = [];
    work()
      .catch((error: unknown) => this.print([line(String(error))]))
      .finally(() => {
        const keys = this.#waiting ?? [];
        this.#waiting = null;
        for (const key of keys) this.#key(key);
      });
  }

  async #complete(): Promise<void> {
    const { text, at } = this.#input;
    const found = await this.#helper?.complete(text.slice(0, at));
    if (!found) return;
    const { from, common, choices } = found;
    if (text.slice(from, at) !== common) {
      this.#input = { ...this.#input, text: text.slice(0, from) + common + text.slice(at), at: from + common.length };
      return this.#due();
    }
    if (choices.length < 2) return this.bell();
    const more = choices.length > MAX_LISTED ? ` … (${choices.length - MAX_LISTED} more)` : "";
    this.print([line(dim(choices.slice(0, MAX_LISTED).join("  ") + more))]);
  }

  async #editLast(): Promise<void> {
    const command = await this.#helper?.editLast();
    if (command === null || command === undefined || this.#input.text !== "") return this.bell();
    this.#input = { ...this.#input, ...textAtEnd(command) };
    this.#due();
  }
}
