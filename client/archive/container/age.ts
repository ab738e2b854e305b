import { concat, equal, utf8 } from "#crypto/bytes";
import { openChaCha, sealChaCha } from "#crypto/chacha20-poly1305";
import { BoxError } from "#crypto/errors";
import { expandSha256, extractSha256, hmacSha256 } from "#crypto/hkdf-sha256";
import type { PublicKey, SecretKey } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { ArchiveError, TAKE_AGAIN } from "../errors.ts";
import { type ByteSource, readExactly } from "../source.ts";
import {
  base64Unpadded,
  FILE_KEY_LENGTH,
  fromBase64Unpadded,
  isPassphraseStanza,
  type Stanza,
  unwrapWithKey,
  unwrapWithPassphrase,
  wrapForKey,
  wrapForPassphrase,
} from "./age-keys.ts";

// The age format (https://age-encryption.org/v1), binary: a head of text, then pieces of 64 KiB.

/** For whom an archive is sealed: everybody with the passphrase, or each who has one of the keys. */
export type Lock =
  | { readonly passphrase: string; /** As scrypt's log2 N; 17 unless given. */ readonly workFactor?: number }
  | { readonly recipients: readonly PublicKey<"X25519">[] };

export type Key = { readonly passphrase: string } | { readonly identities: readonly SecretKey<"X25519">[] };

const VERSION = "age-encryption.org/v1";
const LINE_LENGTH = 64;
const MAC_LENGTH = 32;
const NONCE_LENGTH = 16;
/** Many recipients fit; nothing longer is looked at. */
const MAX_HEAD = 64 * 1024;
const PIECE = 64 * 1024;
const TAG = 16;
const SEALED_PIECE = PIECE + TAG;
const NO_SALT: Uint8Array = new Uint8Array(32);
const NO_DATA: Uint8Array = new Uint8Array();

function derive(fileKey: Uint8Array, salt: Uint8Array, label: string): Uint8Array {
  return expandSha256(extractSha256(salt, fileKey), utf8(label), 32);
}

function textOf({ args, body }: Stanza): string {
  const text = base64Unpadded(body);
  const lines = [];
  for (let at = 0; at <= text.length; at += LINE_LENGTH) lines.push(text.slice(at, at + LINE_LENGTH));
  return `-> ${args.join(" ")}\n${lines.join("\n")}\n`;
}

