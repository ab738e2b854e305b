/**
 * What a peer sent cannot be read as a chat message: which field, and why. Nothing else of the conversation is
 * touched.
 */
export class MessageError extends Error {
  override readonly name = "MessageError";
  readonly reason: string;
  /** Path of the field, outermost first, as in `params.content.text`; empty for the whole. */
  readonly field: string;

  constructor(reason: string, field = "", options?: ErrorOptions) {
    super(field === "" ? reason : `${field}: ${reason}`, options);
    this.reason = reason;
    this.field = field;
  }

  within(field: string): MessageError {
    const path = this.field === "" || this.field.startsWith("[") ? `${field}${this.field}` : `${field}.${this.field}`;
    return new MessageError(this.reason, path);
  }
}

/** A message of our own does not fit into what one connection carries; shorten it or send it in parts. */
export class TooLargeError extends Error {
  override readonly name = "TooLargeError";
  /** Bytes that the message takes. */
  readonly length: number;
  /** Bytes that there is room for. */
  readonly limit: number;
  /** Whether `length` is that of the compressed message. */
  readonly compressed: boolean;

  constructor(length: number, limit: number, compressed: boolean) {
    super(`the message takes ${length} bytes${compressed ? " compressed" : ""} and ${limit} fit; shorten it`);
    this.length = length;
    this.limit = limit;
    this.compressed = compressed;
  }
}
