import { authenticate, verifyAuthenticator } from "#crypto/authenticator";
import { concat, fromBase64url } from "#crypto/bytes";
import { KeyError } from "#crypto/errors";
import {
  type AuthAlgorithm,
  decodePublicKey,
  type PublicKey,
  type SecretKey,
  sign,
  type SignatureAlgorithm,
  verify,
} from "#crypto/keys";
import type { CommandTag } from "./commands.ts";
import type { Authorization, RawTransmission } from "./transmission.ts";

/** A key of the client that authorizes its commands on one queue. */
export type AuthSecretKey = SecretKey<"Ed25519"> | SecretKey<"Ed448"> | SecretKey<"X25519">;

/** The client's side of a session in which it acts as a service. */
export interface ServiceSession {
  /** SHA-256 of the service's identity certificate. */
  readonly fingerprint: Uint8Array;
  readonly sessionKey: SecretKey<"Ed25519">;
}

/** Commands that a service session signs twice: by the queue's key and by the service's. */
const SERVICE_SIGNED: ReadonlySet<CommandTag> = new Set<CommandTag>(["NEW", "SUB", "NSUB"]);

export function isServiceSigned(tag: CommandTag): boolean {
  return SERVICE_SIGNED.has(tag);
}

/**
 * Signs or authenticates (SMP transport, authorization). For X25519 keys `routerKey` is the session key of the router
 * hello and `corrId` the nonce, so it must never repeat.
 * @throws KeyError when an X25519 key is used in a session whose router has no key (v6).
 */
export function authorize(
  key: AuthSecretKey,
  routerKey: PublicKey<"X25519"> | null,
  corrId: Uint8Array,
  message: Uint8Array,
): Uint8Array {
  if (key.algorithm !== "X25519") return sign(key, message);
  if (!routerKey) throw new KeyError("the router has no session key: its version is too old for X25519 queue keys");
  return authenticate(key, routerKey, corrId, message);
}

/** What the second signature of a service session adds. */
export function authorizeAsService(
  service: ServiceSession,
  authorized: Uint8Array,
): { readonly message: Uint8Array; readonly serviceSig: Uint8Array } {
  return { message: concat(service.fingerprint, authorized), serviceSig: sign(service.sessionKey, authorized) };
}

// Keys that belong to nobody. A command for an unknown id is verified against one of them, so that the time of an
// answer does not tell whether the id exists (SMP transport, constant-time behaviour).
const dummy = <A extends AuthAlgorithm>(algorithm: A, der: string): PublicKey<A> =>
  decodePublicKey(fromBase64url(der), algorithm);
const DUMMY_KEYS: { readonly [A in AuthAlgorithm]: PublicKey<A> } = {
  Ed25519: dummy("Ed25519", "MCowBQYDK2VwAyEA139Oqs4QgpqbAmB0o7rZf6T19ryl7E65k4AYe0kE3Qs="),
  Ed448: dummy("Ed448", "MEMwBQYDK2VxAzoA6ibQc9XpkSLtwrf7PLvp81qW_etiumckVFImCMRdftcG_XopbOSaq9qyLhrgJWKOLyNrQPNVvpMA"),
  X25519: dummy("X25519", "MCowBQYDK2VuAyEA4JGSMYht18H4mas_jHeBwfcM7jLwNYJNOAhi2_g4RXg="),
};

/** What verification needs to know of a transmission and its session. */
export interface AuthContext {
  readonly authorization: Authorization | null;
  /** The covered bytes, with the service's fingerprint in front where a service signed too. */
  readonly authorized: Uint8Array;
  readonly corrId: Uint8Array;
  /** The router's secret key of this session; null where there is none. */
  readonly sessionKey: SecretKey<"X25519"> | null;
}

export function authContext(
  transmission: RawTransmission,
  sessionKey: SecretKey<"X25519"> | null,
  serviceFingerprint: Uint8Array | null,
): AuthContext {
  const { authorization, serviceSig, corrId, authorized } = transmission;
  return {
    authorization,
    authorized: serviceFingerprint && serviceSig ? concat(serviceFingerprint, authorized) : authorized,
    corrId,
    sessionKey,
  };
}

function verifySignature(context: AuthContext, key: PublicKey<SignatureAlgorithm>, signature: Uint8Array): boolean {
  return verify(key, context.authorized, signature);
}

function verifyBox(context: AuthContext, key: PublicKey<"X25519">, authenticator: Uint8Array): boolean {
  if (!context.sessionKey) return false;
  try {
    return verifyAuthenticator(context.sessionKey, key, context.corrId, context.authorized, authenticator);
  } catch (error) {
    if (error instanceof KeyError) return false;
    throw error;
  }
}

/** Spends the time of a verification and fails. */
export function verifyDummy(context: AuthContext): false {
  const { authorization } = context;
  if (authorization?.kind === "X25519") verifyBox(context, DUMMY_KEYS.X25519, authorization.bytes);
  else if (authorization) verifySignature(context, DUMMY_KEYS[authorization.kind], authorization.bytes);
  return false;
}

/** Whether the transmission is authorized by `key`. The work depends only on the kind of authorization given. */
export function isAuthorizedBy(context: AuthContext, key: PublicKey<AuthAlgorithm>): boolean {
  const { authorization } = context;
  if (!authorization) return false;
  if (authorization.kind !== key.algorithm) return verifyDummy(context);
  return key.algorithm === "X25519"
    ? verifyBox(context, { algorithm: "X25519", raw: key.raw }, authorization.bytes)
    : verifySignature(context, { algorithm: key.algorithm, raw: key.raw }, authorization.bytes);
}
