import { base64url, EMPTY } from "#crypto/bytes";
import { ID_LENGTH } from "#protocol/limits";
import type { ConnectionApi, LinkApi, QueueApi, ServiceApi } from "./api.ts";
import type { Env } from "./env.ts";

// Stubs are typed by the api's interfaces: the types that the platform derives from classes are too deep to check.

/** The name of the object that stands in for all queues and links that do not exist. */
const NOBODY = "nobody";
/** Names remembered as having a file. */
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

// An object that has a file keeps it while the relay runs, so only presence is remembered.
const known = new Set<string>();

async function hasFile(files: Fetcher, id: DurableObjectId): Promise<boolean> {
  const name = id.toString();
  if (known.has(name)) return true;
  const response = await files.fetch(`http://files/${name}.sqlite`, { method: "HEAD" });
  if (!response.ok) return false;
  if (known.size >= KNOWN_LIMIT) known.clear();
  known.add(name);
  return true;
}

/**
 * How to reach the queue object that an id leads to, or the one that answers for all that do not exist: the answer
 * takes the same way and time, and no id that a stranger makes up leaves a file on this machine. On Cloudflare, where
 * an object that stores nothing leaves nothing, the id's own object answers.
 */
export async function findQueue(env: Env, senderId: Uint8Array | null): Promise<() => QueueApi> {
  if (!senderId || senderId.length !== ID_LENGTH) return () => nobodyAt(env);
  const exists = !env.QUEUE_FILES || await hasFile(env.QUEUE_FILES, env.QUEUE.idFromName(nameOf(senderId)));
  return exists ? () => queueAt(env, senderId) : () => nobodyAt(env);
}

/** Fails when queue objects do not answer. Asks the one that is there anyway. */
export async function pingQueues(env: Env): Promise<void> {
  await nobodyAt(env).holdsLink(EMPTY);
}

/** The sender id behind a short link, null when it leads nowhere. */
export async function resolveLink(env: Env, linkId: Uint8Array): Promise<Uint8Array | null> {
  if (env.LINK_FILES && !await hasFile(env.LINK_FILES, env.LINK.idFromName(nameOf(linkId)))) return null;
  return await linkAt(env, linkId).resolve();
}
