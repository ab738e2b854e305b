import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { type Line, paint } from "../text/styled.ts";
import type { Face, Typed } from "./face.ts";

/** Lines in, lines out: where there is no terminal. */
export class Pipe implements Face {
  readonly #output: Writable;
  readonly #lines: Interface;
  readonly #iterator: AsyncIterator<string>;

  constructor(input: Readable, output: Writable) {
    this.#output = output;
    this.#lines = createInterface({ input, terminal: false });
    this.#iterator = this.#lines[Symbol.asyncIterator]();
  }

  print(lines: readonly Line[]): void {
    this.#output.write(lines.map((one) => `${paint(one, false)}\n`).join(""));
  }

  change(): boolean {
    return false;
  }

  bell(): void {}

  notify(): void {}

  async ask(): Promise<string | null> {
    return null;
  }

  setPrefix(): void {}

  setHistory(): void {}

  clear(): void {}

  async next(): Promise<Typed> {
    const { done, value } = await this.#iterator.next();
    return done === true ? { type: "end" } : { type: "line", text: value };
  }

  close(): void {
    this.#lines.close();
  }
}

/** Resolves when what was written is out. */
export async function flushed(output: Writable): Promise<void> {
  if (output.writableNeedDrain) await once(output, "drain");
}
