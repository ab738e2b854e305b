import { base64url, equal, fromBase64url } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { encodePublicKey, publicKeyOf, sameKey } from "#crypto/keys";
import type { AuthSecretKey } from "#protocol/authorize";
import { RELAY_VERSIONS } from "#protocol/version";
import type { Conditions } from "../messages.ts";
import { unauthorized } from "../outcome.ts";
import type { ConnectionId, Outcome, QueueStore } from "../ports.ts";
import { subscribeNotifier } from "../subscribe.ts";

// A queue of this relay needs no session to be followed: its notifier's subscriber is the device itself.

/** A subscription of a device to a queue of this relay. */
export interface OwnFollower {
  readonly device: Uint8Array;
  readonly subId: Uint8Array;
  readonly notifierKey: AuthSecretKey;
}

const PREFIX = "device";
const KEY_TAG_LENGTH = 12;

/** What distinguishes the keys with which one subscription follows one after the other, without being one. */
export function keyTag(notifierKey: AuthSecretKey): string {
  return base64url(sha256(encodePublicKey(publicKeyOf(notifierKey))).subarray(0, KEY_TAG_LENGTH));
}

/** Names a follower among the connections that a queue pushes to: `device/<name>/<subscription>/<key tag>`. */
export function followerName({ device, subId, notifierKey }: OwnFollower): ConnectionId {
  return [PREFIX, base64url(device), base64url(subId), keyTag(notifierKey)].join("/");
}

export interface FollowerName {
  readonly device: Uint8Array;
  readonly subId: Uint8Array;
  readonly keyTag: string;
}

/** Null for the name of a client's connection. */
export function readFollowerName(connection: ConnectionId): FollowerName | null {
  const [prefix, device, subId, tag] = connection.split("/");
  if (prefix !== PREFIX || device === undefined || subId === undefined || tag === undefined) return null;
  return { device: fromBase64url(device), subId: fromBase64url(subId), keyTag: tag };
}

/** Like NSUB of whoever holds the notifier's secret key; that is what a notification server was given with SNEW. */
export function followOwn(
  store: QueueStore,
  notifierId: Uint8Array,
  follower: OwnFollower,
  conditions: Conditions,
): Outcome {
  // Before anything is looked up: the work is the same for a queue that does not exist.
  const key = publicKeyOf(follower.notifierKey);
  const record = store.record();
  const isIt = record?.notifier && equal(record.notifierId, notifierId) && sameKey(record.notifier.key, key);
  if (!isIt) return unauthorized();
  const caller = { connection: followerName(follower), version: RELAY_VERSIONS.max, serviceId: null };
  return subscribeNotifier(store, record, caller, conditions);
}

/** Another subscription of a device that follows the queue; null: there is none. */
export function rivalOf(store: QueueStore, follower: OwnFollower): ConnectionId | null {
  const connection = store.notifierSubscriber()?.connection;
  const former = connection === undefined ? null : readFollowerName(connection);
  return connection === undefined || !former || equal(former.subId, follower.subId) ? null : connection;
}
