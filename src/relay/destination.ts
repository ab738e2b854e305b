import { EMPTY, equal } from "#crypto/bytes";
import { CryptoError } from "#crypto/errors";
import { dh, generateKeyPair, type PublicKey, type SignatureAlgorithm } from "#crypto/keys";
import { verifySignedKey } from "#crypto/signed-key";
import { verifyChain } from "#crypto/certificate";
import { clearBlock, openClearBlock } from "#protocol/block";
import { type CertChainPubKey, verifyCertChainPubKey } from "#protocol/certchain";
import { DecodeError, encode } from "#protocol/codec";
import { decodeMessage, encodeCommand, err, type Message, type MessageOf } from "#protocol/commands";
import { type FwdTransmission, openRres, sealRfwd } from "#protocol/commands/proxy";
import {
  type BrokerError,
  commandErr,
  describeError,
  type ErrorType,
  type NetworkError,
  type TransportError,
} from "#protocol/errors";
import { clientHello, readServerHello, type ServerHello, verifyWebIdentity } from "#protocol/handshake";
import { BATCH_SIZE } from "#protocol/limits";
import { UnknownTagError } from "#protocol/tagged";
import {
  authorizedBytes,
  encodeBatch,
  encodeTransmission,
  readBatch,
  readTransmission,
  TransmissionError,
} from "#protocol/transmission";
import { agreedVersion, RELAY_VERSIONS, VERSION, type VersionRange } from "#protocol/version";

/** Versions in which commands are forwarded: what clients of a proxy may speak with its destinations. */
export const FORWARDED_VERSIONS: VersionRange = { min: VERSION.proxy, max: RELAY_VERSIONS.max };

/** A forwarding that failed on this side of the destination; `error` is what the client is told. */
export class ForwardingError extends Error {
  override readonly name = "ForwardingError";
  readonly error: ErrorType;

  constructor(error: ErrorType, options?: ErrorOptions) {
    super(`forwarding failed: ${describeError(error)}`, options);
    this.error = error;
  }
}

export function brokerErr(brokerError: BrokerError): ErrorType {
  return { type: "PROXY", proxyErr: { type: "BROKER", brokerErr: brokerError } };
}

export function networkErr(networkError: NetworkError): ErrorType {
  return brokerErr({ type: "NETWORK", networkError });
}

export function transportErr(transportError: TransportError): ErrorType {
  return brokerErr({ type: "TRANSPORT", transportErr: transportError });
}

export const TIMEOUT: ErrorType = brokerErr({ type: "TIMEOUT" });
export const NO_SESSION: ErrorType = { type: "PROXY", proxyErr: { type: "NO_SESSION" } };

const handshakeErr = (type: "PARSE" | "IDENTITY" | "BAD_AUTH"): ErrorType =>
  transportErr({ type: "handshake", handshakeErr: { type } });

/**
 * How a destination proves that it speaks for itself in this very connection: by signing the challenge of a web client,
 * or by the channel binding of TLS (the client's Finished) and the key of the certificate that TLS has verified.
 */
export type Proof =
  | { readonly kind: "web"; readonly challenge: Uint8Array }
  | { readonly kind: "tls"; readonly channelBinding: Uint8Array; readonly leafKey: PublicKey<SignatureAlgorithm> };

/** A session of this proxy with a destination. Its blocks are clear: what is in them is sealed twice. */
export interface DestinationSession {
  readonly sessionId: Uint8Array;
  readonly version: number;
  /** What clients may speak with the destination. */
  readonly versions: VersionRange;
  readonly certChainPubKey: CertChainPubKey;
  /** Raw X25519 of the keys of both hellos. */
  readonly secret: Uint8Array;
}

/** Longest session id beside which a forwarded command still fits a block of the client. */
const MAX_SESSION_ID_LENGTH = 42;

function readHello(block: Uint8Array): ServerHello {
  try {
    return readServerHello(openClearBlock(block));
  } catch (cause) {
    if (!(cause instanceof DecodeError || cause instanceof CryptoError)) throw cause;
    throw new ForwardingError(handshakeErr("PARSE"), { cause });
  }
}

function ownVersions({ versions }: ServerHello): VersionRange {
  // An older one would encrypt blocks, in which its clients' longest messages find no room.
  const isOld = versions.max < VERSION.proxyServerFlag;
  return isOld ? { ...FORWARDED_VERSIONS, max: VERSION.deletedEvent } : FORWARDED_VERSIONS;
}

/** The session key of the destination, verified as clients do it (SMP transport, router hello). @throws CryptoError */
function verifyKey(
  hello: ServerHello,
  authPubKey: CertChainPubKey,
  keyHash: Uint8Array,
  proof: Proof,
  now: number,
): PublicKey<"X25519"> {
  if (proof.kind === "tls") {
    if (!equal(proof.channelBinding, hello.sessionId)) throw new ForwardingError(transportErr({ type: "badSession" }));
    const { identity } = verifyChain(authPubKey.certChain, now);
    if (!equal(identity, keyHash)) throw new ForwardingError(handshakeErr("BAD_AUTH"));
    return verifySignedKey(authPubKey.signedKey, proof.leafKey, "X25519");
  }
  const { identity, leaf, key } = verifyCertChainPubKey(authPubKey, "X25519", now);
  const { webIdentityProof: signature, sessionId } = hello;
  const isProven = signature !== null && verifyWebIdentity(leaf.publicKey, proof.challenge, sessionId, signature);
  if (!isProven || !equal(identity, keyHash)) throw new ForwardingError(handshakeErr("BAD_AUTH"));
  return key;
}

