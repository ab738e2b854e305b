import { base64url, hex } from "#crypto/bytes";
import type { StoreReader } from "../store/store.ts";
import { listRecords, readRecord, recordChange } from "../store/record.ts";
import type { Change } from "../store/store.ts";
import * as records from "./records.ts";

/** Every table of the agent, in one place. */
export const TABLE = {
  connections: "connections",
  skipped: "skipped",
  outbox: "outbox",
  sent: "sent",
  hashes: "hashes",
  requests: "requests",
  removals: "removals",
  linkKeys: "linkKeys",
  events: "events",
  device: "device",
  followed: "followed",
  retired: "retired",
} as const;

const DIGITS = 12;

/** A number as a key: keys are ordered as text. */
export function ordinal(number: number): string {
  return number.toString().padStart(DIGITS, "0");
}

export function skippedKey(connection: string, headerKey: Uint8Array, number: number): string {
  return `${connection}/${hex(headerKey)}/${ordinal(number)}`;
}

export function queuePrefix(connection: string, queue: number): string {
  return `${connection}/${ordinal(queue)}/`;
}

export function outboxKey(connection: string, queue: number, item: number): string {
  return queuePrefix(connection, queue) + ordinal(item);
}

export function sentKey(connection: string, sndMsgId: number): string {
  return `${connection}/${ordinal(sndMsgId)}`;
}

export function hashKey(connection: string, hash: Uint8Array): string {
  return `${connection}/${base64url(hash)}`;
}

export function readConnection(store: StoreReader, id: string): Promise<records.Connection | null> {
  return readRecord(store, TABLE.connections, id, records.checkConnection);
}

export function writeConnection(connection: records.Connection): Change {
  return recordChange(TABLE.connections, connection.id, connection);
}

/** The oldest item that waits for a queue. */
export async function firstDelivery(
  store: StoreReader,
  connection: string,
  queue: number,
): Promise<records.Delivery | null> {
  const prefix = queuePrefix(connection, queue);
  const [first] = await listRecords(store, TABLE.outbox, records.checkDelivery, { prefix, limit: 1 });
  return first?.value ?? null;
}

/** Deletes everything with the prefix. */
export async function erase(store: StoreReader, table: string, prefix: string): Promise<Change[]> {
  const entries = await store.list(table, { prefix });
  return entries.map(({ key }) => ({ table, key, value: null }));
}
