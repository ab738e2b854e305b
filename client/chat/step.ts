import { decodeRecord, recordChange } from "../store/record.ts";
import type { Change, Range, StoreReader } from "../store/store.ts";
import type { ChatHappening } from "./events.ts";
import type { Table } from "./tables.ts";
import type { Compression } from "./wire/compression.ts";

/** What is to happen once the changes of a step are on disk. What has to survive a crash follows from the records. */
export type Effect =
  /** Something waits for a contact. */
  | { readonly type: "send"; readonly contact: string }
  /** The agent is to accept the request that this contact came with. */
  | { readonly type: "accept"; readonly contact: string }
  | { readonly type: "reject"; readonly request: string }
  /** Something disappears earlier than what was waited for. */
  | { readonly type: "expire" }
  /** A connection that nothing belongs to any more. */
  | { readonly type: "drop"; readonly connection: string };

/**
 * One step: the rules read the records and say what changes, what is told and what is to be done; all of it is written
 * at once, and only then told and done. A rule that throws has changed nothing. What was put is read again within it.
 */
export class Step {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly events: ChatHappening[] = [];
  readonly effects: Effect[] = [];
  readonly compression: Compression;
  readonly #store: StoreReader;
  readonly #changes = new Map<string, Change>();

  constructor(store: StoreReader, now: number, compression: Compression) {
    this.#store = store;
    this.now = now;
    this.compression = compression;
  }

  get changes(): Change[] {
    return [...this.#changes.values()];
  }

  async read<T>(table: Table<T>, key: string): Promise<T | null> {
    const changed = this.#changes.get(placeOf(table, key));
    const bytes = changed ? changed.value : await this.#store.read(table.name, key);
    return bytes && decodeRecord(bytes, table.check, { table: table.name, key });
  }

  /** Keys in their order, with those that were put here and without those that were erased. */
  async keys(table: Table<unknown>, range: Omit<Range, "limit">): Promise<string[]> {
    const stored = await this.#store.list(table.name, range);
    const keys = new Set(stored.map(({ key }) => key));
    const { prefix = "", after = "" } = range;
    for (const change of this.#changes.values()) {
      if (change.table !== table.name || !change.key.startsWith(prefix) || change.key <= after) continue;
      if (change.value) keys.add(change.key);
      else keys.delete(change.key);
    }
    return [...keys].toSorted();
  }

  /** The stored record before a key, unless it was erased here: then the one before that. */
  async before<T>(table: Table<T>, prefix: string, key: string): Promise<T | null> {
    let after = key;
    for (;;) {
      const [entry] = await this.#store.list(table.name, { prefix, after, reverse: true, limit: 1 });
      if (!entry) return null;
      const value = await this.read(table, entry.key);
      if (value !== null) return value;
      after = entry.key;
    }
  }

  async list<T>(table: Table<T>, range: Omit<Range, "limit"> = {}): Promise<T[]> {
    const all: T[] = [];
    for (const key of await this.keys(table, range)) {
      const value = await this.read(table, key);
      if (value !== null) all.push(value);
    }
    return all;
  }

  put<T>(table: Table<T>, key: string, value: T): void {
    this.#changes.set(placeOf(table, key), recordChange(table.name, key, table.plain(value)));
  }

  erase(table: Table<unknown>, key: string): void {
    this.#changes.set(placeOf(table, key), { table: table.name, key, value: null });
  }

  async eraseAll(table: Table<unknown>, prefix: string): Promise<void> {
    for (const key of await this.keys(table, { prefix })) this.erase(table, key);
  }

  tell(event: ChatHappening): void {
    this.events.push(event);
  }

  effect(effect: Effect): void {
    this.effects.push(effect);
  }
}

function placeOf(table: Table<unknown>, key: string): string {
  return `${table.name} ${key}`;
}
