import { equal } from "#crypto/bytes";
import { type VerifiedChain, verifyChain } from "#crypto/certificate";
import { CertificateError } from "#crypto/errors";
import type { PublicKey, SignatureAlgorithm } from "#crypto/keys";
import { distrust } from "./errors.ts";

/** Which server it must be. */
export interface ServerIdentity {
  /** SHA-256 of its identity certificate: the key hash of its address, 32 bytes. */
  readonly fingerprint: Uint8Array;
  /** Milliseconds since 1970, for the dates of the certificates. */
  readonly now: number;
}

function verified(chain: readonly Uint8Array[], now: number): VerifiedChain {
  try {
    return verifyChain(chain, now);
  } catch (cause) {
    if (!(cause instanceof CertificateError)) throw cause;
    return distrust("bad_certificate", `the server's chain does not hold: ${cause.message}`, { cause });
  }
}

/**
 * The key of the leaf, after the chain has been verified up to the pinned identity (SMP transport, router identity).
 * @param chain 2 to 4 certificates in DER, leaf first.
 * @throws TlsError
 */
export function checkServerIdentity(
  chain: readonly Uint8Array[],
  expected: ServerIdentity,
): PublicKey<SignatureAlgorithm> {
  const { leaf, identity } = verified(chain, expected.now);
  if (!equal(identity, expected.fingerprint)) {
    distrust("unknown_ca", "the server has another identity than its address says");
  }
  return leaf.publicKey;
}
