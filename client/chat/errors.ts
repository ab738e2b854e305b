import { type ErrorCode, SimplexError } from "../errors.ts";
import { MessageError, TooLargeError } from "./wire/errors.ts";

/** Why the chat refuses what is asked. */
export type ChatRefusal =
  /** There is no such user, contact, request, conversation or item. */
  | "NOT_FOUND"
  /** What was asked cannot be done in this state, or no longer; the message says why. */
  | "PROHIBITED"
  /** The preferences of the two sides do not allow it. */
  | "FEATURE"
  /** The text, name or picture is not one that can be sent. */
  | "CONTENT"
  /** It does not fit into one message. */
  | "LARGE"
  /** Not in this version of the program. */
  | "UNSUPPORTED"
  /** What the other side sent, or what is behind a link, cannot be read. */
  | "UNREADABLE"
  /** The chat was closed. */
  | "CLOSED";

/** The chat cannot do what was asked; nothing was changed. */
export class ChatError extends SimplexError {
  override readonly name = "ChatError";
  readonly code: ErrorCode = "CHAT";
  readonly refusal: ChatRefusal;

  constructor(refusal: ChatRefusal, what: string, options?: ErrorOptions) {
    super(what, options);
    this.refusal = refusal;
  }
}

/** Errors of the wire as those of the chat; anything else as it is. */
export function asChatError(error: unknown): unknown {
  if (error instanceof TooLargeError) return new ChatError("LARGE", error.message, { cause: error });
  if (error instanceof MessageError) return new ChatError("UNREADABLE", error.message, { cause: error });
  return error;
}

/** Runs `action`, so that what it throws of the wire is a ChatError. */
export function translating<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw asChatError(error);
  }
}
