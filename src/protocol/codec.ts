import { equal, fromUtf8, utf8 } from "#crypto/bytes";

/** The bytes of a peer do not follow the protocol: which field, where, and why. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
  readonly reason: string;
  /** Bytes from the start of what was being decoded. */
  readonly offset: number;
  /** Path of the field, outermost first; empty at the top. */
  readonly field: string;

  constructor(reason: string, offset: number, field = "") {
    super(`${field === "" ? "" : `${field}: `}${reason} (at byte ${offset})`);
    this.reason = reason;
    this.offset = offset;
    this.field = field;
  }

  within(field: string): DecodeError {
    return new DecodeError(this.reason, this.offset, this.field === "" ? field : `${field}.${this.field}`);
  }
}

/** A value cannot be written in this encoding: a mistake of the caller. */
export class EncodeError extends Error {
  override readonly name = "EncodeError";
}

/** Walks over bytes. Slices that it hands out are copies, so that no message keeps its block in memory. */
export class Reader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  fail(reason: string): never {
    throw new DecodeError(reason, this.#offset);
  }

  byte(): number {
    const value = this.#bytes[this.#offset];
    if (value === undefined) return this.fail("ends too early");
    this.#offset++;
    return value;
  }

  /** The next byte without taking it; undefined at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#offset];
  }

  /** The next `length` bytes as a view of the input. */
  view(length: number): Uint8Array {
    if (length > this.remaining) this.fail(`ends too early: ${length} bytes wanted, ${this.remaining} left`);
    const start = this.#offset;
    this.#offset += length;
    return this.#bytes.subarray(start, this.#offset);
  }

  take(length: number): Uint8Array {
    return this.view(length).slice();
  }

  rest(): Uint8Array {
    return this.take(this.remaining);
  }

