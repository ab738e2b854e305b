/** Milliseconds. */
export interface RetryInterval {
  readonly initial: number;
  /** From when on the interval grows. */
  readonly growAfter: number;
  readonly max: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** After failures of the network (agent protocol, sending and retry). */
export const FAST_RETRY: RetryInterval = { initial: 2 * SECOND, growAfter: 10 * SECOND, max: 120 * SECOND };
/** While the peer's queue is full. */
export const SLOW_RETRY: RetryInterval = { initial: 300 * SECOND, growAfter: MINUTE, max: 6 * HOUR };
/** Of commands to one's own relays. */
export const TASK_RETRY: RetryInterval = { initial: 2 * SECOND, growAfter: 10 * SECOND, max: 180 * SECOND };

/** How long a message waits for its relay, and for a full queue. */
export const MESSAGE_EXPIRY = 2 * DAY;
export const QUOTA_EXPIRY = 7 * DAY;
/** How long a connection that is being deleted waits for its messages to be sent. */
export const LEAVING_EXPIRY = 2 * DAY;
/** How long hashes, sent messages and ratchet keys are remembered. */
export const MEMORY_TTL = 21 * DAY;
/** How long a queue that was moved waits for an old relay that cannot be reached, so that messages stay in order. */
export const DRAIN_PATIENCE = MINUTE;
/** Between two automatic repairs of one connection's encryption. */
export const REPAIR_INTERVAL = HOUR;
export const CLEANUP_INTERVAL = 6 * HOUR;
export const REMOVAL_ATTEMPTS = 10;

const GROWTH = 1.5;

/** The interval after `delay`, when retries have been going on for `elapsed`. */
export function nextDelay(interval: RetryInterval, delay: number | null, elapsed: number): number {
  if (delay === null) return interval.initial;
  return elapsed < interval.growAfter ? delay : Math.min(interval.max, Math.round(delay * GROWTH));
}
