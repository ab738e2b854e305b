import { equal } from "#crypto/bytes";
import { CryptoError } from "#crypto/errors";
import type { PublicKey } from "#crypto/keys";
import {
  authorize,
  authorizeAsService,
  type AuthSecretKey,
  isServiceSigned,
  type ServiceSession,
} from "#protocol/authorize";
import { DecodeError, EncodeError } from "#protocol/codec";
import { type Command, decodeMessage, encodeCommand, type Message } from "#protocol/commands";
import { BATCH_SIZE, maxMessageLength } from "#protocol/limits";
import { checkCredentials } from "#protocol/party";
import { UnknownTagError } from "#protocol/tagged";
import { authorizedBytes, encodeTransmission, type RawTransmission, type SessionParams } from "#protocol/transmission";
import { UnexpectedAnswerError, UsageError } from "../errors.ts";
import { isEntityFitting } from "./request.ts";

/** What writing commands takes of a session with a relay, be it direct or a proxy's. */
export interface CommandSession extends SessionParams {
  /** Where the commands go, for messages to people. */
  readonly host: string;
  /** The relay's X25519 key of this session; null in v6. */
  readonly routerKey: PublicKey<"X25519"> | null;
  readonly service: ServiceSession | null;
}

/** A command and what it is sent with. */
export interface OutgoingCommand {
  readonly command: Command;
  /** Empty: it is about none. */
  readonly entityId: Uint8Array;
  readonly corrId: Uint8Array;
  readonly key?: AuthSecretKey | undefined;
}

/** One transmission, authorized. @throws UsageError for what the relay would refuse or no block can hold */
export function writeCommand(session: CommandSession, { command, entityId, corrId, key }: OutgoingCommand): Uint8Array {
  const error = checkCredentials(command.tag, key !== undefined, entityId.length > 0);
  if (error) throw new UsageError(`${command.tag} has a key or an entity id too many or too few`);
  const limit = maxMessageLength(session.version);
  if (command.tag === "SEND" && command.body.length > limit) {
    throw new UsageError(`a message may have ${limit} bytes, this one has ${command.body.length}`);
  }
  try {
    const { version, sessionId, routerKey, service } = session;
    const authorized = authorizedBytes(sessionId, corrId, entityId, encodeCommand(command, version));
    const twice = key && service && isServiceSigned(command.tag) ? authorizeAsService(service, authorized) : null;
    const authorization = key ? authorize(key, routerKey, corrId, twice?.message ?? authorized) : null;
    const transmission = encodeTransmission(session, authorized, authorization, twice?.serviceSig ?? null);
    if (transmission.length + 2 > BATCH_SIZE) throw new EncodeError(`its ${transmission.length} bytes fit no block`);
    return transmission;
  } catch (cause) {
    if (!(cause instanceof EncodeError || cause instanceof CryptoError)) throw cause;
    throw new UsageError(`${command.tag} cannot be sent: ${cause.message}`, { cause });
  }
}

/** What a transmission of the relay says, or why that cannot be. */
export function readMessage(
  { host, version }: Pick<CommandSession, "host" | "version">,
  { command, entityId }: RawTransmission,
): Message | UnexpectedAnswerError {
  try {
    const message = decodeMessage(command, version);
    if (isEntityFitting(message.tag, entityId)) return message;
    const how = entityId.length > 0 ? "with" : "without";
    return new UnexpectedAnswerError(host, `${message.tag} came ${how} an entity id`);
  } catch (cause) {
    if (!(cause instanceof DecodeError || cause instanceof UnknownTagError)) throw cause;
    return new UnexpectedAnswerError(host, "a message cannot be read", { cause });
  }
}

/** The message if it answers this command for the entity that the command was about. */
export function checkAnswer(
  host: string,
  asked: Pick<OutgoingCommand, "command" | "entityId">,
  entityId: Uint8Array,
  message: Message | UnexpectedAnswerError,
): Message | UnexpectedAnswerError {
  if (message instanceof UnexpectedAnswerError || equal(entityId, asked.entityId)) return message;
  // A router that could not read a transmission to its end answers with what it knows of it.
  if (message.tag === "ERR" && entityId.length === 0) return message;
  return new UnexpectedAnswerError(host, `${message.tag} answers ${asked.command.tag} for another entity`);
}
