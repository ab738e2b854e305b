/** Bits from the lowest one of the first byte on, as Zstandard writes them to be read from the end. */
export class BitStream {
  readonly #bytes: number[] = [];
  #value = 0;
  #filled = 0;

  /** @param bits up to 16. */
  write(value: number, bits: number): void {
    this.#value |= value << this.#filled;
    this.#filled += bits;
    while (this.#filled >= 8) {
      this.#bytes.push(this.#value & 0xff);
      this.#value >>>= 8;
      this.#filled -= 8;
    }
  }

  /** Filled up with zeros to a whole byte. */
  done(): Uint8Array {
    if (this.#filled > 0) this.write(0, 8 - this.#filled);
    return Uint8Array.from(this.#bytes);
  }

  /** A one, which tells where to begin reading, and zeros to a whole byte. */
  closed(): Uint8Array {
    this.write(1, 1);
    return this.done();
  }
}
