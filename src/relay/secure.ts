import { base64, equal } from "#crypto/bytes";
import { KeyError } from "#crypto/errors";
import { type AuthAlgorithm, dh, generateKeyPair, type PublicKey, sameKey } from "#crypto/keys";
import type { CommandOf } from "#protocol/commands";
import type { LinkData, QueueInfo } from "#protocol/commands/queue";
import { answer, ok, refused, unauthorized } from "./outcome.ts";
import type { IdScheme } from "./ids.ts";
import { changeService } from "./services.ts";
import type { Caller, Notifier, Outcome, QueueEvent, QueueRecord, QueueStore } from "./ports.ts";

type AuthKey = PublicKey<AuthAlgorithm>;

/** No one but a known sender can send to it. */
export function isSecuredMessaging(record: QueueRecord): boolean {
  return record.mode !== "contact" && record.senderKey !== null;
}

/** Anybody may send to it: an address, or a queue of an old session that was never secured. */
export function isContact(record: QueueRecord): boolean {
  return record.mode === "contact" || (record.mode === null && record.senderKey === null);
}

/** KEY, SKEY, LKEY: the first key stays; the same key again is fine. */
export function secure(store: QueueStore, record: QueueRecord, key: AuthKey): Outcome {
  if (record.senderKey) return sameKey(record.senderKey, key) ? ok() : unauthorized();
  store.save({ ...record, senderKey: key });
  return ok();
}

/** RKEY: replaces the recipient's keys; only for addresses. */
export function replaceRecipientKeys(store: QueueStore, record: QueueRecord, keys: readonly AuthKey[]): Outcome {
  if (record.mode !== "contact") return unauthorized();
  store.save({ ...record, recipientKeys: keys });
  return ok();
}

/** Whether LSET may set this link, apart from the link being free. */
export function maySetLink(record: QueueRecord, linkId: Uint8Array, data: LinkData): boolean {
  if (isSecuredMessaging(record)) return false;
  if (!record.link) return true;
  return equal(record.link.linkId, linkId) && equal(record.link.data.fixedData, data.fixedData);
}

/** LSET: the fixed part never changes, the user's part may. The caller has made sure that the link is free. */
export function setLink(store: QueueStore, record: QueueRecord, linkId: Uint8Array, data: LinkData): Outcome {
  if (!maySetLink(record, linkId, data)) return unauthorized();
  store.save({ ...record, link: { linkId, data } });
  return ok();
}

/** LDEL, also when there is no link. */
export function removeLink(store: QueueStore, record: QueueRecord): Outcome {
  if (!record.link) return ok();
  store.save({ ...record, link: null });
  return ok({ releasedLink: record.link.linkId });
}

/** LKEY's and LGET's answer. */
export function showLink(record: QueueRecord, linkId: Uint8Array): Outcome {
  if (!record.link || !equal(record.link.linkId, linkId)) return unauthorized();
  return answer({ tag: "LNK", senderId: record.senderId, linkData: record.link.data });
}

/** Who else is told that a notifier is gone, and what the asking connection loses. */
function deletedNotifier(
  store: QueueStore,
  record: QueueRecord,
  caller: Caller,
): Pick<Outcome, "events" | "services"> & { readonly lost: number } {
  const subscriber = store.notifierSubscriber();
  const isOwn = subscriber?.connection === caller.connection;
  return {
    events: subscriber && !isOwn
      ? [{ connection: subscriber.connection, entityId: record.notifierId, message: { tag: "DELD" } }]
      : [],
    services: changeService(record.notifier?.serviceId ?? null, null, "notifier", record.notifierId),
    lost: isOwn ? 1 : 0,
  };
}

function lostBy(count: number): Pick<Outcome, "subscriptions"> {
  return count > 0 ? { subscriptions: -count } : {};
}

function dropNotifierState(store: QueueStore): void {
  if (store.notifierSubscriber()) store.setNotifierSubscriber(null);
  if (store.pendingNotifications().length > 0) store.clearPendingNotifications();
}

type NextNotifierId = IdScheme["nextNotifierId"];

/** A notifier, and the router's public key for its recipient. */
export interface MadeNotifier {
  readonly notifier: Notifier;
  readonly routerKey: PublicKey<"X25519">;
}

