import { utf8 } from "#crypto/bytes";
import { type Codec, DecodeError, Reader, Writer } from "./codec.ts";

const SPACE = 0x20;

/** A tag that no table knows. The router answers it with `CMD UNKNOWN`, where a DecodeError is `CMD SYNTAX`. */
export class UnknownTagError extends Error {
  override readonly name = "UnknownTagError";
}

/** Parameters of a tag that has none. */
export const none: Codec<object> = { write: () => undefined, read: () => ({}) };

/** Parameters: one space, then the fields. */
export function spaced<T>(codec: Codec<T>): Codec<T> {
  return {
    write(writer, value, version) {
      writer.byte(SPACE);
      codec.write(writer, value, version);
    },
    read(reader, version) {
      if (reader.byte() !== SPACE) reader.fail("a space must follow the tag");
      return codec.read(reader, version);
    },
  };
}

/** The member of a union that a tag names, also where a member stands for several tags. */
export type OfTag<T extends { readonly tag: string }, K extends T["tag"]> = T extends unknown
  ? K extends T["tag"] ? Omit<T, "tag"> & { readonly tag: K } : never
  : never;

/** A tag's parameters: everything of the value but its tag. */
export type ParametersOf<T extends { readonly tag: string }, K extends T["tag"]> = Omit<OfTag<T, K>, "tag">;

export type TagTable<T extends { readonly tag: string }> = { readonly [K in T["tag"]]: Codec<ParametersOf<T, K>> };

export interface TaggedCodec<T> {
  encode(value: T, version: number): Uint8Array;
  decode(bytes: Uint8Array, version: number): T;
}

/**
 * ASCII tag up to the first space or the end, then the tag's parameters, which must fill the input.
 * `decode` throws UnknownTagError or DecodeError.
 */
export function tagged<T extends { readonly tag: string }>(table: TagTable<T>): TaggedCodec<T> {
  const lookUp = (tag: string): Codec<object> | undefined =>
    Object.hasOwn(table, tag) ? (table as Readonly<Record<string, Codec<object>>>)[tag] : undefined;
  return {
    encode(value, version) {
      const writer = new Writer();
      writer.bytes(utf8(value.tag));
      lookUp(value.tag)?.write(writer, value, version);
      return writer.done();
    },
    decode(bytes, version) {
      const reader = new Reader(bytes);
      const tag = String.fromCharCode(...reader.takeUntil(SPACE));
      const parameters = lookUp(tag);
      if (!parameters) throw new UnknownTagError("the command is not known");
      try {
        const value = parameters.read(reader, version);
        if (reader.remaining > 0) reader.fail("bytes follow the parameters");
        return { tag, ...value } as unknown as T;
      } catch (error) {
        throw error instanceof DecodeError ? error.within(tag) : error;
      }
    },
  };
}
