const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
const VERSION_AND_RANDOM = 34;

/** Bytes after which a client that has not finished its hello is not waited for. Post-quantum keys take 2 KB. */
const LONGEST_HELLO = 16_384;

/**
 * What the first bytes of a TLS connection tell: the client names the server that it wants, or it does not (or speaks
 * no TLS, and TLS itself says what is wrong), or more has to come.
 */
export type Peek = "named" | "nameless" | "more";

/** Reads forward; answers null once the bytes end too early. */
class Cursor {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  number(size: number): number | null {
    const bytes = this.take(size);
    return bytes && bytes.readUIntBE(0, size);
  }

  take(length: number): Buffer | null {
    const end = this.#offset + length;
    if (end > this.#bytes.length) return null;
    const bytes = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return bytes;
  }

  /** A vector whose length stands before it in `size` bytes. */
  vector(size: number): Buffer | null {
    const length = this.number(size);
    return length === null ? null : this.take(length);
  }
}

/** Contents of the handshake records that have come (RFC 8446 section 5.1); null when it is no TLS handshake. */
function handshakeBytes(bytes: Buffer): Buffer | null {
  const parts: Buffer[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    if (rest[0] !== HANDSHAKE) return null;
    if (rest.length < RECORD_HEADER) break;
    const end = RECORD_HEADER + rest.readUInt16BE(RECORD_HEADER - 2);
    parts.push(rest.subarray(RECORD_HEADER, end));
    rest = rest.subarray(end);
  }
  return Buffer.concat(parts);
}

/** RFC 8446 section 4.1.2: what stands before the extensions is skipped. */
function extensionsOf(hello: Buffer): Buffer | null {
  const cursor = new Cursor(hello);
  const isSkipped = cursor.take(VERSION_AND_RANDOM) && cursor.vector(1) && cursor.vector(2) && cursor.vector(1);
  return isSkipped ? cursor.vector(2) : null;
}

/** Whether a client names the server that it wants (RFC 6066 section 3): browsers do, SMP clients do not. */
export function peekServerName(bytes: Buffer): Peek {
  const handshake = handshakeBytes(bytes);
  if (!handshake || (handshake.length > 0 && handshake[0] !== CLIENT_HELLO)) return "nameless";
  const length = handshake.length < MESSAGE_HEADER ? null : handshake.readUIntBE(1, 3);
  if (length === null || handshake.length < MESSAGE_HEADER + length) {
    return bytes.length > LONGEST_HELLO ? "nameless" : "more";
  }
  const extensions = extensionsOf(handshake.subarray(MESSAGE_HEADER, MESSAGE_HEADER + length));
  const cursor = new Cursor(extensions ?? Buffer.alloc(0));
  while (!cursor.isAtEnd) {
    const type = cursor.number(2);
    const content = cursor.vector(2);
    if (type === null || content === null) break;
    if (type === SERVER_NAME && content.length > 0) return "named";
  }
  return "nameless";
}
