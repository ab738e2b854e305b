import { generateKeyPair } from "#crypto/keys";
import { encapsulate, generateKemKeyPair, type KemKeyPair } from "#crypto/sntrup761";
import { native } from "#native";
import { native as portable } from "../../../../src/crypto/native/noble.ts";
import { e2eParamsOf, e2eUriOf, generateE2eKeys, generateReplyKeys } from "../../../../client/ratchet/agree.ts";
import { decrypt, type DecryptResult } from "../../../../client/ratchet/decrypt.ts";
import { encryptBody, encryptHeader, type EncryptOptions } from "../../../../client/ratchet/encrypt.ts";
import type { KeySource } from "../../../../client/ratchet/keys.ts";
import { chooseE2eParams } from "../../../../client/ratchet/parameters.ts";
import type { SkippedKey } from "../../../../client/ratchet/skipped.ts";
import {
  messageKeyFromRecord,
  messageKeyToRecord,
  ratchetFromRecord,
  ratchetToRecord,
  skippedKeyFromRecord,
  skippedKeyToRecord,
} from "../../../../client/ratchet/snapshot.ts";
import { initInitiator, initJoiner, type RatchetState } from "../../../../client/ratchet/state.ts";

export const PADDED = 100;

const isSlow = native === portable || navigator.userAgent === "Cloudflare-Workers";

/** Runs of a property: fewer where X448 is JavaScript, ten times as slow. */
export function runs(count: number): { readonly numRuns: number } {
  return { numRuns: isSlow ? Math.ceil(count / 8) : count };
}

const kemPairs: KemKeyPair[] = [];
let taken = 0;

/** Making KEM keys takes ten times as long as all else in a step, so that there are but a few; the rest is fresh. */
export const fewKemKeys: KeySource = {
  dhKeys: () => generateKeyPair("X448"),
  kemKeys: () => {
    if (kemPairs.length < 6) kemPairs.push(generateKemKeyPair());
    const pair = kemPairs[taken++ % kemPairs.length];
    if (!pair) throw new Error("there are no KEM keys");
    return pair;
  },
  encapsulate,
};

/** One side of a conversation as it is stored. Never changed: a test can go on from any, any number of times. */
export interface Party {
  readonly ratchet: RatchetState;
  readonly skipped: readonly SkippedKey[];
}

export interface Pair {
  /** The joining party. */
  readonly alice: Party;
  /** The initiating party. */
  readonly bob: Party;
}

/** What comes back from the disk: CBOR keeps the same things as a structured clone. */
export function restarted({ ratchet, skipped }: Party): Party {
  return {
    ratchet: ratchetFromRecord(structuredClone(ratchetToRecord(ratchet))),
    skipped: skipped.map((key) => skippedKeyFromRecord(structuredClone(skippedKeyToRecord(key)))),
  };
}

export function send(
  party: Party,
  plaintext: Uint8Array,
  options: EncryptOptions & { readonly paddedLength?: number } = {},
): { readonly party: Party; readonly message: Uint8Array } {
  const { paddedLength = PADDED, ...encryptOptions } = options;
  const { state, key } = encryptHeader(party.ratchet, encryptOptions);
  // The body is encrypted when it is sent, maybe after a restart.
  const stored = messageKeyFromRecord(structuredClone(messageKeyToRecord(key)));
  return { party: restarted({ ...party, ratchet: state }), message: encryptBody(stored, plaintext, paddedLength) };
}

/** What the official client keeps after `message`, errors included. */
export function receive(party: Party, message: Uint8Array): { readonly party: Party; readonly result: DecryptResult } {
  const { state, skipped, result } = decrypt(party.ratchet, party.skipped, message, fewKemKeys);
  const removed = new Set(skipped.remove);
  const kept = party.skipped.filter((key) => !removed.has(key));
  return { party: restarted({ ratchet: state, skipped: [...kept, ...skipped.add] }), result };
}

export interface Beginning {
  /** The link's highest version. */
  readonly version: number;
  readonly linkHasKem: boolean;
  readonly alicePq: boolean;
  readonly bobPq: boolean;
}

export const BEGINNINGS = {
  "version 2": { version: 2, linkHasKem: false, alicePq: false, bobPq: false },
  "no PQ": { version: 3, linkHasKem: false, alicePq: false, bobPq: false },
  "a KEM proposed in the reply": { version: 3, linkHasKem: false, alicePq: true, bobPq: true },
  "a KEM accepted in the reply": { version: 3, linkHasKem: true, alicePq: true, bobPq: true },
} as const satisfies Record<string, Beginning>;

/** A link, the answer to it, and both ratchets; nothing is sent yet. */
export function newPair({ version, linkHasKem, alicePq, bobPq }: Beginning): Pair {
  const bobKeys = generateE2eKeys(bobPq, fewKemKeys);
  const link = chooseE2eParams(e2eUriOf(bobKeys, linkHasKem, { min: 2, max: version }));
  if (!link) throw new Error("no version in common");
  const aliceKeys = generateReplyKeys(link, alicePq, fewKemKeys);
  const alice = initJoiner(aliceKeys, link, { source: fewKemKeys });
  const bob = initInitiator(bobKeys, e2eParamsOf(aliceKeys, link.version), bobPq);
  return { alice: { ratchet: alice, skipped: [] }, bob: { ratchet: bob, skipped: [] } };
}
