export type RatchetErrorCode =
  /** The message or its header cannot be read. */
  | "PARSE"
  /** No header key of this ratchet opens it: another ratchet's message, altered, or older than what is kept. */
  | "HEADER"
  /** The last message of its chain once more. */
  | "DUPLICATE"
  /** A message from before the last one whose key is gone: most likely a duplicate too. */
  | "EARLIER"
  /** More than 512 messages were skipped. */
  | "SKIPPED"
  /** The header is right, the body does not open: it was altered. */
  | "BODY"
  /** The body opens and holds no padded message. */
  | "PADDING"
  /** Nothing can be sent before the first message came. */
  | "NO_SENDING_CHAIN"
  /** A KEM ciphertext came with no key of ours that it could be for. */
  | "KEM"
  /** A key of the peer is unusable. */
  | "KEY"
  /** The message does not fit the padded length. */
  | "LARGE"
  /** No end-to-end version in common. */
  | "VERSION"
  /** What was stored cannot be read. */
  | "RECORD";

/** What the double ratchet cannot do, and why. None of these texts holds key material. */
export class RatchetError extends Error {
  override readonly name = "RatchetError";
  readonly code: RatchetErrorCode;
  /** EARLIER: how many messages before the last one. SKIPPED: how many were skipped, this one included. Else null. */
  readonly count: number | null;

  constructor(code: RatchetErrorCode, what: string, options: ErrorOptions & { readonly count?: number } = {}) {
    super(what, options);
    this.code = code;
    this.count = options.count ?? null;
  }
}
