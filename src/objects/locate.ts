import { base64url, EMPTY } from "#crypto/bytes";
import { ID_LENGTH } from "#protocol/limits";
import type { ServiceRole } from "#protocol/handshake";
import type { DestinationAddress } from "../relay/proxy-policy.ts";
import type { Server } from "#protocol/address";
import type {
  ConnectionApi,
  DestinationApi,
  DeviceApi,
  DeviceTokensApi,
  FollowerApi,
  LinkApi,
  QueueApi,
  ServiceApi,
} from "./api.ts";
import type { Env } from "./env.ts";

// Stubs are typed by the api's interfaces: the types that the platform derives from classes are too deep to check.

/** The name of the object that stands in for all queues and links that do not exist. */
const NOBODY = "nobody";
/** Files that something is remembered of. */
const KNOWN_LIMIT = 100_000;

function nameOf(id: Uint8Array): string {
  return base64url(id);
}

function nobodyAt(env: Env): QueueApi {
  return env.QUEUE.get(env.QUEUE.idFromName(NOBODY)) as unknown as QueueApi;
}

export function queueAt(env: Env, senderId: Uint8Array): QueueApi {
  return env.QUEUE.get(env.QUEUE.idFromName(nameOf(senderId))) as unknown as QueueApi;
}

export function linkAt(env: Env, linkId: Uint8Array): LinkApi {
  return env.LINK.get(env.LINK.idFromName(nameOf(linkId))) as unknown as LinkApi;
}

export function serviceAt(env: Env, serviceId: Uint8Array): ServiceApi {
  return env.SERVICE.get(env.SERVICE.idFromName(nameOf(serviceId))) as unknown as ServiceApi;
}

export function connectionAt(env: Env, connection: string): ConnectionApi {
  return env.CONNECTION.get(env.CONNECTION.idFromString(connection)) as unknown as ConnectionApi;
}

/** The object of a device that exists, or is about to be made. */
export function deviceAt(env: Env, device: Uint8Array): DeviceApi {
  const id = env.DEVICE.idFromName(nameOf(device));
  forgetMissing(id);
  return env.DEVICE.get(id) as unknown as DeviceApi;
}

/** `name`: see `Notifications.tokensName`. */
export function deviceTokensAt(env: Env, name: string): DeviceTokensApi {
  return env.DEVICE_TOKENS.get(env.DEVICE_TOKENS.idFromName(name)) as unknown as DeviceTokensApi;
}

/** The object that follows the queues of another relay, wherever that is said to be. */
export function followerAt(env: Env, { keyHash, hosts, port }: Server): FollowerApi {
  // As in `readDestination`: other hosts beside the one that counts do not make it another relay.
  const host = hosts.find((name) => !name.endsWith(".onion")) ?? "";
  const name = `${base64url(keyHash)}@${host.toLowerCase()}:${port}`;
  return env.FOLLOWER.get(env.FOLLOWER.idFromName(name)) as unknown as FollowerApi;
}

/** The object that holds the session with another relay. */
export function destinationId(env: Env, { host, port, keyHash }: DestinationAddress): DurableObjectId {
  return env.DESTINATION.idFromName(`${base64url(keyHash)}@${host}:${port ?? ""}`);
}

export function destinationAt(env: Env, id: string): DestinationApi {
  return env.DESTINATION.get(env.DESTINATION.idFromString(id)) as unknown as DestinationApi;
}

/**
 * When what is known of a file ends, in milliseconds. An object that has one keeps it while the relay runs; that there
 * is none is remembered for a moment, so that asking twice for an id takes the same time whether or not it leads to a
 * queue.
 */
const known = new Map<string, { readonly exists: boolean; readonly until: number }>();
const MISSING_FOR = 2_000;

async function hasFile(files: Fetcher, id: DurableObjectId, remembersMissing: boolean): Promise<boolean> {
  const name = id.toString();
  const former = known.get(name);
  if (former && (former.exists || (remembersMissing && Date.now() < former.until))) return former.exists;
  const { ok } = await files.fetch(`http://files/${name}.sqlite`, { method: "HEAD" });
  if (known.size >= KNOWN_LIMIT) known.clear();
  known.set(name, { exists: ok, until: Date.now() + MISSING_FOR });
  return ok;
}

function forgetMissing(id: DurableObjectId): void {
  const name = id.toString();
  if (known.get(name)?.exists === false) known.delete(name);
}

/** The object of a queue that is about to be made. */
export function newQueueAt(env: Env, senderId: Uint8Array): QueueApi {
  forgetMissing(env.QUEUE.idFromName(nameOf(senderId)));
  return queueAt(env, senderId);
}

/** How to reach the object that answers for an id. */
export interface FoundQueue {
  /** False where it certainly leads to no queue: yet one may be made. */
  readonly mayExist: boolean;
  at(): QueueApi;
}

/**
 * Finds the queue object that an id leads to, or the one that answers for all that do not exist: the answer takes the
 * same way and time, and no id that a stranger makes up leaves a file on this machine. On Cloudflare, where an object
 * that stores nothing leaves nothing, the id's own object answers.
 */
export async function findQueue(env: Env, senderId: Uint8Array | null): Promise<FoundQueue> {
  const nobody: FoundQueue = { mayExist: false, at: () => nobodyAt(env) };
  if (!senderId || senderId.length !== ID_LENGTH) return nobody;
  const exists = !env.QUEUE_FILES || await hasFile(env.QUEUE_FILES, env.QUEUE.idFromName(nameOf(senderId)), true);
  return exists ? { mayExist: true, at: () => queueAt(env, senderId) } : nobody;
}

/**
 * The device that an id leads to, or the one that answers for all that do not exist, as for queues. A device that
 * TNEW is about to make is not looked for.
 */
export async function findDevice(env: Env, device: Uint8Array | null): Promise<DeviceApi> {
  const id = device && env.DEVICE.idFromName(nameOf(device));
  const exists = id && (!env.DEVICE_FILES || await hasFile(env.DEVICE_FILES, id, true));
  return env.DEVICE.get(exists ? id : env.DEVICE.idFromName(NOBODY)) as unknown as DeviceApi;
}

/** Fails when queue objects do not answer. Asks the one that is there anyway. */
export async function pingQueues(env: Env): Promise<void> {
  await nobodyAt(env).holdsLink(EMPTY);
}

/** The sender id behind a short link, null when it leads nowhere. */
export async function resolveLink(env: Env, linkId: Uint8Array): Promise<Uint8Array | null> {
  // Queues claim links on their own, which is not noticed here: what was missing may be there now.
  if (env.LINK_FILES && !await hasFile(env.LINK_FILES, env.LINK.idFromName(nameOf(linkId)), false)) return null;
  return await linkAt(env, linkId).resolve();
}

/** Whether a certificate may come in this role. One that has no queues yet may come in any. */
export async function acceptsService(env: Env, serviceId: Uint8Array, role: ServiceRole): Promise<boolean> {
  const id = env.SERVICE.idFromName(nameOf(serviceId));
  if (env.SERVICE_FILES && !await hasFile(env.SERVICE_FILES, id, false)) return true;
  return await serviceAt(env, serviceId).accepts(role);
}
