import { equal } from "#crypto/bytes";
import { BoxError } from "#crypto/errors";
import type { Message } from "#protocol/commands";
import type { ServiceRole } from "#protocol/handshake";
import { type NotificationMeta, openNotification } from "#protocol/message";
import { type Conditions, toMsg, toNmsg } from "./messages.ts";
import { answer, refused, unauthorized } from "./outcome.ts";
import { changeService } from "./services.ts";
import type { Caller, Outcome, QueueEvent, QueueRecord, QueueStore } from "./ports.ts";

/**
 * SUB: the connection becomes the subscriber, the former one is told END. The head of the queue follows the answer.
 * A repeated SUB delivers the head again and writes nothing (SMP commands, SUB).
 */
export function subscribe(store: QueueStore, record: QueueRecord, caller: Caller): Outcome {
  if (store.fetched(caller.connection) !== undefined) return refused("PROHIBITED");
  const former = store.subscriber();
  const isRepeat = former?.connection === caller.connection;
  const services = changeService(record.serviceId, caller.serviceId, "messaging", record.recipientId);
  if (services.length > 0) store.save({ ...record, serviceId: caller.serviceId });
  if (!isRepeat || former.delivered) {
    store.setSubscriber({ connection: caller.connection, serviceId: caller.serviceId, delivered: null });
  }
  const head = store.head();
  return answer({ tag: "SOK", serviceId: caller.serviceId }, {
    ...(head ? { followUp: toMsg(record, head) } : {}),
    ...(isRepeat ? {} : { subscriptions: 1 }),
    events: former && !isRepeat ? [ended(former.connection, record.recipientId)] : [],
    services,
  });
}

function ended(connection: string, entityId: Uint8Array): QueueEvent {
  return { connection, entityId, message: { tag: "END" } };
}

/** GET: the head as the answer, without becoming the subscriber. */
export function fetch(store: QueueStore, record: QueueRecord, caller: Caller): Outcome {
  if (store.subscriber()?.connection === caller.connection) return refused("PROHIBITED");
  const head = store.head();
  store.setFetched(caller.connection, head?.id ?? null);
  return answer(head ? toMsg(record, head) : { tag: "OK" });
}

/** NSUB: like SUB for notifications; those that waited follow, oldest first. */
export function subscribeNotifier(
  store: QueueStore,
  record: QueueRecord,
  caller: Caller,
  { now, limits }: Conditions,
): Outcome {
  const { notifier, notifierId } = record;
  if (!notifier) return unauthorized();
  const former = store.notifierSubscriber();
  const isRepeat = former?.connection === caller.connection;
  if (!isRepeat) store.setNotifierSubscriber({ connection: caller.connection, serviceId: caller.serviceId });
  const services = changeService(notifier.serviceId, caller.serviceId, "notifier", notifierId);
  if (services.length > 0) store.save({ ...record, notifier: { ...notifier, serviceId: caller.serviceId } });
  const pending = store.pendingNotifications();
  if (pending.length > 0) store.clearPendingNotifications();
  const waiting = pending.filter(({ ts }) => ts + limits.notificationTtl >= now).map((meta): QueueEvent => ({
    connection: caller.connection,
    entityId: notifierId,
    message: toNmsg(notifier.dhSecret, meta),
  }));
  return answer({ tag: "SOK", serviceId: caller.serviceId }, {
    ...(isRepeat ? {} : { subscriptions: 1 }),
    events: [...(former && !isRepeat ? [ended(former.connection, notifierId)] : []), ...waiting],
    services,
  });
}

/**
 * SUBS and NSUBS for one queue of the service: what its connection is to be told. Queues that left it are skipped.
 */
export function subscribeAsService(
  store: QueueStore,
  caller: Caller,
  role: ServiceRole,
  conditions: Conditions,
): QueueEvent[] {
  const record = store.record();
  const owner = role === "notifier" ? record?.notifier?.serviceId : record?.serviceId;
  if (!record || !owner || !caller.serviceId || !equal(owner, caller.serviceId)) return [];
  const former = role === "notifier" ? store.notifierSubscriber() : store.subscriber();
  // It was given what there is when it subscribed to this queue by itself.
  if (former?.connection === caller.connection) return [];
  const { events, followUp } = role === "notifier"
    ? subscribeNotifier(store, record, caller, conditions)
    : subscribe(store, record, caller);
  const first = followUp
    ? [{ connection: caller.connection, entityId: record.recipientId, message: followUp }]
    : [];
  // The service's former connection was told ENDS for all of its queues at once.
  return [...events.filter(({ message }) => message.tag !== "END"), ...first];
}

/**
 * Of what could not be pushed to a connection that is gone: notifications are for whoever is the notifier now, or wait
 * for the next. A message needs none of this, it is still in the queue.
 */
export function redirectNotifications(store: QueueStore, messages: readonly Message[]): QueueEvent[] {
  const record = store.record();
  if (!record?.notifier) return [];
  const { notifierId: entityId, notifier } = record;
  const subscriber = store.notifierSubscriber();
  const notifications = messages.filter((message) => message.tag === "NMSG");
  if (subscriber) return notifications.map((message) => ({ connection: subscriber.connection, entityId, message }));
  for (const { nonce, encMeta } of notifications) {
    const meta = readOwnNotification(notifier.dhSecret, nonce, encMeta);
    if (meta) store.addPendingNotification(meta);
  }
  return [];
}

/** Null: it was sealed for a notifier whose key was replaced meanwhile. */
function readOwnNotification(secret: Uint8Array, nonce: Uint8Array, encMeta: Uint8Array): NotificationMeta | null {
  try {
    return openNotification(secret, nonce, encMeta);
  } catch (error) {
    if (error instanceof BoxError) return null;
    throw error;
  }
}

/** A connection is gone: nothing is pushed to it any more. What it held unacknowledged stays at the head. */
export function forgetConnection(store: QueueStore, connection: string): void {
  if (store.subscriber()?.connection === connection) store.setSubscriber(null);
  if (store.notifierSubscriber()?.connection === connection) store.setNotifierSubscriber(null);
}

