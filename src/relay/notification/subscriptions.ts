import { equal } from "#crypto/bytes";
import { formatServerAddress } from "#protocol/address";
import { describeError, type ErrorType } from "#protocol/errors";
import type { SNEW } from "#protocol/ntf/commands";
import type { NtfQueue } from "#protocol/ntf/queue";
import { isDead, isFollowed, type SubscriptionStatus } from "#protocol/ntf/status";
import type { AuthSecretKey } from "#protocol/authorize";
import { ERROR_LENGTH, type NotificationLimits } from "./limits.ts";
import { answered, done, ntfError, ntfUnauthorized } from "./outcome.ts";
import type { DeviceStore, NtfOutcome, Subscription } from "./ports.ts";

function sameNotifierKey(a: AuthSecretKey, b: AuthSecretKey): boolean {
  return a.algorithm === b.algorithm && equal(a.secret, b.secret);
}

function follow(store: DeviceStore, subscription: Subscription): NtfOutcome {
  store.saveSubscription(subscription);
  const status = store.record()?.status;
  // Nobody could be told: it is followed once the token is verified again.
  if (status !== undefined && isDead(status)) return answered({ tag: "IDSUB", subId: subscription.subId });
  return answered({ tag: "IDSUB", subId: subscription.subId }, { type: "follow", subscriptions: [subscription] });
}

/** Whether a token may have one more subscription. Nor may it have some to ever more servers: each costs a connection. */
export function hasRoomFor(store: DeviceStore, { server }: NtfQueue, limits: NotificationLimits): boolean {
  const servers = store.servers();
  const hasServer = servers.size < limits.servers || servers.has(formatServerAddress(server));
  return hasServer && store.subscriptionCount() < limits.subscriptions;
}

/**
 * SNEW. For a queue that the token is subscribed to already: with the same key nothing changes, another one is wrong, as
 * every NKEY makes another notifier id.
 */
export function subscribe(
  store: DeviceStore,
  { queue, notifierKey }: SNEW,
  newSubId: () => Uint8Array,
  limits: NotificationLimits,
): NtfOutcome {
  const existing = store.subscriptionTo(queue);
  if (existing) {
    const isSame = sameNotifierKey(existing.notifierKey, notifierKey);
    return isSame ? answered({ tag: "IDSUB", subId: existing.subId }) : ntfUnauthorized();
  }
  if (!hasRoomFor(store, queue, limits)) return ntfError({ type: "QUOTA" });
  return follow(store, { subId: newSubId(), queue, notifierKey, status: "NEW" });
}

/** Who follows a queue. */
export interface QueueClaim {
  readonly subId: Uint8Array;
  readonly notifierKey: AuthSecretKey;
}

/** Whether a queue may be followed for this subscription: only one may, of whichever token. */
export function mayClaim(existing: QueueClaim | null, claim: QueueClaim): boolean {
  return !existing || equal(existing.subId, claim.subId);
}

/** Whether SNEW will make a subscription, as far as the token itself can tell. */
export function subscribes(store: DeviceStore, { queue }: SNEW, limits: NotificationLimits): boolean {
  return store.subscriptionTo(queue) === null && hasRoomFor(store, queue, limits);
}

/** SDEL. */
export function unsubscribe(store: DeviceStore, subscription: Subscription): NtfOutcome {
  store.removeSubscription(subscription.subId);
  return done({ type: "unfollow", subscriptions: [subscription] });
}

/** What whoever follows a queue hears of it beside messages. */
export type FollowEvent =
  | { readonly type: "subscribing" | "subscribed" | "lost" | "ended" | "deleted" }
  | { readonly type: "refused"; readonly error: ErrorType }
  /** Something else than the relay stands in the way, for good. */
  | { readonly type: "impossible"; readonly why: string };

/** Null: the status stays. */
function statusAfter(event: FollowEvent, current: SubscriptionStatus): SubscriptionStatus | null {
  switch (event.type) {
    // Late news about a queue that is not followed any more.
    case "subscribing":
      return isFollowed(current) ? "PENDING" : null;
    case "subscribed":
      return isFollowed(current) ? "ACTIVE" : null;
    case "lost":
      return isFollowed(current) ? "INACTIVE" : null;
    case "ended":
      return "END";
    case "deleted":
      return "DELETED";
    case "refused":
      if (event.error.type === "AUTH" || event.error.type === "SERVICE") return event.error.type;
      return `ERR ${`SMP error ${describeError(event.error)}`.slice(0, ERROR_LENGTH)}`;
    case "impossible":
      return `ERR ${event.why.slice(0, ERROR_LENGTH)}`;
  }
}

/** Late news of a token that is dead: its queues are not followed any more, or will not be in a moment. */
function isLate(store: DeviceStore, { type }: FollowEvent): boolean {
  const status = store.record()?.status;
  return status !== undefined && isDead(status) && (type === "subscribing" || type === "subscribed");
}

/**
 * Notes what was heard of a queue. `notifierKey`: with which it was followed, so that news of a former key change
 * nothing. One write, and none when the status is the same.
 */
export function noteFollowing(
  store: DeviceStore,
  subId: Uint8Array,
  notifierKey: AuthSecretKey,
  event: FollowEvent,
): void {
  const subscription = store.subscription(subId);
  if (!subscription || !sameNotifierKey(subscription.notifierKey, notifierKey) || isLate(store, event)) return;
  const status = statusAfter(event, subscription.status);
  if (status !== null && status !== subscription.status) store.saveSubscription({ ...subscription, status });
}

/** The queues to follow after a restart or an import: those that were followed, of a token that is not dead. */
export function toFollow(store: DeviceStore): readonly Subscription[] {
  const record = store.record();
  return record && !isDead(record.status) ? store.subscriptions().filter(({ status }) => isFollowed(status)) : [];
}
