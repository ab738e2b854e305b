import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, hex, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { decodeZstd } from "../../../../client/chat/wire/zstd/decode.ts";
import { encodeZstd } from "../../../../client/chat/wire/zstd/encode.ts";
import { frameContentSize } from "../../../../client/chat/wire/zstd/frame.ts";

const noise = (length: number): Uint8Array =>
  concat(...Array.from({ length: Math.ceil(length / 32) }, (_, i) => sha256(Uint8Array.of(i >> 8, i & 0xff)))).subarray(0, length);

const WORDS = utf8("Съешь же ещё этих мягких французских булок, да выпей чаю. The quick brown fox. ".repeat(60));
const JSON_TEXT = utf8(JSON.stringify(Array.from({ length: 200 }, (_, i) => ({ event: "x.msg.new", msgId: `${i * 7919}`, n: i }))));

const compress = (content: Uint8Array, level: number, parameters: Record<number, number> = {}): Uint8Array =>
  Uint8Array.from(zstdCompressSync(content, { params: { [constants.ZSTD_c_compressionLevel]: level, ...parameters } }));

function decompress(frame: Uint8Array): Uint8Array {
  return decodeZstd(frame, new Uint8Array(frameContentSize(frame)));
}

/** What the library of the platform makes of a frame; null when it refuses. */
function byPlatform(frame: Uint8Array, limit: number): string | null {
  try {
    return hex(Uint8Array.from(zstdDecompressSync(frame, { maxOutputLength: limit + 65_536 })));
  } catch {
    return null;
  }
}

/** What ours makes of it; null when it refuses, as it also does when it is not as long as it says. */
function byOwn(frame: Uint8Array): string | null {
  try {
    const size = frameContentSize(frame);
    if (size > 300_000) return null;
    const content = decodeZstd(frame, new Uint8Array(size));
    return content.length === size ? hex(content) : null;
  } catch (error) {
    expect((error as Error).name).toMatch(/^(?:RangeError|MessageError)$/);
    return null;
  }
}

/** Content of many kinds: noise, few letters, and repetitions near and far. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.tuple(fc.integer({ min: 1, max: 60 }), fc.uint8Array({ maxLength: 400 })).map(([letters, bytes]) => bytes.map((byte) => 65 + (byte % letters))),
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 300 })).map(([bytes, times]) => concat(...Array.from({ length: times }, () => bytes))),
      fc.constantFrom(WORDS.subarray(0, 700), JSON_TEXT.subarray(0, 900)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => concat(...parts));

describe("frames of others", () => {
  test("are read whatever they hold and however they were made", () => {
    fc.assert(
      fc.property(content, fc.constantFrom(-5, 1, 3, 6, 12, 19, 22), (bytes, level) => {
        expect(hex(decompress(compress(bytes, level)))).toBe(hex(bytes));
      }),
      { numRuns: 500 },
    );
  });

  test.each([0, 1, 2, 17, 255, 256, 257, 16_383, 16_384, 65_791, 65_792, 131_072, 131_073, 300_000])("of %d bytes", (length) => {
    const repeated = concat(...Array.from({ length: Math.ceil(length / JSON_TEXT.length) }, () => JSON_TEXT)).subarray(0, length);
    for (const bytes of [noise(length), new Uint8Array(length), repeated, noise(length).map((byte) => byte & 0x1f)]) {
      for (const level of [1, 3, 19]) expect(hex(decompress(compress(bytes, level)))).toBe(hex(bytes));
    }
  });

  test("with a checksum, and with windows smaller than the content", () => {
    for (const bytes of [WORDS, JSON_TEXT, noise(40_000)]) {
      expect(hex(decompress(compress(bytes, 3, { [constants.ZSTD_c_checksumFlag]: 1 })))).toBe(hex(bytes));
      expect(hex(decompress(compress(concat(bytes, bytes, bytes), 3, { [constants.ZSTD_c_windowLog]: 10 })))).toBe(hex(concat(bytes, bytes, bytes)));
    }
  });

  test("and our own", () => {
    fc.assert(fc.property(content, (bytes) => void expect(hex(decompress(encodeZstd(bytes)))).toBe(hex(bytes))), { numRuns: 200 });
  });
});

describe("damaged frames", () => {
  const damage = fc.record({ bytes: content, level: fc.constantFrom(1, 3, 19), flips: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }), cut: fc.option(fc.nat(), { nil: null }) });

  test("come out as the platform's library has them, or not at all", () => {
    fc.assert(
      fc.property(damage, ({ bytes, level, flips, cut }) => {
        const frame = compress(bytes, level);
        // Past the magic number: its damage is seen before anything else.
        for (const [at, bits] of flips) {
          const place = 4 + (at % Math.max(1, frame.length - 4));
          frame[place] = (frame[place] ?? 0) ^ bits;
        }
        const damaged = cut === null ? frame : frame.subarray(0, cut % (frame.length + 1));
        const own = byOwn(damaged);
        // Ours refuses more: streams of literals that do not come out even. It never makes anything else.
        if (own !== null) expect(own).toBe(byPlatform(damaged, 300_000));
      }),
      { numRuns: 3000 },
    );
  });

  test("cost no more than their content is worth: long repetitions are cut off at the first that does not fit", () => {
    const count = 7400;
    const bits = new Uint8Array(2 * count + 1).fill(255);
    bits[bits.length - 1] = 1;
    // One literal, then each sequence repeats 131,074 bytes; all codes have one table entry.
    const block = Uint8Array.of(8, 65, (count >> 8) + 128, count & 255, 0b01010100, 1, 0, 52, ...bits);
    const header = 1 + 2 * 2 + 8 * block.length;
    const said = 60_000 - 256;
    const frame = Uint8Array.of(
      0x28, 0xb5, 0x2f, 0xfd, 0x60, said & 255, said >> 8, header & 255, (header >> 8) & 255, header >> 16, ...block,
    );
    const begun = performance.now();
    expect(() => decompress(frame)).toThrow("there is more content than was said");
    expect(performance.now() - begun).toBeLessThan(100);
    expect(byPlatform(frame, 60_000)).toBeNull();
  });
});
