/** Bits of a part of a frame, which Zstandard reads from the end (RFC 8878, section 4.1). */
export class BackwardBits {
  readonly #bytes: Uint8Array;
  #left: number;

  /** @throws RangeError when the bit that marks the end is missing */
  constructor(bytes: Uint8Array) {
    const last = bytes.at(-1) ?? 0;
    if (last === 0) throw new RangeError("a stream of bits has no end");
    this.#bytes = bytes;
    this.#left = 8 * bytes.length - 8 + Math.floor(Math.log2(last));
  }

  /** How many are left; less than none when more were read than there are. */
  get left(): number {
    return this.#left;
  }

  /** The next bits, up to 24, without taking them; zeros after the end. */
  peek(count: number): number {
    const from = this.#left - count;
    if (from < 0) return count + from <= 0 ? 0 : (this.#at(0) & ((1 << (count + from)) - 1)) << -from;
    return this.#at(from) & ((1 << count) - 1);
  }

  skip(count: number): void {
    this.#left -= count;
  }

  read(count: number): number {
    const value = this.peek(count);
    this.#left -= count;
    return value;
  }

  /** At least 25 bits from a place on. */
  #at(position: number): number {
    const at = position >> 3;
    const bytes = this.#bytes;
    const word = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
    return word >>> (position & 7);
  }
}
