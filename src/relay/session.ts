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
import { isInRange, RELAY_VERSIONS } from "#protocol/version";
import { identityFingerprint, type RelayIdentity } from "./identity.ts";
import type { Bucket } from "./limits.ts";

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
  /** Raw X25519 secret key of this session. */
  readonly secret: Uint8Array;
}

/** A connection that does commands. Chain keys are null where blocks are clear. */
export interface ReadySession {
  readonly phase: "ready";
  readonly version: number;
  readonly sessionId: Uint8Array;
  readonly secret: Uint8Array;
  readonly receiveKey: Uint8Array | null;
  readonly sendKey: Uint8Array | null;
  readonly service: SessionService | null;
  readonly newQueues: Bucket | null;
  readonly messages: Bucket | null;
  readonly subscriptions: number;
}

export type Session = HelloSession | ReadySession;

/** A client's hello is not acceptable: the connection is closed without an answer (SMP transport, client hello). */
export class HandshakeRefused extends Error {
  override readonly name = "HandshakeRefused";
}

/** A new connection: its state and the router hello. */
export function openSession(
  identity: RelayIdentity,
  challenge: Uint8Array | null,
): { readonly session: HelloSession; readonly block: Uint8Array } {
  const { publicKey, secretKey } = generateKeyPair("X25519");
  const sessionId = randomBytes(SESSION_ID_LENGTH);
  const hello = encode(serverHello, {
    versions: RELAY_VERSIONS,
    sessionId,
    authPubKey: {
      certChain: [identity.certificate, identity.caCertificate],
      signedKey: signKey(publicKey, identity.key),
    },
    webIdentityProof: challenge ? proveWebIdentity(identity.key, challenge, sessionId) : null,
  });
  return { session: { phase: "hello", sessionId, secret: secretKey.secret }, block: clearBlock(hello) };
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

function sessionSecret(secret: Uint8Array, hello: ClientHello): Uint8Array | null {
  if (!hello.authPubKey || !encryptsBlocks(hello.version, hello.proxyServer, true)) return null;
  try {
    return dh({ algorithm: "X25519", secret }, hello.authPubKey);
  } catch (cause) {
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
  if (!isInRange(hello.version, RELAY_VERSIONS)) throw new HandshakeRefused("client speaks another version");
  const secret = sessionSecret(state.secret, hello);
  const keys = secret ? chainKeys(state.sessionId, secret) : null;
  return {
    session: {
      phase: "ready",
      version: hello.version,
      sessionId: state.sessionId,
      secret: state.secret,
      receiveKey: keys?.clientToRouter ?? null,
      sendKey: keys?.routerToClient ?? null,
      service: null,
      newQueues: null,
      messages: null,
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

/** A block to send, and the state after it. @throws PaddingError when the content fits no block. */
export function sendBlock(
  session: ReadySession,
  content: Uint8Array,
): { readonly session: ReadySession; readonly block: Uint8Array } {
  if (!session.sendKey) return { session, block: clearBlock(content) };
  const { block, next } = sealBlock(session.sendKey, content);
  return { session: { ...session, sendKey: next }, block };
}
