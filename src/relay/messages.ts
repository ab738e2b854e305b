import { equal } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import type { Message } from "#protocol/commands";
import { ID_LENGTH } from "#protocol/limits";
import { sealNotification, sealReceivedMessage } from "#protocol/message";
import type { Limits } from "./limits.ts";
import type { Caller, QueueEvent, QueueRecord, QueueStore, StoredMessage } from "./ports.ts";

/** What rules need besides the queue: the time in seconds since 1970 and what the operator grants. */
export interface Conditions {
  readonly now: number;
  readonly limits: Limits;
}

/** What SEND brings. */
export interface Sent {
  readonly msgId: Uint8Array;
  readonly notification: boolean;
  readonly body: Uint8Array;
}

export function newId(): Uint8Array {
  return randomBytes(ID_LENGTH);
}

/** MSG as the recipient gets it, encrypted with the queue's secret. */
export function toMsg(record: QueueRecord, stored: StoredMessage): Message {
  const { id, ts } = stored;
  const received = stored.type === "quota"
    ? { type: "quota", ts } as const
    : { type: "message", ts, notification: stored.notification, body: stored.body } as const;
  return { tag: "MSG", msgId: id, encBody: sealReceivedMessage(record.rcvDhSecret, id, received) };
}

/** NMSG with a fresh nonce. */
export function toNmsg(dhSecret: Uint8Array, meta: { readonly msgId: Uint8Array; readonly ts: number }): Message {
  const nonce = newId();
  return { tag: "NMSG", nonce, encMeta: sealNotification(dhSecret, nonce, meta) };
}

/** What a subscriber was given and has not acknowledged; null when it waits for a message. */
export function deliveredTo(store: QueueStore, connection: string): Uint8Array | null {
  const subscriber = store.subscriber();
  if (subscriber?.connection !== connection) return null;
  return subscriber.delivered ?? store.head()?.id ?? null;
}

/** Removes the head. A subscriber that holds it unacknowledged keeps it as its delivered message. */
export function dropHead(store: QueueStore): void {
  const head = store.head();
  const subscriber = store.subscriber();
  if (head && subscriber && !subscriber.delivered) store.setSubscriber({ ...subscriber, delivered: head.id });
  store.removeHead();
}

/** Drops messages at the head older than their time. A quota marker never expires and ends the search. */
export function dropExpired(store: QueueStore, { now, limits }: Conditions): void {
  for (let head = store.head(); head?.type === "message" && head.ts + limits.messageTtl < now; head = store.head()) {
    dropHead(store);
  }
}

/**
 * Quota (SMP commands, quota): a full queue takes one marker in place of the message, and then nothing until the
 * recipient has drained it all. Answers the stored message, or null when the sender is refused.
 */
function write(store: QueueStore, message: StoredMessage, quota: number): StoredMessage | null {
  const size = store.size();
  if (size > 0 && store.endsWithQuota()) return null;
  if (size < quota) {
    store.append(message);
    return message;
  }
  // An id of its own: the message may come again under its own one, and the id is the nonce under which either is sealed.
  store.append({ type: "quota", id: newId(), ts: message.ts });
  return null;
}

/** The head for its subscriber, unless that one holds a message that is not the head any more. */
export function deliverHead(store: QueueStore, record: QueueRecord): QueueEvent[] {
  const head = store.head();
  const subscriber = store.subscriber();
  if (!head || !subscriber || subscriber.delivered) return [];
  return [{ connection: subscriber.connection, entityId: record.recipientId, message: toMsg(record, head) }];
}

/**
 * Stores a sent message and says whom to tell. The subscriber is told at once only when it waits for a message: when
 * it holds one, the next comes with its ACK.
 * Answers null when the queue is full.
 */
export function storeMessage(
  store: QueueStore,
  record: QueueRecord,
  { msgId: id, notification, body }: Sent,
  { now: ts, limits }: Conditions,
): QueueEvent[] | null {
  const wasEmpty = store.size() === 0;
  const message = write(store, { type: "message", id, ts, notification, body }, limits.queueQuota);
  if (!message) return null;
  const events = wasEmpty ? deliverHead(store, record) : [];
  if (notification && record.notifier) events.push(...notify(store, record, record.notifier.dhSecret, message));
  return events;
}

/**
 * Whom to tell of a message that is stored already: whoever stored it may have come to its end before it told anybody.
 * A message that is given twice does no harm, it has an id.
 */
export function tellAgain(store: QueueStore, record: QueueRecord, msgId: Uint8Array): QueueEvent[] {
  const head = store.head();
  return head && equal(head.id, msgId) ? deliverHead(store, record) : [];
}

function notify(store: QueueStore, record: QueueRecord, dhSecret: Uint8Array, { id, ts }: StoredMessage): QueueEvent[] {
  const meta = { msgId: id, ts };
  const subscriber = store.notifierSubscriber();
  if (subscriber) {
    return [{ connection: subscriber.connection, entityId: record.notifierId, message: toNmsg(dhSecret, meta) }];
  }
  store.addPendingNotification(meta);
  return [];
}

/** What became of an ACK: the message it was for is gone, and what comes next. */
export type Acknowledged = { readonly type: "notDelivered" } | { readonly type: "acknowledged"; readonly next: StoredMessage | null };

/** ACK of a subscriber (SMP commands, ACK): the head goes if it is the message, and the next is delivered. */
export function acknowledge(store: QueueStore, caller: Caller, msgId: Uint8Array): Acknowledged {
  const subscriber = store.subscriber();
  const delivered = deliveredTo(store, caller.connection);
  if (!subscriber || !delivered || (msgId.length > 0 && !equal(delivered, msgId))) return { type: "notDelivered" };
  const head = store.head();
  if (head && equal(head.id, msgId)) store.removeHead();
  if (subscriber.delivered) store.setSubscriber({ ...subscriber, delivered: null });
  return { type: "acknowledged", next: store.head() };
}

/** ACK of a connection that fetched with GET: it never gets the next message by itself. */
export function acknowledgeFetched(store: QueueStore, caller: Caller, msgId: Uint8Array): boolean {
  const fetched = store.fetched(caller.connection);
  if (!fetched || (msgId.length > 0 && !equal(fetched, msgId))) return false;
  store.setFetched(caller.connection, null);
  const head = store.head();
  if (head && equal(head.id, msgId)) dropHead(store);
  return true;
}
