import { base64url, fromBase64url } from "#crypto/bytes";
import { fingerprint, issueCaCertificate, issueServerCertificate, readCertificate, verifyChain } from "#crypto/certificate";
import { CryptoError } from "#crypto/errors";
import {
  decodeSecretKey,
  encodeSecretKey,
  expectAlgorithm,
  generateKeyPair,
  publicKeyOf,
  sameKey,
  type SecretKey,
  type SignatureAlgorithm,
} from "#crypto/keys";
import { randomBytes } from "#crypto/random";

/** What a relay shows in each session, and all that a gateway of it needs. */
export interface OnlineIdentity {
  /** DER. SHA-256 of it is the fingerprint in the address. */
  readonly caCertificate: Uint8Array;
  /** DER of the online certificate, signed by the CA. */
  readonly certificate: Uint8Array;
  readonly key: SecretKey<SignatureAlgorithm>;
}

/** Who a relay is. Its address names the CA certificate; the ids of its queues depend on `idSecret`. */
export interface RelayIdentity extends OnlineIdentity {
  /** Null when it is kept elsewhere: it is needed only to make another online certificate. */
  readonly caKey: SecretKey<SignatureAlgorithm> | null;
  /** 32 bytes from which the permutations of queue ids are derived. */
  readonly idSecret: Uint8Array;
}

/** What a gateway needs as text: DER in base64url. */
export interface OnlineIdentityFile {
  readonly version: 1;
  readonly fingerprint: string;
  readonly caCertificate: string;
  readonly certificate: string;
  readonly key: string;
}

/** An identity as text: DER and raw bytes in base64url. */
export interface IdentityFile extends OnlineIdentityFile {
  readonly caKey: string | null;
  readonly idSecret: string;
}

/** A text is not an identity of a relay; the message says what is wrong with it. */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
}

const ID_SECRET_LENGTH = 32;

/** Ed25519 CA and online certificate, as the official server makes them at its `init`. `now` in milliseconds. */
export function makeIdentity(host: string, now: number): RelayIdentity {
  const ca = generateKeyPair("Ed25519");
  const online = generateKeyPair("Ed25519");
  const caCertificate = issueCaCertificate(ca.publicKey, ca.secretKey, now);
  const issuer = { certificate: caCertificate, secretKey: ca.secretKey };
  return {
    caCertificate,
    caKey: ca.secretKey,
    certificate: issueServerCertificate(online.publicKey, host, issuer, now),
    key: online.secretKey,
    idSecret: randomBytes(ID_SECRET_LENGTH),
  };
}

export function identityFingerprint(identity: OnlineIdentity): Uint8Array {
  return fingerprint(identity.caCertificate);
}

export function toIdentityFile(identity: RelayIdentity): IdentityFile {
  return {
    version: 1,
    fingerprint: base64url(identityFingerprint(identity)),
    caCertificate: base64url(identity.caCertificate),
    caKey: identity.caKey ? base64url(encodeSecretKey(identity.caKey)) : null,
    certificate: base64url(identity.certificate),
    key: base64url(encodeSecretKey(identity.key)),
    idSecret: base64url(identity.idSecret),
  };
}

/** Without the CA's key and the secret of the ids: with this nobody can become the relay for good. */
export function toOnlineIdentityFile(identity: OnlineIdentity): OnlineIdentityFile {
  return {
    version: 1,
    fingerprint: base64url(identityFingerprint(identity)),
    caCertificate: base64url(identity.caCertificate),
    certificate: base64url(identity.certificate),
    key: base64url(encodeSecretKey(identity.key)),
  };
}

function readField(file: Readonly<Record<string, unknown>>, field: string): Uint8Array {
  const value = file[field];
  if (typeof value !== "string") throw new IdentityError(`the identity lacks '${field}'`);
  try {
    return fromBase64url(value);
  } catch (cause) {
    throw new IdentityError(`'${field}' of the identity is not base64url`, { cause });
  }
}

function readSigningKey(file: Readonly<Record<string, unknown>>, field: string): SecretKey<SignatureAlgorithm> {
  const key = decodeSecretKey(readField(file, field));
  return key.algorithm === "Ed448" ? expectAlgorithm(key, "Ed448") : expectAlgorithm(key, "Ed25519");
}

function fieldsOf(file: unknown): Readonly<Record<string, unknown>> {
  if (typeof file !== "object" || file === null) throw new IdentityError("the identity is not a JSON object");
  const fields = file as Readonly<Record<string, unknown>>;
  if (fields["version"] !== 1) throw new IdentityError("the identity is of a version that this program does not know");
  return fields;
}

function readOnline(fields: Readonly<Record<string, unknown>>, now: number): OnlineIdentity {
  const identity = {
    caCertificate: readField(fields, "caCertificate"),
    certificate: readField(fields, "certificate"),
    key: readSigningKey(fields, "key"),
  };
  const { leaf } = verifyChain([identity.certificate, identity.caCertificate], now);
  if (!sameKey(leaf.publicKey, publicKeyOf(identity.key))) {
    throw new IdentityError("the key of the identity is not the one in its online certificate");
  }
  return identity;
}

function holding<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CryptoError) throw new IdentityError(`the identity does not hold: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Reads and verifies an identity: the chain holds now and the keys fit it. @throws IdentityError */
export function fromIdentityFile(file: unknown, now: number): RelayIdentity {
  const fields = fieldsOf(file);
  return holding(() => {
    const identity: RelayIdentity = {
      ...readOnline(fields, now),
      caKey: fields["caKey"] === null ? null : readSigningKey(fields, "caKey"),
      idSecret: readField(fields, "idSecret"),
    };
    const ca = readCertificate(identity.caCertificate);
    if (identity.caKey && !sameKey(ca.publicKey, publicKeyOf(identity.caKey))) {
      throw new IdentityError("the CA key of the identity is not the one in its CA certificate");
    }
    if (identity.idSecret.length !== ID_SECRET_LENGTH) throw new IdentityError("'idSecret' must be 32 bytes");
    return identity;
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new IdentityError("the identity is not JSON", { cause });
  }
}

/** @throws IdentityError */
export function parseIdentity(text: string, now: number): RelayIdentity {
  return fromIdentityFile(parseJson(text), now);
}

/** What a gateway needs of an identity, whole or without its secrets. @throws IdentityError */
export function parseOnlineIdentity(text: string, now: number): OnlineIdentity {
  const fields = fieldsOf(parseJson(text));
  return holding(() => readOnline(fields, now));
}
