import { decodePublicKey, dh, encodePublicKey, type PublicKey, type SecretKey } from "#crypto/keys";
import { MessageError } from "./errors.ts";
import { type Id, idBytes, idFrom } from "./ids.ts";

/** The `callDhPubKey` of a key. */
export function callPublicKey(key: PublicKey<"X25519">): Id {
  return idFrom(encodePublicKey(key));
}

/** @throws MessageError when it is no X25519 key in DER. */
export function readCallPublicKey(callDhPubKey: Id): PublicKey<"X25519"> {
  try {
    return decodePublicKey(idBytes(callDhPubKey), "X25519");
  } catch (cause) {
    throw new MessageError("must be an X25519 key in DER", "callDhPubKey", { cause });
  }
}

/**
 * The key of AES-256-GCM for all frames of a call: the output of X25519 as it is (chat specification, section 6.1).
 */
export function callFrameKey(own: SecretKey<"X25519">, callDhPubKey: Id): Uint8Array {
  return dh(own, readCallPublicKey(callDhPubKey));
}
