import type { Bucket } from "../limits.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What the notification server grants one device, times in milliseconds. */
export interface NotificationLimits {
  /** After a push further messages gather for so long. The first one after a pause is sent at once. */
  readonly gather: number;
  /** Pushes a minute. */
  readonly pushesPerMinute: number;
  /** How many of them are kept for what is urgent, and for verification. */
  readonly reserved: number;
  readonly subscriptions: number;
  /** Relays whose queues it has subscriptions to. */
  readonly servers: number;
}

export const DEFAULT_NOTIFICATION_LIMITS: NotificationLimits = {
  gather: 2 * SECOND,
  pushesPerMinute: 20,
  reserved: 4,
  subscriptions: 20_000,
  servers: 50,
};

/** Pause after the first failure; it doubles with each further one up to the longest. */
export interface Pauses {
  readonly first: number;
  readonly longest: number;
}

export const RETRY: Pauses = { first: 10 * SECOND, longest: 30 * MINUTE };
/** The same while the operator has something to repair. */
export const REPAIR_RETRY: Pauses = { first: 5 * MINUTE, longest: HOUR };
/** Longest pause that a provider may ask for. */
export const LONGEST_ASKED_PAUSE = 6 * HOUR;
/** A token whose provider has only failed for so long is given up. */
export const GIVE_UP_AFTER = 7 * DAY;
/** Messages of which no push could tell for so long are not told of any more. */
export const UNTOLD_TTL = DAY;
/** Queues that a device is told of when its provider is back; of more, those that were silent longest are left out. */
export const UNTOLD_KEPT = 300;
/** A token that is not ACTIVE is forgotten when nobody has used it for so long. */
export const UNUSED_TTL = 30 * DAY;
/**
 * Of one device token: registrations at a time (the oldest unverified gives way), how many of them may be verified
 * (under different keys of one endpoint; the oldest gives way), and TNEW or TRPL a minute.
 */
export const REGISTRATIONS = { atOnce: 8, active: 4, perMinute: 6 } as const;
/** Of one connection, a minute: commands, and among them TNEW and TRPL, which cause pushes. */
export const NTF_COMMANDS_PER_MINUTE = { all: 12_000, registering: 60 } as const;
/** Characters of a relay's error that a subscription's status keeps. */
export const ERROR_LENGTH = 160;

/**
 * Of what is heard from one other relay. NSUB under way at a time, and queues that are followed there, for all devices
 * and for one; how long it may take to answer, and be silent before it is asked whether it still lives, in
 * milliseconds; blocks that it may send in a minute, and those in a row that bring nothing that anybody wants to know.
 */
export const FOLLOWING = {
  asked: 900,
  queues: 50_000,
  queuesOfDevice: 5_000,
  answer: 30_000,
  silence: 50_000,
  blocksPerMinute: 2_000,
  vainBlocks: 64,
} as const;

/**
 * How another relay is followed, in milliseconds: the connection is looked after so often; it counts as good when it has
 * lasted for so long, and its end is then mended soon; a claim that nothing comes of is void after some minutes; a relay
 * that never answered is given up after hours, one that did after a month. And how often a queue is asked for again
 * that the relay could not answer for, and how many claims are known at a time: of one queue, of one device, of all
 * queues of the relay (the oldest give way).
 */
export const FOLLOWER = {
  watch: 30 * SECOND,
  stable: 30 * SECOND,
  soon: 2 * SECOND,
  claim: 5 * MINUTE,
  neverReached: 6 * HOUR,
  lost: 30 * DAY,
  attempts: 5,
  claimsOfQueue: 4,
  claimsOfDevice: 1_000,
  claims: 10_000,
} as const;
/** Pauses between attempts to reach a relay whose queues are followed. */
export const RECONNECT: Pauses = { first: 5 * SECOND, longest: 15 * MINUTE };

/** Milliseconds until a bucket has a token beyond those that are reserved; 0: it has. */
export function waitFor(bucket: Bucket | null, capacity: number, reserved: number, now: number): number {
  if (capacity === 0 || !bucket) return 0;
  const tokens = Math.min(capacity, bucket.tokens + (Math.max(0, now - bucket.at) * capacity) / MINUTE);
  const missing = Math.min(capacity, 1 + reserved) - tokens;
  return missing <= 0 ? 0 : Math.ceil((missing * MINUTE) / capacity);
}

/** The pause before the attempt after `failures` failed ones. `random` in [0, 1): up to a fifth is added. */
export function pauseAfter(failures: number, range: Pauses, random: number): number {
  const doubled = range.first * 2 ** Math.min(failures - 1, 30);
  return Math.round(Math.min(doubled, range.longest) * (1 + random / 5));
}
