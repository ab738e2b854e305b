import { concat } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";

/** All handshake messages so far, as both sides saw them (RFC 8446 section 4.4.1). */
export class Transcript {
  readonly #messages: Uint8Array[] = [];

  add(message: Uint8Array): void {
    this.#messages.push(message);
  }

  /** SHA-256, 32 bytes. */
  hash(): Uint8Array {
    return sha256(concat(...this.#messages));
  }
}
