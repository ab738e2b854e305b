import { BoxError } from "#crypto/errors";
import { refuse } from "./errors.ts";
import { Frames } from "./frames.ts";
import { MOST_CIPHERTEXT, MOST_PLAINTEXT } from "./limits.ts";
import { Protection } from "./protection.ts";
import {
  CONTENT,
  type ContentType,
  readRecordHeader,
  RECORD_HEADER_LENGTH,
  RECORD_VERSION,
  type RecordHeader,
} from "./record.ts";

/** What a record of the server says, its protection taken off. */
export interface Content {
  readonly type: ContentType;
  readonly bytes: Uint8Array;
}

const TYPES: readonly ContentType[] = Object.values(CONTENT);
const MAJOR_VERSION = RECORD_VERSION >> 8;

/**
 * Reads the records of the server: checks every header as soon as it is there, so that nothing is kept for a record
 * that cannot be right, and opens what is protected.
 */
export class Incoming {
  readonly #frames = new Frames(RECORD_HEADER_LENGTH, (header) => this.#check(readRecordHeader(header)));
  #protection: Protection | null = null;

  /** From the next record on; former keys are gone. */
  protectWith(secret: Uint8Array): void {
    this.wipe();
    this.#protection = new Protection(secret);
  }

  updateKeys(): void {
    this.#protection = this.#protection?.next() ?? null;
  }

  wipe(): void {
    this.#protection?.wipe();
    this.#protection = null;
  }

  /**
   * Each content is handed out before the next record is opened, since it may change the keys.
   * @throws TlsError
   */
  *read(bytes: Uint8Array): Generator<Content, void, undefined> {
    for (const { header, body } of this.#frames.read(bytes)) {
      const type = contentType(readRecordHeader(header).type);
      const protection = type === CONTENT.applicationData ? this.#protection : null;
      yield protection ? open(protection, header, body) : { type, bytes: body };
    }
  }

  #check({ type: code, version, length }: RecordHeader): number {
    const type = contentType(code);
    // Servers without TLS 1.3 say so in an alert of their own version.
    const isOldAlert = type === CONTENT.alert && this.#protection === null && version >> 8 === MAJOR_VERSION;
    if (version !== RECORD_VERSION && !isOldAlert) {
      refuse("protocol_version", `a record has version 0x${version.toString(16)} instead of 0x0303`);
    }
    if (type === CONTENT.changeCipherSpec) {
      if (length !== 1) refuse("unexpected_message", `change_cipher_spec has ${length} bytes instead of 1`);
    } else if ((type === CONTENT.applicationData) !== (this.#protection !== null)) {
      refuse("unexpected_message", `a record of type ${type} is ${this.#protection ? "not " : ""}protected`);
    }
    const most = this.#protection === null ? MOST_PLAINTEXT : MOST_CIPHERTEXT;
    if (length > most) refuse("record_overflow", `a record has ${length} bytes, more than ${most}`);
    return length;
  }
}

function contentType(code: number): ContentType {
  return TYPES.find((type) => type === code) ?? refuse("unexpected_message", `a record has the unknown type ${code}`);
}

function open(protection: Protection, header: Uint8Array, body: Uint8Array): Content {
  const inner = unseal(protection, header, body);
  if (inner.length > MOST_PLAINTEXT + 1) {
    refuse("record_overflow", "the plaintext of a record is longer than 2^14 bytes");
  }
  // RFC 8446 section 5.4: content, one byte of type that is not zero, then zeros as padding.
  const end = inner.findLastIndex((byte) => byte !== 0);
  const type = contentType(inner[end] ?? 0);
  if (type === CONTENT.changeCipherSpec) refuse("unexpected_message", "change_cipher_spec is protected");
  return { type, bytes: inner.slice(0, end) };
}

function unseal(protection: Protection, header: Uint8Array, body: Uint8Array): Uint8Array {
  try {
    return protection.open(body, header);
  } catch (cause) {
    if (!(cause instanceof BoxError)) throw cause;
    return refuse("bad_record_mac", "a record was altered or is not under the keys of this connection", { cause });
  }
}
