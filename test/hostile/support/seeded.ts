import { concat } from "#crypto/bytes";

/** Numbers that look random and can be had again from their seed. */
export class Seeded {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Mulberry32: 32 bits. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** From 0 up to and without `end`. */
  below(end: number): number {
    return Math.floor((this.next() / 2 ** 32) * end);
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.next() & 0xff);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }
}

/** Runs a story with numbers of its own; when it fails, tells the seed that repeats it (`HOSTILE_SEED`). */
export function seeded(story: (random: Seeded) => Promise<void>): () => Promise<void> {
  return async () => {
    const seed = Number(process.env["HOSTILE_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
    try {
      await story(new Seeded(seed));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`with HOSTILE_SEED=${seed}: ${reason}`, { cause: error });
    }
  };
}

export type Mutation = "flip" | "truncate" | "insert" | "remove" | "swap";
const MUTATIONS: readonly Mutation[] = ["flip", "flip", "truncate", "insert", "remove", "swap"];

/** The bytes with one thing broken; mostly near the beginning, where the structure is. */
export function mutate(random: Seeded, bytes: Uint8Array): { readonly kind: Mutation; readonly bytes: Uint8Array } {
  const kind = random.pick(MUTATIONS);
  const at = random.below(random.below(3) > 0 ? Math.min(bytes.length, 160) : bytes.length);
  const [before, after] = [bytes.slice(0, at), bytes.slice(at)];
  switch (kind) {
    case "flip":
      return { kind, bytes: concat(before, after.slice(0, 1).map((byte) => byte ^ (1 << random.below(8))), after.slice(1)) };
    case "truncate":
      return { kind, bytes: before };
    case "insert":
      return { kind, bytes: concat(before, random.bytes(1), after) };
    case "remove":
      return { kind, bytes: concat(before, after.slice(1)) };
    case "swap":
      return { kind, bytes: concat(before, after.slice(1, 2), after.slice(0, 1), after.slice(2)) };
  }
}
