export type ArchiveErrorCode =
  /** It is something else than an archive of this kind. */
  | "FORMAT"
  /** It ends too early, or where it should not. */
  | "TRUNCATED"
  /** What is in it is not what was written. */
  | "DAMAGED"
  /** The passphrase or the key does not open it, or there is none. */
  | "PASSPHRASE"
  /** Written by a newer program. */
  | "NEWER"
  /** Written by a program that is too old. */
  | "OLDER"
  /** Nobody's program writes this: it was made to do harm. */
  | "HOSTILE"
  /** A part that was asked for is not in it. */
  | "MISSING"
  /** It was not closed properly, so that what is newest may not be in it. */
  | "UNFINISHED"
  /** There is no room for what has to be unpacked. */
  | "SPACE"
  /** What holds the bytes could not be read; `cause` tells more. */
  | "READ"
  /** The caller gave up. */
  | "ABORTED";

/** An archive cannot be read or written. The message says what, where, and what can be done. It holds no secrets. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
  readonly code: ArchiveErrorCode;

  constructor(code: ArchiveErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What to do about an archive whose bytes are not what they were. */
export const TAKE_AGAIN = "copy or export the archive again and use that copy";
