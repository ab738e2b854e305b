import { StoreError } from "./store.ts";

/** Lets work in until it is closed, and waits for what is inside. */
export class Gate {
  readonly #inside = new Set<Promise<unknown>>();
  readonly #refusal: string;
  #isOpen = true;

  /** @param refusal what the CLOSED error says. */
  constructor(refusal: string) {
    this.#refusal = refusal;
  }

  /** Begins the work at once. @throws StoreError CLOSED, and what the work throws. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#isOpen) throw new StoreError("CLOSED", this.#refusal);
    const running = work();
    this.#inside.add(running);
    try {
      return await running;
    } finally {
      this.#inside.delete(running);
    }
  }

  /** Resolves when all that was let in is done, whatever came of it. */
  async close(): Promise<void> {
    this.#isOpen = false;
    await Promise.allSettled(this.#inside);
  }
}
