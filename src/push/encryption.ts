import { concat, utf8 } from "#crypto/bytes";
import { expandSha256, extractSha256, SHA256_LENGTH } from "#crypto/hkdf-sha256";
import { PaddingError } from "#crypto/errors";
import { randomBytes } from "#crypto/random";
import { type AgreementKey, agreeP256, generateAgreementKey } from "./p256.ts";
import { unshared } from "./unshared.ts";

/** What every push service takes (RFC 8030 section 7.2), and how long each of our bodies is. */
export const WEB_PUSH_BODY = 4_096;
const SALT_LENGTH = 16;
const KEY_LENGTH = 16;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
/** Salt, Word32 record size, length of the key, the key (RFC 8188 section 2.1). */
const HEADER_LENGTH = SALT_LENGTH + 4 + 1 + 65;
const RECORD_SIZE = Uint8Array.of(0, 0, WEB_PUSH_BODY >> 8, WEB_PUSH_BODY & 0xff);
/** Ends the plaintext of the last record; zeros follow it (RFC 8188 section 2). */
const LAST_RECORD = 0x02;
/** Longest plaintext. */
export const WEB_PUSH_PLAINTEXT = WEB_PUSH_BODY - HEADER_LENGTH - 1 - TAG_LENGTH;

const KEY_INFO = utf8("WebPush: info\0");
const CEK_INFO = utf8("Content-Encoding: aes128gcm\0");
const NONCE_INFO = utf8("Content-Encoding: nonce\0");

/** The keys of whoever receives pushes (RFC 8291 section 2). */
export interface PushReceiver {
  /** 16 bytes. */
  readonly auth: Uint8Array;
  /** Uncompressed point of P-256, 65 bytes. */
  readonly p256dh: Uint8Array;
}

/** What is drawn for one message, and how long its padded plaintext is; tests know the former in advance. */
export interface SealingOptions {
  readonly key?: AgreementKey;
  readonly salt?: Uint8Array;
  readonly paddedLength?: number;
}

function padded(plaintext: Uint8Array, length: number): Uint8Array {
  if (plaintext.length > length) throw new PaddingError(`${plaintext.length} bytes do not fit a push of ${length}`);
  return concat(plaintext, Uint8Array.of(LAST_RECORD), new Uint8Array(length - plaintext.length));
}

/**
 * The body of a push: one record of aes128gcm (RFC 8291, RFC 8188) under a fresh key and salt. Unless told otherwise all
 * bodies have 4,096 bytes, so that the service sees nothing of what is in them.
 * @throws KeyError when the receiver's key is no point of the curve, PaddingError when the plaintext is too long.
 */
export async function sealWebPush(
  { auth, p256dh }: PushReceiver,
  plaintext: Uint8Array,
  options: SealingOptions = {},
): Promise<Uint8Array> {
  const content = padded(plaintext, options.paddedLength ?? WEB_PUSH_PLAINTEXT);
  const own = options.key ?? (await generateAgreementKey());
  const salt = options.salt ?? randomBytes(SALT_LENGTH);
  const keyInfo = concat(KEY_INFO, p256dh, own.publicKey);
  const ikm = expandSha256(extractSha256(auth, await agreeP256(own, p256dh)), keyInfo, SHA256_LENGTH);
  const prk = extractSha256(salt, ikm);
  const rawKey = unshared(expandSha256(prk, CEK_INFO, KEY_LENGTH));
  const cek = await crypto.subtle.importKey("raw", rawKey, "AES-GCM", false, ["encrypt"]);
  const iv = unshared(expandSha256(prk, NONCE_INFO, NONCE_LENGTH));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, cek, unshared(content));
  return concat(salt, RECORD_SIZE, Uint8Array.of(own.publicKey.length), own.publicKey, new Uint8Array(sealed));
}
