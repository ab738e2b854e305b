import { type ErrorType, errorType } from "./errors.ts";
import { struct } from "./combine.ts";
import { type OfTag, spaced, tagged, type TaggedCodec } from "./tagged.ts";
import { VERSION } from "./version.ts";
import { type LinkCommand, linkAnswers, linkCommands, type LNK } from "./commands/link.ts";
import { nameAnswers, nameCommands, type RNAME, type RSLV } from "./commands/name.ts";
import { type NotifierAnswer, notifierAnswers, type NotifierCommand, notifierCommands } from "./commands/notify.ts";
import { type ProxyAnswer, proxyAnswers, type ProxyCommand, proxyCommands } from "./commands/proxy.ts";
import { type RecipientAnswer, recipientAnswers, type RecipientCommand, recipientCommands } from "./commands/queue.ts";
import { type SenderAnswer, senderAnswers, type SenderCommand, senderCommands } from "./commands/sender.ts";
import { type ServiceAnswer, serviceAnswers, type ServiceCommand, serviceCommands } from "./commands/service.ts";

/** Everything a client sends to a router. */
export type Command =
  | RecipientCommand
  | SenderCommand
  | LinkCommand
  | NotifierCommand
  | ServiceCommand
  | ProxyCommand
  | RSLV;

export type CommandTag = Command["tag"];
export type CommandOf<T extends CommandTag> = OfTag<Command, T>;

export interface ERR {
  readonly tag: "ERR";
  readonly error: ErrorType;
}

/** Everything a router sends to a client: answers and events. */
export type Message =
  | RecipientAnswer
  | SenderAnswer
  | LNK
  | NotifierAnswer
  | ServiceAnswer
  | ProxyAnswer
  | RNAME
  | ERR;

export type MessageTag = Message["tag"];
export type MessageOf<T extends MessageTag> = OfTag<Message, T>;

const commands: TaggedCodec<Command> = tagged<Command>({
  ...recipientCommands,
  ...senderCommands,
  ...linkCommands,
  ...notifierCommands,
  ...serviceCommands,
  ...proxyCommands,
  ...nameCommands,
});

const messages: TaggedCodec<Message> = tagged<Message>({
  ...recipientAnswers,
  ...senderAnswers,
  ...linkAnswers,
  ...notifierAnswers,
  ...serviceAnswers,
  ...proxyAnswers,
  ...nameAnswers,
  ERR: spaced(struct({ error: errorType })),
});

export function encodeCommand(command: Command, version: number): Uint8Array {
  return commands.encode(command, version);
}

/** Tags are not gated by version, layouts are. @throws UnknownTagError, DecodeError */
export function decodeCommand(bytes: Uint8Array, version: number): Command {
  return commands.decode(bytes, version);
}

/** Two answers have other names in old sessions. */
function forVersion(message: Message, version: number): Message {
  if (message.tag === "SOK" && version < VERSION.serviceCerts) return { tag: "OK" };
  if (message.tag === "DELD" && version < VERSION.deletedEvent) return { tag: "END" };
  return message;
}

export function encodeMessage(message: Message, version: number): Uint8Array {
  return messages.encode(forVersion(message, version), version);
}

/** @throws UnknownTagError, DecodeError */
export function decodeMessage(bytes: Uint8Array, version: number): Message {
  return messages.decode(bytes, version);
}

export function err(error: ErrorType): ERR {
  return { tag: "ERR", error };
}
