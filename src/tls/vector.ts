import { type Codec, encode, Reader, tail } from "#protocol/codec";

/** Unsigned 24 bits, big endian. */
export const word24: Codec<number> = {
  write: (writer, value) => void writer.byte(value >>> 16).byte((value >>> 8) & 0xff).byte(value & 0xff),
  read: (reader) => reader.byte() * 0x1_00_00 + reader.byte() * 0x1_00 + reader.byte(),
};

/** A length in bytes, then content that fills it exactly. */
export function sized<T>(length: Codec<number>, content: Codec<T>): Codec<T> {
  return {
    write(writer, value, version) {
      const bytes = encode(content, value, version);
      length.write(writer, bytes.length, version);
      writer.bytes(bytes);
    },
    read(reader, version) {
      const inner = new Reader(reader.view(length.read(reader, version)));
      const value = content.read(inner, version);
      return inner.remaining > 0 ? inner.fail(`${inner.remaining} bytes follow the end`) : value;
    },
  };
}

/** Items back to back until nothing remains. */
export function many<T>(item: Codec<T>): Codec<T[]> {
  return {
    write(writer, value, version) {
      for (const one of value) item.write(writer, one, version);
    },
    read(reader, version) {
      const items: T[] = [];
      while (reader.remaining > 0) items.push(item.read(reader, version));
      return items;
    },
  };
}

/** A vector of RFC 8446 section 3.4: its length in bytes, not in items, stands first. */
export function vector<T>(length: Codec<number>, item: Codec<T>): Codec<T[]> {
  return sized(length, many(item));
}

/** Up to 2^24 - 1 bytes. */
export const opaque24: Codec<Uint8Array> = sized(word24, tail);
