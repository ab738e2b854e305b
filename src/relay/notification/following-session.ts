import { CryptoError } from "#crypto/errors";
import type { PublicKey } from "#crypto/keys";
import { type AuthSecretKey, authorize } from "#protocol/authorize";
import { chainKeys, clearBlock, encryptsBlocks, openBlock, openClearBlock, sealBlock } from "#protocol/block";
import { DecodeError, encode } from "#protocol/codec";
import { type Command, decodeMessage, encodeCommand, type Message } from "#protocol/commands";
import { clientHello } from "#protocol/handshake";
import { UnknownTagError } from "#protocol/tagged";
import {
  authorizedBytes,
  encodeTransmission,
  packBatches,
  readBatch,
  readTransmission,
  type SessionParams,
  TransmissionError,
} from "#protocol/transmission";
import { RELAY_VERSIONS, VERSION, type VersionRange } from "#protocol/version";
import { meet, type Proof } from "../destination.ts";

/** What this server speaks with relays whose queues it follows: from when they have keys of their own in each session. */
export const FOLLOWING_VERSIONS: VersionRange = { min: VERSION.authKeys, max: RELAY_VERSIONS.max };

/** A session with another relay, as its client. Chain keys are null where blocks are clear; they step with each block. */
export interface FollowingSession extends SessionParams {
  /** The relay's key of this session, for authenticators. */
  readonly routerKey: PublicKey<"X25519">;
  readonly sendKey: Uint8Array | null;
  readonly receiveKey: Uint8Array | null;
}

/** The other relay does not keep to the protocol, or answers nothing: the connection is of no use. */
export class FollowingError extends Error {
  override readonly name = "FollowingError";
}

/** Meets another relay and answers its hello as a client does. `now` in milliseconds. @throws ForwardingError */
export function greetAsNotifier(
  block: Uint8Array,
  keyHash: Uint8Array,
  proof: Proof,
  now: number,
): { readonly session: FollowingSession; readonly hello: Uint8Array } {
  const { sessionId, version, key, publicKey, secret } = meet(block, keyHash, proof, now, () => FOLLOWING_VERSIONS);
  const keys = encryptsBlocks(version, false, true) ? chainKeys(sessionId, secret) : null;
  const hello = { version, keyHash, authPubKey: publicKey, proxyServer: false, service: null };
  return {
    session: {
      sessionId,
      version,
      routerKey: key,
      sendKey: keys?.clientToRouter ?? null,
      receiveKey: keys?.routerToClient ?? null,
    },
    hello: clearBlock(encode(clientHello, hello)),
  };
}

/** A command of a notifier. */
export interface NotifierRequest {
  readonly command: Command;
  readonly corrId: Uint8Array;
  readonly entityId: Uint8Array;
  readonly key: AuthSecretKey | null;
}

function toTransmission(session: FollowingSession, { command, corrId, entityId, key }: NotifierRequest): Uint8Array {
  const bytes = encodeCommand(command, session.version);
  const authorized = authorizedBytes(session.sessionId, corrId, entityId, bytes);
  const authorization = key && authorize(key, session.routerKey, corrId, authorized);
  return encodeTransmission(session, authorized, authorization, null);
}

/** The blocks that take the commands to the relay, as few as hold them, and the session after them. */
export function writeRequests(
  session: FollowingSession,
  requests: readonly NotifierRequest[],
): { readonly session: FollowingSession; readonly blocks: readonly Uint8Array[] } {
  const contents = packBatches(requests.map((request) => toTransmission(session, request)));
  let { sendKey } = session;
  const blocks = contents.map((content) => {
    if (!sendKey) return clearBlock(content);
    const { block, next } = sealBlock(sendKey, content);
    sendKey = next;
    return block;
  });
  return { session: { ...session, sendKey }, blocks };
}

/** A transmission of the relay; the corrId of events is empty. Message null: it is none that this version knows. */
export interface FollowingReceived {
  readonly corrId: Uint8Array;
  readonly entityId: Uint8Array;
  readonly message: Message | null;
}

function readMessage(command: Uint8Array, version: number): Message | null {
  try {
    return decodeMessage(command, version);
  } catch (error) {
    if (error instanceof DecodeError || error instanceof UnknownTagError) return null;
    throw error;
  }
}

/** What a block says, and the session after it. @throws FollowingError */
export function readReceived(
  session: FollowingSession,
  block: Uint8Array,
): { readonly session: FollowingSession; readonly received: readonly FollowingReceived[] } {
  try {
    const opened = session.receiveKey && openBlock(session.receiveKey, block);
    const received = readBatch(opened ? opened.content() : openClearBlock(block)).map((bytes) => {
      const { corrId, entityId, command } = readTransmission(session, bytes);
      return { corrId, entityId, message: readMessage(command, session.version) };
    });
    return { session: { ...session, receiveKey: opened?.next ?? null }, received };
  } catch (cause) {
    const isMalformed = [DecodeError, CryptoError, TransmissionError].some((kind) => cause instanceof kind);
    if (!isMalformed) throw cause;
    throw new FollowingError("the relay sent a block that cannot be read", { cause });
  }
}
