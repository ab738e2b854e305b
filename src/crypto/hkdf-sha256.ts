import { native } from "#native";
import { concat, EMPTY } from "./bytes.ts";
import { KeyError } from "./errors.ts";

/** Bytes of SHA-256, of HMAC with it and of a key that HKDF extracts. */
export const SHA256_LENGTH = 32;
// RFC 5869 section 2.3: one byte counts the blocks.
const MOST_BLOCKS = 255;

export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return native.hmacSha256(key, data);
}

/** HKDF-Extract with SHA-256 (RFC 5869 section 2.2): 32 bytes. */
export function extractSha256(salt: Uint8Array, inputKey: Uint8Array): Uint8Array {
  return hmacSha256(salt, inputKey);
}

/**
 * HKDF-Expand with SHA-256 (RFC 5869 section 2.3).
 * @throws KeyError when more than 8160 bytes are wanted.
 */
export function expandSha256(key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  if (length > MOST_BLOCKS * SHA256_LENGTH) throw new KeyError(`HKDF-SHA256 cannot make ${length} bytes`);
  const out = new Uint8Array(length);
  let block = EMPTY;
  for (let offset = 0, count = 1; offset < length; offset += SHA256_LENGTH, count++) {
    block = hmacSha256(key, concat(block, info, Uint8Array.of(count)));
    out.set(block.subarray(0, length - offset), offset);
  }
  return out;
}
