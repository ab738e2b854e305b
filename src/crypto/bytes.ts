/** Byte-string helpers. Everything here is synchronous and allocates fresh arrays; inputs are never changed. */

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const EMPTY: Uint8Array = new Uint8Array(0);

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** Compares without branching on the content; only the lengths are public. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

export function reverse(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes).reverse();
}

/** Overwrites a secret that is no longer needed. */
export function wipe(secret: Uint8Array): void {
  secret.fill(0);
}

export function utf8(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}

/** @throws TypeError when the bytes are not well-formed UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  return utf8Decoder.decode(bytes);
}

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

export function hex(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += HEX[byte];
  return out;
}

/** @throws RangeError on an odd length or a character outside 0-9a-fA-F. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw new RangeError("not a hexadecimal string");
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** base64 of RFC 4648 section 4, padded. */
export function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** base64url of RFC 4648 section 5, padded with `=` as SimpleX writes it. */
export function base64url(bytes: Uint8Array): string {
  return base64(bytes).replaceAll("+", "-").replaceAll("/", "_");
}

/** base64url without padding. */
export function base64urlUnpadded(bytes: Uint8Array): string {
  return base64url(bytes).replace(/=+$/, "");
}

/**
 * Accepts the base64url alphabet followed by any number of `=` (SMP text encodings).
 * @throws RangeError on an empty string, a foreign character or an impossible length.
 */
export function fromBase64url(text: string): Uint8Array {
  const digits = /^([A-Za-z0-9_-]+)=*$/.exec(text)?.[1];
  if (digits === undefined || digits.length % 4 === 1) throw new RangeError("not a base64url string");
  const binary = atob(digits.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
