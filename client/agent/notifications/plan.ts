import { equal } from "#crypto/bytes";
import { isFollowed as isStillFollowed, type SubscriptionStatus } from "#protocol/ntf/status";
import type { Connection, RcvQueue } from "../records.ts";
import { type Device, type Followed, isActive } from "./records.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** When the server is first asked how it goes with a queue, and how often after that. */
export const FIRST_CHECK = DAY;
export const NEXT_CHECK = 3 * DAY;
/** How long nothing is tried for a queue that was refused. */
export const REFUSED_PAUSE = DAY;

/** The queues of a connection through which messages come that are worth a notification. */
export function notifyingQueues({ status, notifies, receive }: Connection): readonly RcvQueue[] {
  if (notifies === false || status === "failed" || status === "leaving") return [];
  // Nothing new comes through a queue that was replaced.
  return receive.filter(({ rotation }) => rotation !== "draining" && rotation !== "received_message");
}

/** Whether queues are to be followed at all. */
export function wantsQueues(device: Device | null): boolean {
  return isActive(device) && device.mode === "instant";
}

/** What is to be done with the relays of one connection's queues. */
export interface ConnectionPlan {
  /** NKEY. */
  readonly enable: readonly RcvQueue[];
  /** NDEL, then the record goes. */
  readonly disable: readonly RcvQueue[];
  /** Records of queues that are gone: their notifiers went with them. */
  readonly erase: readonly Followed[];
}

/** The notifier of another token, or of none any more, is made anew: servers give a notifier to one token only. */
function needsNotifier(one: Followed | undefined, device: Device, now: number): boolean {
  if (!one) return true;
  if (one.notBefore > now) return false;
  const { notifier, subscription } = one;
  const isOurs = !subscription || (device.registration !== null && equal(subscription.tokenId, device.registration.tokenId));
  return notifier === null || !isOurs;
}

/** `connection` null: it is gone. `records`: of this connection. */
export function planConnection(
  connection: Connection | null,
  records: readonly Followed[],
  device: Device | null,
  now: number,
): ConnectionPlan {
  const queues = connection?.receive ?? [];
  const recordOf = ({ id }: RcvQueue): Followed | undefined => records.find(({ queue }) => queue === id);
  // While a token waits for its push the queues keep what they have: it may be the same token under another name.
  const wanted = connection && device?.mode === "instant" ? notifyingQueues(connection) : [];
  const isWanted = ({ id }: RcvQueue): boolean => wanted.some((queue) => queue.id === id);
  return {
    enable: device && wantsQueues(device) ? wanted.filter((queue) => needsNotifier(recordOf(queue), device, now)) : [],
    disable: queues.filter((queue) => recordOf(queue) !== undefined && !isWanted(queue)),
    erase: records.filter(({ queue }) => !queues.some(({ id }) => id === queue)),
  };
}

export function isNothing({ enable, disable, erase }: ConnectionPlan): boolean {
  return enable.length + disable.length + erase.length === 0;
}

/** Whether SNEW is to be sent. */
export function needsSubscription({ notifier, subscription, notBefore }: Followed, now: number): boolean {
  return notifier !== null && subscription === null && notBefore <= now;
}

/** Whether SCHK is to be sent. */
export function needsCheck({ subscription }: Followed, device: Device, now: number): boolean {
  return subscription !== null && device.registration !== null && subscription.checkAt <= now &&
    equal(subscription.tokenId, device.registration.tokenId);
}

/** When time alone makes something to do; null: never. */
export function nextAt(records: Iterable<Followed>, now: number): number | null {
  let next: number | null = null;
  for (const { subscription, notBefore } of records) {
    for (const at of [subscription?.checkAt ?? 0, notBefore]) {
      if (at > now && (next === null || at < next)) next = at;
    }
  }
  return next;
}

/** SNEW was done. */
export function subscribed(one: Followed, tokenId: Uint8Array, subId: Uint8Array, now: number): Followed {
  return { ...one, notBefore: 0, subscription: { tokenId, subId, status: "NEW", checkAt: now + FIRST_CHECK } };
}

/** SCHK was answered; a queue that the server follows no more begins from NKEY. */
export function subscriptionChecked(one: Followed, status: SubscriptionStatus, now: number): Followed {
  if (!one.subscription || !isStillFollowed(status)) return startOver(one);
  return { ...one, subscription: { ...one.subscription, status, checkAt: now + NEXT_CHECK } };
}

export function startOver(one: Followed): Followed {
  return { ...one, notifier: null, subscription: null };
}

/** A server refused it: the same again, but not at once. */
export function refused(one: Followed, now: number): Followed {
  return { ...startOver(one), notBefore: now + REFUSED_PAUSE };
}