/** A notifier with a fresh router key. @throws KeyError when the recipient's key is unusable. */
export function makeNotifier(key: AuthKey, recipientKey: PublicKey<"X25519">): MadeNotifier {
  const { publicKey, secretKey } = generateKeyPair("X25519");
  return { notifier: { key, dhSecret: dh(secretKey, recipientKey), serviceId: null }, routerKey: publicKey };
}

/** NKEY: replaces a former notifier, whose subscriber is told DELD, under another id. */
export function setNotifier(
  store: QueueStore,
  record: QueueRecord,
  caller: Caller,
  { key, dhKey }: CommandOf<"NKEY">,
  nextId: NextNotifierId,
): Outcome {
  try {
    const { notifier, routerKey } = makeNotifier(key, dhKey);
    const { lost, ...former } = deletedNotifier(store, record, caller);
    dropNotifierState(store);
    const notifierId = record.notifier ? nextId(record.notifierId) : record.notifierId;
    store.save({ ...record, notifier, notifierId });
    return answer({ tag: "NID", notifierId, dhKey: routerKey }, { ...former, ...lostBy(lost) });
  } catch (error) {
    if (error instanceof KeyError) return refused("SYNTAX");
    throw error;
  }
}

/** NDEL, also when there is no notifier. The next one will have another id. */
export function removeNotifier(
  store: QueueStore,
  record: QueueRecord,
  caller: Caller,
  nextId: NextNotifierId,
): Outcome {
  if (!record.notifier) return ok();
  const { lost, ...former } = deletedNotifier(store, record, caller);
  dropNotifierState(store);
  store.save({ ...record, notifier: null, notifierId: nextId(record.notifierId) });
  return ok({ ...former, ...lostBy(lost) });
}

/** OFF: nobody can send any more; what is stored can still be received. Works on blocked queues too. */
export function suspend(store: QueueStore, record: QueueRecord): Outcome {
  if (record.status.type !== "off") store.save({ ...record, status: { type: "off" } });
  return ok();
}

/** DEL: everything goes. Another subscriber is told DELD, the deleting connection is not. */
export function remove(store: QueueStore, record: QueueRecord, caller: Caller): Outcome {
  const subscriber = store.subscriber();
  const isOwn = subscriber?.connection === caller.connection;
  const events: QueueEvent[] = subscriber && !isOwn
    ? [{ connection: subscriber.connection, entityId: record.recipientId, message: { tag: "DELD" } }]
    : [];
  const notifier = deletedNotifier(store, record, caller);
  store.erase();
  return ok({
    events: [...events, ...notifier.events],
    services: [...changeService(record.serviceId, null, "messaging", record.recipientId), ...notifier.services],
    ...(record.link ? { releasedLink: record.link.linkId } : {}),
    ...lostBy(notifier.lost + (isOwn ? 1 : 0)),
  });
}

function subscriptionInfo(store: QueueStore, caller: Caller, delivered: Uint8Array | null): Pick<QueueInfo, "qiSub"> {
  const fetched = store.fetched(caller.connection);
  const isSubscriber = store.subscriber()?.connection === caller.connection;
  if (!isSubscriber && fetched === undefined) return {};
  const held = isSubscriber ? delivered : fetched;
  return {
    qiSub: { qSubThread: isSubscriber ? "noSub" : "prohibitSub", ...(held ? { qDelivered: base64(held) } : {}) },
  };
}

/** QUE: the state of the queue as the asking connection sees it. */
export function describe(store: QueueStore, record: QueueRecord, caller: Caller, delivered: Uint8Array | null): Outcome {
  const head = store.head();
  const info: QueueInfo = {
    qiSnd: record.senderKey !== null,
    qiNtf: record.notifier !== null,
    ...subscriptionInfo(store, caller, delivered),
    qiSize: store.size(),
    ...(head
      ? {
        qiMsg: {
          msgId: base64(head.id),
          msgTs: new Date(head.ts * 1000).toISOString().replace(".000Z", "Z"),
          msgType: head.type,
        },
      }
      : {}),
  };
  return answer({ tag: "INFO", info });
}
