import { concat, equal } from "#crypto/bytes";
import type { KeyPair, PublicKey } from "#crypto/keys";
import { decapsulate, type KemKeyPair } from "#crypto/sntrup761";
import type { VersionRange } from "#protocol/version";
import { RatchetError } from "./errors.ts";
import { x3dhKdf, x448 } from "./kdf.ts";
import { freshKeys, type KeySource } from "./keys.ts";
import {
  E2E_VERSIONS,
  type E2eParams,
  type E2eUri,
  PQ_VERSION,
  type ProposedE2eParams,
  type ProposedKem,
  type RatchetKem,
} from "./parameters.ts";

/**
 * What a party keeps of its parameters until the other's came: `rk1` and `rk2` of the initiating one. Secret. `kem`
 * is the pair whose key it proposes.
 */
export interface E2eKeys {
  readonly key1: KeyPair<"X448">;
  readonly key2: KeyPair<"X448">;
  readonly kem: KemKeyPair | null;
}

/** A KEM secret (32 bytes), the peer's key (1158) that it was made for, and the ciphertext that tells it (1039). */
export interface KemShared {
  readonly peerKey: Uint8Array;
  readonly secret: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** `sk1` and `sk2` of the joining party; with `accepted`, `kem` is its next KEM pair, else the one it proposes. */
export interface ReplyKeys extends E2eKeys {
  readonly accepted: KemShared | null;
}

/** For a link, or for a re-synchronisation. `withKem`: whether post-quantum encryption may come of it. */
export function generateE2eKeys(withKem: boolean, source: KeySource = freshKeys): E2eKeys {
  return { key1: source.dhKeys(), key2: source.dhKeys(), kem: withKem ? source.kemKeys() : null };
}

/**
 * Keys of the joining party, whose KEM answers the link (ratchet specification, section 2): none below version 3 or
 * without PQ support, an accepted one if the link proposes, else a proposal of its own.
 */
export function generateReplyKeys(link: ProposedE2eParams, pqSupport: boolean, source = freshKeys): ReplyKeys {
  const keys = generateE2eKeys(pqSupport && link.version >= PQ_VERSION, source);
  const peerKey = keys.kem ? link.kem?.key : undefined;
  return { ...keys, accepted: peerKey ? { peerKey, ...source.encapsulate(peerKey) } : null };
}

function publicKem({ kem, accepted = null }: E2eKeys & Partial<ReplyKeys>): RatchetKem | null {
  if (!kem) return null;
  const key = kem.publicKey;
  return accepted ? { type: "accepted", ciphertext: accepted.ciphertext, key } : { type: "proposed", key };
}

/** What the peer may know of `own`; below version 3 that is without a KEM. Keys of a link only ever propose one. */
export function e2eParamsOf(own: ReplyKeys, version: number): E2eParams;
export function e2eParamsOf(own: E2eKeys, version: number): ProposedE2eParams;
export function e2eParamsOf(own: E2eKeys | ReplyKeys, version: number): E2eParams {
  const kem = version >= PQ_VERSION ? publicKem(own) : null;
  return { version, key1: own.key1.publicKey, key2: own.key2.publicKey, kem };
}

/**
 * The parameters of a link. `withKem` false leaves the KEM key out of it though there is one: links that people see
 * would be too long with it, and the reply can still propose one.
 */
export function e2eUriOf(own: E2eKeys, withKem: boolean, versions: VersionRange = E2E_VERSIONS): E2eUri {
  const kem: ProposedKem | null = own.kem && withKem ? { type: "proposed", key: own.kem.publicKey } : null;
  return { versions, key1: own.key1.publicKey, key2: own.key2.publicKey, kem };
}

/** Own KEM keys, and what was encapsulated to the peer with them: with null the next header proposes the key. */
export interface KemState {
  readonly own: KemKeyPair;
  readonly accepted: KemShared | null;
}

/** What both parties hold after X3DH: the two sides are equal but for `kem`. */
export interface Agreement {
  /** Raw first key of the joining party, then of the initiating one: 112 bytes. */
  readonly associatedData: Uint8Array;
  readonly rootKey: Uint8Array;
  /** Of the first chain from the joining party to the initiating one. */
  readonly headerKey: Uint8Array;
  /** Of the first chain back. */
  readonly nextHeaderKey: Uint8Array;
  readonly kem: KemState | null;
}

function agreement(
  joiner: PublicKey<"X448">,
  initiator: PublicKey<"X448">,
  secrets: readonly Uint8Array[],
  kem: KemState | null,
): Agreement {
  const kemSecret = kem?.accepted ? [kem.accepted.secret] : [];
  return { associatedData: concat(joiner.raw, initiator.raw), ...x3dhKdf([...secrets, ...kemSecret]), kem };
}

function joinerKem({ kem, accepted = null }: E2eKeys & Partial<ReplyKeys>, peer: E2eParams): KemState | null {
  if (!kem || peer.version < PQ_VERSION) return null;
  // Both may propose: so it is when the link had no key, and in a re-synchronisation.
  const isForPeer = accepted === null || (peer.kem?.type === "proposed" && equal(peer.kem.key, accepted.peerKey));
  if (!isForPeer) throw new RatchetError("KEM", "these keys accept a KEM key that this peer did not propose");
  return { own: kem, accepted };
}

/**
 * X3DH of the joining party (ratchet specification, section 3).
 * @throws RatchetError (`KEY`: a key of the peer is unusable; `KEM`: `own` was not made for this peer)
 */
export function agreeAsJoiner(own: E2eKeys | ReplyKeys, peer: E2eParams): Agreement {
  const [sk1, sk2] = [own.key1.secretKey, own.key2.secretKey];
  const secrets = [x448(sk2, peer.key1), x448(sk1, peer.key2), x448(sk2, peer.key2)];
  return agreement(own.key1.publicKey, peer.key1, secrets, joinerKem(own, peer));
}

function initiatorKem(own: KemKeyPair | null, peer: E2eParams): KemState | null {
  if (peer.kem?.type !== "accepted" || peer.version < PQ_VERSION) return null;
  if (!own) throw new RatchetError("KEM", "the peer accepts a KEM key where none was proposed; make a new link");
  const { key: peerKey, ciphertext } = peer.kem;
  const secret = decapsulate(ciphertext, own.secretKey);
  return { own, accepted: { peerKey, secret, ciphertext } };
}

/**
 * X3DH of the initiating party, on the parameters of the confirmation.
 * @throws RatchetError (`KEY`: a key of the peer is unusable; `KEM`: it accepts what was not proposed)
 */
export function agreeAsInitiator(own: E2eKeys, peer: E2eParams): Agreement {
  const [rk1, rk2] = [own.key1.secretKey, own.key2.secretKey];
  const secrets = [x448(rk1, peer.key2), x448(rk2, peer.key1), x448(rk2, peer.key2)];
  return agreement(peer.key1, own.key1.publicKey, secrets, initiatorKem(own.kem, peer));
}
