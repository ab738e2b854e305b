import {
  type BaseStore,
  boundsOf,
  type Change,
  checkChanges,
  checkPlace,
  type Entry,
  type Range,
  StoreError,
} from "./store.ts";

/** What outlives a store in memory: the next store on it finds what the last one wrote, as after a restart. */
export class MemoryFile {
  readonly tables = new Map<string, Map<string, Uint8Array>>();
  /** Whether a store has it open. */
  isOpen = false;
}

/** Keeps records as long as the process lives. */
export class MemoryStore implements BaseStore {
  readonly #file: MemoryFile;
  #isOpen = true;

  /** @throws StoreError BUSY when another store has the file open. */
  constructor(file = new MemoryFile()) {
    if (file.isOpen) throw new StoreError("BUSY", "the profile in memory is open already: close that store first");
    file.isOpen = true;
    this.#file = file;
  }

  async read(table: string, key: string): Promise<Uint8Array | null> {
    checkPlace(table, key);
    const value = this.#tables().get(table)?.get(key);
    return value === undefined ? null : new Uint8Array(value);
  }

  async list(table: string, range: Range = {}): Promise<Entry[]> {
    return this.#find(table, range).map(([key, value]) => ({ key, value: new Uint8Array(value) }));
  }

  async keys(table: string, range: Range = {}): Promise<string[]> {
    return this.#find(table, range).map(([key]) => key);
  }

  #find(table: string, range: Range): (readonly [string, Uint8Array])[] {
    const bounds = boundsOf(table, range);
    const records = this.#tables().get(table);
    if (bounds === null || records === undefined) return [];
    const { from, to, limit, reverse } = bounds;
    const found = [...records].filter(([key]) => key >= from && key < to).sort(([a], [b]) => (a < b ? -1 : 1));
    if (reverse) found.reverse();
    return found.slice(0, limit);
  }

  async tables(): Promise<string[]> {
    return [...this.#tables().keys()].sort();
  }

  async write(changes: readonly Change[]): Promise<void> {
    checkChanges(changes);
    const tables = this.#tables();
    for (const { table, key, value } of changes) {
      const records = tables.get(table) ?? new Map<string, Uint8Array>();
      if (value === null) records.delete(key);
      else records.set(key, new Uint8Array(value));
      if (records.size === 0) tables.delete(table);
      else tables.set(table, records);
    }
  }

  async close(): Promise<void> {
    if (this.#isOpen) this.#file.isOpen = false;
    this.#isOpen = false;
  }

  #tables(): Map<string, Map<string, Uint8Array>> {
    if (!this.#isOpen) throw new StoreError("CLOSED", "the store in memory was closed: open it again");
    return this.#file.tables;
  }
}