/** Of piece `number`; the last one says so. */
function nonceOf(number: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(3, BigInt(number));
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

async function stanzasFor(lock: Lock, fileKey: Uint8Array): Promise<Stanza[]> {
  if ("passphrase" in lock) return [await wrapForPassphrase(lock.passphrase, fileKey, lock.workFactor)];
  return lock.recipients.map((recipient) => wrapForKey(recipient, fileKey));
}

async function* sealPieces(
  key: Uint8Array,
  plain: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const piece = new Uint8Array(PIECE);
  let filled = 0;
  let number = 0;
  for await (const chunk of plain) {
    for (let at = 0; at < chunk.length;) {
      // A full piece waits until it is known not to be the last.
      if (filled === PIECE) {
        yield sealChaCha(key, nonceOf(number++, false), piece, NO_DATA);
        filled = 0;
      }
      const part = chunk.subarray(at, at + PIECE - filled);
      piece.set(part, filled);
      filled += part.length;
      at += part.length;
    }
  }
  yield sealChaCha(key, nonceOf(number, true), piece.subarray(0, filled), NO_DATA);
}

/** Seals bytes as they come, in pieces; memory for one of them. @throws ArchiveError PASSPHRASE */
export async function* sealAge(
  lock: Lock,
  plain: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const isOpen = "passphrase" in lock ? lock.passphrase === "" : lock.recipients.length === 0;
  if (isOpen) {
    throw new ArchiveError("PASSPHRASE", "an archive is not written without a passphrase or a key: give one");
  }
  const fileKey = randomBytes(FILE_KEY_LENGTH);
  const stanzas = await stanzasFor(lock, fileKey);
  const head = `${VERSION}\n${stanzas.map(textOf).join("")}---`;
  const mac = hmacSha256(derive(fileKey, NO_SALT, "header"), utf8(head));
  const nonce = randomBytes(NONCE_LENGTH);
  yield concat(utf8(`${head} ${base64Unpadded(mac)}\n`), nonce);
  yield* sealPieces(derive(fileKey, nonce, "payload"), plain);
}

interface Head {
  readonly stanzas: readonly Stanza[];
  /** What the MAC is of. */
  readonly signed: Uint8Array;
  readonly mac: Uint8Array;
  /** Bytes of the whole head. */
  readonly length: number;
}

function badHead(): ArchiveError {
  return new ArchiveError("DAMAGED", `the head of the archive is damaged: ${TAKE_AGAIN}`);
}

function stanzaAt(lines: readonly string[], start: number): { readonly stanza: Stanza; readonly next: number } {
  const args = (lines[start] ?? "").split(" ").slice(1);
  if (args.length === 0 || args.some((arg) => !/^[\x21-\x7e]+$/.test(arg))) throw badHead();
  const parts: Uint8Array[] = [];
  for (let at = start + 1; ; at++) {
    const line = lines[at];
    const part = line === undefined || line.length > LINE_LENGTH ? null : fromBase64Unpadded(line);
    if (line === undefined || part === null) throw badHead();
    parts.push(part);
    if (line.length < LINE_LENGTH) return { stanza: { args, body: concat(...parts) }, next: at + 1 };
  }
}

/** @throws ArchiveError FORMAT, NEWER, TRUNCATED, DAMAGED, READ */
async function readHead(source: ByteSource): Promise<Head> {
  const start = await readExactly(source, 0, Math.min(source.size, MAX_HEAD), "the archive");
  const text = Array.from(start, (byte) => String.fromCharCode(byte)).join("");
  if (!text.startsWith(`${VERSION}\n`)) throw notAge(text);
  const end = /\n--- ([^\n]*)\n/.exec(text);
  if (end === null) {
    if (source.size < MAX_HEAD) {
      throw new ArchiveError("TRUNCATED", `the archive ends within its head: ${TAKE_AGAIN}`);
    }
    throw badHead();
  }
  const mac = fromBase64Unpadded(end[1] ?? "");
  if (mac?.length !== MAC_LENGTH) throw badHead();
  const lines = text.slice(0, end.index).split("\n");
  const stanzas: Stanza[] = [];
  for (let at = 1; at < lines.length;) {
    if (lines[at]?.startsWith("-> ") !== true) throw badHead();
    const { stanza, next } = stanzaAt(lines, at);
    stanzas.push(stanza);
    at = next;
  }
  return { stanzas, mac, signed: start.slice(0, end.index + 4), length: end.index + end[0].length };
}

function notAge(text: string): ArchiveError {
  if (text.startsWith("-----BEGIN AGE")) {
    return new ArchiveError("FORMAT", "this is an age file as text (armor): convert it to the binary form first");
  }
  if (text.startsWith("age-encryption.org/")) {
    return new ArchiveError("NEWER", "this archive is encrypted by a later version of age: update this program");
  }
  if (VERSION.startsWith(text.slice(0, VERSION.length))) {
    return new ArchiveError("TRUNCATED", `the archive ends within its head: ${TAKE_AGAIN}`);
  }
  return new ArchiveError("FORMAT", "this is no archive of this program: choose the file that it exported");
}

async function fileKeyOf({ stanzas }: Head, key: Key): Promise<Uint8Array | null> {
  const [first] = stanzas;
  const isForPassphrase = first !== undefined && isPassphraseStanza(first);
  if (isForPassphrase && stanzas.length > 1) throw badHead();
  if (!("passphrase" in key)) {
    if (isForPassphrase) {
      throw new ArchiveError(
        "PASSPHRASE",
        "the archive opens with a passphrase, not with a key: give the passphrase",
      );
    }
    const keys = key.identities.flatMap((identity) => stanzas.map((stanza) => unwrapWithKey(identity, stanza)));
    return keys.find((found) => found !== null) ?? null;
  }
  if (!isForPassphrase) {
    throw new ArchiveError("PASSPHRASE", "the archive opens with a key, not with a passphrase: give the key");
  }
  return unwrapWithPassphrase(key.passphrase, first);
}

/** What an age file holds, readable anywhere. Nothing comes out that was not verified. */
export async function openAge(source: ByteSource, key: Key): Promise<ByteSource> {
  const head = await readHead(source);
  const fileKey = await fileKeyOf(head, key);
  if (fileKey === null) {
    const what = "passphrase" in key ? "passphrase" : "key";
    const advice = "check how it is written, and whether this is the right archive";
    throw new ArchiveError("PASSPHRASE", `the ${what} does not open this archive: ${advice}`);
  }
  if (!equal(hmacSha256(derive(fileKey, NO_SALT, "header"), head.signed), head.mac)) throw badHead();
  const nonce = await readExactly(source, head.length, NONCE_LENGTH, "the archive");
  return openPieces(source, head.length + NONCE_LENGTH, derive(fileKey, nonce, "payload"));
}

function openPieces(source: ByteSource, start: number, key: Uint8Array): ByteSource {
  const sealed = source.size - start;
  const count = Math.ceil(sealed / SEALED_PIECE);
  const last = sealed - (count - 1) * SEALED_PIECE;
  // Only an empty file ends with an empty piece.
  if (count === 0 || last < TAG || (last === TAG && count > 1)) {
    throw new ArchiveError("TRUNCATED", `the archive ends in the middle of a piece: ${TAKE_AGAIN}`);
  }
  let held: { readonly number: number; readonly bytes: Uint8Array } | null = null;
  const piece = async (number: number): Promise<Uint8Array> => {
    if (held?.number === number) return held.bytes;
    const isLast = number === count - 1;
    const bytes = await readExactly(source, start + number * SEALED_PIECE, isLast ? last : SEALED_PIECE, "the archive");
    held = { number, bytes: openPiece(key, number, isLast, bytes) };
    return held.bytes;
  };
  return {
    size: sealed - count * TAG,
    async read(offset, length) {
      const parts: Uint8Array[] = [];
      const end = Math.min(offset + length, sealed - count * TAG);
      for (let at = offset; at < end;) {
        const bytes = await piece(Math.floor(at / PIECE));
        const part = bytes.subarray(at % PIECE, (at % PIECE) + end - at);
        parts.push(part);
        at += part.length;
      }
      return parts.length === 1 ? (parts[0] ?? NO_DATA) : concat(...parts);
    },
  };
}

function openPiece(key: Uint8Array, number: number, isLast: boolean, sealed: Uint8Array): Uint8Array {
  try {
    return openChaCha(key, nonceOf(number, isLast), sealed, NO_DATA);
  } catch (cause) {
    if (!(cause instanceof BoxError)) throw cause;
    const place = `${(number * PIECE).toLocaleString("en")} bytes in`;
    // A whole piece that opens as one in the middle is the last of what was copied.
    const code = isLast ? "TRUNCATED" : "DAMAGED";
    const what = isLast ? "ends too early, or its end is damaged" : `is damaged, ${place}`;
    throw new ArchiveError(code, `the archive ${what}: ${TAKE_AGAIN}`, { cause });
  }
}

