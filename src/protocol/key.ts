import { type AlgorithmName, decodePublicKey, encodePublicKey, type PublicKey } from "#crypto/keys";
import { type Codec, str, transform } from "./codec.ts";

/** Str of the key's SubjectPublicKeyInfo; any other algorithm does not parse. */
export function publicKey<A extends AlgorithmName>(...allowed: readonly A[]): Codec<PublicKey<A>> {
  return transform(str, (der) => decodePublicKey(der, ...allowed), encodePublicKey);
}

/** A key that authorizes commands. */
export const authKey = publicKey("Ed25519", "Ed448", "X25519");
/** A key for key agreement. */
export const dhKey = publicKey("X25519");
