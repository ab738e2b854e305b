import { boxNoPad, nonceOf, openNoPad } from "./box.ts";
import { equal } from "./bytes.ts";
import { BoxError } from "./errors.ts";
import { sha512 } from "./hash.ts";
import { dh, type PublicKey, type SecretKey } from "./keys.ts";

/** SHA-512 digest in a box: 64 + 16 bytes. */
export const AUTHENTICATOR_LENGTH = 80;

/**
 * Deniable authorization with an X25519 key: crypto_box of SHA-512 of the message (SMP transport, authorization).
 * @throws KeyError when the peer's key is unusable.
 */
export function authenticate(
  secretKey: SecretKey<"X25519">,
  peerKey: PublicKey<"X25519">,
  nonce: Uint8Array,
  message: Uint8Array,
): Uint8Array {
  return boxNoPad(dh(secretKey, peerKey), nonceOf(nonce), sha512(message));
}

/** Recomputes and compares; false when it does not open. @throws KeyError when the peer's key is unusable. */
export function verifyAuthenticator(
  secretKey: SecretKey<"X25519">,
  peerKey: PublicKey<"X25519">,
  nonce: Uint8Array,
  message: Uint8Array,
  authenticator: Uint8Array,
): boolean {
  const shared = dh(secretKey, peerKey);
  try {
    return equal(openNoPad(shared, nonceOf(nonce), authenticator), sha512(message));
  } catch (error) {
    if (error instanceof BoxError) return false;
    throw error;
  }
}
