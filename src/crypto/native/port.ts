/**
 * The primitives that a platform may do faster than JavaScript. Two adapters implement it: `node.ts` on the
 * synchronous `node:crypto` (Node and workerd) and `noble.ts` (browsers). `package.json` picks one by the
 * conditional import `#native`. Keys are raw bytes: 32 for Ed25519 seeds and public keys and for X25519, 56 for X448.
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
  x448PublicKey(secret: Uint8Array): Uint8Array;
  /** Throws when the result would be all zeros (RFC 7748 section 6.2). */
  x448(secret: Uint8Array, publicKey: Uint8Array): Uint8Array;
  /** AES-256-GCM (NIST SP 800-38D) with a tag of 16 bytes; an IV of other than 12 bytes goes through GHASH. */
  aesGcmSeal(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): Sealed;
  /** Throws when the tag does not match. The tag must have 16 bytes: callers check it. */
  aesGcmOpen(key: Uint8Array, iv: Uint8Array, sealed: Sealed, associatedData: Uint8Array): Uint8Array;
  /** AEAD_CHACHA20_POLY1305 (RFC 8439) with a nonce of 12 bytes: the ciphertext, then a tag of 16 bytes. */
  chaCha20Poly1305Seal(
    key: Uint8Array,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    associatedData: Uint8Array,
  ): Uint8Array;
  /** Throws when the tag does not match. There must be 16 bytes or more: callers check it. */
  chaCha20Poly1305Open(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    associatedData: Uint8Array,
  ): Uint8Array;
}

/** What AES-GCM makes of a plaintext: as many bytes as it had, and a tag of 16. */
export interface Sealed {
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}
