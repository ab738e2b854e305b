import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { x448 } from "@noble/curves/ed448.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { md5 } from "@noble/hashes/legacy.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { concat } from "../bytes.ts";
import type { Native } from "./port.ts";

/** Pure JavaScript: runs anywhere, several times slower than `node.ts`. */
export const native: Native = {
  sha256: (data) => sha256(data),
  sha512: (data) => sha512(data),
  md5: (data) => md5(data),
  hmacSha256: (key, data) => hmac(sha256, key, data),
  hkdfSha512: (salt, ikm, info, length) => hkdf(sha512, ikm, salt, info, length),
  ed25519PublicKey: (seed) => ed25519.getPublicKey(seed),
  ed25519Sign: (seed, message) => ed25519.sign(message, seed),
  ed25519Verify: (publicKey, message, signature) => {
    try {
      // As RFC 8032 has it, not ZIP-215. Unlike OpenSSL it also refuses keys of small order, which nobody honest has.
      return ed25519.verify(signature, message, publicKey, { zip215: false });
    } catch {
      return false;
    }
  },
  x25519PublicKey: (secret) => x25519.getPublicKey(secret),
  x25519: (secret, publicKey) => x25519.getSharedSecret(secret, publicKey),
  x448PublicKey: (secret) => x448.getPublicKey(secret),
  x448: (secret, publicKey) => x448.getSharedSecret(secret, publicKey),
  aesGcmSeal: (key, iv, plaintext, associatedData) => {
    const sealed = gcm(key, iv, associatedData).encrypt(plaintext);
    return { ciphertext: sealed.slice(0, plaintext.length), tag: sealed.slice(plaintext.length) };
  },
  aesGcmOpen: (key, iv, { ciphertext, tag }, associatedData) =>
    gcm(key, iv, associatedData).decrypt(concat(ciphertext, tag)),
  chaCha20Poly1305Seal: (key, nonce, plaintext, associatedData) =>
    chacha20poly1305(key, nonce, associatedData).encrypt(plaintext),
  chaCha20Poly1305Open: (key, nonce, sealed, associatedData) =>
    chacha20poly1305(key, nonce, associatedData).decrypt(sealed),
};
