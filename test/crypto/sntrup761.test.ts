import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, hex } from "#crypto/bytes";
import { KeyError } from "#crypto/errors";
import { sha512 } from "#crypto/hash";
import {
  decapsulate,
  encapsulate,
  generateKemKeyPair,
  KEM_CIPHERTEXT_LENGTH,
  KEM_PUBLIC_KEY_LENGTH,
  KEM_SECRET_KEY_LENGTH,
  KEM_SECRET_LENGTH,
} from "#crypto/sntrup761";
import { multiply, multiply3, P, Q, WEIGHT } from "#crypto/sntrup761/arithmetic";
import { decodeFull, decodeSmall } from "#crypto/sntrup761/encode";
import { invert3 } from "#crypto/sntrup761/invert3";

const keys = generateKemKeyPair();
const { ciphertext, secret } = encapsulate(keys.publicKey);

const flipped = (bytes: Uint8Array, bit: number): Uint8Array => {
  const out = bytes.slice();
  out[bit >> 3] = (out[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return out;
};

const half = (prefix: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  sha512(concat(Uint8Array.of(prefix), ...parts)).slice(0, 32);

/** What a rejected ciphertext gives by the specification: rho, not what was decrypted, is hashed. */
const rejection = (altered: Uint8Array, secretKey: Uint8Array): Uint8Array =>
  half(0, half(3, secretKey.subarray(1540, 1731)), altered);

describe("an encapsulation", () => {
  test("has the sizes of the ratchet specification", () => {
    expect(keys.publicKey).toHaveLength(1158);
    expect(keys.secretKey).toHaveLength(1763);
    expect(ciphertext).toHaveLength(1039);
    expect(secret).toHaveLength(32);
    expect([KEM_PUBLIC_KEY_LENGTH, KEM_SECRET_KEY_LENGTH]).toStrictEqual([1158, 1763]);
    expect([KEM_CIPHERTEXT_LENGTH, KEM_SECRET_LENGTH]).toStrictEqual([1039, 32]);
  });

  test("is opened by the owner of each of ten fresh keys", () => {
    for (let i = 0; i < 10; i++) {
      const fresh = generateKemKeyPair();
      const made = encapsulate(fresh.publicKey);
      expect(hex(decapsulate(made.ciphertext, fresh.secretKey))).toBe(hex(made.secret));
    }
  });

  test("is another each time, for the same key", () => {
    const again = encapsulate(keys.publicKey);
    expect(hex(again.ciphertext)).not.toBe(hex(ciphertext));
    expect(hex(again.secret)).not.toBe(hex(secret));
  });

  test("leaves keys and ciphertext as they were, and reads them where they lie in other bytes", () => {
    const around = concat(Uint8Array.of(1, 2, 3), keys.secretKey, ciphertext, keys.publicKey, Uint8Array.of(4));
    const before = hex(around);
    const view = (from: number, length: number): Uint8Array => around.subarray(from, from + length);
    const opened = decapsulate(view(3 + 1763, 1039), view(3, 1763));
    expect(hex(opened)).toBe(hex(secret));
    const made = encapsulate(view(3 + 1763 + 1039, 1158));
    expect(hex(decapsulate(made.ciphertext, keys.secretKey))).toBe(hex(made.secret));
    expect(hex(around)).toBe(before);
  });
});

describe("a ciphertext that is not the key's", () => {
  // First and last bytes of both parts, and some between: rounded polynomial 0-1006, confirmation 1007-1038.
  const places = [0, 1, 503, 1005, 1006, 1007, 1020, 1038];
  test.each(places)("with one bit of byte %i altered gives another secret", (byte) => {
    for (let bit = 0; bit < 8; bit++) {
      const altered = flipped(ciphertext, 8 * byte + bit);
      const opened = hex(decapsulate(altered, keys.secretKey));
      expect(opened).not.toBe(hex(secret));
      expect(opened, "by rho, not by what was decrypted").toBe(hex(rejection(altered, keys.secretKey)));
      expect(hex(decapsulate(altered, keys.secretKey)), "always the same").toBe(opened);
    }
  });

  test("because it was made for another key, gives another secret", () => {
    const other = generateKemKeyPair();
    const opened = decapsulate(ciphertext, other.secretKey);
    expect(hex(opened)).toBe(hex(rejection(ciphertext, other.secretKey)));
    expect(hex(opened)).not.toBe(hex(secret));
  });

  test("whatever its bytes, is rejected with the secret of the specification", () => {
    const any = fc.uint8Array({ minLength: 1039, maxLength: 1039 });
    fc.assert(
      fc.property(any, (bytes) => {
        expect(hex(decapsulate(bytes, keys.secretKey))).toBe(hex(rejection(bytes, keys.secretKey)));
      }),
      { numRuns: 30 },
    );
  });

  test("gives a secret and no error with a damaged key either", () => {
    for (const byte of [0, 0x55, 0xff]) {
      expect(decapsulate(ciphertext, new Uint8Array(KEM_SECRET_KEY_LENGTH).fill(byte))).toHaveLength(32);
      const made = encapsulate(new Uint8Array(KEM_PUBLIC_KEY_LENGTH).fill(byte));
      expect(made.ciphertext).toHaveLength(KEM_CIPHERTEXT_LENGTH);
    }
    const damaged = flipped(keys.secretKey, 8 * 1540);
    expect(hex(decapsulate(ciphertext, damaged)), "rho is not used for a good one").toBe(hex(secret));
  });
});

describe("wrong lengths are a KeyError that says which", () => {
  test.each([0, 32, 1157, 1159, 1763])("a public key of %i bytes", (length) => {
    const call = (): unknown => encapsulate(new Uint8Array(length));
    expect(call).toThrow(KeyError);
    expect(call).toThrow(`public key has 1158 bytes, got ${length}`);
  });

  test.each([0, 1007, 1038, 1040, 1158])("a ciphertext of %i bytes", (length) => {
    const call = (): unknown => decapsulate(new Uint8Array(length), keys.secretKey);
    expect(call).toThrow(KeyError);
    expect(call).toThrow(`ciphertext has 1039 bytes, got ${length}`);
  });

  test.each([0, 1158, 1762, 1764])("a secret key of %i bytes", (length) => {
    const call = (): unknown => decapsulate(ciphertext, new Uint8Array(length));
    expect(call).toThrow(KeyError);
    expect(call).toThrow(`secret key has 1763 bytes, got ${length}`);
  });
});

describe("a key pair", () => {
  const f = decodeSmall(keys.secretKey.subarray(0, 191));
  const gInverse = decodeSmall(keys.secretKey.subarray(191, 382));
  const g = invert3(gInverse) ?? new Int16Array(P);
  const one = Int16Array.from({ length: P }, (_, i) => (i === 0 ? 1 : 0));

  test("has a short f", () => {
    expect(f.every((x) => x >= -1 && x <= 1)).toBe(true);
    expect(f.filter((x) => x !== 0)).toHaveLength(WEIGHT);
  });

  test("holds the inverse modulo 3 of a small g", () => {
    expect(gInverse.every((x) => x >= -1 && x <= 1)).toBe(true);
    expect(multiply3(g, gInverse)).toStrictEqual(one);
  });

  test("publishes h with 3 f h = g", () => {
    const tripled = multiply(decodeFull(keys.publicKey), f).map((x) => (3 * x) % Q);
    expect(tripled.map((x) => (x > Q / 2 ? x - Q : x < -Q / 2 ? x + Q : x))).toStrictEqual(g);
  });

  test("keeps the public key and its hash inside the secret key", () => {
    expect(hex(keys.secretKey.subarray(382, 1540))).toBe(hex(keys.publicKey));
    expect(hex(keys.secretKey.subarray(1731))).toBe(hex(half(4, keys.publicKey)));
  });

  test("is another each time", () => {
    const other = generateKemKeyPair();
    for (const [from, to] of [[0, 191], [191, 382], [382, 1540], [1540, 1731]]) {
      expect(hex(other.secretKey.subarray(from, to))).not.toBe(hex(keys.secretKey.subarray(from, to)));
    }
  });
});
