import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const PROGRAM = fileURLToPath(new URL("../../../bin/smp-edge.js", import.meta.url));
const PATIENCE = 40_000;
const POLL = 50;

/** Terminals are driven by tmux; where there is none, nothing can be. */
export const hasTmux = spawnSync("tmux", ["-V"]).status === 0;

let servers = 0;

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A terminal with a program in it. */
export class Window {
  readonly #tmux: Tmux;
  readonly #name: string;

  constructor(tmux: Tmux, name: string) {
    this.#tmux = tmux;
    this.#name = name;
  }

  /** Types a text, at once. */
  type(text: string): void {
    this.#tmux.run("send-keys", "-t", this.#name, "-l", "--", text);
  }

  /** Presses keys by the names that tmux has for them. */
  press(...keys: readonly string[]): void {
    this.#tmux.run("send-keys", "-t", this.#name, "--", ...keys);
  }

  /** A whole line. */
  enter(text: string): void {
    this.type(text);
    this.press("Enter");
  }

  paste(text: string): void {
    this.#tmux.run("set-buffer", "-b", "pasted", "--", text);
    this.#tmux.run("paste-buffer", "-p", "-t", this.#name, "-b", "pasted");
  }

  resize({ columns, rows }: Size): void {
    this.#tmux.run("resize-window", "-t", this.#name, "-x", String(columns), "-y", String(rows));
  }

  /** What can be seen, row by row. */
  rows(): string[] {
    return this.#tmux.run("capture-pane", "-p", "-t", this.#name).trimEnd().split("\n").map((row) => row.trimEnd());
  }

  /** All lines with the scrollback, those that the terminal has wrapped in one piece. */
  text(): string {
    return this.#tmux.run("capture-pane", "-p", "-J", "-S", "-3000", "-t", this.#name).replaceAll(/[ ]+$/gmu, "").trimEnd();
  }

  /** With colours, as the terminal has them. */
  coloured(): string {
    return this.#tmux.run("capture-pane", "-p", "-e", "-J", "-S", "-3000", "-t", this.#name);
  }

  /** Column and row of the cursor, from 0. */
  cursor(): readonly [number, number] {
    const [x, y] = this.#tmux.run("display-message", "-p", "-t", this.#name, "#{cursor_x} #{cursor_y}").split(" ");
    return [Number(x), Number(y)];
  }

  title(): string {
    return this.#tmux.run("display-message", "-p", "-t", this.#name, "#{pane_title}").trimEnd();
  }

  /** Waits until it is shown. */
  async shows(what: string | RegExp): Promise<string> {
    return this.until(String(what), (text) => (typeof what === "string" ? text.includes(what) : what.test(text)));
  }

  async until(what: string, isSo: (text: string) => boolean): Promise<string> {
    const end = Date.now() + PATIENCE;
    for (;;) {
      const text = this.text();
      if (isSo(text)) return text;
      if (Date.now() > end) throw new Error(`${this.#name} never showed ${what}; there is:\n${this.#tmux.everything()}`);
      await new Promise((resolve) => setTimeout(resolve, POLL));
    }
  }
}

/** A tmux server of its own. */
export class Tmux {
  readonly #socket = `smp-edge-test-${process.pid}-${servers++}`;

  run(...args: readonly string[]): string {
    return execFileSync("tmux", ["-L", this.#socket, "-f", "/dev/null", ...args], {
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C.UTF-8", TERM: "xterm-256color" },
    });
  }

  /** Opens a terminal with a command in it; afterwards it tells the exit code and whether the terminal is as before. */
  open(name: string, command: readonly string[], { columns = 90, rows = 30, env = {} }: Partial<Size> & { readonly env?: Readonly<Record<string, string>> } = {}): Window {
    const quoted = command.map((part) => `'${part.replaceAll("'", `'\\''`)}'`).join(" ");
    const settings = Object.entries({ NO_COLOR: "", ...env }).map(([key, value]) => `${key}='${value}'`).join(" ");
    const script = `${settings} ${quoted}; echo "ended $?"; stty -a | grep -o ' [-]*icanon\\| [-]*echo ' | tr -d '\\n'; sleep 600`;
    this.run("new-session", "-d", "-s", name, "-x", String(columns), "-y", String(rows), script);
    return new Window(this, name);
  }

  /** Opens the chat of a profile. */
  chat(name: string, args: readonly string[], options: Parameters<Tmux["open"]>[2] = {}): Window {
    return this.open(name, [process.execPath, PROGRAM, "chat", ...args], options);
  }

  /** What all terminals show, for a failure. */
  everything(): string {
    const names = this.run("list-sessions", "-F", "#{session_name}").trim().split("\n");
    return names.map((name) => `--- ${name}\n${new Window(this, name).text()}`).join("\n");
  }

  close(name: string): void {
    this.run("kill-session", "-t", name);
  }

  end(): void {
    spawnSync("tmux", ["-L", this.#socket, "kill-server"]);
  }
}
