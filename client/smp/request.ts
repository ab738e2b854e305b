import type { AuthSecretKey } from "#protocol/authorize";
import type { Command, Message, MessageTag } from "#protocol/commands";
import type { SimplexError } from "../errors.ts";

export interface RequestOptions {
  /** The id that the command is about: of a queue (recipient's, sender's or notifier's), a link or a service. */
  readonly entityId?: Uint8Array | undefined;
  /** What authorizes the command. */
  readonly key?: AuthSecretKey | undefined;
  /** 24 fresh random bytes unless given. Given ones must never repeat: X25519 keys use them as nonce. */
  readonly corrId?: Uint8Array | undefined;
  /** Milliseconds to wait for the answer. */
  readonly timeout?: number | undefined;
}

/** What does commands: one connection, or one that is made again and again. */
export interface Requester {
  /** Where the commands go, for messages to people. */
  readonly host: string;
  /**
   * The relay's answer; ERR is an answer like others.
   * @throws TimeoutError, DisconnectedError, UnexpectedAnswerError, UsageError
   */
  request(command: Command, options?: RequestOptions): Promise<Message>;
}

/** The relay sent something of its own: MSG, NMSG, END, DELD, ENDS, ALLS, or ERR. */
export interface MessageEvent {
  readonly type: "message";
  /** Empty for ALLS and for errors that concern no entity. */
  readonly entityId: Uint8Array;
  readonly message: Message;
}

/** The answer to a command that had been given up. */
export interface LateEvent {
  readonly type: "late";
  readonly command: Command;
  readonly entityId: Uint8Array;
  readonly answer: Message;
}

/** The relay sent what cannot be understood or answers nothing. */
export interface UnexpectedEvent {
  readonly type: "unexpected";
  readonly error: SimplexError;
}

/** Always the last one. */
export interface ClosedEvent {
  readonly type: "closed";
  readonly error: SimplexError;
}

export type ClientEvent = MessageEvent | LateEvent | UnexpectedEvent | ClosedEvent;

type EntityRule = "none" | "some" | "any";
const ENTITY_RULES: Partial<Readonly<Record<MessageTag, EntityRule>>> = {
  PONG: "none",
  PKEY: "none",
  RRES: "none",
  ALLS: "none",
  RNAME: "none",
  IDS: "any",
  ERR: "any",
};

/** Whether a message may stand with an entity id or without one (SMP transport, correlation). */
export function isEntityFitting(tag: MessageTag, entityId: Uint8Array): boolean {
  const rule = ENTITY_RULES[tag] ?? "some";
  return rule === "any" || (rule === "some") === entityId.length > 0;
}

const EVENTS: ReadonlySet<MessageTag> = new Set<MessageTag>(["MSG", "NMSG", "END", "DELD", "ENDS", "ALLS", "ERR"]);

/** Whether a relay sends such a message unasked. */
export function isEvent(tag: MessageTag): boolean {
  return EVENTS.has(tag);
}
