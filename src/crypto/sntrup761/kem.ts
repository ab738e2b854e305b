import { concat, wipe } from "../bytes.ts";
import { sha512 } from "../hash.ts";
import { nonzeroMask, type Polynomial } from "./arithmetic.ts";
import {
  decodeFull,
  decodeRounded,
  decodeSmall,
  encodeFull,
  encodeRounded,
  encodeSmall,
  FULL_LENGTH,
  ROUNDED_LENGTH,
  SMALL_LENGTH,
} from "./encode.ts";
import { decrypt, encrypt, publicPolynomial } from "./encrypt.ts";

// The mechanism without its randomness: what is drawn at random comes in as an argument.

/** Bytes of every hash here, and of the shared secret. */
export const HASH_LENGTH = 32;

export interface KemKeyPair {
  /** 1158 bytes. */
  readonly publicKey: Uint8Array;
  /** 1763 bytes; it holds the public key too. */
  readonly secretKey: Uint8Array;
}

export interface Encapsulation {
  /** 1039 bytes, for the owner of the public key. */
  readonly ciphertext: Uint8Array;
  /** 32 bytes, which `decapsulate` gives the owner. */
  readonly secret: Uint8Array;
}

/** What a key pair is made of. */
export interface KeyMaterial {
  /** Short. */
  readonly f: Polynomial;
  /** Small, with an inverse modulo 3. */
  readonly g: Polynomial;
  readonly gInverse: Polynomial;
  /** 191 random bytes, which stand for the encoded `r` of a ciphertext that is rejected. */
  readonly rho: Uint8Array;
}

/** The first half of SHA-512 of the prefix byte and all parts. */
function hash(prefix: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return sha512(concat(Uint8Array.of(prefix), ...parts)).slice(0, HASH_LENGTH);
}

/** The one ciphertext of `r`: its encryption (1007) and its confirmation (32). */
function seal(r: Polynomial, encodedR: Uint8Array, publicKey: Uint8Array, publicKeyHash: Uint8Array): Uint8Array {
  const encryption = encodeRounded(encrypt(r, decodeFull(publicKey)));
  return concat(encryption, hash(2, hash(3, encodedR), publicKeyHash));
}

/** Secret key: f (191), 1/g modulo 3 (191), public key (1158), rho (191), hash of the public key (32). */
export function keysFrom({ f, g, gInverse, rho }: KeyMaterial): KemKeyPair {
  const publicKey = encodeFull(publicPolynomial(f, g));
  const secretKey = concat(encodeSmall(f), encodeSmall(gInverse), publicKey, rho, hash(4, publicKey));
  return { publicKey, secretKey };
}

interface SecretParts {
  readonly f: Uint8Array;
  readonly gInverse: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly rho: Uint8Array;
  readonly publicKeyHash: Uint8Array;
}

function split(secretKey: Uint8Array): SecretParts {
  let at = 0;
  const next = (length: number): Uint8Array => secretKey.subarray(at, (at += length));
  return {
    f: next(SMALL_LENGTH),
    gInverse: next(SMALL_LENGTH),
    publicKey: next(FULL_LENGTH),
    rho: next(SMALL_LENGTH),
    publicKeyHash: next(HASH_LENGTH),
  };
}

/** Encapsulates the short polynomial `r`, which must be random, secret and used once. */
export function encapsulateShort(r: Polynomial, publicKey: Uint8Array): Encapsulation {
  const encodedR = encodeSmall(r);
  const ciphertext = seal(r, encodedR, publicKey, hash(4, publicKey));
  const secret = hash(1, hash(3, encodedR), ciphertext);
  wipe(encodedR);
  return { ciphertext, secret };
}

/** The short polynomial that was encapsulated; of a ciphertext that is not of this key, some polynomial. */
export function recoverShort(ciphertext: Uint8Array, secretKey: Uint8Array): Polynomial {
  const parts = split(secretKey);
  const [f, gInverse] = [decodeSmall(parts.f), decodeSmall(parts.gInverse)];
  const r = decrypt(decodeRounded(ciphertext.subarray(0, ROUNDED_LENGTH)), f, gInverse);
  f.fill(0);
  gInverse.fill(0);
  return r;
}

/** Both arguments must have their full length. */
export function decapsulateWhole(ciphertext: Uint8Array, secretKey: Uint8Array): Uint8Array {
  const { publicKey, rho, publicKeyHash } = split(secretKey);
  const r = recoverShort(ciphertext, secretKey);
  const encodedR = encodeSmall(r);
  const again = seal(r, encodedR, publicKey, publicKeyHash);
  let difference = 0;
  for (let i = 0; i < again.length; i++) difference |= (again[i] ?? 0) ^ (ciphertext[i] ?? 0);
  const rejected = nonzeroMask(difference);
  const chosen = encodedR.map((byte, i) => byte ^ (rejected & (byte ^ (rho[i] ?? 0))));
  const secret = hash(1 + rejected, hash(3, chosen), ciphertext);
  for (const bytes of [encodedR, again, chosen]) wipe(bytes);
  r.fill(0);
  return secret;
}
