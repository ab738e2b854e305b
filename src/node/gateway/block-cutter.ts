import { BLOCK_SIZE } from "#protocol/limits";

/** Cuts a stream of bytes into blocks. */
export class BlockCutter {
  #partial: Buffer | null = null;
  #filled = 0;

  /** The blocks that end in this chunk. What follows the last one waits; a stream that ends with it loses it. */
  push(chunk: Buffer): Buffer[] {
    const blocks: Buffer[] = [];
    let rest = chunk;
    const partial = this.#partial;
    if (partial) {
      const taken = rest.copy(partial, this.#filled);
      this.#filled += taken;
      rest = rest.subarray(taken);
      if (this.#filled < BLOCK_SIZE) return blocks;
      blocks.push(partial);
      this.#partial = null;
    }
    for (; rest.length >= BLOCK_SIZE; rest = rest.subarray(BLOCK_SIZE)) blocks.push(rest.subarray(0, BLOCK_SIZE));
    if (rest.length > 0) {
      // A copy: a few bytes must not keep a whole chunk of the socket in memory.
      const begun = Buffer.allocUnsafeSlow(BLOCK_SIZE);
      this.#filled = rest.copy(begun);
      this.#partial = begun;
    }
    return blocks;
  }
}
