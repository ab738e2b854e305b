import { concat } from "#crypto/bytes";
import { CHACHA_TAG_LENGTH } from "#crypto/chacha20-poly1305";
import { type AlertName, ALERTS } from "./errors.ts";
import { MOST_PLAINTEXT } from "./limits.ts";
import { Protection } from "./protection.ts";
import { CONTENT, type ContentType, FIRST_RECORD_VERSION, RECORD_VERSION, writeRecordHeader } from "./record.ts";

const FATAL = 2;
const WARNING = 1;

/** Makes records of what the client says and keeps them until they are taken. */
export class Outgoing {
  #records: Uint8Array[] = [];
  #protection: Protection | null = null;
  #isFirst = true;

  /** All records since the last time, in order. */
  take(): Uint8Array {
    const bytes = concat(...this.#records);
    this.#records = [];
    return bytes;
  }

  /** From the next record on; former keys are gone. */
  protectWith(secret: Uint8Array): void {
    this.wipe();
    this.#protection = new Protection(secret);
  }

  updateKeys(): void {
    this.#protection = this.#protection?.next() ?? null;
  }

  handshake(message: Uint8Array): void {
    this.#write(CONTENT.handshake, message);
  }

  applicationData(data: Uint8Array): void {
    for (let offset = 0; offset < data.length; offset += MOST_PLAINTEXT) {
      this.#write(CONTENT.applicationData, data.subarray(offset, offset + MOST_PLAINTEXT));
    }
  }

  /** The level says nothing in TLS 1.3 but is written as RFC 8446 section 6 has it. */
  alert(name: AlertName): void {
    this.#write(CONTENT.alert, Uint8Array.of(name === "close_notify" ? WARNING : FATAL, ALERTS[name]));
  }

  /** Means nothing: it makes the connection look like TLS 1.2 to middleboxes (RFC 8446 appendix D.4). */
  changeCipherSpec(): void {
    this.#records.push(concat(writeRecordHeader(CONTENT.changeCipherSpec, 1), Uint8Array.of(1)));
  }

  wipe(): void {
    this.#protection?.wipe();
    this.#protection = null;
  }

  #write(type: ContentType, content: Uint8Array): void {
    if (this.#protection === null) {
      const version = this.#isFirst ? FIRST_RECORD_VERSION : RECORD_VERSION;
      this.#records.push(writeRecordHeader(type, content.length, version), content.slice());
    } else {
      const plaintext = concat(content, Uint8Array.of(type));
      const header = writeRecordHeader(CONTENT.applicationData, plaintext.length + CHACHA_TAG_LENGTH);
      this.#records.push(header, this.#protection.seal(plaintext, header));
    }
    this.#isFirst = false;
  }
}
