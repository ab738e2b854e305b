import { p256 } from "@noble/curves/nist.js";
import { concat, fromBase64url, fromHex } from "#crypto/bytes";
import { KeyError } from "#crypto/errors";
import { PushConfigError } from "./config-error.ts";
import { unshared } from "./unshared.ts";
import type { P256Jwk, PlatformKey, PlatformKeyPair, Subtle } from "./web-crypto.ts";

// WebCrypto and, but for one kind of signature, not a library: pushes are the only users of P-256, and the platform does
// it ten times as fast as JavaScript. Nothing else on these floors waits for crypto; here all is about to wait for the
// network anyway.

/** Bytes of a secret scalar and of a shared secret. */
export const P256_LENGTH = 32;
const UNCOMPRESSED = Uint8Array.of(0x04);
/** PKCS#8 of a P-256 key up to the scalar, without the public key (RFC 5915). */
const PKCS8_PREFIX = fromHex("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420");

const ECDH = { name: "ECDH", namedCurve: "P-256" } as const;
const ECDSA = { name: "ECDSA", namedCurve: "P-256" } as const;
const SHA256_SIGNATURE = { name: "ECDSA", hash: "SHA-256" } as const;

/** One side of a key agreement. */
export interface AgreementKey {
  readonly privateKey: PlatformKey;
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Uint8Array;
}

/** The uncompressed point of a key, which the platform has computed or checked. */
async function pointOf(key: PlatformKey): Promise<Uint8Array> {
  const { x = "", y = "" } = (await crypto.subtle.exportKey("jwk", key)) as P256Jwk;
  return concat(UNCOMPRESSED, fromBase64url(x), fromBase64url(y));
}

/** A key for one message. */
export async function generateAgreementKey(): Promise<AgreementKey> {
  const pair = (await crypto.subtle.generateKey(ECDH, true, ["deriveBits"])) as PlatformKeyPair;
  return { privateKey: pair.privateKey, publicKey: await pointOf(pair.publicKey) };
}

/** A known key, from its 32 bytes. @throws KeyError */
export async function importAgreementKey(secret: Uint8Array): Promise<AgreementKey> {
  try {
    const pkcs8 = unshared(concat(PKCS8_PREFIX, secret));
    const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, ECDH, true, ["deriveBits"]);
    return { privateKey, publicKey: await pointOf(privateKey) };
  } catch (cause) {
    throw new KeyError("not a secret key of P-256", { cause });
  }
}

/** Raw ECDH, the x coordinate: 32 bytes. @throws KeyError when the other key is no point of the curve. */
export async function agreeP256({ privateKey }: AgreementKey, publicKey: Uint8Array): Promise<Uint8Array> {
  try {
    const other = await crypto.subtle.importKey("raw", unshared(publicKey), ECDH, false, []);
    // Types of Workers call the field `$public`; the platform itself calls it `public`.
    const algorithm = { name: "ECDH", public: other } as unknown as Parameters<Subtle["deriveBits"]>[0];
    return new Uint8Array(await crypto.subtle.deriveBits(algorithm, privateKey, 8 * P256_LENGTH));
  } catch (cause) {
    throw new KeyError("the receiver's key is no point of P-256", { cause });
  }
}

/** Signs as ES256 does: ECDSA with SHA-256, r and s of 32 bytes each one after the other (RFC 7518 section 3.4). */
export interface SigningKey {
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Promise<Uint8Array>;
  /** The same, but whoever has the key signs a message with the same bytes each time (RFC 6979). Takes milliseconds. */
  signAlike(message: Uint8Array): Promise<Uint8Array>;
}

async function secretOf(key: PlatformKey): Promise<Uint8Array> {
  const { d = "" } = (await crypto.subtle.exportKey("jwk", key)) as P256Jwk;
  return fromBase64url(d);
}

async function signingKey(privateKey: PlatformKey): Promise<SigningKey> {
  const publicKey = await pointOf(privateKey);
  return {
    publicKey,
    // JOSE takes any s, as WebCrypto makes it.
    signAlike: async (message) => p256.sign(message, await secretOf(privateKey), { lowS: false }),
    sign: async (message) => new Uint8Array(await crypto.subtle.sign(SHA256_SIGNATURE, privateKey, unshared(message))),
  };
}

/** A new signing key and its 32 secret bytes. */
export async function generateSigningKey(): Promise<SigningKey & { readonly secret: Uint8Array }> {
  const pair = (await crypto.subtle.generateKey(ECDSA, true, ["sign", "verify"])) as PlatformKeyPair;
  return { ...(await signingKey(pair.privateKey)), secret: await secretOf(pair.privateKey) };
}

/** From PKCS#8 in DER, as Apple and OpenSSL give keys. @throws PushConfigError */
export async function importSigningPkcs8(der: Uint8Array): Promise<SigningKey> {
  try {
    return await signingKey(await crypto.subtle.importKey("pkcs8", unshared(der), ECDSA, true, ["sign"]));
  } catch (cause) {
    throw new PushConfigError("the key is no private key of P-256 in PKCS#8", { cause });
  }
}

/** From its 32 secret bytes. @throws PushConfigError */
export async function importSigningSecret(secret: Uint8Array): Promise<SigningKey> {
  const { length } = secret;
  if (length !== P256_LENGTH) throw new PushConfigError(`a secret key of P-256 has 32 bytes, not ${length}`);
  return await importSigningPkcs8(concat(PKCS8_PREFIX, secret));
}