  /** Takes these bytes if they come next. */
  skip(expected: Uint8Array): boolean {
    const isNext = equal(this.#bytes.subarray(this.#offset, this.#offset + expected.length), expected);
    if (isNext) this.#offset += expected.length;
    return isNext;
  }

  /** Up to the byte or the end, not taking the byte. */
  takeUntil(byte: number): Uint8Array {
    const index = this.#bytes.indexOf(byte, this.#offset);
    return this.take((index < 0 ? this.#bytes.length : index) - this.#offset);
  }

  /** Runs `parse`; when it fails goes back to where it was and answers undefined. */
  attempt<T>(parse: () => T): T | undefined {
    const start = this.#offset;
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#offset = start;
      return undefined;
    }
  }
}

/** Collects bytes. */
export class Writer {
  #bytes = new Uint8Array(128);
  #length = 0;

  #grow(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }

  byte(value: number): this {
    this.#grow(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#grow(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

/**
 * One wire structure, both directions from one value. `version` is the negotiated protocol version, for the few
 * structures whose layout depends on it.
 */
export interface Codec<T> {
  write(writer: Writer, value: T, version: number): void;
  read(reader: Reader, version: number): T;
}

export function encode<T>(codec: Codec<T>, value: T, version = 0): Uint8Array {
  const writer = new Writer();
  codec.write(writer, value, version);
  return writer.done();
}

/** Decodes the whole input. @throws DecodeError also when bytes follow. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array, version = 0): T {
  const reader = new Reader(bytes);
  const value = codec.read(reader, version);
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes follow the end`);
  return value;
}

/** Decodes from the start and ignores what follows, as handshake blocks allow. @throws DecodeError */
export function decodePrefix<T>(codec: Codec<T>, bytes: Uint8Array, version = 0): T {
  return codec.read(new Reader(bytes), version);
}

function integer(size: number): Codec<number> {
  const limit = 2 ** (8 * size);
  return {
    write(writer, value) {
      if (!Number.isInteger(value) || value < 0 || value >= limit) throw new EncodeError(`${value} is not a ${8 * size}-bit word`);
      for (let shift = size - 1; shift >= 0; shift--) writer.byte(Math.floor(value / 2 ** (8 * shift)) & 0xff);
    },
    read(reader) {
      let value = 0;
      for (let i = 0; i < size; i++) value = value * 256 + reader.byte();
      return value;
    },
  };
}

export const word8 = integer(1);
export const word16 = integer(2);
export const word32 = integer(4);

/** Signed 64 bits, big endian. Values beyond 2^53 are refused: nothing in the protocol counts that far. */
export const int64: Codec<number> = {
  write(writer, value) {
    if (!Number.isSafeInteger(value)) throw new EncodeError(`${value} is not an integer of 53 bits`);
    const view = new DataView(new ArrayBuffer(8));
    view.setBigInt64(0, BigInt(value));
    writer.bytes(new Uint8Array(view.buffer));
  },
  read(reader) {
    const bytes = reader.take(8);
    const value = Number(new DataView(bytes.buffer).getBigInt64(0));
    if (!Number.isSafeInteger(value)) reader.fail("64-bit number is out of range");
    return value;
  },
};

const T = 0x54;
const F = 0x46;

export const bool: Codec<boolean> = {
  write: (writer, value) => void writer.byte(value ? T : F),
  read(reader) {
    const byte = reader.byte();
    if (byte !== T && byte !== F) reader.fail("boolean must be T or F");
    return byte === T;
  },
};

function prefixed(length: Codec<number>): Codec<Uint8Array> {
  return {
    write(writer, value, version) {
      length.write(writer, value.length, version);
      writer.bytes(value);
    },
    read: (reader, version) => reader.take(length.read(reader, version)),
  };
}

/** Str: one length byte, then up to 255 bytes. */
export const str = prefixed(word8);
/** Large: Word16 length, then up to 65,535 bytes. */
export const large = prefixed(word16);

/** All that remains, with no prefix. */
export const tail: Codec<Uint8Array> = {
  write: (writer, value) => void writer.bytes(value),
  read: (reader) => reader.rest(),
};

/** Exactly `length` bytes, with no prefix. */
export function fixed(length: number): Codec<Uint8Array> {
  return {
    write(writer, value) {
      if (value.length !== length) throw new EncodeError(`${length} bytes wanted, got ${value.length}`);
      writer.bytes(value);
    },
    read: (reader) => reader.take(length),
  };
}

/** Str of exactly `length` bytes. */
export function strOf(length: number): Codec<Uint8Array> {
  return {
    write(writer, value, version) {
      if (value.length !== length) throw new EncodeError(`${length} bytes wanted, got ${value.length}`);
      str.write(writer, value, version);
    },
    read(reader, version) {
      const value = str.read(reader, version);
      if (value.length !== length) reader.fail(`${length} bytes wanted, got ${value.length}`);
      return value;
    },
  };
}

/** crypto_box nonce: 24 bytes, no prefix. */
export const nonce = fixed(24);

/** Nothing on the wire: decodes to `value`, encodes to no bytes. */
export function absent<T>(value: T): Codec<T> {
  return { write: () => undefined, read: () => value };
}

export function transform<A, B>(codec: Codec<A>, to: (value: A) => B, from: (value: B) => A): Codec<B> {
  return {
    write: (writer, value, version) => codec.write(writer, from(value), version),
    read(reader, version) {
      const value = codec.read(reader, version);
      try {
        return to(value);
      } catch (error) {
        if (error instanceof DecodeError) throw error;
        return reader.fail(error instanceof Error ? error.message : "cannot be read");
      }
    },
  };
}

/** Text in UTF-8. */
export function text(codec: Codec<Uint8Array>): Codec<string> {
  return transform(codec, fromUtf8, utf8);
}

/** Text with one byte a character (Latin-1), as the protocol writes names that are not text for people. */
export function latin1(codec: Codec<Uint8Array>): Codec<string> {
  return transform(
    codec,
    (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""),
    (value) => Uint8Array.from(value, (character) => character.codePointAt(0) ?? 0),
  );
}

/** One of a set of single characters. */
export function letter<T extends string>(letters: Readonly<Record<T, string>>): Codec<T> {
  const names = Object.keys(letters) as T[];
  return {
    write: (writer, value) => void writer.byte(letters[value].charCodeAt(0)),
    read(reader) {
      const byte = reader.byte();
      const name = names.find((candidate) => letters[candidate].charCodeAt(0) === byte);
      return name ?? reader.fail(`expected one of ${Object.values(letters).join("")}`);
    },
  };
}

