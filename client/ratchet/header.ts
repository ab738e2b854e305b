import { openAesGcm } from "#crypto/aes-gcm";
import { BoxError, PaddingError } from "#crypto/errors";
import type { PublicKey } from "#crypto/keys";
import { unpad } from "#crypto/pad";
import {
  type Codec,
  decode,
  DecodeError,
  decodePrefix,
  fixed,
  large,
  str,
  tail,
  word16,
  word32,
} from "#protocol/codec";
import { struct } from "#protocol/combine";
import { publicKey } from "#protocol/key";
import { RatchetError } from "./errors.ts";
import { IV_LENGTH, TAG_LENGTH } from "./limits.ts";
import { kemSincePq, PQ_VERSION, type RatchetKem } from "./parameters.ts";

/** The plaintext of a header (ratchet specification, section 5.1). */
export interface Header {
  /** Highest version that the sender speaks. */
  readonly maxVersion: number;
  /** Key of the sending chain. */
  readonly dhKey: PublicKey<"X448">;
  readonly kem: RatchetKem | null;
  /** Length of the sender's chain before this one. */
  readonly pn: number;
  /** Number of the message in its chain. */
  readonly ns: number;
}

/** By the version of the message's encrypted header: before version 3 there is no KEM. */
export const header: Codec<Header> = struct<Header>({
  maxVersion: word16,
  dhKey: publicKey("X448"),
  kem: kemSincePq,
  pn: word32,
  ns: word32,
});

/**
 * Str before version 3, Large from it on. Who reads need not know the version: as 32 bytes would be too short, and
 * 8192 too long, for anything that is written so, the first byte tells one from the other.
 */
const strOrLarge: Codec<Uint8Array> = {
  write: (writer, value, version) => (version >= PQ_VERSION ? large : str).write(writer, value, version),
  read: (reader, version) => ((reader.peek() ?? 0) < 32 ? large : str).read(reader, version),
};

/** A header as it travels (section 5.2): 123, 124 or, with room for a KEM, 2346 bytes. */
export interface EncryptedHeader {
  /** The version in use by the sender, which says how the plaintext is laid out. */
  readonly version: number;
  readonly iv: Uint8Array;
  readonly tag: Uint8Array;
  readonly body: Uint8Array;
}

export const encryptedHeader: Codec<EncryptedHeader> = struct<EncryptedHeader>({
  version: word16,
  iv: fixed(IV_LENGTH),
  tag: fixed(TAG_LENGTH),
  body: strOrLarge,
});

/** A whole message (section 5.3). `header` is authenticated with the body. */
export interface EncryptedMessage {
  readonly header: Uint8Array;
  readonly tag: Uint8Array;
  readonly body: Uint8Array;
}

export const encryptedMessage: Codec<EncryptedMessage> = struct<EncryptedMessage>({
  header: strOrLarge,
  tag: fixed(TAG_LENGTH),
  body: tail,
});

function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new RatchetError("PARSE", `${what} cannot be read: ${cause.message}`, { cause });
  }
}

/** @throws RatchetError (`PARSE`) */
export function readMessage(bytes: Uint8Array): EncryptedMessage & { readonly encryptedHeader: EncryptedHeader } {
  const message = parsed("a ratchet message", () => decode(encryptedMessage, bytes));
  const head = parsed("the header of a ratchet message", () => decode(encryptedHeader, message.header));
  return { ...message, encryptedHeader: head };
}

/**
 * Null when the key does not open it. What follows the number is left for later versions.
 * @throws RatchetError (`PARSE`) when it opens and is no header
 */
export function openHeader(key: Uint8Array, encrypted: EncryptedHeader, associatedData: Uint8Array): Header | null {
  let plaintext: Uint8Array;
  try {
    plaintext = unpad(openAesGcm(key, encrypted.iv, encrypted.body, encrypted.tag, associatedData));
  } catch (error) {
    if (error instanceof BoxError || error instanceof PaddingError) return null;
    throw error;
  }
  return parsed("the opened header of a ratchet message", () => decodePrefix(header, plaintext, encrypted.version));
}
