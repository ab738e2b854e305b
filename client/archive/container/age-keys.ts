import { scryptAsync } from "@noble/hashes/scrypt.js";
import { base64, concat, utf8 } from "#crypto/bytes";
import { openChaCha, sealChaCha } from "#crypto/chacha20-poly1305";
import { BoxError, KeyError } from "#crypto/errors";
import { expandSha256, extractSha256 } from "#crypto/hkdf-sha256";
import { dh, generateKeyPair, type PublicKey, publicKeyOf, type SecretKey } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { ArchiveError } from "../errors.ts";
import { decodeBech32, encodeBech32 } from "./bech32.ts";

// Recipients of age files (https://age-encryption.org/v1): X25519 keys, or a passphrase alone.

/** One way to the key of a file: a line of arguments and some bytes. */
export interface Stanza {
  readonly args: readonly string[];
  readonly body: Uint8Array;
}

export const FILE_KEY_LENGTH = 16;
const WRAPPED_LENGTH = FILE_KEY_LENGTH + 16;
const ZERO_NONCE: Uint8Array = new Uint8Array(12);
const NO_DATA: Uint8Array = new Uint8Array();
const X25519_LABEL = utf8("age-encryption.org/v1/X25519");
const SCRYPT_LABEL = utf8("age-encryption.org/v1/scrypt");
const SALT_LENGTH = 16;
const PUBLIC_PREFIX = "age";
const SECRET_PREFIX = "age-secret-key-";

/** Memory of scrypt is 2^logN KiB: 128 MiB, a second or so. */
export const WORK_FACTOR = 17;
/** 256 MiB: what the age program itself uses. Nothing dearer is opened, so that no file exhausts a phone. */
export const MAX_WORK_FACTOR = 18;

/** `age1...` @throws ArchiveError PASSPHRASE when the text is no such key */
export function parseRecipient(text: string): PublicKey<"X25519"> {
  const raw = decodeBech32(PUBLIC_PREFIX, text.trim());
  if (raw?.length === 32) return { algorithm: "X25519", raw };
  throw new ArchiveError("PASSPHRASE", "this is no public key of age: it begins with age1 and has 62 characters");
}

/** `AGE-SECRET-KEY-1...` @throws ArchiveError PASSPHRASE when the text is no such key */
export function parseIdentity(text: string): SecretKey<"X25519"> {
  const secret = decodeBech32(SECRET_PREFIX, text.trim());
  if (secret?.length === 32) return { algorithm: "X25519", secret };
  throw new ArchiveError(
    "PASSPHRASE",
    "this is no secret key of age: it begins with AGE-SECRET-KEY-1 and has 74 characters",
  );
}

export function formatRecipient({ raw }: PublicKey<"X25519">): string {
  return encodeBech32(PUBLIC_PREFIX, raw);
}

export function formatIdentity({ secret }: SecretKey<"X25519">): string {
  return encodeBech32(SECRET_PREFIX, secret).toUpperCase();
}

const DIGITS = /^[A-Za-z0-9+/]*$/;

export function base64Unpadded(bytes: Uint8Array): string {
  return base64(bytes).replace(/=+$/, "");
}

/** Null when it is not the one way to write these bytes. */
export function fromBase64Unpadded(text: string): Uint8Array | null {
  if (!DIGITS.test(text) || text.length % 4 === 1) return null;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return base64Unpadded(bytes) === text ? bytes : null;
}

function wrap(key: Uint8Array, fileKey: Uint8Array): Uint8Array {
  return sealChaCha(key, ZERO_NONCE, fileKey, NO_DATA);
}

function unwrap(key: Uint8Array, body: Uint8Array): Uint8Array | null {
  if (body.length !== WRAPPED_LENGTH) return null;
  try {
    return openChaCha(key, ZERO_NONCE, body, NO_DATA);
  } catch (error) {
    if (error instanceof BoxError) return null;
    throw error;
  }
}

function x25519Key(shared: Uint8Array, ephemeral: Uint8Array, recipient: Uint8Array): Uint8Array {
  return expandSha256(extractSha256(concat(ephemeral, recipient), shared), X25519_LABEL, 32);
}

/** @throws ArchiveError PASSPHRASE when the key is unusable */
export function wrapForKey(recipient: PublicKey<"X25519">, fileKey: Uint8Array): Stanza {
  const ephemeral = generateKeyPair("X25519");
  const share = ephemeral.publicKey.raw;
  try {
    const key = x25519Key(dh(ephemeral.secretKey, recipient), share, recipient.raw);
    return { args: ["X25519", base64Unpadded(share)], body: wrap(key, fileKey) };
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause;
    throw new ArchiveError("PASSPHRASE", "the public key to encrypt to is unusable: use another one", { cause });
  }
}

/** Null when it is for somebody else. */
export function unwrapWithKey(identity: SecretKey<"X25519">, { args, body }: Stanza): Uint8Array | null {
  const [type, text = "", ...others] = args;
  const share = type === "X25519" && others.length === 0 ? fromBase64Unpadded(text) : null;
  if (share?.length !== 32) return null;
  try {
    const shared = dh(identity, { algorithm: "X25519", raw: share });
    return unwrap(x25519Key(shared, share, publicKeyOf(identity).raw), body);
  } catch (error) {
    if (error instanceof KeyError) return null;
    throw error;
  }
}

function passphraseKey(passphrase: string, salt: Uint8Array, logN: number): Promise<Uint8Array> {
  const options = { N: 2 ** logN, r: 8, p: 1, dkLen: 32, maxmem: 2 ** (MAX_WORK_FACTOR + 11) };
  return scryptAsync(utf8(passphrase.normalize("NFKC")), concat(SCRYPT_LABEL, salt), options);
}

/** The passphrase counts in its normal form NFKC: the same keys mean the same on every device. */
export async function wrapForPassphrase(
  passphrase: string,
  fileKey: Uint8Array,
  logN = WORK_FACTOR,
): Promise<Stanza> {
  const salt = randomBytes(SALT_LENGTH);
  const key = await passphraseKey(passphrase, salt, logN);
  return { args: ["scrypt", base64Unpadded(salt), logN.toString()], body: wrap(key, fileKey) };
}

export function isPassphraseStanza({ args }: Stanza): boolean {
  return args[0] === "scrypt";
}

/**
 * Null when the passphrase is another one.
 * @throws ArchiveError HOSTILE when trying would take too much memory, DAMAGED
 */
export async function unwrapWithPassphrase(passphrase: string, { args, body }: Stanza): Promise<Uint8Array | null> {
  const [, saltText = "", factor = "", ...others] = args;
  const salt = fromBase64Unpadded(saltText);
  if (salt?.length !== SALT_LENGTH || !/^[1-9]\d?$/.test(factor) || others.length > 0) {
    throw new ArchiveError("DAMAGED", "the head of the archive is damaged: copy or export it again");
  }
  const logN = Number(factor);
  if (logN > MAX_WORK_FACTOR) {
    const size = `${2 ** (logN - 10)} MiB of memory`;
    throw new ArchiveError("HOSTILE", `trying a passphrase on this archive takes ${size}: it is not opened`);
  }
  return unwrap(await passphraseKey(passphrase, salt, logN), body);
}

