import { cbc } from "@noble/ciphers/aes.js";
import { hmac } from "@noble/hashes/hmac.js";
import { pbkdf2, pbkdf2Async } from "@noble/hashes/pbkdf2.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { concat, equal, utf8 } from "#crypto/bytes";
import { ArchiveError, TAKE_AGAIN } from "../../errors.ts";
import { type ByteSource, readExactly } from "../../source.ts";
import { damaged, MAGIC, type Pages, readHeader } from "./pages.ts";

// SQLCipher 4 with its defaults (archive specification, section 5).

export const PAGE_LENGTH = 4096;
const SALT_LENGTH = 16;
const KEY_LENGTH = 32;
const IV_LENGTH = 16;
const MAC_LENGTH = 64;
const RESERVED = IV_LENGTH + MAC_LENGTH;
const USABLE = PAGE_LENGTH - RESERVED;
const ROUNDS = 256_000;
const MAC_ROUNDS = 2;
const MAC_SALT_MASK = 0x3a;

export interface CipherKeys {
  /** AES-256, 32 bytes. */
  readonly key: Uint8Array;
  /** HMAC-SHA512, 32 bytes. */
  readonly macKey: Uint8Array;
}

/** By the platform, ten times as fast as JavaScript; null where it has no such thing or refuses so many rounds. */
async function nativeKey(passphrase: Uint8Array, salt: Uint8Array): Promise<Uint8Array | null> {
  // Pages that did not come over TLS have none.
  const { subtle } = crypto as { readonly subtle?: SubtleCrypto };
  if (subtle === undefined) return null;
  try {
    const key = await subtle.importKey("raw", passphrase.slice(), "PBKDF2", false, ["deriveBits"]);
    const parameters = { name: "PBKDF2", hash: "SHA-512", salt: salt.slice(), iterations: ROUNDS };
    return new Uint8Array(await subtle.deriveBits(parameters, key, 8 * KEY_LENGTH));
  } catch {
    return null;
  }
}

/** The same in JavaScript, with pauses for others. */
export function portableKey(passphrase: Uint8Array, salt: Uint8Array): Promise<Uint8Array> {
  return pbkdf2Async(sha512, passphrase, salt, { c: ROUNDS, dkLen: KEY_LENGTH });
}

/**
 * Stretches a passphrase.
 * @param salt the first 16 bytes of the database
 */
export async function deriveKeys(passphrase: string, salt: Uint8Array): Promise<CipherKeys> {
  const bytes = utf8(passphrase);
  const key = (await nativeKey(bytes, salt)) ?? (await portableKey(bytes, salt));
  const macSalt = salt.map((byte) => byte ^ MAC_SALT_MASK);
  return { key, macKey: pbkdf2(sha512, key, macSalt, { c: MAC_ROUNDS, dkLen: KEY_LENGTH }) };
}

function littleEndian(number: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number, true);
  return bytes;
}

/** Whether the page is what was written with these keys. */
function isGenuine({ macKey }: CipherKeys, number: number, page: Uint8Array): boolean {
  const start = number === 1 ? SALT_LENGTH : 0;
  const mac = hmac(sha512, macKey, concat(page.subarray(start, USABLE + IV_LENGTH), littleEndian(number)));
  return equal(mac, page.subarray(USABLE + IV_LENGTH));
}

function isBlank(page: Uint8Array): boolean {
  return page.every((byte) => byte === 0);
}

function decrypt({ key }: CipherKeys, number: number, page: Uint8Array): Uint8Array {
  const start = number === 1 ? SALT_LENGTH : 0;
  const iv = page.subarray(USABLE, USABLE + IV_LENGTH);
  const out = new Uint8Array(PAGE_LENGTH);
  out.set(cbc(key, iv, { disablePadding: true }).decrypt(page.subarray(start, USABLE)), start);
  if (number === 1) out.set(MAGIC);
  return out;
}

/** When page 1 does not fit the keys but another one does, the passphrase is right. */
async function refusal(
  name: string,
  keys: CipherKeys,
  read: (number: number) => Promise<Uint8Array>,
  count: number,
): Promise<ArchiveError> {
  for (let number = 2; number <= Math.min(count, 4); number++) {
    const page = await read(number);
    if (!isBlank(page) && isGenuine(keys, number, page)) return damaged(name, "page 1 is not what was written");
  }
  const advice = "use the passphrase of the app's database at the time of the export (the app's settings can change it)";
  return new ArchiveError("PASSPHRASE", `the passphrase does not open ${name}: ${advice}`);
}

/**
 * Databases with a passphrase. Every page is verified before it is decrypted the first time: HMAC takes longer than AES.
 * @throws ArchiveError PASSPHRASE, TRUNCATED, DAMAGED, READ
 */
export async function sealedPages(name: string, source: ByteSource, passphrase: string): Promise<Pages> {
  if (source.size === 0 || source.size % PAGE_LENGTH !== 0) {
    throw new ArchiveError("TRUNCATED", `${name} ends within a page: ${TAKE_AGAIN}`);
  }
  const count = source.size / PAGE_LENGTH;
  const read = (number: number): Promise<Uint8Array> =>
    readExactly(source, (number - 1) * PAGE_LENGTH, PAGE_LENGTH, name);
  const first = await read(1);
  const keys = await deriveKeys(passphrase, first.subarray(0, SALT_LENGTH));
  if (!isGenuine(keys, 1, first)) throw await refusal(name, keys, read, count);
  const { pageSize, reserved } = readHeader(name, decrypt(keys, 1, first));
  if (pageSize !== PAGE_LENGTH || reserved !== RESERVED) throw damaged(name, "it is encrypted in an unknown way");
  const verified = new Uint8Array(count);
  const verifiedPage = async (number: number): Promise<Uint8Array> => {
    const page = await read(number);
    if (verified[number - 1] === 1) return page;
    // The page that holds SQLite's locks is never written.
    if (!isGenuine(keys, number, page) && !isBlank(page)) throw damaged(name, `page ${number} is not what was written`);
    verified[number - 1] = 1;
    return page;
  };
  return {
    name,
    usable: USABLE,
    count,
    async page(number) {
      const page = await verifiedPage(number);
      return isBlank(page) ? page : decrypt(keys, number, page);
    },
    async verify(number) {
      await verifiedPage(number);
    },
  };
}
