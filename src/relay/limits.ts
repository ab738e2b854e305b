/** What one relay grants, all changeable by the operator (`config.ts`). */
export interface Limits {
  /** Messages that a queue holds before its sender is refused. */
  readonly queueQuota: number;
  /** Seconds after which an undelivered message is dropped. */
  readonly messageTtl: number;
  /** Seconds after which an undelivered notification is dropped. */
  readonly notificationTtl: number;
  /** Queues that one connection may be subscribed to. 0: no limit. */
  readonly queuesPerConnection: number;
  /** Queues that one connection may create a minute. 0: no limit. */
  readonly newQueuesPerMinute: number;
  /** Messages that one connection may send, and commands that it may have forwarded, a minute. 0: no limit. */
  readonly messagesPerMinute: number;
}

const DAY = 86_400;

export const DEFAULT_LIMITS: Limits = {
  queueQuota: 128,
  messageTtl: 21 * DAY,
  notificationTtl: DAY,
  queuesPerConnection: 50_000,
  newQueuesPerMinute: 600,
  messagesPerMinute: 12_000,
};

/** Notifications kept for a notifier that is away; older ones give way. */
export const PENDING_NOTIFICATIONS = 128;
/** Connections that may have a GET under way on one queue; the oldest gives way. */
export const FETCHING_CONNECTIONS = 8;
/**
 * Milliseconds in which a client must answer the router hello. The official server waits for two minutes; here a
 * connection that waits cannot hibernate, and a stranger's silence should not cost much.
 */
export const HANDSHAKE_TIMEOUT = 20_000;
/** Bytes that may wait for a client before its next commands are put off, and before it is given up. */
export const BUFFERED = { high: 4 * 2 ** 20, most: 32 * 2 ** 20 } as const;
/** Blocks of a client that may be put off. */
export const BLOCKS_PUT_OFF = 128;
/** Milliseconds between looks at what still waits for a client, and until one that takes nothing is given up. */
export const DRAIN = { pause: 50, patience: 120_000 } as const;
/** Attempts to find a free id for a new queue. */
export const CREATE_ATTEMPTS = 3;

/** PRXY that one connection may give a minute. */
export const PRXY_PER_MINUTE = 120;
/** Sessions with other relays that a connection remembers for its PFWD; the oldest gives way. */
export const PROXIED_SESSIONS = 16;
/**
 * Commands of a connection that are done beside the order of the others (PRXY, PFWD, RFWD): so many at once, and so
 * many that wait for that. What is over that is refused. As many of the newest that a proxy has forwarded are known again.
 */
export const BESIDE = { atOnce: 32, waitingOfClient: 128, waitingOfProxy: 1024, remembered: 4096 } as const;
/**
 * What a proxy grants one destination, times in milliseconds: to connect (with TLS and hello), the first way to it
 * before the second is tried too, to answer a forwarded command, without any before the session is closed, and until
 * a failure to connect is forgotten; forwarded commands under way, and bytes that wait for it to read them.
 */
export const DESTINATION = {
  connect: 15_000,
  headStart: 3_000,
  answer: 20_000,
  idle: 120_000,
  failure: 30_000,
  underWay: 1024,
  buffered: 16 * 2 ** 20,
} as const;

/** A token bucket: `capacity` at once, refilled over a minute. Plain data, so that it survives hibernation. */
export interface Bucket {
  readonly tokens: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The bucket after taking one token, or null when there is none. A capacity of 0 never refuses. */
export function take(bucket: Bucket | null, capacity: number, now: number): Bucket | null {
  if (capacity === 0) return { tokens: 0, at: now };
  const refilled = bucket ? bucket.tokens + (Math.max(0, now - bucket.at) * capacity) / 60_000 : capacity;
  const tokens = Math.min(capacity, refilled) - 1;
  return tokens < 0 ? null : { tokens, at: now };
}
