import { EMPTY } from "#crypto/bytes";
import { PaddingError } from "#crypto/errors";
import { type AuthContext, authContext } from "#protocol/authorize";
import { DecodeError } from "#protocol/codec";
import { commandErr, type ErrorType } from "#protocol/errors";
import {
  encodeNtfTransmission,
  fitsNtfBlock,
  ntfBlock,
  openNtfBlock,
  packNtf,
  readNtfContent,
  readNtfTransmission,
} from "#protocol/ntf/block";
import { decodeNtfCommand, encodeNtfAnswer, type NtfAnswer, type NtfCommand } from "#protocol/ntf/commands";
import { checkNtfCredentials } from "#protocol/ntf/credentials";
import { UnknownTagError } from "#protocol/tagged";
import { authorizedBytes, type RawTransmission, TransmissionError } from "#protocol/transmission";
import type { NtfReadySession } from "./session.ts";

/** An answer with what it answers to: both ids are empty where there is nothing to echo. */
export interface NtfReply {
  readonly corrId: Uint8Array;
  readonly entityId: Uint8Array;
  readonly answer: NtfAnswer;
}

/** A well-formed command whose key has yet to be verified. */
export interface NtfAsked {
  readonly command: NtfCommand;
  readonly corrId: Uint8Array;
  readonly entityId: Uint8Array;
  readonly auth: AuthContext;
}

/** One transmission of a block: either answered already or asked. */
export type NtfReceived = { readonly reply: NtfReply } | { readonly asked: NtfAsked };

function refuse(error: ErrorType, corrId: Uint8Array = EMPTY, entityId: Uint8Array = EMPTY): NtfReceived {
  return { reply: { corrId, entityId, answer: { tag: "ERR", error } } };
}

/** Reads a block of a client. Answers keep the order of commands. */
export function readNtfBlock(session: NtfReadySession, block: Uint8Array): readonly NtfReceived[] {
  try {
    return readNtfContent(session.version, openNtfBlock(block)).map((bytes) => readOne(session, bytes));
  } catch (error) {
    if (error instanceof DecodeError || error instanceof PaddingError) return [refuse({ type: "BLOCK" })];
    throw error;
  }
}

function readOne(session: NtfReadySession, bytes: Uint8Array): NtfReceived {
  try {
    return readCommand(session, readNtfTransmission(session, bytes));
  } catch (error) {
    if (error instanceof TransmissionError) return refuse({ type: error.type }, error.corrId);
    throw error;
  }
}

function readCommand(session: NtfReadySession, transmission: RawTransmission): NtfReceived {
  const { corrId, entityId } = transmission;
  try {
    const command = decodeNtfCommand(transmission.command, session.version);
    const error = checkNtfCredentials(command.tag, transmission.authorization !== null, entityId.length > 0);
    if (error) return refuse(error, corrId, entityId);
    const sessionKey = { algorithm: "X25519", secret: session.secret } as const;
    return { asked: { command, corrId, entityId, auth: authContext(transmission, sessionKey, null) } };
  } catch (error) {
    if (error instanceof UnknownTagError) return refuse(commandErr("UNKNOWN"), corrId, entityId);
    if (error instanceof DecodeError) return refuse(commandErr("SYNTAX"), corrId, entityId);
    throw error;
  }
}

function encodeReply(session: NtfReadySession, { corrId, entityId, answer }: NtfReply): Uint8Array {
  const command = encodeNtfAnswer(answer, session.version);
  return encodeNtfTransmission(session, authorizedBytes(session.sessionId, corrId, entityId, command), null);
}

/** An answer that a client's own long ids leave no room for becomes an error without the entity, which always fits. */
function encodeFitting(session: NtfReadySession, reply: NtfReply): Uint8Array {
  const bytes = encodeReply(session, reply);
  if (fitsNtfBlock(session.version, bytes)) return bytes;
  return encodeReply(session, { ...reply, entityId: EMPTY, answer: { tag: "ERR", error: { type: "LARGE_MSG" } } });
}

/** The blocks that take the replies to the client, in their order. */
export function writeNtfBlocks(session: NtfReadySession, replies: readonly NtfReply[]): readonly Uint8Array[] {
  return packNtf(session.version, replies.map((reply) => encodeFitting(session, reply))).map(ntfBlock);
}
