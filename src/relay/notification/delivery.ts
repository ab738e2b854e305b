import { equal } from "#crypto/bytes";
import { MESSAGES_IN_PUSH } from "#protocol/ntf/limits";
import { type MessageNotification, messagesFit } from "#protocol/ntf/notification";
import { isDead, isFollowed } from "#protocol/ntf/status";
import { sameDevice } from "#protocol/ntf/token";
import { take } from "../limits.ts";
import {
  GIVE_UP_AFTER,
  LONGEST_ASKED_PAUSE,
  type NotificationLimits,
  pauseAfter,
  REPAIR_RETRY,
  RETRY,
  UNTOLD_KEPT,
  UNTOLD_TTL,
  UNUSED_TTL,
  waitFor,
} from "./limits.ts";
import type {
  DeliveryResult,
  DeliveryState,
  DeviceStore,
  Effect,
  LatestNotification,
  Push,
  TokenRecord,
} from "./ports.ts";
import { forget } from "./tokens.ts";

const MINUTE = 60_000;

/** An NMSG, and whether it must not wait for others. `now` in milliseconds. */
export interface Heard {
  readonly nonce: Uint8Array;
  readonly encMeta: Uint8Array;
  readonly urgent: boolean;
}

/**
 * Keeps what was heard of a queue; of one queue the newest counts. False: nobody can be told, it is dropped. The same
 * notification again (whoever brings it may try twice) changes nothing.
 */
export function hear(store: DeviceStore, subId: Uint8Array, { nonce, encMeta, urgent }: Heard, now: number): boolean {
  if (store.record()?.status !== "ACTIVE" || !store.subscription(subId)) return false;
  const latest = store.latest();
  const former = latest.find((one) => equal(one.subId, subId));
  if (former && equal(former.nonce, nonce)) return true;
  const state = store.delivery();
  // Not only one more than the last: that may be on its way in a push, and its subscription deleted.
  const order = Math.max(now, state.toldUpTo + 1, (latest.at(-1)?.order ?? 0) + 1);
  store.setLatest({ subId, order, at: now, nonce, encMeta });
  // Many at a time, so that it costs little for each.
  const oldestKept = latest.length >= 2 * UNTOLD_KEPT ? latest.at(-UNTOLD_KEPT)?.order : undefined;
  if (oldestKept !== undefined) store.dropLatestBelow(oldestKept);
  if (urgent) store.saveDelivery({ ...state, urgentUpTo: order });
  return true;
}

/**
 * Whether whoever brings notifications of a subscription shall go on; otherwise it is to be unfollowed. What comes while
 * the token is to be verified again is dropped, but its queues stay followed.
 */
export function wantsToHear(store: DeviceStore, subId: Uint8Array): boolean {
  const record = store.record();
  return record !== null && !isDead(record.status) && store.subscription(subId) !== null;
}

function untold(store: DeviceStore, state: DeliveryState, now: number): readonly LatestNotification[] {
  return store.latest().filter(({ order, at }) => order > state.toldUpTo && at + UNTOLD_TTL > now);
}

/** When each kind of push may go, apart from limits and failures. Null: there is none. */
function dueTimes(
  store: DeviceStore,
  record: TokenRecord,
  state: DeliveryState,
  now: number,
): Readonly<Record<Push["kind"], number | null>> {
  const isActive = record.status === "ACTIVE";
  const waiting = isActive ? untold(store, state, now) : [];
  const isUrgent = waiting.some(({ order }) => order <= state.urgentUpTo);
  return {
    verification: state.verification ? now : null,
    messages: waiting.length === 0 ? null : isUrgent ? now : Math.max(now, state.gatherUntil),
    check: isActive && record.cronMinutes > 0 ? Math.max(now, record.cronSentAt + record.cronMinutes * MINUTE) : null,
  };
}

/** What to push next, and from when on it may go. */
export interface NextPush {
  readonly kind: Push["kind"];
  /** Milliseconds since 1970; not before `now`. */
  readonly at: number;
}

/** The next push of a device, null when there is nothing to tell it. Costs nothing for a token that is invalid. */
export function nextPush(store: DeviceStore, limits: NotificationLimits, now: number): NextPush | null {
  const record = store.record();
  if (!record || isDead(record.status)) return null;
  const state = store.delivery();
  const due = dueTimes(store, record, state, now);
  const retryAt = state.failures?.retryAt ?? 0;
  const isUrgent = state.urgentUpTo > state.toldUpTo;
  const candidates = (["verification", "messages", "check"] as const).flatMap((kind): NextPush[] => {
    const at = due[kind];
    if (at === null) return [];
    const reserved = kind === "verification" || (kind === "messages" && isUrgent) ? 0 : limits.reserved;
    const allowedAt = now + waitFor(state.pushes, limits.pushesPerMinute, reserved, now);
    return [{ kind, at: Math.max(at, retryAt, allowedAt) }];
  });
  return candidates.reduce<NextPush | null>((best, one) => (best && best.at <= one.at ? best : one), null);
}

function toMessage(store: DeviceStore, { subId, at, nonce, encMeta }: LatestNotification): MessageNotification[] {
  const subscription = store.subscription(subId);
  return subscription ? [{ queue: subscription.queue, ts: Math.floor(at / 1000), nonce, encMeta }] : [];
}

/**
 * Of what one push tells, oldest first, and the order up to which the device is told then: of as many of the untold as
 * fit; where room is left before them, the newest that it was told of already, since providers lose pushes.
 */
