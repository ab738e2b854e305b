import { concat, fromHex } from "./bytes.ts";

export type AlgorithmName = "Ed25519" | "Ed448" | "X25519" | "X448";

/** The four key algorithms of SimpleX: their DER forms (RFC 8410) and sizes in bytes. */
export interface Algorithm {
  /** AlgorithmIdentifier: SEQUENCE { OID }. */
  readonly identifier: Uint8Array;
  /** What stands before the raw key in SubjectPublicKeyInfo. */
  readonly spkiPrefix: Uint8Array;
  /** What stands before the raw key in PKCS#8. */
  readonly pkcs8Prefix: Uint8Array;
  readonly publicLength: number;
  readonly secretLength: number;
}

function algorithm(oidTail: string, spkiHead: string, pkcs8Head: string, pkcs8Tail: string, length: number): Algorithm {
  const identifier = fromHex(`300506032b65${oidTail}`);
  return {
    identifier,
    spkiPrefix: concat(fromHex(spkiHead), identifier, fromHex(`03${(length + 1).toString(16)}00`)),
    pkcs8Prefix: concat(fromHex(pkcs8Head), identifier, fromHex(pkcs8Tail)),
    publicLength: length,
    secretLength: length,
  };
}

export const ALGORITHMS: Readonly<Record<AlgorithmName, Algorithm>> = {
  Ed25519: algorithm("70", "302a", "302e020100", "04220420", 32),
  Ed448: algorithm("71", "3043", "3047020100", "043b0439", 57),
  X25519: algorithm("6e", "302a", "302e020100", "04220420", 32),
  X448: algorithm("6f", "3042", "3046020100", "043a0438", 56),
};
