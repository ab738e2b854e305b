import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hex, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { permutation } from "#crypto/permutation";

const secret = sha256(utf8("a secret of the relay"));
const ID_LENGTH = 24;
const ids = permutation(secret, "ids");

const number = (n: number, length = ID_LENGTH): Uint8Array => {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(length - 4, n);
  return bytes;
};

const bitsSet = (byte: number): number => byte.toString(2).replaceAll("0", "").length;

describe("a permutation is a bijection", () => {
  test("backward undoes forward, and forward undoes backward, for ids and any other even length", () => {
    const halves = fc.integer({ min: 1, max: 32 });
    const inputs = halves.chain((half) => fc.uint8Array({ minLength: 2 * half, maxLength: 2 * half }));
    fc.assert(
      fc.property(inputs, (input) => {
        expect(ids.backward(ids.forward(input))).toStrictEqual(input);
        expect(ids.forward(ids.backward(input))).toStrictEqual(input);
      }),
      { numRuns: 300 },
    );
  });

  test("it takes all 65,536 strings of two bytes to all 65,536", () => {
    const seen = new Set<string>();
    for (let n = 0; n < 65_536; n++) seen.add(hex(ids.forward(Uint8Array.of(n >> 8, n & 0xff))));
    expect(seen.size).toBe(65_536);
    expect([...seen].every((output) => output.length === 4)).toBe(true);
  }, 60_000);

  test("it keeps the length and leaves its input alone", () => {
    const input = number(7);
    expect(ids.forward(input)).toHaveLength(ID_LENGTH);
    expect(input).toStrictEqual(number(7));
  });
});

describe("without the secret it looks random", () => {
  const outputs = Array.from({ length: 2000 }, (_, n) => ids.forward(number(n)));

  test("neighbouring inputs differ in half of the output bits", () => {
    let differing = 0;
    for (let n = 1; n < outputs.length; n++) {
      const [a, b] = [outputs[n - 1], outputs[n]];
      if (!a || !b) continue;
      for (let i = 0; i < ID_LENGTH; i++) differing += bitsSet((a[i] ?? 0) ^ (b[i] ?? 0));
    }
    const share = differing / ((outputs.length - 1) * 8 * ID_LENGTH);
    // 384,000 coins: five standard deviations are 0.004.
    expect(Math.abs(share - 0.5)).toBeLessThan(0.004);
  });

  test("at each place every byte is as frequent as another", () => {
    for (let at = 0; at < ID_LENGTH; at++) {
      const counts = Array.from({ length: 256 }, () => 0);
      for (const output of outputs) {
        const byte = output[at] ?? 0;
        counts[byte] = (counts[byte] ?? 0) + 1;
      }
      const mean = outputs.length / 256;
      const chi2 = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
      // 255 degrees of freedom: mean 255, standard deviation 22.6; the inputs are fixed, so this never flickers.
      expect(chi2, `byte ${at}`).toBeLessThan(255 + 5 * 22.6);
    }
  });

  test("another purpose or another secret is another permutation", () => {
    const input = number(1);
    const others = [permutation(secret, "other ids"), permutation(sha256(secret), "ids"), ids];
    const distinct = new Set(others.map((other) => hex(other.forward(input))));
    expect(distinct.size).toBe(3);
    expect(hex(permutation(secret, "ids").forward(input)), "the same is the same").toBe(hex(ids.forward(input)));
  });
});
