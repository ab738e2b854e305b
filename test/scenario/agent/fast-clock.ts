import { systemClock, type Clock } from "../../../client/clock.ts";

/** When fast time began: all agents of a test live in one time, so that a restart does not turn it back. */
const START = Date.now();

/** A clock that runs `speed` times as fast as the real one: what an agent waits for comes that much sooner. */
export function fastClock(speed: number): Clock {
  return {
    now: () => Math.floor(START + (Date.now() - START) * speed),
    after: (delay, action) => systemClock.after(delay / speed, action),
    random: systemClock.random,
  };
}

/** Limits that fast time must not shorten, since relays answer at their usual pace. Milliseconds of fast time. */
export function patientLimits(speed: number): {
  readonly connectTimeout: number;
  readonly client: { readonly timeout: number; readonly pingInterval: number; readonly silence: number };
  readonly backoff: { readonly first: number; readonly cap: number };
} {
  return {
    connectTimeout: 15_000 * speed,
    client: { timeout: 10_000 * speed, pingInterval: 600_000 * speed, silence: 900_000 * speed },
    backoff: { first: 20 * speed, cap: 200 * speed },
  };
}
