import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, hex, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { encodeZstd } from "../../../../client/chat/wire/zstd/encode.ts";
import { frameContentSize } from "../../../../client/chat/wire/zstd/frame.ts";
import { codeLengths, codesOf } from "../../../../client/chat/wire/zstd/huffman.ts";
import { zstd } from "./platform-zstd.ts";

/** The library of the platform reads what was written. */
function check(content: Uint8Array): Uint8Array {
  const frame = encodeZstd(content);
  expect(frameContentSize(frame)).toBe(content.length);
  expect(hex(zstd.decompress(frame, content.length))).toBe(hex(content));
  return frame;
}

const noise = (length: number): Uint8Array =>
  concat(
    ...Array.from({ length: Math.ceil(length / 32) }, (_, i) => sha256(Uint8Array.of(i >> 8, i & 0xff))),
  ).subarray(0, length);

describe("frames of our own", () => {
  test("leave the bytes as they are, also where a slice of them is no copy", () => {
    class Shared extends Uint8Array {
      override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
        return new Uint8Array(this.buffer).subarray(start, end);
      }
    }
    const text = utf8("what is written here is written in letters of which some come often. ".repeat(10));
    const content = new Shared(text);
    encodeZstd(content);
    expect(hex(content)).toBe(hex(text));
  });

  test("are read by others, whatever they hold", () => {
    // Bytes of some letters, the first more often than the last.
    const content = fc
      .tuple(
        fc.uint8Array({ maxLength: 3000 }),
        fc.integer({ min: 1, max: 256 }),
        fc.nat(255),
        fc.integer({ min: 1, max: 5 }),
      )
      .map(([bytes, letters, first, power]) =>
        bytes.map((byte) => first + Math.floor(letters * (byte / 256) ** power)),
      );
    fc.assert(
      fc.property(content, (bytes) => void check(bytes)),
      { numRuns: 400 },
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 100, maxLength: 2000 }), (text) => void check(utf8(text))),
    );
  });

  test.each([0, 1, 2, 63, 64, 255, 256, 257, 16_383, 16_384, 65_791, 65_792, 131_072, 131_073, 300_000])(
    "of %d bytes",
    (length) => {
      check(noise(length));
      check(noise(length).map((byte) => byte & 0x3f));
      check(noise(length).map((byte) => (byte === 0 ? 200 : 30)));
      const same = check(new Uint8Array(length).fill(97));
      expect(same.length).toBeLessThan(30);
    },
  );

  test("are as short as what they hold allows", () => {
    expect(check(noise(10_000)).length).toBe(10_010);
    // Six of eight bits, and seven.
    expect(check(noise(10_000).map((byte) => 0x40 + (byte & 0x3f))).length).toBeLessThan(7_560);
    expect(check(noise(10_000).map((byte) => byte & 0x7f)).length).toBeLessThan(8_850);
    const words = utf8("Съешь же ещё этих мягких французских булок, да выпей чаю. ".repeat(100));
    expect(check(words).length).toBeLessThan(words.length * 0.55);
    // All bytes, of which one is much more frequent than the others.
    expect(check(concat(new Uint8Array(9_000), noise(1_000))).length).toBeLessThan(3_000);
  });

  test("have codes of up to 11 bits, that leave no gap", () => {
    const counts = fc.array(fc.oneof(fc.constant(0), fc.nat(5), fc.nat(100_000)), { minLength: 2, maxLength: 256 });
    const fibonacci = Array.from({ length: 40 }, (_, i) => Math.round(1.618 ** i));
    fc.assert(
      fc.property(
        counts.filter((list) => list.filter((count) => count > 0).length > 1),
        (list) => {
          const lengths = codeLengths(list);
          expect(Math.max(...lengths)).toBeLessThanOrEqual(11);
          expect(lengths.map((length) => length > 0)).toEqual(list.map((count) => count > 0));
          expect(lengths.reduce((sum, length) => sum + (length === 0 ? 0 : 2 ** -length), 0)).toBe(1);
          const codes = codesOf(lengths).map((code, i) =>
            code
              .toString(2)
              .padStart(lengths[i] ?? 0, "0")
              .slice(0, lengths[i]),
          );
          expect(new Set(codes.filter((code) => code !== "")).size).toBe(
            lengths.filter((length) => length > 0).length,
          );
        },
      ),
      { examples: [[fibonacci]] },
    );
  });
});
