import { generateKeyPair, type KeyPair } from "#crypto/keys";
import { encapsulate, type Encapsulation, generateKemKeyPair, type KemKeyPair } from "#crypto/sntrup761";

/** Where the ratchet takes new keys from: all of its randomness. */
export interface KeySource {
  dhKeys(): KeyPair<"X448">;
  kemKeys(): KemKeyPair;
  /** A new shared secret (32 bytes) and the ciphertext that tells it to the owner of `publicKey`. */
  encapsulate(publicKey: Uint8Array): Encapsulation;
}

export const freshKeys: KeySource = {
  dhKeys: () => generateKeyPair("X448"),
  kemKeys: generateKemKeyPair,
  encapsulate,
};
