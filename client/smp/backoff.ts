/** Milliseconds. */
export interface Backoff {
  /** The longest that the first retry waits. */
  readonly first: number;
  /** The longest that any retry waits. */
  readonly cap: number;
}

export const DEFAULT_BACKOFF: Backoff = { first: 500, cap: 60_000 };

/**
 * How long to wait before retry number `attempt` (from 0): anything up to a limit that doubles each time. Full jitter
 * keeps the clients of a relay that restarts from coming back all at once. `random` is uniform in [0, 1).
 */
export function retryDelay(attempt: number, random: number, { first, cap }: Backoff): number {
  return random * Math.min(cap, first * 2 ** attempt);
}
