import fc from "fast-check";
import { expect, test } from "vitest";
import { native as noble } from "../../src/crypto/native/noble.ts";
import { native as node } from "../../src/crypto/native/node.ts";
import { bytes } from "../support/arbitrary.ts";

test("Node's AES-GCM and noble's are the same and open what the other sealed", () => {
  const iv = fc.oneof(bytes(16), bytes(12));
  fc.assert(
    fc.property(bytes(32), iv, bytes(0, 600), bytes(0, 300), (key, nonce, plaintext, associatedData) => {
      const [a, b] = [node, noble].map((native) => native.aesGcmSeal(key, nonce, plaintext, associatedData));
      expect(a).toStrictEqual(b);
      if (!a || !b) return;
      expect(node.aesGcmOpen(key, nonce, b, associatedData)).toStrictEqual(plaintext);
      expect(noble.aesGcmOpen(key, nonce, a, associatedData)).toStrictEqual(plaintext);
    }),
    { numRuns: 500 },
  );
});

test("Node's ChaCha20-Poly1305 and noble's are the same and open what the other sealed", () => {
  fc.assert(
    fc.property(bytes(32), bytes(12), bytes(0, 600), bytes(0, 300), (key, nonce, plaintext, associatedData) => {
      const [a, b] = [node, noble].map((native) => native.chaCha20Poly1305Seal(key, nonce, plaintext, associatedData));
      expect(a).toStrictEqual(b);
      if (!a || !b) return;
      expect(node.chaCha20Poly1305Open(key, nonce, b, associatedData)).toStrictEqual(plaintext);
      expect(noble.chaCha20Poly1305Open(key, nonce, a, associatedData)).toStrictEqual(plaintext);
    }),
    { numRuns: 500 },
  );
});

test("Node's X448 and noble's are the same", () => {
  fc.assert(
    fc.property(bytes(56), bytes(56), (secret, other) => {
      expect(node.x448PublicKey(secret)).toStrictEqual(noble.x448PublicKey(secret));
      const publicKey = noble.x448PublicKey(other);
      expect(node.x448(secret, publicKey)).toStrictEqual(noble.x448(secret, publicKey));
    }),
    { numRuns: 50 },
  );
});

test("so are they for public keys that nobody made from a secret one", () => {
  fc.assert(
    fc.property(bytes(56), bytes(56), (secret, publicKey) => {
      expect(node.x448(secret, publicKey)).toStrictEqual(noble.x448(secret, publicKey));
    }),
    { numRuns: 50 },
  );
});