function chooseMessages(
  store: DeviceStore,
  state: DeliveryState,
  now: number,
): readonly [messages: readonly MessageNotification[], upTo: number] {
  const fresh = untold(store, state, now).slice(0, MESSAGES_IN_PUSH);
  let count = fresh.length;
  let messages = fresh.flatMap((one) => toMessage(store, one));
  for (; count > 1 && !messagesFit(messages); count--) {
    messages = fresh.slice(0, count - 1).flatMap((one) => toMessage(store, one));
  }
  for (const one of store.latest().filter(({ order }) => order <= state.toldUpTo).reverse()) {
    const longer = [...toMessage(store, one), ...messages];
    if (!messagesFit(longer)) break;
    messages = longer;
  }
  return [messages, fresh[count - 1]?.order ?? state.toldUpTo];
}

/**
 * The push that is due now, null when none is. One at a time: the caller tells what became of it (`delivered`) before
 * it asks for the next. Nothing is written: if the server stops meanwhile, the push is simply due again.
 */
export function duePush(store: DeviceStore, limits: NotificationLimits, now: number): Push | null {
  const next = nextPush(store, limits, now);
  const record = store.record();
  if (!record || !next || next.at > now) return null;
  const { token, dhSecret } = record;
  if (next.kind === "verification") return { kind: "verification", token, dhSecret, code: record.regCode };
  if (next.kind === "check") return { kind: "check", token, dhSecret };
  const [messages, upTo] = chooseMessages(store, store.delivery(), now);
  return { kind: "messages", token, dhSecret, messages, upTo };
}

function noteSent(
  store: DeviceStore,
  record: TokenRecord,
  push: Push,
  state: DeliveryState,
  limits: NotificationLimits,
  now: number,
): void {
  switch (push.kind) {
    case "verification": {
      // A code that was replaced while the push was under way proves nothing any more.
      if (!equal(push.code, record.regCode)) return store.saveDelivery(state);
      store.saveDelivery({ ...state, verification: false });
      if (record.status === "REGISTERED") store.save({ ...record, status: "CONFIRMED" });
      return;
    }
    case "messages": {
      const toldUpTo = Math.max(state.toldUpTo, push.upTo);
      store.saveDelivery({ ...state, toldUpTo, gatherUntil: now + limits.gather });
      const told = store.latest().filter(({ order }) => order <= toldUpTo);
      const oldestKept = told.at(-MESSAGES_IN_PUSH)?.order;
      if (oldestKept !== undefined && told.length > MESSAGES_IN_PUSH) store.dropLatestBelow(oldestKept);
      return;
    }
    case "check":
      store.saveDelivery(state);
      return store.save({ ...record, cronSentAt: now });
  }
}

/** The token is dead: nothing more is tried, and its queues need not be followed until it is verified again. */
function bury(store: DeviceStore, record: TokenRecord, status: TokenRecord["status"]): readonly Effect[] {
  const state = store.delivery();
  const newest = store.latest().at(-1)?.order ?? state.toldUpTo;
  store.save({ ...record, status });
  store.saveDelivery({ ...state, verification: false, failures: null, toldUpTo: Math.max(state.toldUpTo, newest) });
  store.dropLatestBelow(newest + 1);
  const subscriptions = store.subscriptions().filter((one) => isFollowed(one.status));
  for (const one of subscriptions.filter(({ status: former }) => former !== "INACTIVE")) {
    store.saveSubscription({ ...one, status: "INACTIVE" });
  }
  return subscriptions.length > 0 ? [{ type: "unfollow", subscriptions }] : [];
}

/** What became of a push. `random` in [0, 1) spreads the next attempts of many devices. */
export function delivered(
  store: DeviceStore,
  push: Push,
  result: DeliveryResult,
  limits: NotificationLimits,
  now: number,
  random: number,
): readonly Effect[] {
  const record = store.record();
  // The token was deleted or replaced meanwhile: what happened to the former one is nobody's affair.
  if (!record || !sameDevice(record.token, push.token)) return [];
  const { failures, ...rest } = store.delivery();
  const pushes = take(rest.pushes, limits.pushesPerMinute, now) ?? rest.pushes;
  if (result.type === "sent") {
    noteSent(store, record, push, { ...rest, pushes, failures: null }, limits, now);
    return [];
  }
  if (result.type === "gone") return bury(store, record, `INVALID,${result.reason}`);
  const isRepair = result.type === "fix-configuration";
  // What the operator can repair does not count against the token.
  const since = isRepair ? now : failures?.since ?? now;
  if (now - since > GIVE_UP_AFTER) return bury(store, record, "EXPIRED");
  const count = (failures?.count ?? 0) + 1;
  const asked = result.type === "retry" ? Math.min(result.after ?? 0, LONGEST_ASKED_PAUSE) : 0;
  const pause = Math.max(asked, pauseAfter(count, isRepair ? REPAIR_RETRY : RETRY, random));
  store.saveDelivery({ ...rest, pushes, failures: { count, since, retryAt: now + pause } });
  return [];
}

function forgottenAt({ status, usedAt }: TokenRecord): number | null {
  return status === "ACTIVE" ? null : usedAt + UNUSED_TTL;
}

/** Forgets a token that nobody has used for long and that is not active. The caller does this whenever it wakes. */
export function forgetUnused(store: DeviceStore, now: number): readonly Effect[] {
  const record = store.record();
  const at = record && forgottenAt(record);
  return record && at !== null && at <= now ? forget(store, record) : [];
}

/** When something must be done for this token, milliseconds since 1970; null: nothing ever, until somebody asks. */
export function wakeAt(store: DeviceStore, limits: NotificationLimits, now: number): number | null {
  const record = store.record();
  if (!record) return null;
  const times = [nextPush(store, limits, now)?.at ?? null, forgottenAt(record)].filter((at) => at !== null);
  return times.length > 0 ? Math.min(...times) : null;
}
