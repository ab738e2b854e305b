/**
 * The primitives that a platform may do faster than JavaScript. Two adapters implement it: `node.ts` on the
 * synchronous `node:crypto` (Node and workerd) and `noble.ts` (browsers). `package.json` picks one by the
 * conditional import `#native`. Keys are raw bytes: 32 for Ed25519 seeds and public keys and for X25519.
 */
export interface Native {
  sha256(data: Uint8Array): Uint8Array;
  sha512(data: Uint8Array): Uint8Array;
  md5(data: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** HKDF-SHA512 (RFC 5869). An empty salt is a zero-length HMAC key. */
  hkdfSha512(salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  ed25519PublicKey(seed: Uint8Array): Uint8Array;
  ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  /** False, never a throw, for a malformed key or signature. */
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  x25519PublicKey(secret: Uint8Array): Uint8Array;
  /** Throws when the result would be all zeros (a point of low order, RFC 7748 section 6.1). */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array;
}
