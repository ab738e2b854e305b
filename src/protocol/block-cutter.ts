import { BLOCK_SIZE } from "./limits.ts";

/** Cuts a stream of bytes, in whatever pieces it comes, into blocks. */
export class BlockCutter {
  readonly #size: number;
  #partial: Uint8Array | null = null;
  #filled = 0;

  /** `size`: bytes of a block. */
  constructor(size: number = BLOCK_SIZE) {
    this.#size = size;
  }

  /** The blocks that end in this chunk. What follows the last one waits; a stream that ends with it loses it. */
  push(chunk: Uint8Array): Uint8Array[] {
    const size = this.#size;
    const blocks: Uint8Array[] = [];
    let rest = chunk;
    const partial = this.#partial;
    if (partial) {
      const part = rest.subarray(0, size - this.#filled);
      partial.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled < size) return blocks;
      blocks.push(partial);
      this.#partial = null;
    }
    for (; rest.length >= size; rest = rest.subarray(size)) blocks.push(rest.subarray(0, size));
    if (rest.length > 0) {
      // A copy: a few bytes must not keep a whole chunk of the socket in memory.
      const begun = new Uint8Array(size);
      begun.set(rest);
      this.#partial = begun;
      this.#filled = rest.length;
    }
    return blocks;
  }
}
