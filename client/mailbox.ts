/**
 * A queue between one producer and one consumer, without a bound: what was put is never dropped, so a consumer that
 * stops reading costs memory. Leaving a `for await` loop ends nothing; another one goes on where it stopped.
 */
export class Mailbox<T> implements AsyncIterableIterator<T, undefined> {
  #items: T[] = [];
  #head = 0;
  #waiting: ((result: IteratorResult<T, undefined>) => void)[] = [];
  #ended = false;

  /** After the end nothing is taken. */
  put(item: T): void {
    if (this.#ended) return;
    const waiting = this.#waiting.shift();
    if (waiting) waiting({ done: false, value: item });
    else this.#items.push(item);
  }

  /** No more items: the consumer gets those that are there, then the end. */
  end(): void {
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#head < this.#items.length) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #take(): T {
    const item = this.#items[this.#head++] as T;
    // Half of the array at least is cut each time, so that an item is moved once on average.
    if (2 * this.#head >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
