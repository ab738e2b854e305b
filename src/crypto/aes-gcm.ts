import { native } from "#native";
import { BoxError, KeyError } from "./errors.ts";

export const AES_KEY_LENGTH = 32;
/** The double ratchet's IV; NIST SP 800-38D section 7.1 makes the first counter block of it with GHASH. */
export const AES_IV_LENGTH = 16;
export const AES_TAG_LENGTH = 16;
/** Where other parts of SimpleX use AES-GCM, the IV is the usual one. */
const SHORT_IV_LENGTH = 12;

/** What AES-256-GCM makes of a plaintext: a ciphertext as long as it, and a tag of 16 bytes. */
export interface SealedAesGcm {
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

function checkLengths(key: Uint8Array, iv: Uint8Array): void {
  if (key.length !== AES_KEY_LENGTH) throw new KeyError(`AES-256 keys have ${AES_KEY_LENGTH} bytes, not ${key.length}`);
  if (iv.length !== AES_IV_LENGTH && iv.length !== SHORT_IV_LENGTH) {
    throw new KeyError(`an AES-GCM IV has ${AES_IV_LENGTH} or ${SHORT_IV_LENGTH} bytes, not ${iv.length}`);
  }
}

/**
 * AES-256-GCM of 16 bytes of tag, kept apart from the ciphertext. Never use a key and an IV for two plaintexts.
 * @throws KeyError when the key has not 32 bytes or the IV neither 16 nor 12.
 */
export function sealAesGcm(
  key: Uint8Array,
  iv: Uint8Array,
  plaintext: Uint8Array,
  associatedData: Uint8Array,
): SealedAesGcm {
  checkLengths(key, iv);
  return native.aesGcmSeal(key, iv, plaintext, associatedData);
}

/**
 * @throws BoxError when the tag does not match or has not 16 bytes, KeyError as {@link sealAesGcm}.
 */
export function openAesGcm(
  key: Uint8Array,
  iv: Uint8Array,
  ciphertext: Uint8Array,
  tag: Uint8Array,
  associatedData: Uint8Array,
): Uint8Array {
  checkLengths(key, iv);
  // OpenSSL would compare as many bytes as are given: a short tag is easier to forge.
  if (tag.length !== AES_TAG_LENGTH) throw new BoxError(`GCM tags have ${AES_TAG_LENGTH} bytes, not ${tag.length}`);
  try {
    return native.aesGcmOpen(key, iv, { ciphertext, tag }, associatedData);
  } catch (cause) {
    throw new BoxError("AES-GCM does not open with this key, IV and associated data", { cause });
  }
}
