import { verifyChain, type VerifiedChain } from "#crypto/certificate";
import { type AlgorithmName, type PublicKey } from "#crypto/keys";
import { verifySignedKey } from "#crypto/signed-key";
import { type Codec, large } from "./codec.ts";
import { nonEmpty, struct } from "./combine.ts";

/** Certificates, leaf first, and a session key signed by the leaf: all in DER. */
export interface CertChainPubKey {
  readonly certChain: readonly Uint8Array[];
  readonly signedKey: Uint8Array;
}

export const certChainPubKey: Codec<CertChainPubKey> = struct<CertChainPubKey>({
  certChain: nonEmpty(large) as Codec<readonly Uint8Array[]>,
  signedKey: large,
});

/**
 * Verifies the chain and the key that its leaf signed. `allowSelf`: a single certificate will do, as for services.
 * @throws CertificateError, KeyError
 */
export function verifyCertChainPubKey<A extends AlgorithmName>(
  value: CertChainPubKey,
  algorithm: A,
  now: number,
  allowSelf = false,
): VerifiedChain & { readonly key: PublicKey<A> } {
  const chain = verifyChain(value.certChain, now, allowSelf);
  return { ...chain, key: verifySignedKey(value.signedKey, chain.leaf.publicKey, algorithm) };
}
