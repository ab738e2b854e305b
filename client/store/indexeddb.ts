import { type DBSchema, deleteDB, type IDBPDatabase, type IDBPObjectStore, type IDBPTransaction, openDB } from "idb";
import { UsageError } from "../errors.ts";
import { Gate } from "./gate.ts";
import {
  type BaseStore,
  BEYOND,
  type Bounds,
  boundsOf,
  type Change,
  checkChanges,
  checkPlace,
  type Entry,
  type Range,
  StoreError,
} from "./store.ts";

const DATABASE_VERSION = 2;
const RECORDS = "records";
const OWNER = "owner";

/** How long another tab may take to give the profile free, in milliseconds: one that reloads needs a moment. */
const PATIENCE = 1000;

/** Keys are pairs of table and key, so that a table is a range; values are bytes. */
interface Schema extends DBSchema {
  [RECORDS]: { key: [table: string, key: string]; value: Uint8Array };
  /** One value: who opened the profile last. Nobody else may write. */
  [OWNER]: { key: typeof OWNER; value: string };
}

type Records = IDBPObjectStore<Schema, [typeof RECORDS], typeof RECORDS>;

export interface IndexedDbOptions {
  /**
   * Whether the profile is taken away from another tab that has it, as when the browser has frozen that one. The other
   * store writes nothing any more from then on.
   */
  readonly takeOver?: boolean;
  /**
   * Called once when the open store is lost and can only be closed: with BUSY when another tab took it over, with FAILED
   * when the browser closed it, as when its data were deleted.
   */
  readonly onLost?: (error: StoreError) => void;
}

function describe(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}

/** What the browser's errors mean, by the names of DOMException. */
function storeErrorOf(name: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const kind = cause instanceof Error ? cause.name : "";
  if (kind === "QuotaExceededError") {
    return new StoreError("FULL", `the browser has no room for the profile "${name}": free some space`, { cause });
  }
  if (kind === "VersionError") {
    return new StoreError("VERSION", `the profile "${name}" was made by a newer program: update this one`, { cause });
  }
  if (kind === "NotReadableError" || kind === "DataError") {
    const what = `the browser cannot read back the profile "${name}"`;
    return new StoreError("DAMAGED", `${what} (${describe(cause)}): restore it from a backup`, { cause });
  }
  return new StoreError("FAILED", `the browser cannot keep the profile "${name}" (${describe(cause)})`, { cause });
}

function takenOver(name: string, cause?: unknown): StoreError {
  return new StoreError("BUSY", `the profile "${name}" was taken over by another tab of this browser`, { cause });
}

/**
 * Takes the profile for this tab; the answer gives it free. The browser does so when the tab ends, however it ends.
 * `lost` is called when another tab takes it over.
 */
async function own(name: string, takeOver: boolean, lost: () => void): Promise<() => void> {
  // Pages that are not secure have no locks; there a second tab is not noticed.
  const locks: LockManager | undefined = globalThis.navigator.locks;
  if (locks === undefined) return () => undefined;
  const held = Promise.withResolvers<void>();
  const granted = Promise.withResolvers<void>();
  let isGranted = false;
  const how = takeOver ? { steal: true } : { signal: AbortSignal.timeout(PATIENCE) };
  const asked = locks.request(`smp-edge profile ${name}`, how, () => {
    isGranted = true;
    granted.resolve();
    return held.promise;
  });
  asked.catch((cause: unknown) => {
    if (isGranted) return lost();
    const isBusy = cause instanceof Error && cause.name === "TimeoutError";
    const busy = `the profile "${name}" is open in another tab or window of this browser: close it there first`;
    granted.reject(isBusy ? new StoreError("BUSY", busy, { cause }) : storeErrorOf(name, cause));
  });
  await granted.promise;
  return held.resolve;
}

/** The range that holds what is asked for, and how much of it from its beginning. */
async function rangeOf(
  records: Records,
  table: string,
  { from, to, limit, reverse }: Bounds,
): Promise<{ readonly range: IDBKeyRange; readonly count: number | undefined }> {
  let range = IDBKeyRange.bound([table, from], [table, to], false, true);
  const count = limit === Number.POSITIVE_INFINITY ? undefined : limit;
  if (reverse && count !== undefined) {
    // getAll counts from below only: find the key that the last records begin with.
    const last = await records.openKeyCursor(range, "prev");
    const first = count === 1 ? last : await last?.advance(count - 1);
    if (first) range = IDBKeyRange.bound(first.key, [table, to], false, true);
  }
  return { range, count: reverse ? undefined : count };
}

async function keysOf(records: Records, table: string, bounds: Bounds): Promise<string[]> {
  const { range, count } = await rangeOf(records, table, bounds);
  const keys = (await records.getAllKeys(range, count)).map(([, key]) => key);
  return bounds.reverse ? keys.reverse() : keys;
}

/** All records of a range, or its last `limit` ones when that is in reverse. */
async function entriesOf(records: Records, table: string, bounds: Bounds): Promise<Entry[]> {
  const { range, count } = await rangeOf(records, table, bounds);
  const [keys, values] = await Promise.all([records.getAllKeys(range, count), records.getAll(range, count)]);
  const entries = keys.flatMap(([, key], i) => {
    const value = values[i];
    return value === undefined ? [] : [{ key, value }];
  });
  return bounds.reverse ? entries.reverse() : entries;
}

