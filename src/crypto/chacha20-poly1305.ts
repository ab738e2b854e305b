import { native } from "#native";
import { BoxError, KeyError } from "./errors.ts";

export const CHACHA_KEY_LENGTH = 32;
export const CHACHA_NONCE_LENGTH = 12;
export const CHACHA_TAG_LENGTH = 16;

function checkLengths(key: Uint8Array, nonce: Uint8Array): void {
  if (key.length !== CHACHA_KEY_LENGTH) {
    throw new KeyError(`ChaCha20 keys have ${CHACHA_KEY_LENGTH} bytes, not ${key.length}`);
  }
  if (nonce.length !== CHACHA_NONCE_LENGTH) {
    throw new KeyError(`a ChaCha20-Poly1305 nonce has ${CHACHA_NONCE_LENGTH} bytes, not ${nonce.length}`);
  }
}

/**
 * AEAD_CHACHA20_POLY1305 (RFC 8439 section 2.8): the ciphertext, as long as the plaintext, then the tag of 16 bytes.
 * Never use a key and a nonce for two plaintexts.
 * @throws KeyError when the key has not 32 bytes or the nonce not 12.
 */
export function sealChaCha(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  associatedData: Uint8Array,
): Uint8Array {
  checkLengths(key, nonce);
  return native.chaCha20Poly1305Seal(key, nonce, plaintext, associatedData);
}

/**
 * @throws BoxError when it is shorter than a tag or the tag does not match, KeyError as {@link sealChaCha}.
 */
export function openChaCha(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  associatedData: Uint8Array,
): Uint8Array {
  checkLengths(key, nonce);
  if (sealed.length < CHACHA_TAG_LENGTH) throw new BoxError("what ChaCha20-Poly1305 sealed is shorter than its tag");
  try {
    return native.chaCha20Poly1305Open(key, nonce, sealed, associatedData);
  } catch (cause) {
    throw new BoxError("ChaCha20-Poly1305 does not open with this key, nonce and associated data", { cause });
  }
}
