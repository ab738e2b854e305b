import { UsageError } from "../errors.ts";

/** One record to put, or to delete when `value` is null. */
export interface Change {
  readonly table: string;
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** Which records of a table, and in which order. */
export interface Range {
  /** Only keys that begin with this. */
  readonly prefix?: string;
  /** Only what comes after this key in the order asked for: greater keys, or smaller ones with `reverse`. */
  readonly after?: string;
  /** At most this many. */
  readonly limit?: number;
  /** From the greatest key down. */
  readonly reverse?: boolean;
}

export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
}

/**
 * The data of one profile: tables of records. Tables and keys are 1 or more printable ASCII characters (0x20 to 0x7e),
 * keys are ordered by code unit, values are bytes. Calls take effect in the order in which they are made, awaited or
 * not; values are copied on the way in and out. Every method rejects with a StoreError when the store cannot do what is
 * asked, and with a UsageError when that makes no sense.
 */
export interface Store {
  /** Null when there is no such record. */
  read(table: string, key: string): Promise<Uint8Array | null>;
  /** In the order of the keys. */
  list(table: string, range?: Range): Promise<Entry[]>;
  /** The keys alone, as {@link list}. No value is read, so that none need be sound. */
  keys(table: string, range?: Range): Promise<string[]>;
  /** All or nothing, durable once it resolves. Of several changes of one record the last one counts. */
  write(changes: readonly Change[]): Promise<void>;
  /** Waits for what was asked before, then gives the data free. Closing again does nothing more. */
  close(): Promise<void>;
}

export type StoreReader = Pick<Store, "read" | "list" | "keys">;

/** A store that can tell what is in it, which those need that move or rewrite all of it. */
export interface BaseStore extends Store {
  /** Names of the tables that hold records, in order. */
  tables(): Promise<string[]>;
}

export type StoreErrorCode =
  /** The profile is open in another program, tab or store object. */
  | "BUSY"
  /** No room is left where the data lies. Nothing of the write was done. */
  | "FULL"
  /** The store was closed. */
  | "CLOSED"
  /** What is stored is not what was written. */
  | "DAMAGED"
  /** The passphrase is wrong or missing. */
  | "PASSPHRASE"
  /** Written by a newer program. */
  | "VERSION"
  /** Anything else; `cause` tells more. */
  | "FAILED";

/** A profile's data could not be opened, read or written. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Of the name of a table and of a key, in characters. */
export const NAME_LIMIT = 1024;

const NAME = /^[\x20-\x7e]+$/;

function checkName(what: string, name: string): void {
  if (!NAME.test(name) || name.length > NAME_LIMIT) {
    const length = `1 to ${NAME_LIMIT} printable ASCII characters`;
    throw new UsageError(`${JSON.stringify(name.slice(0, 80))} cannot be a ${what} of the store: use ${length}`);
  }
}

/** @throws UsageError when no record can stand there. */
export function checkPlace(table: string, key: string): void {
  checkName("table", table);
  checkName("key", key);
}

/** @throws UsageError naming the first change that cannot be made. */
export function checkChanges(changes: readonly Change[]): void {
  for (const { table, key, value } of changes) {
    checkPlace(table, key);
    if (value !== null && !(value instanceof Uint8Array)) {
      throw new UsageError(`the value for ${table}/${key} is not bytes: encode it first`);
    }
  }
}

/** What a range asks for: keys from `from` on, up to `to` but without it. */
export interface Bounds {
  readonly from: string;
  readonly to: string;
  readonly limit: number;
  readonly reverse: boolean;
}

/** The least character that a key can hold. */
const LEAST = " ";
/** Greater than every key. */
export const BEYOND = "\x7f";

/** Null when no key can lie in the range. @throws UsageError on a range that makes no sense. */
export function boundsOf(table: string, range: Range): Bounds | null {
  const { prefix = "", after, limit = Number.POSITIVE_INFINITY, reverse = false } = range;
  checkName("table", table);
  if (prefix !== "") checkName("prefix of keys", prefix);
  if (after !== undefined) checkName("key", after);
  if (limit !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(limit) || limit < 0)) {
    throw new UsageError(`a list of ${table} cannot be limited to ${limit} records: use a whole number from 0`);
  }
  let from = prefix;
  let to = prefix + BEYOND;
  if (after !== undefined && reverse && after < to) to = after;
  // No key lies between a key and the same key with the least character appended.
  if (after !== undefined && !reverse && after >= from) from = after + LEAST;
  return limit === 0 || from >= to ? null : { from, to, limit, reverse };
}
