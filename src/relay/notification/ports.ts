import type { AuthAlgorithm, PublicKey } from "#crypto/keys";
import type { AuthSecretKey } from "#protocol/authorize";
import type { NtfAnswer } from "#protocol/ntf/commands";
import type { MessageNotification } from "#protocol/ntf/notification";
import type { NtfQueue } from "#protocol/ntf/queue";
import type { InvalidReason, SubscriptionStatus, TokenStatus } from "#protocol/ntf/status";
import type { DeviceToken } from "#protocol/ntf/token";
import type { Bucket } from "../limits.ts";

/** What a device registered. Times are milliseconds since 1970. */
export interface TokenRecord {
  readonly tokenId: Uint8Array;
  readonly token: DeviceToken;
  readonly status: TokenStatus;
  readonly verifyKey: PublicKey<AuthAlgorithm>;
  /** Raw X25519 secret key of the server, made for this token. */
  readonly dhKey: Uint8Array;
  /** Raw X25519 of the device's key and the server's. */
  readonly dhSecret: Uint8Array;
  /** What proves that the device reads its pushes, 32 bytes. */
  readonly regCode: Uint8Array;
  /** Minutes between periodic notifications; 0: none. */
  readonly cronMinutes: number;
  /** When the last one was sent, or they were switched on. */
  readonly cronSentAt: number;
  /** The last authorized use, to the day. */
  readonly usedAt: number;
}

/** A queue of whose messages the device wants to hear. */
export interface Subscription {
  readonly subId: Uint8Array;
  readonly queue: NtfQueue;
  readonly notifierKey: AuthSecretKey;
  readonly status: SubscriptionStatus;
}

/** The newest notification of one queue. */
export interface LatestNotification {
  readonly subId: Uint8Array;
  /** Ascends with every notification of a device; the time of its arrival unless that would not ascend. */
  readonly order: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly nonce: Uint8Array;
  readonly encMeta: Uint8Array;
}

/** Attempts that failed since the last that did not. Milliseconds since 1970. */
export interface Failures {
  readonly count: number;
  readonly since: number;
  readonly retryAt: number;
}

/** What pushes a device got and waits for. Plain data. */
export interface DeliveryState {
  readonly verification: boolean;
  /** Order of the newest notification of which a push has told. */
  readonly toldUpTo: number;
  /** Order of the newest that does not wait for others. */
  readonly urgentUpTo: number;
  /** Until then messages gather for one push; milliseconds since 1970. */
  readonly gatherUntil: number;
  readonly pushes: Bucket | null;
  readonly failures: Failures | null;
}

/**
 * The state of one registered token. All calls are synchronous: a rule reads and writes without anything in between.
 * The caller of a rule makes the writes of one call one transaction.
 */
export interface DeviceStore {
  record(): TokenRecord | null;
  save(record: TokenRecord): void;
  /** Removes everything of the token. */
  erase(): void;

  delivery(): DeliveryState;
  saveDelivery(state: DeliveryState): void;

  subscription(subId: Uint8Array): Subscription | null;
  /** By server and notifier id (`formatNtfQueue` names a queue). */
  subscriptionTo(queue: NtfQueue): Subscription | null;
  subscriptions(): readonly Subscription[];
  subscriptionCount(): number;
  /** The addresses of the servers of all their queues. */
  servers(): ReadonlySet<string>;
  saveSubscription(subscription: Subscription): void;
  /** With its latest notification. */
  removeSubscription(subId: Uint8Array): void;

  /** In ascending order. */
  latest(): readonly LatestNotification[];
  /** Replaces the former one of the same subscription. */
  setLatest(notification: LatestNotification): void;
  /** Removes all below this order. */
  dropLatestBelow(order: number): void;
}

export const NOTHING_DELIVERED: DeliveryState = {
  verification: false,
  toldUpTo: 0,
  urgentUpTo: 0,
  gatherUntil: 0,
  pushes: null,
  failures: null,
};

/** What a rule asks of its caller. */
export type Effect =
  /** Follow these queues (NSUB); also when that has been asked before. */
  | { readonly type: "follow" | "unfollow"; readonly subscriptions: readonly Subscription[] }
  /** Every other registration of this device token is to be forgotten. */
  | { readonly type: "activated"; readonly token: DeviceToken }
  | { readonly type: "replaced"; readonly from: DeviceToken; readonly to: DeviceToken }
  | { readonly type: "released"; readonly token: DeviceToken };

/** What a command did beyond the token's own state. The next alarm is asked for separately (`wakeAt`). */
export interface NtfOutcome {
  readonly answer: NtfAnswer;
  readonly effects: readonly Effect[];
}

/** A push that is due. What a provider makes of it is its own affair. */
export type Push =
  & { readonly token: DeviceToken; readonly dhSecret: Uint8Array }
  & (
    | { readonly kind: "verification"; readonly code: Uint8Array }
    /** `upTo`: the order of the last. */
    | { readonly kind: "messages"; readonly messages: readonly MessageNotification[]; readonly upTo: number }
    | { readonly kind: "check" }
  );

/** What became of a push. */
export type DeliveryResult =
  | { readonly type: "sent" }
  /** The provider will never take this token again. */
  | { readonly type: "gone"; readonly reason: InvalidReason }
  /** `after`: milliseconds that the provider asks for; null where it does not say. */
  | { readonly type: "retry"; readonly after: number | null; readonly why: string }
  /** Nothing can be sent before the operator changes something. */
  | { readonly type: "fix-configuration"; readonly why: string };
