import { describe, expect, test } from "vitest";
import { fromHex, hex } from "#crypto/bytes";
import { decapsulate, KEM_CIPHERTEXT_LENGTH } from "#crypto/sntrup761";
import { decodeSmall } from "#crypto/sntrup761/encode";
import { invert3 } from "#crypto/sntrup761/invert3";
import { encapsulateShort, keysFrom, recoverShort } from "#crypto/sntrup761/kem";
import data from "./data/sntrup761.json" with { type: "json" };

const triples = data.triples.map((triple, number) => ({ number, ...triple }));

/** The secret key's f, 1/g modulo 3 and rho; g is not stored, but follows from its inverse. */
function materialOf(secretKey: Uint8Array): Parameters<typeof keysFrom>[0] {
  const gInverse = decodeSmall(secretKey.subarray(191, 382));
  const g = invert3(gInverse);
  if (g === undefined) throw new Error("the key of the vectors has no g");
  return { f: decodeSmall(secretKey.subarray(0, 191)), g, gInverse, rho: secretKey.subarray(1540, 1731) };
}

describe.each(triples)("sntrup761 of the official code, key $number", (triple) => {
  const secretKey = fromHex(triple.secretKey);
  const ciphertext = fromHex(triple.ciphertext);

  test("the ciphertext gives the shared secret", () => {
    expect(hex(decapsulate(ciphertext, secretKey))).toBe(triple.sharedSecret);
  });

  test("the same short polynomial gives the same ciphertext and shared secret", () => {
    const made = encapsulateShort(recoverShort(ciphertext, secretKey), fromHex(triple.publicKey));
    expect(hex(made.ciphertext)).toBe(triple.ciphertext);
    expect(hex(made.secret)).toBe(triple.sharedSecret);
  });

  test("the same f, g and rho give the same key pair", () => {
    const keys = keysFrom(materialOf(secretKey));
    expect(hex(keys.publicKey)).toBe(triple.publicKey);
    expect(hex(keys.secretKey)).toBe(triple.secretKey);
  });

  test("altered ciphertexts are rejected without a word, each with a secret of its own", () => {
    expect(triple.corrupted).not.toHaveLength(0);
    for (const { flippedByte, sharedSecret } of triple.corrupted) {
      const altered = ciphertext.slice();
      altered[flippedByte] = (altered[flippedByte] ?? 0) ^ 1;
      expect(hex(decapsulate(altered, secretKey)), `byte ${flippedByte}`).toBe(sharedSecret);
    }
    const filled = (byte: number): Uint8Array => new Uint8Array(KEM_CIPHERTEXT_LENGTH).fill(byte);
    expect(hex(decapsulate(filled(0), secretKey))).toBe(triple.allZeroCiphertextSecret);
    expect(hex(decapsulate(filled(0xff), secretKey))).toBe(triple.allFFCiphertextSecret);
  });
});
