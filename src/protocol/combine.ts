import { type Codec, DecodeError, EncodeError, word8 } from "./codec.ts";

type Fields<T> = { readonly [K in keyof T]-?: Codec<T[K]> };

/** Fields back to back in the order in which they are listed. */
export function struct<T extends object>(fields: Fields<T>): Codec<T> {
  const entries = Object.entries(fields) as [keyof T & string, Codec<T[keyof T & string]>][];
  return {
    write(writer, value, version) {
      for (const [key, codec] of entries) codec.write(writer, value[key], version);
    },
    read(reader, version) {
      const value: Partial<T> = {};
      for (const [key, codec] of entries) {
        try {
          value[key] = codec.read(reader, version);
        } catch (error) {
          throw error instanceof DecodeError ? error.within(key) : error;
        }
      }
      return value as T;
    },
  };
}

const NONE = 0x30;
const SOME = 0x31;

/** Maybe: `0`, or `1` and the value. */
export function maybe<T>(codec: Codec<T>): Codec<T | null> {
  return {
    write(writer, value, version) {
      writer.byte(value === null ? NONE : SOME);
      if (value !== null) codec.write(writer, value, version);
    },
    read(reader, version) {
      const byte = reader.byte();
      if (byte === NONE) return null;
      return byte === SOME ? codec.read(reader, version) : reader.fail("Maybe must be 0 or 1");
    },
  };
}

/** A count byte, then the items. */
export function list<T>(codec: Codec<T>): Codec<T[]> {
  return {
    write(writer, value, version) {
      word8.write(writer, value.length, version);
      for (const item of value) codec.write(writer, item, version);
    },
    read(reader, version) {
      const count = word8.read(reader, version);
      return Array.from({ length: count }, () => codec.read(reader, version));
    },
  };
}

/** A list that must not be empty. */
export function nonEmpty<T>(codec: Codec<T>): Codec<T[]> {
  const items = list(codec);
  return {
    write(writer, value, version) {
      if (value.length === 0) throw new EncodeError("list must not be empty");
      items.write(writer, value, version);
    },
    read(reader, version) {
      const value = items.read(reader, version);
      return value.length === 0 ? reader.fail("list must not be empty") : value;
    },
  };
}

/** Layouts by version, oldest first: the last whose `since` is not above the version in use. */
export function byVersion<T>(...layouts: readonly (readonly [since: number, codec: Codec<T>])[]): Codec<T> {
  const pick = (version: number): Codec<T> => {
    const layout = layouts.findLast(([since]) => version >= since);
    if (!layout) throw new EncodeError(`no layout for version ${version}`);
    return layout[1];
  };
  return {
    write: (writer, value, version) => pick(version).write(writer, value, version),
    read: (reader, version) => pick(version).read(reader, version),
  };
}
