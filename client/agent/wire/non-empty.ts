import type { Codec } from "#protocol/codec";
import { nonEmpty as items } from "#protocol/combine";

/** At least one. */
export type NonEmpty<T> = readonly [T, ...T[]];

/** NonEmpty: a count byte that is not 0, then the items; the type says that there is a first one. */
export function nonEmpty<T>(codec: Codec<T>): Codec<NonEmpty<T>> {
  const { read, write } = items(codec);
  return {
    write: (writer, value, version) => write(writer, [...value], version),
    read(reader, version) {
      const [first, ...others] = read(reader, version);
      return first === undefined ? reader.fail("list must not be empty") : [first, ...others];
    },
  };
}
