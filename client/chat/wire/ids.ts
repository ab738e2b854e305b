import { base64url, fromBase64url, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { randomBytes } from "#crypto/random";
import { MessageError } from "./errors.ts";
import type { JsonCodec } from "./json.ts";

/**
 * Some bytes, at least one, in base64url with padding: ids of messages, members, calls and requests, probes. Two are
 * equal when their texts are.
 */
export type Id = string;

/** Read with and without padding, written with it. */
export const id: JsonCodec<Id> = {
  read(json) {
    try {
      if (typeof json === "string") return base64url(fromBase64url(json));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    throw new MessageError("must be bytes in base64url");
  },
  write: (value) => value,
};

/** The bytes of an id. @throws RangeError when the text is not one. */
export function idBytes(value: Id): Uint8Array {
  return fromBase64url(value);
}

export function idFrom(bytes: Uint8Array): Id {
  return base64url(bytes);
}

/** Official clients take the base64url text of random bytes for the bytes of an id. */
const textId = (length: number): Id => idFrom(utf8(base64url(randomBytes(length))));

/** For a message, a member or a group link: 16 bytes, of which 12 are random. */
export function newSharedId(): Id {
  return textId(12);
}

/** For a call or an attempt to connect: 16 random bytes. */
export function newRandomId(): Id {
  return idFrom(randomBytes(16));
}

/** A probe made of 32 random bytes. */
export function newProbe(): Id {
  return textId(32);
}

/** SHA-256 of the bytes of a probe, as `x.info.probe.check` carries it. */
export function probeHash(probe: Id): Id {
  return idFrom(sha256(idBytes(probe)));
}
