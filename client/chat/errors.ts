import { LinkError } from "../agent/wire/link-error.ts";
import { type ErrorCode, ProtocolError, SimplexError } from "../errors.ts";
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
  /** The contact because of whom it is refused, where it is somebody else than the one spoken of; else null. */
  readonly contact: string | null;

  constructor(refusal: ChatRefusal, what: string, options: ErrorOptions & { readonly contact?: string } = {}) {
    const { contact = null, ...others } = options;
    super(what, others);
    this.refusal = refusal;
    this.contact = contact;
  }
}

/** Errors of the wire as those of the chat; anything else as it is. */
export function asChatError(error: unknown): unknown {
  if (error instanceof TooLargeError) return new ChatError("LARGE", error.message, { cause: error });
  if (error instanceof MessageError) return new ChatError("UNREADABLE", error.message, { cause: error });
  return error;
}

/** What a link is that its relay does not know any more. */
export const LINK_GONE = "the link is not valid any more: it was used or deleted";

/** Waits for what follows a link. @throws LinkError "GONE" where the relay only says that it may not be used */
export async function followingLink<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ProtocolError && error.error.type === "AUTH") throw new LinkError("GONE", LINK_GONE, { cause: error });
    throw error;
  }
}

/** Runs `action`, so that what it throws of the wire is a ChatError. */
export function translating<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw asChatError(error);
  }
}
