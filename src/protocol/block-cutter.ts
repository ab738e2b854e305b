import { BLOCK_SIZE } from "./limits.ts";

/** Cuts a stream of bytes, in whatever pieces it comes, into blocks. */
export class BlockCutter {
  #partial: Uint8Array | null = null;
  #filled = 0;

  /** The blocks that end in this chunk. What follows the last one waits; a stream that ends with it loses it. */
  push(chunk: Uint8Array): Uint8Array[] {
    const blocks: Uint8Array[] = [];
    let rest = chunk;
    const partial = this.#partial;
    if (partial) {
      const part = rest.subarray(0, BLOCK_SIZE - this.#filled);
      partial.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled < BLOCK_SIZE) return blocks;
      blocks.push(partial);
      this.#partial = null;
    }
    for (; rest.length >= BLOCK_SIZE; rest = rest.subarray(BLOCK_SIZE)) blocks.push(rest.subarray(0, BLOCK_SIZE));
    if (rest.length > 0) {
      // A copy: a few bytes must not keep a whole chunk of the socket in memory.
      const begun = new Uint8Array(BLOCK_SIZE);
      begun.set(rest);
      this.#partial = begun;
      this.#filled = rest.length;
    }
    return blocks;
  }
}
