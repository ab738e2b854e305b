import { ALGORITHMS } from "./algorithms.ts";
import { concat, equal, fromHex, utf8 } from "./bytes.ts";
import { type Element, readBitString, readElements, readOne, TAG, writeBitString, writeElement } from "./der.ts";
import { CertificateError, KeyError } from "./errors.ts";
import { sha256 } from "./hash.ts";
import {
  decodePublicKey,
  encodePublicKey,
  type PublicKey,
  type SecretKey,
  sign,
  type SignatureAlgorithm,
  verify,
} from "./keys.ts";
import { randomBytes } from "./random.ts";

/** What SimpleX reads of an X.509 certificate (RFC 5280). Names stay in DER; times are milliseconds since 1970. */
export interface Certificate {
  readonly der: Uint8Array;
  /** The part that the signature covers. */
  readonly tbs: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: PublicKey<SignatureAlgorithm>;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
}

/** SHA-256 of the whole DER: the key hash of a router address when taken of its identity certificate. */
export function fingerprint(der: Uint8Array): Uint8Array {
  return sha256(der);
}

// YYYYMMDDHHMMSSZ
const LONGEST_TIME = 15;

function readTime(element: Element | undefined): number {
  const text = String.fromCharCode(...element?.content.subarray(0, LONGEST_TIME + 1) ?? []);
  const match = element?.tag === TAG.utcTime
    ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)
    : element?.tag === TAG.generalizedTime
    ? /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)
    : null;
  if (!match) throw new CertificateError("certificate has a malformed date");
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  // RFC 5280 section 4.1.2.5.1: two digits below 50 are of this century.
  const fullYear = element?.tag === TAG.utcTime ? year + (year < 50 ? 2000 : 1900) : year;
  return Date.UTC(fullYear, month - 1, day, hour, minute, second);
}

function signatureAlgorithmOf(identifier: Element): SignatureAlgorithm {
  if (equal(identifier.der, ALGORITHMS.Ed25519.identifier)) return "Ed25519";
  if (equal(identifier.der, ALGORITHMS.Ed448.identifier)) return "Ed448";
  throw new CertificateError("certificate is not signed with Ed25519 or Ed448");
}

/**
 * Reads one certificate strictly: version 3, Ed25519 or Ed448 keys and signatures, nothing after it.
 * It is not verified here: see {@link verifyChain}.
 * @throws CertificateError
 */
export function readCertificate(der: Uint8Array): Certificate {
  const [tbs, outerAlgorithm, signature, extra] = readElements(readOne(der, TAG.sequence).content);
  if (!tbs || !outerAlgorithm || !signature || extra || tbs.tag !== TAG.sequence) {
    throw new CertificateError("certificate must be a signed sequence of three elements");
  }
  const [version, , innerAlgorithm, issuer, validity, subject, key] = readElements(tbs.content);
  if (!version || version.tag !== TAG.version || !innerAlgorithm || !issuer || !validity || !subject || !key) {
    throw new CertificateError("certificate is not X.509 version 3");
  }
  if (!equal(innerAlgorithm.der, outerAlgorithm.der)) throw new CertificateError("certificate names two signature algorithms");
  const [notBefore, notAfter] = readElements(readOne(validity.der, TAG.sequence).content);
  return {
    der,
    tbs: tbs.der,
    issuer: issuer.der,
    subject: subject.der,
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    publicKey: readKey(key.der),
    signatureAlgorithm: signatureAlgorithmOf(outerAlgorithm),
    signature: readBitString(signature),
  };
}

function readKey(spki: Uint8Array): PublicKey<SignatureAlgorithm> {
  try {
    return decodePublicKey(spki, "Ed25519", "Ed448");
  } catch (cause) {
    if (cause instanceof KeyError) throw new CertificateError("certificate has a key other than Ed25519 or Ed448", { cause });
    throw cause;
  }
}

/** Which certificates of a chain play which part; the chain stands leaf first. */
export type ChainRoles<T> =
  | { readonly kind: "empty" | "tooLong" }
  | { readonly kind: "self"; readonly leaf: T }
  | { readonly kind: "valid"; readonly leaf: T; readonly identity: T; readonly ca: T };

/** By the length alone (SMP transport, router identity): the identity is the second from the leaf. */
export function chainRoles<T>(chain: readonly T[]): ChainRoles<T> {
  const [leaf, identity] = chain;
  const ca = chain.at(-1);
  if (leaf === undefined || ca === undefined) return { kind: "empty" };
  if (identity === undefined) return { kind: "self", leaf };
  return chain.length > 4 ? { kind: "tooLong" } : { kind: "valid", leaf, identity, ca };
}

/** A chain that holds: every certificate signed by the next, all within their dates. */
export interface VerifiedChain {
  readonly leaf: Certificate;
  /** SHA-256 of the identity certificate, 32 bytes. */
  readonly identity: Uint8Array;
}

/**
 * Verifies a chain of 2 to 4 certificates up to its own CA: names, signatures and dates. Host names are not
 * checked: the caller compares `identity` with what it expects. With `allowSelf` one certificate alone is its own
 * identity, as services may have it.
 * @throws CertificateError
 */
export function verifyChain(ders: readonly Uint8Array[], now: number, allowSelf = false): VerifiedChain {
  const roles = chainRoles(ders);
  const isAllowed = roles.kind === "valid" || (roles.kind === "self" && allowSelf);
  if (!isAllowed) throw new CertificateError(`a chain must have 2 to 4 certificates, not ${ders.length}`);
  const certificates = ders.map(readCertificate);
  certificates.forEach((certificate, i) => {
    if (now < certificate.notBefore || now > certificate.notAfter) throw new CertificateError("certificate is not valid at this time");
    const issuer = certificates[i + 1];
    if (issuer && !isIssuedBy(certificate, issuer)) throw new CertificateError("certificate is not signed by the next one");
  });
  return { leaf: readCertificate(roles.leaf), identity: fingerprint(roles.kind === "self" ? roles.leaf : roles.identity) };
}

