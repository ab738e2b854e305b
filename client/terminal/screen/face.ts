import type { Completion } from "../input/complete.ts";
import type { Line } from "../text/styled.ts";

/** What a person types, or asks for with a key. */
export type Typed =
  | { readonly type: "line"; readonly text: string }
  /** ^C with nothing typed. */
  | { readonly type: "interrupt" }
  /** Nothing more will come. */
  | { readonly type: "end" };

/** Where a session shows itself, and what it hears. */
export interface Face {
  /** @param id by which the lines can be changed */
  print(lines: readonly Line[], id?: string): void;
  /** Changes printed lines in their place. False: they cannot be seen any more. */
  change(id: string, lines: readonly Line[]): boolean;
  bell(): void;
  /** Tells the desktop. */
  notify(title: string, text: string): void;
  /** A line as an answer; null when there is none. @param isHidden it is not shown */
  ask(question: string, isHidden: boolean): Promise<string | null>;
  /** The conversation that what is typed goes to unless it says another. */
  setPrefix(prefix: string): void;
  setHistory(history: readonly string[]): void;
  clear(): void;
  next(): Promise<Typed>;
  close(): void;
}

/** What a face asks of the session while somebody types. */
export interface Helper {
  complete(text: string): Promise<Completion | null>;
  /** The command that edits the last message; null when there is none. */
  editLast(): Promise<string | null>;
}
