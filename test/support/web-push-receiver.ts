import { gcm } from "@noble/ciphers/aes.js";
import { p256 } from "@noble/curves/nist.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, fromBase64url, fromUtf8, utf8 } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";

/** A browser's end of Web Push, on other libraries than the relay's end: nothing of `src/push` is in it. */
export class WebPushReceiver {
  readonly #secret = p256.utils.randomSecretKey();
  readonly p256dh = p256.getPublicKey(this.#secret, false);
  readonly auth = randomBytes(16);

  /** RFC 8188 with the keys of RFC 8291; the plaintext without its padding. */
  open(body: Uint8Array): Uint8Array {
    const [salt, rest] = [body.slice(0, 16), body.subarray(16)];
    const recordSize = new DataView(rest.slice(0, 4).buffer).getUint32(0);
    const idLength = rest[4] ?? 0;
    const sender = rest.slice(5, 5 + idLength);
    const record = rest.slice(5 + idLength);
    if (record.length > recordSize) throw new Error("more than one record");
    const shared = p256.getSharedSecret(this.#secret, sender, true).slice(1);
    const ikm = hkdf(sha256, shared, this.auth, concat(utf8("WebPush: info\0"), this.p256dh, sender), 32);
    const key = hkdf(sha256, ikm, salt, utf8("Content-Encoding: aes128gcm\0"), 16);
    const nonce = hkdf(sha256, ikm, salt, utf8("Content-Encoding: nonce\0"), 12);
    const padded = gcm(key, nonce).decrypt(record);
    const end = padded.findLastIndex((byte) => byte !== 0);
    if (padded[end] !== 2) throw new Error("not the last record");
    return padded.slice(0, end);
  }

  openJson(body: Uint8Array | string): unknown {
    if (typeof body === "string") throw new Error("the body is text");
    return JSON.parse(fromUtf8(this.open(body)));
  }
}

export interface Jwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

export function readJwt(text: string): Jwt {
  const [header = "", claims = "", signature = ""] = text.split(".");
  const json = (part: string): Readonly<Record<string, unknown>> => JSON.parse(fromUtf8(fromBase64url(part))) as never;
  return { header: json(header), claims: json(claims), signed: utf8(`${header}.${claims}`), signature: fromBase64url(signature) };
}

/** ES256 with raw r and s, checked by another library. */
export function isSignedBy(jwt: Jwt, publicKey: Uint8Array): boolean {
  return jwt.signature.length === 64 && p256.verify(jwt.signature, jwt.signed, publicKey, { lowS: false });
}
