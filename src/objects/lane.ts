/**
 * Work that is done beside the order of everything else: so much at once, what is over waits. It is started in the
 * order in which it came, and ends when it ends.
 */
export class Lane {
  readonly #limit: number;
  #running = 0;
  #started: Promise<unknown> = Promise.resolve();
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * `start` is awaited before what comes next is started; the work goes on in what it resolves to.
   * @throws what either throws
   */
  async run<T>(start: () => Promise<() => Promise<T>>): Promise<T> {
    if (this.#running < this.#limit) this.#running++;
    else await new Promise<void>((go) => this.#waiting.push(go));
    try {
      const starting = this.#started.then(start);
      this.#started = starting.catch(() => undefined);
      const finish = await starting;
      return await finish();
    } finally {
      // The place goes to whoever has waited longest.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