class IndexedDbStore implements BaseStore {
  readonly #name: string;
  readonly #database: IDBPDatabase<Schema>;
  readonly #owner: string;
  readonly #giveFree: () => void;
  readonly #gate: Gate;

  constructor(name: string, database: IDBPDatabase<Schema>, owner: string, giveFree: () => void) {
    this.#name = name;
    this.#database = database;
    this.#owner = owner;
    this.#giveFree = giveFree;
    this.#gate = new Gate(`the profile "${name}" was closed, or the browser took its storage: open it again`);
  }

  read(table: string, key: string): Promise<Uint8Array | null> {
    return this.#run(async () => {
      checkPlace(table, key);
      return (await this.#reading((records) => records.get([table, key]))) ?? null;
    });
  }

  list(table: string, range: Range = {}): Promise<Entry[]> {
    return this.#run(async () => {
      const bounds = boundsOf(table, range);
      return bounds === null ? [] : this.#reading((records) => entriesOf(records, table, bounds));
    });
  }

  keys(table: string, range: Range = {}): Promise<string[]> {
    return this.#run(async () => {
      const bounds = boundsOf(table, range);
      return bounds === null ? [] : this.#reading((records) => keysOf(records, table, bounds));
    });
  }

  tables(): Promise<string[]> {
    return this.#run(() => {
      return this.#reading(async (records) => {
        const tables: string[] = [];
        let cursor = await records.openKeyCursor();
        while (cursor) {
          const [table] = cursor.key;
          tables.push(table);
          cursor = await cursor.continue([table, BEYOND]);
        }
        return tables;
      });
    });
  }

  write(changes: readonly Change[]): Promise<void> {
    return this.#run(async () => {
      checkChanges(changes);
      // Copies, because the browser would store all of the buffer that the bytes are a part of.
      const copies = changes.map(({ value, ...place }) => ({ ...place, value: value && new Uint8Array(value) }));
      const transaction = this.#database.transaction([RECORDS, OWNER], "readwrite", { durability: "strict" });
      const records = transaction.objectStore(RECORDS);
      const checked = this.#checkOwner(transaction);
      const requests = copies.map(({ table, key, value }) => {
        return value === null ? records.delete([table, key]) : records.put(value, [table, key]);
      });
      const done = await Promise.allSettled([checked, ...requests, transaction.done]);
      // When another tab is the owner, everything else fails because of it.
      const failure = done.find(({ status }) => status === "rejected");
      if (failure?.status === "rejected") throw failure.reason;
    });
  }

  /** A tab that was frozen does not know yet that it lost the profile: its writes must not go between those of others. */
  async #checkOwner(transaction: IDBPTransaction<Schema, [typeof RECORDS, typeof OWNER], "readwrite">): Promise<void> {
    if (await transaction.objectStore(OWNER).get(OWNER) === this.#owner) return;
    transaction.abort();
    throw takenOver(this.#name);
  }

  async close(): Promise<void> {
    await this.#gate.close();
    this.#database.close();
    this.#giveFree();
  }

  async #reading<T>(work: (records: Records) => Promise<T>): Promise<T> {
    const transaction = this.#database.transaction(RECORDS);
    const [result] = await Promise.all([work(transaction.store), transaction.done]);
    return result;
  }

  #run<T>(work: () => Promise<T>): Promise<T> {
    return this.#gate.run(async () => {
      try {
        return await work();
      } catch (cause) {
        if (cause instanceof UsageError) throw cause;
        throw storeErrorOf(this.#name, cause);
      }
    });
  }
}

/**
 * A profile in the browser's IndexedDB, under this name of the page's origin. One tab has it at a time (Web Locks); a
 * write resolves after the browser has flushed it to the disk. A browser that runs out of room may throw the data away
 * unless the page was granted `navigator.storage.persist()`.
 * @throws StoreError BUSY, when another tab still has it after a second; VERSION; FAILED.
 */
export async function openIndexedDbStore(
  name: string,
  { takeOver = false, onLost }: IndexedDbOptions = {},
): Promise<BaseStore> {
  let store: IndexedDbStore | undefined;
  let loss: StoreError | null = null;
  const end = (error: StoreError): void => {
    if (loss) return;
    loss = error;
    if (!store) return;
    void store.close();
    onLost?.(error);
  };
  // Someone deletes the database, or the browser has lost it.
  const vanish = (): void => end(new StoreError("FAILED", `the browser closed the profile "${name}": open it again`));
  const giveFree = await own(name, takeOver, () => end(takenOver(name)));
  try {
    const database = await openDB<Schema>(name, DATABASE_VERSION, {
      upgrade(fresh, version) {
        if (version < 1) fresh.createObjectStore(RECORDS);
        fresh.createObjectStore(OWNER);
      },
      blocking: vanish,
      terminated: vanish,
    });
    const owner = crypto.randomUUID();
    await database.put(OWNER, owner, OWNER);
    store = new IndexedDbStore(name, database, owner, giveFree);
    if (loss) {
      await store.close();
      throw loss;
    }
    return store;
  } catch (cause) {
    giveFree();
    throw storeErrorOf(name, cause);
  }
}

/** Deletes a profile with all that is in it. @throws StoreError BUSY when another tab has it open; FAILED. */
export async function deleteIndexedDbStore(name: string): Promise<void> {
  const giveFree = await own(name, false, () => undefined);
  try {
    await deleteDB(name);
  } catch (cause) {
    throw storeErrorOf(name, cause);
  } finally {
    giveFree();
  }
}
