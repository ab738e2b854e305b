import { EMPTY, wipe } from "#crypto/bytes";
import { CHACHA_KEY_LENGTH, CHACHA_NONCE_LENGTH, openChaCha, sealChaCha } from "#crypto/chacha20-poly1305";
import { expandLabel, nextSecret } from "./key-schedule.ts";

/** The keys of one direction and epoch, and how many records they protected (RFC 8446 sections 5.2, 5.3 and 7.3). */
export class Protection {
  readonly #secret: Uint8Array;
  readonly #key: Uint8Array;
  readonly #iv: Uint8Array;
  #sequence = 0n;

  constructor(secret: Uint8Array) {
    this.#secret = secret.slice();
    this.#key = expandLabel(secret, "key", EMPTY, CHACHA_KEY_LENGTH);
    this.#iv = expandLabel(secret, "iv", EMPTY, CHACHA_NONCE_LENGTH);
  }

  /** Plaintext with its content type to what a record of `header` holds: 16 bytes more. */
  seal(plaintext: Uint8Array, header: Uint8Array): Uint8Array {
    return sealChaCha(this.#key, this.#nonce(), plaintext, header);
  }

  /** @throws BoxError when the record was altered, is missing its predecessor or was sealed with other keys. */
  open(sealed: Uint8Array, header: Uint8Array): Uint8Array {
    return openChaCha(this.#key, this.#nonce(), sealed, header);
  }

  /** The keys after a KeyUpdate. These here are gone. */
  next(): Protection {
    const secret = nextSecret(this.#secret);
    const next = new Protection(secret);
    wipe(secret);
    this.wipe();
    return next;
  }

  wipe(): void {
    for (const secret of [this.#secret, this.#key, this.#iv]) wipe(secret);
  }

  #nonce(): Uint8Array {
    const counter = new Uint8Array(CHACHA_NONCE_LENGTH);
    new DataView(counter.buffer).setBigUint64(CHACHA_NONCE_LENGTH - 8, this.#sequence++);
    return counter.map((byte, i) => byte ^ (this.#iv[i] ?? 0));
  }
}
