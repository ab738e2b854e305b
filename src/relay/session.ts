import { equal } from "#crypto/bytes";
import { readElements, readOne, TAG } from "#crypto/der";
import { CryptoError } from "#crypto/errors";
import { dh, generateKeyPair, type SecretKey } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { signKey } from "#crypto/signed-key";
import { chainKeys, clearBlock, encryptsBlocks, openBlock, openClearBlock, sealBlock } from "#protocol/block";
import { verifyCertChainPubKey } from "#protocol/certchain";
import { DecodeError, encode } from "#protocol/codec";
import type { TransportError } from "#protocol/errors";
import {
  type ClientHello,
  proveWebIdentity,
  readClientHello,
  serverHello,
  type ServiceResponse,
  serviceResponse,
  type ServiceRole,
} from "#protocol/handshake";
import { SESSION_ID_LENGTH } from "#protocol/limits";
import { isInRange, RELAY_VERSIONS, VERSION, type VersionRange } from "#protocol/version";
import type { GatewayClaim } from "./gateway-claim.ts";
import { identityFingerprint, type RelayIdentity } from "./identity.ts";
import { type Bucket, PROXIED_SESSIONS } from "./limits.ts";

/** A service as which a connection acts. */
export interface SessionService {
  readonly serviceId: Uint8Array;
  readonly role: ServiceRole;
  /** SHA-256 of the service's identity certificate. */
  readonly fingerprint: Uint8Array;
  /** Raw Ed25519 key of this session. */
  readonly sessionKey: Uint8Array;
  /** Whether SUBS or NSUBS was done: done again it only tells the numbers. */
  readonly isSubscribed: boolean;
}

/** What a connection that has sent its hello waits with. All session states are plain data that survive hibernation. */
export interface HelloSession {
  readonly phase: "hello";
  readonly sessionId: Uint8Array;
  /** What the client was offered. */
  readonly versions: VersionRange;
  /** Raw X25519 secret key of this session. */
  readonly secret: Uint8Array;
}

/** A session of this relay with another, through which the client may forward commands. */
export interface ProxiedSession {
  readonly sessionId: Uint8Array;
  /** Id of the object that holds it. */
  readonly destination: string;
}

/** A connection that does commands. Chain keys are null where blocks are clear. */
export interface ReadySession {
  readonly phase: "ready";
  readonly version: number;
  readonly sessionId: Uint8Array;
  readonly secret: Uint8Array;
  /** Raw X25519 of the keys of both hellos: opens what a proxy forwards. Null when the client sent no usable key. */
  readonly sharedSecret: Uint8Array | null;
  readonly receiveKey: Uint8Array | null;
  readonly sendKey: Uint8Array | null;
  readonly service: SessionService | null;
  readonly newQueues: Bucket | null;
  readonly messages: Bucket | null;
  /** PRXY commands. */
  readonly relays: Bucket | null;
  /** Newest last. */
  readonly proxied: readonly ProxiedSession[];
  readonly subscriptions: number;
}

export type Session = HelloSession | ReadySession;

/** A client's hello is not acceptable: the connection is closed without an answer (SMP transport, client hello). */
export class HandshakeRefused extends Error {
  override readonly name = "HandshakeRefused";
}

/** What a new connection brings with it. */
export interface Arrival {
  /** From a web client that wants to know who answers. */
  readonly challenge: Uint8Array | null;
  /** From a gateway, verified: its client's TLS session decides the session id, and its ALPN the versions. */
  readonly gateway: GatewayClaim | null;
}

/** All that is offered to TLS clients without ALPN (SMP transport, TLS). */
const LEGACY_VERSIONS: VersionRange = { min: VERSION.initial, max: VERSION.initial };

/** A new connection: its state and the router hello. */
export function openSession(
  identity: RelayIdentity,
  { challenge, gateway }: Arrival,
): { readonly session: HelloSession; readonly block: Uint8Array } {
  const { publicKey, secretKey } = generateKeyPair("X25519");
  const sessionId = gateway?.sessionId ?? randomBytes(SESSION_ID_LENGTH);
  const versions = gateway?.alpn === false ? LEGACY_VERSIONS : RELAY_VERSIONS;
  // Only over a session id of its own does the relay sign what a stranger chose.
  const proves = challenge !== null && gateway === null;
  const hello = encode(serverHello, {
    versions,
    sessionId,
    authPubKey: {
      certChain: [identity.certificate, identity.caCertificate],
      signedKey: signKey(publicKey, identity.key),
    },
    webIdentityProof: proves ? proveWebIdentity(identity.key, challenge, sessionId) : null,
  });
  return { session: { phase: "hello", sessionId, versions, secret: secretKey.secret }, block: clearBlock(hello) };
}

/** A service that asks to be known by its certificate. */
export interface ServiceOffer {
  readonly role: ServiceRole;
  readonly fingerprint: Uint8Array;
  readonly sessionKey: Uint8Array;
}

/** What follows from a client hello. `offer`: a service response must be sent before anything else. */
export interface Accepted {
  readonly session: ReadySession;
  readonly offer: ServiceOffer | { readonly error: TransportError } | null;
}

