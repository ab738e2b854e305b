import { PostFailed } from "./post.ts";

interface Waiting {
  go(): void;
}

/** What goes to one host: so many requests at once, the others wait in the order in which they came. */
export class Line {
  readonly #limit: () => number;
  readonly #longest: number;
  readonly #waiting = new Set<Waiting>();
  #running = 0;

  /** `limit` is asked again whenever a place may be free. `longest`: how many may wait. */
  constructor(limit: () => number, longest: number) {
    this.#limit = limit;
    this.#longest = longest;
  }

  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting.size === 0;
  }

  /** To be called when the limit has grown. */
  wake(): void {
    for (const waiting of this.#waiting) {
      if (this.#running >= this.#limit()) return;
      this.#waiting.delete(waiting);
      this.#running++;
      waiting.go();
    }
  }

  /** @throws PostFailed when too many wait or `signal` is aborted before it was started, and what `work` throws */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#waiting.size === 0 && this.#running < this.#limit()) this.#running++;
    else await this.#turn(signal);
    try {
      return await work();
    } finally {
      this.#running--;
      this.wake();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#longest) throw new PostFailed("too many pushes wait for this host");
    await new Promise<void>((resolve, reject) => {
      const waiting = { go: (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      } };
      const leave = (): void => {
        this.#waiting.delete(waiting);
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.add(waiting);
    });
  }
}
