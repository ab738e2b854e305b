/** One frame of a stream, its bytes its own. */
export interface Frame {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
  /** Whether the bytes that were given end with it. */
  readonly isLast: boolean;
}

/**
 * Cuts a stream of bytes, in whatever pieces it comes, into frames: a header of fixed size, from which the length
 * of the body follows. Holds no more than one frame.
 */
export class Frames {
  readonly #headerLength: number;
  readonly #bodyLength: (header: Uint8Array) => number;
  #header: Uint8Array;
  #body: Uint8Array | null = null;
  #filled = 0;

  /** @param bodyLength is asked as soon as a header is complete; it throws what {@link read} shall throw. */
  constructor(headerLength: number, bodyLength: (header: Uint8Array) => number) {
    this.#headerLength = headerLength;
    this.#bodyLength = bodyLength;
    this.#header = new Uint8Array(headerLength);
  }

  /** Whether a frame has begun and not ended. */
  get isInside(): boolean {
    return this.#filled > 0 || this.#body !== null;
  }

  /** The frames that these bytes complete. What follows a frame is not looked at before the next one is asked for. */
  *read(bytes: Uint8Array): Generator<Frame, void, undefined> {
    let offset = 0;
    while (offset < bytes.length) {
      offset += this.#fill(this.#body ?? this.#header, bytes.subarray(offset));
      if (this.#body === null && this.#filled === this.#headerLength) {
        this.#body = new Uint8Array(this.#bodyLength(this.#header));
        this.#filled = 0;
      }
      if (this.#body?.length === this.#filled) {
        const frame = { header: this.#header, body: this.#body, isLast: offset === bytes.length };
        this.#header = new Uint8Array(this.#headerLength);
        this.#body = null;
        this.#filled = 0;
        yield frame;
      }
    }
  }

  #fill(target: Uint8Array, bytes: Uint8Array): number {
    const part = bytes.subarray(0, target.length - this.#filled);
    target.set(part, this.#filled);
    this.#filled += part.length;
    return part.length;
  }
}
