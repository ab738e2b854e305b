import { randomFraction } from "#crypto/random";

/** Time and chance, as a port: tests drive both. Milliseconds throughout. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `action` once after `delay` milliseconds. The answer cancels it; calling it again does nothing. */
  after(delay: number, action: () => void): () => void;
  /** Uniform in [0, 1), for jitter. */
  random(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delay, action) {
    const timer = setTimeout(action, delay);
    return () => clearTimeout(timer);
  },
  random: randomFraction,
};
