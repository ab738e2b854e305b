import { concat, equal } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import type { PublicKey } from "#crypto/keys";
import { encode } from "#protocol/codec";
import { isInRange } from "#protocol/version";
import { e2eParamsOf, generateE2eKeys } from "../../ratchet/agree.ts";
import { E2E_VERSIONS, e2eParams, type E2eParams } from "../../ratchet/parameters.ts";
import type { RatchetState } from "../../ratchet/snapshot.ts";
import { initInitiator, initJoiner } from "../../ratchet/state.ts";
import { AgentError, PeerError } from "../errors.ts";
import type { E2eKeys } from "../../ratchet/agree.ts";
import type { Step } from "../step.ts";
import { erase, TABLE } from "../tables.ts";
import { AGENT_VERSION, AGENT_VERSIONS } from "../versions.ts";
import type { RatchetKeyEnvelope } from "../wire/agent-envelope.ts";
import { enqueue, enqueueRatchetKey } from "./enqueue.ts";
import { MEMORY_TTL } from "./retry.ts";

/** Hashes to remember, of the last keys: a peer that sends keys without end would fill the connection's record. */
const MAX_SEEN = 100;

/** Which of two sides takes which part: by the hash of its keys. 32 bytes. */
function keysHash(key1: PublicKey<"X448">, key2: PublicKey<"X448">): Uint8Array {
  return sha256(concat(key1.raw, key2.raw));
}

function isAtMost(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return true;
}

/** Makes keys for a new ratchet and sends them. */
function offerKeys(step: Step, version: number): E2eKeys {
  const keys = generateE2eKeys(step.connection.pq);
  sendKeys(step, keys, version);
  return keys;
}

function sendKeys(step: Step, keys: E2eKeys, version: number): void {
  enqueueRatchetKey(step, encode(e2eParams, e2eParamsOf(keys, version)), AGENT_VERSIONS.max);
}

/** Begins a re-synchronisation (agent protocol). `force`: though nothing seems wrong. @throws AgentError */
export function synchronise(step: Step, force: boolean): void {
  const { sync, send, agentVersion } = step.connection;
  if (send.length === 0) throw new AgentError("PROHIBITED", "the connection is not made yet");
  if (agentVersion < AGENT_VERSION.ratchetSync) {
    throw new AgentError("VERSION", "the other side's program is too old to repair the encryption; connect anew");
  }
  if (sync.state === "started" && !force) return;
  const isOffered = sync.state === "allowed" || sync.state === "required";
  if (!isOffered && !force) throw new AgentError("PROHIBITED", `nothing calls for it: the encryption is ${sync.state}`);
  const keys = offerKeys(step, E2E_VERSIONS.max);
  step.update({ sync: { ...sync, state: "started", keys, triedAt: step.now } });
  step.tell({ type: "sync", state: "started", detail: "keys for new encryption were sent" });
}

/**
 * The peer sends keys for a new ratchet: with ours they make it.
 *
 * One side may be restored from an old copy in the middle of this, and then knows less than the other one: so keys that
 * came before still answer an offer of ours, and an offer that comes after the agreement is answered with the keys of
 * the agreement once more. Both sides end with the last keys of each, however often either begins.
 */
export async function ratchetKeyReceived(step: Step, { e2eParams: peer }: RatchetKeyEnvelope): Promise<void> {
  const { sync, send } = step.connection;
  if (send.length === 0) throw new PeerError("A_PROHIBITED", "keys for new encryption came before the connection is made");
  const peerHash = keysHash(peer.key1, peer.key2);
  const seen = sync.seen.filter(({ at }) => at > step.now - MEMORY_TTL);
  const isSeen = seen.some(({ hash }) => equal(hash, peerHash));
  if (isSeen && sync.state !== "started") return;
  if (!isInRange(peer.version, E2E_VERSIONS)) {
    throw new PeerError("A_VERSION", `the peer speaks end-to-end version ${peer.version}`);
  }
  const keys = answer(step, peer.version);
  await replaceRatchet(step, keys, peer, peerHash);
  const remembered = isSeen ? seen : [...seen, { hash: peerHash, at: step.now }].slice(-MAX_SEEN);
  step.update({ sync: { ...step.connection.sync, state: "agreed", keys, triedAt: step.now, seen: remembered } });
  step.tell({ type: "sync", state: "agreed", detail: "both sides have keys for new encryption" });
}

/** Own keys to the peer's: those that were offered, or new ones. They are sent unless the peer has them. */
function answer(step: Step, version: number): E2eKeys {
  const { state, keys } = step.connection.sync;
  if (state === "started" && keys) return keys;
  if (state !== "agreed" || !keys) return offerKeys(step, version);
  sendKeys(step, keys, version);
  return keys;
}

async function replaceRatchet(step: Step, keys: E2eKeys, peer: E2eParams, peerHash: Uint8Array): Promise<void> {
  const { id, pq, received } = step.connection;
  const isReceiving = isAtMost(keysHash(keys.key1.publicKey, keys.key2.publicKey), peerHash);
  const ratchet = isReceiving ? initInitiator(keys, peer, pq) : initJoiner(keys, peer);
  step.changes.push(...await erase(step.store, TABLE.skipped, `${id}/`));
  step.update({ ratchet });
  if (!isReceiving) sendReady(step, received.number);
}

function sendReady(step: Step, lastDecrypted: number): void {
  enqueue(step, { type: "EREADY", lastDecryptedMsgId: lastDecrypted }, "eready", { notification: true });
}

/** The first message of a new ratchet: the side that could not send before answers. */
export function ereadyReceived(step: Step, before: RatchetState | null): void {
  if (before?.snd === null) sendReady(step, step.connection.received.number);
}
