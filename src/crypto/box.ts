import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { BoxError } from "./errors.ts";
import { pad, unpad } from "./pad.ts";

export const BOX_TAG_LENGTH = 16;
export const NONCE_LENGTH = 24;

// "expand 32-byte k", the constant of the Salsa20 core.
const SIGMA = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);
const ZERO_INPUT = new Uint32Array(4);

/**
 * NaCl's "beforenm": HSalsa20 of the key with a zero input. SimpleX takes this step for symmetric keys too, so a
 * stock secretbox with the same key does not interoperate (SMP transport, crypto_box).
 */
function beforeNm(key: Uint8Array): Uint8Array {
  const words = new Uint32Array(8);
  const view = new DataView(key.buffer, key.byteOffset, 32);
  for (let i = 0; i < 8; i++) words[i] = view.getUint32(4 * i, true);
  const out = new Uint32Array(8);
  hsalsa(SIGMA, words, ZERO_INPUT, out);
  const bytes = new Uint8Array(32);
  const outView = new DataView(bytes.buffer);
  for (let i = 0; i < 8; i++) outView.setUint32(4 * i, out[i] ?? 0, true);
  return bytes;
}

/** 24 bytes: shorter input is padded with zeros on the right, longer is cut. */
export function nonceOf(bytes: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(NONCE_LENGTH);
  nonce.set(bytes.subarray(0, NONCE_LENGTH));
  return nonce;
}

/** crypto_box without padding: tag (16) then ciphertext. `key` is raw X25519 output or a symmetric key, 32 bytes. */
export function boxNoPad(key: Uint8Array, nonce: Uint8Array, message: Uint8Array): Uint8Array {
  return xsalsa20poly1305(beforeNm(key), nonce).encrypt(message);
}

/** @throws BoxError when the tag does not match. */
export function openNoPad(key: Uint8Array, nonce: Uint8Array, boxed: Uint8Array): Uint8Array {
  if (boxed.length < BOX_TAG_LENGTH) throw new BoxError("box is shorter than its tag");
  try {
    return xsalsa20poly1305(beforeNm(key), nonce).decrypt(boxed);
  } catch (cause) {
    throw new BoxError("box does not open with this key and nonce", { cause });
  }
}

/** crypto_box of the padded message: `paddedLength` + 16 bytes. @throws PaddingError when it does not fit. */
export function box(key: Uint8Array, nonce: Uint8Array, message: Uint8Array, paddedLength: number): Uint8Array {
  return boxNoPad(key, nonce, pad(message, paddedLength));
}

/** @throws BoxError when the tag does not match, PaddingError when what was inside is malformed. */
export function open(key: Uint8Array, nonce: Uint8Array, boxed: Uint8Array): Uint8Array {
  return unpad(openNoPad(key, nonce, boxed));
}
