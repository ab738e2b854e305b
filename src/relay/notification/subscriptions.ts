import { equal } from "#crypto/bytes";
import { describeError, type ErrorType } from "#protocol/errors";
import type { SNEW } from "#protocol/ntf/commands";
import { isDead, isFollowed, type SubscriptionStatus } from "#protocol/ntf/status";
import type { AuthSecretKey } from "#protocol/authorize";
import { ERROR_LENGTH, type NotificationLimits } from "./limits.ts";
import { answered, done, ntfError } from "./outcome.ts";
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

/**
 * SNEW. For a queue that the token is subscribed to already: with the same key nothing changes. With another key the
 * official server answers AUTH, as every NKEY of an official relay makes another notifier id. On relays that keep
 * the id (ours do) that would leave the queue silent for good: there the new key takes the place of the former.
 */
export function subscribe(
  store: DeviceStore,
  { queue, notifierKey }: SNEW,
  newSubId: () => Uint8Array,
  limits: NotificationLimits,
): NtfOutcome {
  const existing = store.subscriptionTo(queue);
  if (existing && sameNotifierKey(existing.notifierKey, notifierKey)) {
    return answered({ tag: "IDSUB", subId: existing.subId });
  }
  if (existing) return follow(store, { ...existing, notifierKey, status: "NEW" });
  if (store.subscriptionCount() >= limits.subscriptions) return ntfError({ type: "QUOTA" });
  return follow(store, { subId: newSubId(), queue, notifierKey, status: "NEW" });
}

/** Who follows a queue. */
export interface QueueClaim {
  readonly subId: Uint8Array;
  readonly notifierKey: AuthSecretKey;
}

/**
 * Whether a queue that another token's subscription follows may be followed by this one. With the same key it may not,
 * as on official servers. Another key is the newer one or a wrong one, which the relay of the queue will tell.
 */
export function mayClaim(existing: QueueClaim | null, claim: QueueClaim): boolean {
  if (!existing || equal(existing.subId, claim.subId)) return true;
  return !sameNotifierKey(existing.notifierKey, claim.notifierKey);
}

/** Whether SNEW changes nothing. */
export function isSubscribed(store: DeviceStore, { queue, notifierKey }: SNEW): boolean {
  const existing = store.subscriptionTo(queue);
  return existing !== null && sameNotifierKey(existing.notifierKey, notifierKey);
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
  if (!subscription || !sameNotifierKey(subscription.notifierKey, notifierKey)) return;
  const status = statusAfter(event, subscription.status);
  if (status !== null && status !== subscription.status) store.saveSubscription({ ...subscription, status });
}

/** The queues to follow after a restart or an import: those that were followed, of a token that is not dead. */
export function toFollow(store: DeviceStore): readonly Subscription[] {
  const record = store.record();
  return record && !isDead(record.status) ? store.subscriptions().filter(({ status }) => isFollowed(status)) : [];
}
