/** Numbers that look random and are the same for the same seed (the generator "mulberry32"). */
export class Chance {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed;
  }

  /** Another seed for each run, unless the environment names one: `SEED=1234 npx vitest …`. */
  static fresh(): Chance {
    return new Chance(Number(process.env["SEED"] ?? Date.now() % 1_000_000_000));
  }

  /** Uniform in [0, 1). */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 up to `limit`, without it. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  pick<T>(things: readonly T[]): T {
    return things[this.below(things.length)] as T;
  }

  /** Some of the things, in their order. */
  sample<T>(things: readonly T[], count: number): T[] {
    const marked = things.map((thing, index) => ({ thing, index, weight: this.fraction() }));
    const chosen = marked.sort((a, b) => a.weight - b.weight).slice(0, count);
    return chosen.sort((a, b) => a.index - b.index).map(({ thing }) => thing);
  }
}
