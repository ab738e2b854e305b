import { decodeRecord, recordChange } from "../store/record.ts";
import { type Change, type Range, StoreError, type StoreReader } from "../store/store.ts";
import { asChatError, ChatError } from "./errors.ts";
import type { ChatHappening } from "./events.ts";
import type { Table } from "./tables.ts";
import type { Compression } from "./wire/compression.ts";

/** What is to happen once the changes of a step are on disk. What has to survive a crash follows from the records. */
export type Effect =
  /** Something waits for a contact. */
  | { readonly type: "send"; readonly contact: string }
  /** The agent is to accept the request that this contact came with. */
  | { readonly type: "accept"; readonly contact: string }
  /** The agent is to follow the link of this contact. */
  | { readonly type: "join"; readonly contact: string }
  | { readonly type: "reject"; readonly request: string }
  /** Something disappears earlier than what was waited for. */
  | { readonly type: "expire" }
  /** What stands behind the short link of the user's address is to be renewed. */
  | { readonly type: "publish"; readonly user: string }
  /** The agent is to make or follow a connection to a member. */
  | { readonly type: "make"; readonly member: string }
  /** What stands behind the short link of the group is to be renewed. */
  | { readonly type: "publishGroup"; readonly group: string }
  /** A file goes on its way through a connection of its own. `key`: of its record. */
  | { readonly type: "transfer"; readonly way: "fetching" | "sending"; readonly key: string }
  /** A connection that nothing belongs to any more. */
  | { readonly type: "drop"; readonly connection: string };

/** Keys that are looked at together for one that was not erased. */
const BACKWARDS = 16;

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
  /** By table, then by key. */
  readonly #changes = new Map<string, Map<string, Change>>();
  /** Damaged records that were told of already. */
  readonly #damaged = new Set<string>();
  /** What the changes of an attempt replaced. */
  #undo: (() => void)[] | null = null;

  constructor(store: StoreReader, now: number, compression: Compression) {
    this.#store = store;
    this.now = now;
    this.compression = compression;
  }

  get changes(): Change[] {
    return [...this.#changes.values()].flatMap((changes) => [...changes.values()]);
  }

  async read<T>(table: Table<T>, key: string): Promise<T | null> {
    const changed = this.#changed(table, key);
    const bytes = changed ? changed.value : await this.#store.read(table.name, key);
    return bytes && decodeRecord(bytes, table.check, { table: table.name, key });
  }

  /** Whether something stands there, readable or not. */
  async has(table: Table<unknown>, key: string): Promise<boolean> {
    const changed = this.#changed(table, key);
    if (changed) return changed.value !== null;
    // No key comes before the one that is the prefix.
    return (await this.#store.keys(table.name, { prefix: key, limit: 1 }))[0] === key;
  }

  /** As {@link read}; null also when the record is damaged, which is told once. For what must go on without it. */
  async readSound<T>(table: Table<T>, key: string): Promise<T | null> {
    try {
      return await this.read(table, key);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === "DAMAGED")) throw error;
      const place = `${table.name}/${key}`;
      if (!this.#damaged.has(place)) this.tell({ type: "error", contact: null, error });
      this.#damaged.add(place);
      return null;
    }
  }

  /** Keys in their order, with those that were put here and without those that were erased. */
  async keys(table: Table<unknown>, range: Omit<Range, "reverse">): Promise<string[]> {
    const { prefix = "", after = "", limit = Number.POSITIVE_INFINITY } = range;
    const all = [...this.#changes.get(table.name)?.values() ?? []];
    const changes = all.filter(({ key }) => key.startsWith(prefix) && key > after);
    const erased = changes.filter(({ value }) => value === null).length;
    const keys = new Set(await this.#store.keys(table.name, { ...range, limit: limit + erased }));
    for (const { key, value } of changes) {
      if (value) keys.add(key);
      else keys.delete(key);
    }
    return [...keys].toSorted().slice(0, limit);
  }

  /** The stored key before a key, unless it was erased here: then the one before that. */
  async keyBefore(table: Table<unknown>, prefix: string, key: string): Promise<string | null> {
    let after = key;
    for (;;) {
      const keys = await this.#store.keys(table.name, { prefix, after, reverse: true, limit: BACKWARDS });
      const found = keys.find((one) => this.#changed(table, one)?.value !== null);
      if (found !== undefined) return found;
      const last = keys.at(-1);
      if (last === undefined) return null;
      after = last;
    }
  }

  /** The last stored keys before a key, the last one first, without those that were erased here. */
  async keysBefore(table: Table<unknown>, prefix: string, key: string, limit: number): Promise<string[]> {
    const keys = await this.#store.keys(table.name, { prefix, after: key, reverse: true, limit });
    return keys.filter((one) => this.#changed(table, one)?.value !== null);
  }

  async list<T>(table: Table<T>, range: Omit<Range, "reverse"> = {}): Promise<T[]> {
    const all: T[] = [];
    for (const key of await this.keys(table, range)) {
      const value = await this.read(table, key);
      if (value !== null) all.push(value);
    }
    return all;
  }

  /** As {@link list}, without records that are damaged, which is told. */
  async listSound<T>(table: Table<T>, range: Omit<Range, "reverse"> = {}): Promise<T[]> {
    const all: T[] = [];
    for (const key of await this.keys(table, range)) {
      const value = await this.readSound(table, key);
      if (value !== null) all.push(value);
    }
    return all;
  }

  put<T>(table: Table<T>, key: string, value: T): void {
    this.#change(recordChange(table.name, key, table.plain(value)));
  }

  erase(table: Table<unknown>, key: string): void {
    this.#change({ table: table.name, key, value: null });
  }

  async eraseAll(table: Table<unknown>, prefix: string): Promise<void> {
    for (const key of await this.keys(table, { prefix })) this.erase(table, key);
  }

  #changed(table: Table<unknown>, key: string): Change | undefined {
    return this.#changes.get(table.name)?.get(key);
  }

  #change(change: Change): void {
    const { table, key } = change;
    const changes = this.#changes.get(table) ?? new Map<string, Change>();
    this.#changes.set(table, changes);
    const before = changes.get(key);
    this.#undo?.push(() => void (before ? changes.set(key, before) : changes.delete(key)));
    changes.set(key, change);
  }

  /** Does a part of the step. When the part is refused nothing of it happens; that is told, and the rest stands. */
  async attempt(part: () => Promise<void>): Promise<void> {
    const undo: (() => void)[] = [];
    const [events, effects] = [this.events.length, this.effects.length];
    this.#undo = undo;
    try {
      await part();
    } catch (error) {
      const known = asChatError(error);
      if (!(known instanceof ChatError)) throw error;
      for (const takeBack of undo.toReversed()) takeBack();
      this.events.splice(events);
      this.effects.splice(effects);
      this.tell({ type: "error", contact: null, error: known });
    } finally {
      this.#undo = null;
    }
  }

  tell(event: ChatHappening): void {
    this.events.push(event);
  }

  effect(effect: Effect): void {
    this.effects.push(effect);
  }
}
