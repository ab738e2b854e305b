import { ALGORITHMS } from "./algorithms.ts";
import { equal } from "./bytes.ts";
import { type Element, readBitString, readElements, readOne, TAG, writeBitString, writeElement } from "./der.ts";
import { CertificateError } from "./errors.ts";
import {
  type AlgorithmName,
  decodePublicKey,
  encodePublicKey,
  type PublicKey,
  type SecretKey,
  sign,
  type SignatureAlgorithm,
  verify,
} from "./keys.ts";

/**
 * `SEQUENCE { signed, AlgorithmIdentifier, BIT STRING signature }`: a session key signed by the key of a certificate
 * (SMP transport, CertChainPubKey). What the official code signs is `SEQUENCE { SubjectPublicKeyInfo }`, one wrapper
 * more than the key needs; the signature covers the wrapper too.
 */
export function signKey(key: PublicKey, by: SecretKey<SignatureAlgorithm>): Uint8Array {
  const signed = writeElement(TAG.sequence, encodePublicKey(key));
  return writeElement(TAG.sequence, signed, ALGORITHMS[by.algorithm].identifier, writeBitString(sign(by, signed)));
}

/** The key inside its wrapper; web clients also take a key without one, and so does this. */
function unwrap(signed: Element): Uint8Array {
  const [inner, more] = readElements(signed.content);
  return inner && !more ? inner.der : signed.der;
}

/**
 * The signed key, once its signature by `by` has been verified.
 * @throws CertificateError when it is malformed, signed by another key, or holds no key.
 * @throws KeyError when the key is not of the `expected` algorithm.
 */
export function verifySignedKey<A extends AlgorithmName>(
  der: Uint8Array,
  by: PublicKey<SignatureAlgorithm>,
  expected: A,
): PublicKey<A> {
  const [signed, identifier, signature, extra] = readElements(readOne(der, TAG.sequence).content);
  if (!signed || !identifier || !signature || extra) throw new CertificateError("signed key must have exactly three elements");
  if (!equal(identifier.der, ALGORITHMS[by.algorithm].identifier)) {
    throw new CertificateError(`signed key is not signed with ${by.algorithm}, the algorithm of its certificate`);
  }
  if (!verify(by, signed.der, readBitString(signature))) throw new CertificateError("signature of the signed key is wrong");
  return decodePublicKey(unwrap(signed), expected);
}
