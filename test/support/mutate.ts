import fc from "fast-check";
import { concat } from "#crypto/bytes";

/** One way to damage bytes. */
interface Mutation {
  readonly kind: "truncate" | "flip" | "insert" | "remove" | "most";
  readonly at: number;
  readonly byte: number;
}

/** One to three damages; most of what can be broken stands near the beginning. */
export const mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("truncate" as const, "flip" as const, "insert" as const, "remove" as const, "most" as const),
    at: fc.oneof(fc.nat(60), fc.nat(2000)),
    byte: fc.integer({ min: 1, max: 255 }),
  }, { noNullPrototype: true }),
  { minLength: 1, maxLength: 3 },
);

function mutate(bytes: Uint8Array, { kind, at, byte }: Mutation): Uint8Array {
  const place = bytes.length === 0 ? 0 : at % bytes.length;
  const [before, after] = [bytes.slice(0, place), bytes.slice(place)];
  switch (kind) {
    case "truncate":
      return before;
    case "insert":
      return concat(before, Uint8Array.of(byte), after);
    case "remove":
      return concat(before, after.slice(1));
    case "flip":
      return concat(before, after.slice(0, 1).map((old) => old ^ byte), after.slice(1));
    case "most":
      // The highest length, count or version.
      return concat(before, after.slice(0, 2).fill(0xff), after.slice(2));
  }
}

export const mutated = (bytes: Uint8Array, list: readonly Mutation[]): Uint8Array => list.reduce(mutate, bytes);
