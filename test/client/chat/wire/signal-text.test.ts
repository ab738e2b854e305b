import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compressSignal, decompressSignal } from "../../../../client/chat/wire/signal-text.ts";

/** What lz-string 1.5.0 makes of them. */
const EXAMPLES: readonly (readonly [text: string, compressed: string])[] = [
  ["", "Q==="],
  ["a", "IZA="],
  ["[]", "NoXSA==="],
  ['{"type":"offer","sdp":"v=0\\r\\n"}', "N4IgLgngDgpiBcID2AzFMBOIA0IDOAJlAiAG4C8ADADobUB2IAvkA==="],
  ["привет 👋 привет 👋", "vwggEQQcIITCCKwghCIABIXg3DSO3UlaKUA="],
  ["a".repeat(50), "IY18ZXeQ"],
  [
    '[{"candidate":"candidate:1 1 udp 1 192.0.2.1 5 typ host","sdpMid":"0"}]',
    "NobwRAxghgdgJgSzlALgUzALkrRz2YCMABCQK5wAOppAnAEwB0ADI0yQKzEoCe1AFgHsAzijAAaMMKoBZJFjDMwAXwC6QA==",
  ],
];

describe("texts of calls", () => {
  test.each(EXAMPLES)("%s", (text, compressed) => {
    expect(compressSignal(text)).toBe(compressed);
    expect(decompressSignal(compressed)).toBe(text);
    expect(decompressSignal(compressed.replaceAll("=", ""))).toBe(text);
  });

  test("are read as they were written", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.stringMatching(/^[ab]{0,300}$/),
      fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 200 }).map((units) => String.fromCharCode(...units)),
    );
    fc.assert(
      fc.property(text, (sent) => void expect(decompressSignal(compressSignal(sent))).toBe(sent)),
      { numRuns: 500 },
    );
  });

  test("have a limit", () => {
    const long = compressSignal("a".repeat(1_000_000));
    expect(long.length).toBeLessThan(3_500);
    expect(() => decompressSignal(long)).toThrow("more than 262144 characters");
    expect(decompressSignal(long, 1_000_000).length).toBe(1_000_000);
  });

  test.each([
    ["", "must be base64"],
    ["N4 A", "must be base64"],
    ["N4Ig", "ends too early"],
    ["////", "is damaged"],
  ])("'%s' is none", (text, why) => expect(() => decompressSignal(text)).toThrow(why));
});
