import { type Store, StoreError, type StoreErrorCode } from "../../../client/store/store.ts";

/** Which calls of a store fail, and with what. Calls of each kind are numbered from 1; null lets one pass. */
export type Trouble = (operation: "read" | "list" | "write", number: number) => StoreErrorCode | null;

/** A store that fails now and then, as a disk does that is full for a while. A write that fails has changed nothing. */
export class FailingStore implements Store {
  failures = 0;
  readonly #store: Store;
  readonly #trouble: Trouble;
  readonly #calls = { read: 0, list: 0, write: 0 };

  constructor(store: Store, trouble: Trouble) {
    this.#store = store;
    this.#trouble = trouble;
  }

  async read(...args: Parameters<Store["read"]>): ReturnType<Store["read"]> {
    this.#check("read");
    return this.#store.read(...args);
  }

  async list(...args: Parameters<Store["list"]>): ReturnType<Store["list"]> {
    this.#check("list");
    return this.#store.list(...args);
  }

  async keys(...args: Parameters<Store["keys"]>): ReturnType<Store["keys"]> {
    this.#check("list");
    return this.#store.keys(...args);
  }

  async write(...args: Parameters<Store["write"]>): ReturnType<Store["write"]> {
    this.#check("write");
    return this.#store.write(...args);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #check(operation: "read" | "list" | "write"): void {
    const code = this.#trouble(operation, ++this.#calls[operation]);
    if (code === null) return;
    this.failures++;
    throw new StoreError(code, `${operation} number ${this.#calls[operation]} fails as the test wants it`);
  }
}