function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  return equal(certificate.issuer, issuer.subject)
    && certificate.signatureAlgorithm === issuer.publicKey.algorithm
    && verify(issuer.publicKey, certificate.tbs, certificate.signature);
}

const OID = {
  commonName: "550403",
  organizationName: "55040a",
  subjectKeyIdentifier: "551d0e",
  keyUsage: "551d0f",
  basicConstraints: "551d13",
  authorityKeyIdentifier: "551d23",
  extendedKeyUsage: "551d25",
} as const;
const SERIAL_LENGTH = 20;
const DAY = 86_400_000;
// As the official server writes it: 999999 days, so that a relay's address outlives its machine.
const VALIDITY = 999_999 * DAY;

const oid = (encoded: string): Uint8Array => writeElement(TAG.oid, fromHex(encoded));
const sequence = (...parts: readonly Uint8Array[]): Uint8Array => writeElement(TAG.sequence, ...parts);

function name(parts: readonly (readonly [string, string])[]): Uint8Array {
  return sequence(...parts.map(([type, value]) =>
    writeElement(TAG.set, sequence(oid(type), writeElement(TAG.utf8String, utf8(value))))
  ));
}

function time(at: number): Uint8Array {
  const digits = new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return Number(digits.slice(0, 4)) < 2050
    ? writeElement(TAG.utcTime, utf8(digits.slice(2)))
    : writeElement(TAG.generalizedTime, utf8(digits));
}

function extension(type: string, value: Uint8Array, critical = false): Uint8Array {
  const flag = critical ? [writeElement(TAG.boolean, Uint8Array.of(0xff))] : [];
  return sequence(oid(type), ...flag, writeElement(TAG.octetString, value));
}

/** RFC 7093 method 1: the leftmost 160 bits of SHA-256 of the key. */
function keyIdentifier(key: PublicKey): Uint8Array {
  return sha256(key.raw).slice(0, 20);
}

interface Profile {
  readonly issuer: Uint8Array;
  readonly signedBy: SecretKey<SignatureAlgorithm>;
  readonly subject: Uint8Array;
  readonly subjectKey: PublicKey<SignatureAlgorithm>;
  readonly extensions: readonly Uint8Array[];
  readonly now: number;
}

function issue(profile: Profile): Uint8Array {
  const serial = randomBytes(SERIAL_LENGTH);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40; // positive and of full length
  const { identifier } = ALGORITHMS[profile.signedBy.algorithm];
  const tbs = sequence(
    writeElement(TAG.version, writeElement(TAG.integer, Uint8Array.of(2))),
    writeElement(TAG.integer, serial),
    identifier,
    profile.issuer,
    sequence(time(profile.now), time(profile.now + VALIDITY)),
    profile.subject,
    encodePublicKey(profile.subjectKey),
    writeElement(TAG.extensions, sequence(...profile.extensions)),
  );
  return sequence(tbs, identifier, writeBitString(sign(profile.signedBy, tbs)));
}

const CA_NAME = [[OID.commonName, "SMP server CA"], [OID.organizationName, "SimpleX"]] as const;

function keyExtensions(subjectKey: PublicKey, issuerKey: PublicKey): Uint8Array[] {
  const keyId = (tag: number, key: PublicKey): Uint8Array => writeElement(tag, keyIdentifier(key));
  return [
    extension(OID.subjectKeyIdentifier, keyId(TAG.octetString, subjectKey)),
    extension(OID.authorityKeyIdentifier, sequence(keyId(0x80, issuerKey))),
  ];
}

/** The identity certificate of a router: self-signed, as the official server makes it. Returns DER. */
export function issueCaCertificate(
  publicKey: PublicKey<SignatureAlgorithm>,
  secretKey: SecretKey<SignatureAlgorithm>,
  now: number,
): Uint8Array {
  const subject = name(CA_NAME);
  const basicConstraints = sequence(writeElement(TAG.boolean, Uint8Array.of(0xff)));
  return issue({
    issuer: subject,
    signedBy: secretKey,
    subject,
    subjectKey: publicKey,
    extensions: [...keyExtensions(publicKey, publicKey), extension(OID.basicConstraints, basicConstraints, true)],
    now,
  });
}

/** The online certificate of a router, signed by its CA, with the key usage of the official server. Returns DER. */
export function issueServerCertificate(
  publicKey: PublicKey<SignatureAlgorithm>,
  host: string,
  ca: { readonly certificate: Uint8Array; readonly secretKey: SecretKey<SignatureAlgorithm> },
  now: number,
): Uint8Array {
  const caCertificate = readCertificate(ca.certificate);
  const digitalSignatureNonRepudiationKeyAgreement = writeElement(TAG.bitString, Uint8Array.of(0x03, 0xc8));
  const serverAuth = sequence(oid("2b06010505070301"));
  return issue({
    issuer: caCertificate.subject,
    signedBy: ca.secretKey,
    subject: name([[OID.commonName, host]]),
    subjectKey: publicKey,
    extensions: [
      extension(OID.basicConstraints, sequence()),
      extension(OID.keyUsage, digitalSignatureNonRepudiationKeyAgreement),
      extension(OID.extendedKeyUsage, serverAuth),
      ...keyExtensions(publicKey, caCertificate.publicKey),
    ],
    now,
  });
}

/** PEM of RFC 7468. */
export function pem(label: string, der: Uint8Array): string {
  const text = btoa(String.fromCharCode(...concat(der)));
  const lines = text.match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