function readHello(block: Uint8Array): ClientHello {
  try {
    return readClientHello(openClearBlock(block));
  } catch (error) {
    if (error instanceof DecodeError || error instanceof CryptoError) {
      throw new HandshakeRefused("client hello is malformed", { cause: error });
    }
    throw error;
  }
}

/** Null: none was agreed. @throws HandshakeRefused when blocks would be encrypted with a secret that everybody knows */
function agreeSecret(secret: Uint8Array, hello: ClientHello): Uint8Array | null {
  if (!hello.authPubKey) return null;
  try {
    return dh({ algorithm: "X25519", secret }, hello.authPubKey);
  } catch (cause) {
    if (!encryptsBlocks(hello.version, hello.proxyServer, true)) return null;
    throw new HandshakeRefused("client key is unusable", { cause });
  }
}

/** Whether it is one DER sequence of three: what is signed, how, and the signature. More is for verification to say. */
function isSigned(der: Uint8Array): boolean {
  try {
    return readElements(readOne(der, TAG.sequence).content).length === 3;
  } catch (error) {
    if (error instanceof CryptoError) return false;
    throw error;
  }
}

/**
 * The certificate of a service stands in the hello itself: its session key is signed by it and signs every command,
 * so no TLS certificate of the client is needed to believe it.
 */
function readOffer(hello: ClientHello, now: number): Accepted["offer"] {
  if (!hello.service) return null;
  const { certChain, signedKey } = hello.service.certChainPubKey;
  if (![...certChain, signedKey].every(isSigned)) throw new HandshakeRefused("service certificates are malformed");
  try {
    const { identity, key } = verifyCertChainPubKey(hello.service.certChainPubKey, "Ed25519", now, true);
    return { role: hello.service.role, fingerprint: identity, sessionKey: key.raw };
  } catch (error) {
    if (error instanceof CryptoError) return { error: { type: "handshake", handshakeErr: { type: "BAD_AUTH" } } };
    throw error;
  }
}

/** Checks the client hello in the official order. @throws HandshakeRefused */
export function acceptHello(state: HelloSession, block: Uint8Array, identity: RelayIdentity, now: number): Accepted {
  const hello = readHello(block);
  if (!equal(hello.keyHash, identityFingerprint(identity))) throw new HandshakeRefused("client expects another relay");
  if (!isInRange(hello.version, state.versions)) throw new HandshakeRefused("client speaks another version");
  const sharedSecret = agreeSecret(state.secret, hello);
  const encrypts = sharedSecret && encryptsBlocks(hello.version, hello.proxyServer, true);
  const keys = encrypts ? chainKeys(state.sessionId, sharedSecret) : null;
  return {
    session: {
      phase: "ready",
      version: hello.version,
      sessionId: state.sessionId,
      secret: state.secret,
      sharedSecret,
      receiveKey: keys?.clientToRouter ?? null,
      sendKey: keys?.routerToClient ?? null,
      service: null,
      newQueues: null,
      messages: null,
      relays: null,
      proxied: [],
      subscriptions: 0,
    },
    offer: readOffer(hello, now),
  };
}

/** The third block of a service's handshake; always clear. */
export function serviceResponseBlock(response: ServiceResponse): Uint8Array {
  return clearBlock(encode(serviceResponse, response));
}

/** The key with which X25519 authenticators are checked, in every version. */
export function authenticatorKey(session: ReadySession): SecretKey<"X25519"> {
  return { algorithm: "X25519", secret: session.secret };
}

/** The content of a received block, null when it cannot be opened. The chain steps in either case. */
export function receiveBlock(
  session: ReadySession,
  block: Uint8Array,
): { readonly session: ReadySession; readonly content: Uint8Array | null } {
  const opened = session.receiveKey ? openBlock(session.receiveKey, block) : null;
  const next = opened ? { ...session, receiveKey: opened.next } : session;
  try {
    return { session: next, content: opened ? opened.content() : openClearBlock(block) };
  } catch (error) {
    if (error instanceof CryptoError) return { session: next, content: null };
    throw error;
  }
}

/** The session with one more relay to forward to; the oldest gives way. */
export function withProxied(session: ReadySession, proxied: ProxiedSession): ReadySession {
  const others = session.proxied.filter(({ sessionId }) => !equal(sessionId, proxied.sessionId));
  return { ...session, proxied: [...others, proxied].slice(-PROXIED_SESSIONS) };
}

/** The object that holds the session, null when this client did not ask for it or it was forgotten. */
export function destinationOf(session: ReadySession, sessionId: Uint8Array): string | null {
  return session.proxied.find((proxied) => equal(proxied.sessionId, sessionId))?.destination ?? null;
}

/** A block to send, and the state after it. @throws PaddingError when the content fits no block. */
export function sendBlock(
  session: ReadySession,
  content: Uint8Array,
): { readonly session: ReadySession; readonly block: Uint8Array } {
  if (!session.sendKey) return { session, block: clearBlock(content) };
  const { block, next } = sealBlock(session.sendKey, content);
  return { session: { ...session, sendKey: next }, block };
}
