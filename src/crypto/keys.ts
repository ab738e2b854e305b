import { ed448 } from "@noble/curves/ed448.js";
import { native } from "#native";
import { ALGORITHMS, type AlgorithmName } from "./algorithms.ts";
import { concat, equal } from "./bytes.ts";
import { KeyError } from "./errors.ts";
import { randomBytes } from "./random.ts";

export type { AlgorithmName } from "./algorithms.ts";

/** A public key: raw bytes of the algorithm's length (32, 57, 32 or 56). */
export interface PublicKey<A extends AlgorithmName = AlgorithmName> {
  readonly algorithm: A;
  readonly raw: Uint8Array;
}

/** A secret key: the raw seed (Ed*) or scalar (X*). */
export interface SecretKey<A extends AlgorithmName = AlgorithmName> {
  readonly algorithm: A;
  readonly secret: Uint8Array;
}

export interface KeyPair<A extends AlgorithmName = AlgorithmName> {
  readonly publicKey: PublicKey<A>;
  readonly secretKey: SecretKey<A>;
}

/** Keys that may authorize a command: signature keys, or X25519 for the authenticator. */
export type AuthAlgorithm = "Ed25519" | "Ed448" | "X25519";
export type SignatureAlgorithm = "Ed25519" | "Ed448";

const NAMES: readonly AlgorithmName[] = ["Ed25519", "Ed448", "X25519", "X448"];

function derivePublic(algorithm: AlgorithmName, secret: Uint8Array): Uint8Array {
  switch (algorithm) {
    case "Ed25519":
      return native.ed25519PublicKey(secret);
    case "X25519":
      return native.x25519PublicKey(secret);
    case "Ed448":
      return ed448.getPublicKey(secret);
    case "X448":
      return native.x448PublicKey(secret);
  }
}

export function publicKeyOf<A extends AlgorithmName>(key: SecretKey<A>): PublicKey<A> {
  return { algorithm: key.algorithm, raw: derivePublic(key.algorithm, key.secret) };
}

export function keyPairOf<A extends AlgorithmName>(secretKey: SecretKey<A>): KeyPair<A> {
  return { publicKey: publicKeyOf(secretKey), secretKey };
}

export function generateKeyPair<A extends AlgorithmName>(algorithm: A): KeyPair<A> {
  return keyPairOf({ algorithm, secret: randomBytes(ALGORITHMS[algorithm].secretLength) });
}

/** SubjectPublicKeyInfo in DER (RFC 8410): 44 bytes for the 25519 keys, 69 for Ed448, 68 for X448. */
export function encodePublicKey(key: PublicKey): Uint8Array {
  return concat(ALGORITHMS[key.algorithm].spkiPrefix, key.raw);
}

/** @throws KeyError unless the bytes are exactly one SubjectPublicKeyInfo of an allowed algorithm. */
export function decodePublicKey<A extends AlgorithmName>(der: Uint8Array, ...allowed: readonly A[]): PublicKey<A> {
  for (const algorithm of allowed) {
    const { spkiPrefix, publicLength } = ALGORITHMS[algorithm];
    const isIt = der.length === spkiPrefix.length + publicLength && equal(der.subarray(0, spkiPrefix.length), spkiPrefix);
    if (isIt) return { algorithm, raw: der.slice(spkiPrefix.length) };
  }
  throw new KeyError(`expected a public key in DER: ${allowed.join(", ")}`);
}

/** PKCS#8 in DER (RFC 8410). Only for storage: secret keys never travel. */
export function encodeSecretKey(key: SecretKey): Uint8Array {
  return concat(ALGORITHMS[key.algorithm].pkcs8Prefix, key.secret);
}

/** @throws KeyError unless the bytes are exactly one PKCS#8 key of one of the four algorithms. */
export function decodeSecretKey(der: Uint8Array): SecretKey {
  for (const algorithm of NAMES) {
    const { pkcs8Prefix, secretLength } = ALGORITHMS[algorithm];
    const isIt = der.length === pkcs8Prefix.length + secretLength && equal(der.subarray(0, pkcs8Prefix.length), pkcs8Prefix);
    if (isIt) return { algorithm, secret: der.slice(pkcs8Prefix.length) };
  }
  throw new KeyError("expected a secret key in PKCS#8 DER (Ed25519, Ed448, X25519 or X448)");
}

export function sameKey(a: PublicKey, b: PublicKey): boolean {
  return a.algorithm === b.algorithm && equal(a.raw, b.raw);
}

/** Narrows a key of unknown algorithm, as read from storage. @throws KeyError on another algorithm. */
export function expectAlgorithm<A extends AlgorithmName>(key: SecretKey, algorithm: A): SecretKey<A> {
  if (key.algorithm !== algorithm) throw new KeyError(`expected a secret key for ${algorithm}, got ${key.algorithm}`);
  return { algorithm, secret: key.secret };
}

/** Ed25519: 64 bytes, Ed448: 114 bytes (RFC 8032). */
export function sign(key: SecretKey<SignatureAlgorithm>, message: Uint8Array): Uint8Array {
  return key.algorithm === "Ed25519" ? native.ed25519Sign(key.secret, message) : ed448.sign(message, key.secret);
}

/** False for a bad signature and for a malformed one. */
export function verify(key: PublicKey<SignatureAlgorithm>, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.algorithm === "Ed25519") return native.ed25519Verify(key.raw, message, signature);
  try {
    return ed448.verify(signature, message, key.raw, { zip215: false });
  } catch {
    return false;
  }
}

/**
 * Raw X25519 (32 bytes) or X448 (56 bytes), RFC 7748.
 * @throws KeyError when the public key is a point of low order or has another length.
 */
export function dh<A extends "X25519" | "X448">(secretKey: SecretKey<A>, publicKey: PublicKey<A>): Uint8Array {
  const { algorithm, secret } = secretKey;
  try {
    return algorithm === "X25519" ? native.x25519(secret, publicKey.raw) : native.x448(secret, publicKey.raw);
  } catch (cause) {
    throw new KeyError(`${algorithm} key agreement failed: the public key is not usable`, { cause });
  }
}
