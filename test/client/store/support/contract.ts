import { hex } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { UsageError } from "../../../../client/errors.ts";
import {
  type BaseStore,
  type Change,
  type Range,
  StoreError,
  type StoreErrorCode,
} from "../../../../client/store/store.ts";

/** Where a store keeps its data: to be opened, closed and opened again. */
export interface Place {
  open(): Promise<BaseStore>;
}

/** Finds a place with nothing in it. */
export type NewPlace = () => Promise<Place>;

export interface ContractCase {
  readonly name: string;
  readonly run: (newPlace: NewPlace) => Promise<void>;
}

export function opened(run: (store: BaseStore) => Promise<void>): (newPlace: NewPlace) => Promise<void> {
  return async (newPlace) => {
    const place = await newPlace();
    const store = await place.open();
    try {
      await run(store);
    } finally {
      await store.close();
    }
  };
}

export function put(table: string, key: string, ...value: readonly number[]): Change {
  return { table, key, value: Uint8Array.from(value) };
}

/** Changes that put records with the keys "0000", "0001" and so on. */
export function many(table: string, count: number): Change[] {
  return Array.from({ length: count }, (_, i) => put(table, `${i}`.padStart(4, "0"), i & 0xff));
}

export async function keysOf(store: BaseStore, table: string, range?: Range): Promise<string[]> {
  const listed = (await store.list(table, range)).map(({ key }) => key);
  same(await store.keys(table, range), listed);
  return listed;
}

/** The same store, counting how many times it is written to. */
export function counted(store: BaseStore): BaseStore & { writes: number } {
  return {
    writes: 0,
    read: (table, key) => store.read(table, key),
    list: (table, range) => store.list(table, range),
    keys: (table, range) => store.keys(table, range),
    tables: () => store.tables(),
    write(changes) {
      this.writes++;
      return store.write(changes);
    },
    close: () => store.close(),
  };
}

/** Text that differs when values differ; long bytes by their digest. */
export function show(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (!(item instanceof Uint8Array)) return item;
    return item.length <= 64 ? `bytes ${hex(item)}` : `${item.length} bytes with SHA-256 ${hex(sha256(item))}`;
  });
}

export function same(actual: unknown, expected: unknown): void {
  if (show(actual) !== show(expected)) throw new Error(`got ${show(actual)}\ninstead of ${show(expected)}`);
}

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("this was to be refused");
}

export async function hasCode(work: Promise<unknown>, code: StoreErrorCode): Promise<void> {
  const error = await errorOf(work);
  if (!(error instanceof StoreError)) throw new Error(`not a StoreError: ${String(error)}`, { cause: error });
  same(error.code, code);
}

export async function throwsUsage(work: Promise<unknown>): Promise<void> {
  const error = await errorOf(work);
  if (!(error instanceof UsageError)) throw new Error(`not a UsageError: ${String(error)}`, { cause: error });
}