/** Another relay that has said its hello and proved who it is. */
export interface Greeted {
  readonly sessionId: Uint8Array;
  readonly version: number;
  /** What this relay and the other both speak of what was asked for. */
  readonly versions: VersionRange;
  readonly certChainPubKey: CertChainPubKey;
  /** The other's key of this session. */
  readonly key: PublicKey<"X25519">;
  /** This side's. */
  readonly publicKey: PublicKey<"X25519">;
  /** Raw X25519 of the two. */
  readonly secret: Uint8Array;
}

/**
 * Reads another relay's hello and verifies that it is who its address names.
 * `block`: the first of the connection; `ownVersionsFor`: what is spoken with who says such a hello; `now` in milliseconds.
 * @throws ForwardingError
 */
export function meet(
  block: Uint8Array,
  keyHash: Uint8Array,
  proof: Proof,
  now: number,
  ownVersionsFor: (hello: ServerHello) => VersionRange,
): Greeted {
  const hello = readHello(block);
  const { sessionId, authPubKey } = hello;
  const isUsable = sessionId.length > 0 && sessionId.length <= MAX_SESSION_ID_LENGTH;
  if (!isUsable) throw new ForwardingError(transportErr({ type: "badSession" }));
  const own = ownVersionsFor(hello);
  const version = agreedVersion(own, hello.versions);
  if (version === null) throw new ForwardingError(transportErr({ type: "version" }));
  if (!authPubKey) throw new ForwardingError(transportErr({ type: "noServerAuth" }));
  try {
    const key = verifyKey(hello, authPubKey, keyHash, proof, now);
    const { publicKey, secretKey } = generateKeyPair("X25519");
    return {
      sessionId,
      version,
      versions: { min: Math.max(own.min, hello.versions.min), max: version },
      certChainPubKey: authPubKey,
      key,
      publicKey,
      secret: dh(secretKey, key),
    };
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new ForwardingError(handshakeErr("BAD_AUTH"), { cause });
  }
}

/** Meets a destination and answers as a proxy. @throws ForwardingError */
export function greet(
  block: Uint8Array,
  keyHash: Uint8Array,
  proof: Proof,
  now: number,
): { readonly session: DestinationSession; readonly hello: Uint8Array } {
  const { publicKey, key: _, ...session } = meet(block, keyHash, proof, now, ownVersions);
  const { version } = session;
  const hello = { version, keyHash, authPubKey: publicKey, proxyServer: true, service: null };
  return { session, hello: clearBlock(encode(clientHello, hello)) };
}

/** What PRXY is answered. */
export function toPkey({ sessionId, versions, certChainPubKey }: DestinationSession): MessageOf<"PKEY"> {
  return { tag: "PKEY", sessionId, versions, certChainPubKey };
}

/** The block that takes a client's command to the destination. @throws ForwardingError when it fits none. */
export function sealForwarding(session: DestinationSession, corrId: Uint8Array, forwarded: FwdTransmission): Uint8Array {
  const encFwdTransmission = sealRfwd(session.secret, corrId, forwarded);
  const command = encodeCommand({ tag: "RFWD", encFwdTransmission }, session.version);
  const authorized = authorizedBytes(session.sessionId, corrId, EMPTY, command);
  const transmission = encodeTransmission(session, authorized, null, null);
  if (2 + transmission.length > BATCH_SIZE) throw new ForwardingError(transportErr({ type: "largeMsg" }));
  return clearBlock(encodeBatch([transmission]));
}

/** An answer of the destination, not looked into yet. */
export interface DestinationAnswer {
  readonly corrId: Uint8Array;
  readonly entityId: Uint8Array;
  readonly command: Uint8Array;
}

const BAD_BLOCK: ErrorType = brokerErr({ type: "RESPONSE", respErr: describeError({ type: "BLOCK" }) });

/** @throws ForwardingError when the block cannot be read: nothing that follows can be trusted to be. */
export function readAnswers(session: DestinationSession, block: Uint8Array): readonly DestinationAnswer[] {
  try {
    return readBatch(openClearBlock(block)).map((bytes) => readTransmission(session, bytes));
  } catch (cause) {
    const isMalformed = [DecodeError, CryptoError, TransmissionError].some((kind) => cause instanceof kind);
    if (!isMalformed) throw cause;
    throw new ForwardingError(BAD_BLOCK, { cause });
  }
}

/** What its client is told: PRES, or ERR with what went wrong on the way. */
export function openAnswer(session: DestinationSession, { corrId, entityId, command }: DestinationAnswer): Message {
  try {
    const message = decodeMessage(command, session.version);
    if (message.tag === "ERR") {
      return err({ type: "PROXY", proxyErr: { type: "PROTOCOL", protocolErr: message.error } });
    }
    if (message.tag !== "RRES") return err(brokerErr({ type: "UNEXPECTED", respErr: message.tag }));
    if (entityId.length > 0) return unreadable(commandErr("HAS_AUTH"));
    return { tag: "PRES", encResponse: openResponse(session, corrId, message.encFwdResponse) };
  } catch (error) {
    if (error instanceof ForwardingError) return err(error.error);
    if (error instanceof CryptoError) return err({ type: "CRYPTO" });
    if (error instanceof UnknownTagError) return unreadable(commandErr("UNKNOWN"));
    if (error instanceof DecodeError) return unreadable(commandErr("SYNTAX"));
    throw error;
  }
}

function unreadable(error: ErrorType): Message {
  return err(brokerErr({ type: "RESPONSE", respErr: describeError(error) }));
}

function openResponse({ secret }: DestinationSession, corrId: Uint8Array, sealed: Uint8Array): Uint8Array {
  try {
    return openRres(secret, corrId, sealed).fwdResponse;
  } catch (cause) {
    if (cause instanceof DecodeError) throw new ForwardingError(BAD_BLOCK, { cause });
    throw cause;
  }
}
