import { EMPTY } from "#crypto/bytes";
import { verify } from "#crypto/keys";
import { type AuthContext, authContext, isServiceSigned } from "#protocol/authorize";
import { DecodeError } from "#protocol/codec";
import { type Command, decodeCommand, encodeMessage, err, type Message } from "#protocol/commands";
import { commandErr, type ErrorType } from "#protocol/errors";
import { BATCH_SIZE } from "#protocol/limits";
import { checkCredentials, isAllowedToService } from "#protocol/party";
import { UnknownTagError } from "#protocol/tagged";
import {
  authorizedBytes,
  encodeTransmission,
  type RawTransmission,
  readBatch,
  readTransmission,
  TransmissionError,
} from "#protocol/transmission";
import { authenticatorKey, type ReadySession } from "./session.ts";

/** A message with what it answers to: both ids are empty where there is nothing to echo. */
export interface Reply {
  readonly corrId: Uint8Array;
  readonly entityId: Uint8Array;
  readonly message: Message;
}

/** A well-formed command whose key has yet to be verified by the queue it is for. */
export interface Request {
  readonly command: Command;
  readonly corrId: Uint8Array;
  readonly entityId: Uint8Array;
  readonly auth: AuthContext;
}

/** One transmission of a block: either answered already or a request. */
export type Received = { readonly reply: Reply } | { readonly request: Request };

const BLOCK: ErrorType = { type: "BLOCK" };

function refuse(error: ErrorType, corrId: Uint8Array = EMPTY, entityId: Uint8Array = EMPTY): Received {
  return { reply: { corrId, entityId, message: err(error) } };
}

/** Reads the content of a block; null is a block that could not be opened. Answers keep the order of commands. */
export function readRequests(session: ReadySession, content: Uint8Array | null): Received[] {
  if (!content) return [refuse(BLOCK)];
  try {
    return readBatch(content).map((bytes) => readRequest(session, bytes));
  } catch (error) {
    if (error instanceof DecodeError) return [refuse(BLOCK)];
    throw error;
  }
}

/** Reads one transmission, of a block or forwarded. */
export function readRequest(session: ReadySession, bytes: Uint8Array): Received {
  try {
    const transmission = readTransmission(session, bytes);
    return readCommand(session, transmission);
  } catch (error) {
    if (error instanceof TransmissionError) return refuse({ type: error.type }, error.corrId);
    throw error;
  }
}

function readCommand(session: ReadySession, transmission: RawTransmission): Received {
  const { corrId, entityId } = transmission;
  try {
    const command = decodeCommand(transmission.command, session.version);
    const error = checkCredentials(command.tag, transmission.authorization !== null, entityId.length > 0)
      ?? checkService(session, command, transmission);
    if (error) return refuse(error, corrId, entityId);
    const fingerprint = session.service?.fingerprint ?? null;
    return { request: { command, corrId, entityId, auth: authContext(transmission, authenticatorKey(session), fingerprint) } };
  } catch (error) {
    if (error instanceof UnknownTagError) return refuse(commandErr("UNKNOWN"), corrId, entityId);
    if (error instanceof DecodeError) return refuse(commandErr("SYNTAX"), corrId, entityId);
    throw error;
  }
}

/** Role and second signature of a service session (SMP transport, authorization and credentials check). */
function checkService(session: ReadySession, command: Command, transmission: RawTransmission): ErrorType | null {
  const { service } = session;
  const { serviceSig, authorized } = transmission;
  if (service && !isAllowedToService(command.tag, service.role)) return commandErr("PROHIBITED");
  if (!isServiceSigned(command.tag)) return serviceSig ? { type: "SERVICE" } : null;
  if (!service && !serviceSig) return null;
  const key = { algorithm: "Ed25519", raw: service?.sessionKey ?? EMPTY } as const;
  return service && serviceSig && verify(key, authorized, serviceSig) ? null : { type: "SERVICE" };
}

/**
 * The bytes of a reply. A message that a client's own long corrId leaves no room for in a block becomes an error: the
 * official server drops it, so that the client waits in vain.
 */
export function encodeFitting(session: ReadySession, reply: Reply): Uint8Array {
  const bytes = encodeReply(session, reply);
  return 2 + bytes.length <= BATCH_SIZE ? bytes : encodeReply(session, { ...reply, message: err({ type: "LARGE_MSG" }) });
}

/** The router never authorizes what it sends. */
function encodeReply(session: ReadySession, { corrId, entityId, message }: Reply): Uint8Array {
  const command = encodeMessage(message, session.version);
  return encodeTransmission(session, authorizedBytes(session.sessionId, corrId, entityId, command), null, null);
}
