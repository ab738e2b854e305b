import { wipe } from "./bytes.ts";
import { KeyError } from "./errors.ts";
import { randomBytes } from "./random.ts";
import type { Polynomial } from "./sntrup761/arithmetic.ts";
import { FULL_LENGTH, ROUNDED_LENGTH, SMALL_LENGTH } from "./sntrup761/encode.ts";
import { invert3 } from "./sntrup761/invert3.ts";
import {
  decapsulateWhole,
  encapsulateShort,
  type Encapsulation,
  HASH_LENGTH,
  type KemKeyPair,
  keysFrom,
} from "./sntrup761/kem.ts";
import { SAMPLE_LENGTH, shortFrom, smallFrom } from "./sntrup761/sample.ts";

/**
 * sntrup761, a post-quantum key encapsulation mechanism: Streamlined NTRU Prime of round 3, in the form that OpenSSH
 * uses (draft-josefsson-ntruprime-ssh, draft-josefsson-ntruprime-streamlined; ratchet specification, section 9).
 *
 * What is promised about timing: nothing here branches on a secret, uses one as an index or divides by or with one.
 * What is not: that the engine keeps it so. JavaScript has no constant-time subset. An engine may compile arithmetic
 * to whatever it likes, compiles anew by the values it saw, stores large numbers in another way than small ones until
 * it has optimized, and may run on a processor whose multiplier is not constant either. Secrets are overwritten after
 * use where they lie in arrays of this module; other copies, of the engine or waiting for its collector, are not.
 * What bounds the harm is that the ratchet makes a new key pair at every step, so that one key meets few ciphertexts.
 */
export type { Encapsulation, KemKeyPair } from "./sntrup761/kem.ts";

export const KEM_PUBLIC_KEY_LENGTH = FULL_LENGTH;
export const KEM_SECRET_KEY_LENGTH = 3 * SMALL_LENGTH + FULL_LENGTH + HASH_LENGTH;
export const KEM_CIPHERTEXT_LENGTH = ROUNDED_LENGTH + HASH_LENGTH;
export const KEM_SECRET_LENGTH = HASH_LENGTH;

function expectLength(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new KeyError(`a sntrup761 ${what} has ${length} bytes, got ${bytes.length}`);
}

function sampled(from: (random: Uint8Array) => Polynomial): Polynomial {
  const random = randomBytes(SAMPLE_LENGTH);
  const polynomial = from(random);
  wipe(random);
  return polynomial;
}

/** A fresh key pair: 1158 bytes public, 1763 bytes secret. */
export function generateKemKeyPair(): KemKeyPair {
  let g = sampled(smallFrom);
  let gInverse = invert3(g);
  while (gInverse === undefined) {
    g = sampled(smallFrom);
    gInverse = invert3(g);
  }
  const f = sampled(shortFrom);
  const rho = randomBytes(SMALL_LENGTH);
  const keys = keysFrom({ f, g, gInverse, rho });
  for (const secret of [f, g, gInverse, rho]) secret.fill(0);
  return keys;
}

/**
 * Makes a secret of 32 bytes that only the owner of the public key can get from the ciphertext of 1039 bytes. Every
 * string of 1158 bytes is taken for a public key: nothing in one can be checked.
 * @throws KeyError when the public key is not 1158 bytes.
 */
export function encapsulate(publicKey: Uint8Array): Encapsulation {
  expectLength("public key", publicKey, KEM_PUBLIC_KEY_LENGTH);
  const r = sampled(shortFrom);
  const encapsulation = encapsulateShort(r, publicKey);
  r.fill(0);
  return encapsulation;
}

/**
 * The secret of a ciphertext, 32 bytes. A ciphertext that was altered or made for another key is no error: it gives a
 * secret that is always the same for this key and ciphertext, and that nobody else knows (implicit rejection). What
 * was sealed with the sender's secret then does not open.
 * @throws KeyError when the ciphertext is not 1039 bytes or the secret key not 1763.
 */
export function decapsulate(ciphertext: Uint8Array, secretKey: Uint8Array): Uint8Array {
  expectLength("ciphertext", ciphertext, KEM_CIPHERTEXT_LENGTH);
  expectLength("secret key", secretKey, KEM_SECRET_KEY_LENGTH);
  return decapsulateWhole(ciphertext, secretKey);
}
