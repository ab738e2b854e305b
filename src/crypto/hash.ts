import { sha3_256 as nobleSha3_256, sha3_384 as nobleSha3_384 } from "@noble/hashes/sha3.js";
import { native } from "#native";

export function sha256(data: Uint8Array): Uint8Array {
  return native.sha256(data);
}

export function sha512(data: Uint8Array): Uint8Array {
  return native.sha512(data);
}

export function sha3_256(data: Uint8Array): Uint8Array {
  return nobleSha3_256(data);
}

export function sha3_384(data: Uint8Array): Uint8Array {
  return nobleSha3_384(data);
}

/** Only as the set hash of service subscriptions, where the protocol demands it; never for security. */
export function md5(data: Uint8Array): Uint8Array {
  return native.md5(data);
}

/** HKDF-SHA512 (RFC 5869): expand(extract(salt, ikm), info, length). */
export function hkdf(salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  return native.hkdfSha512(salt, ikm, info, length);
}
