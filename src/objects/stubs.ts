/**
 * Stubs of the objects that were called last. Calls on one stub arrive in order, calls on two stubs of one object need
 * not. A stub that failed stays broken, so it is forgotten.
 */
export class Stubs<T> {
  readonly #stubs = new Map<string, T>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @throws what `use` throws */
  async call<R>(key: string, make: () => T, use: (stub: T) => Promise<R>): Promise<R> {
    const stub = this.#stubs.get(key) ?? this.#add(key, make());
    try {
      return await use(stub);
    } catch (error) {
      this.#stubs.delete(key);
      throw error;
    }
  }

  #add(key: string, stub: T): T {
    if (this.#stubs.size >= this.#limit) this.#stubs.clear();
    this.#stubs.set(key, stub);
    return stub;
  }
}
