import { decode, encode, rfc8949EncodeOptions } from "cborg";
import { equal } from "#crypto/bytes";
import { UsageError } from "../errors.ts";
import { type Change, type Range, StoreError, type StoreReader } from "./store.ts";

/** How deep arrays and objects may lie in each other. */
export const DEPTH_LIMIT = 64;

/** Where a record stands, for messages. */
export interface Place {
  readonly table: string;
  readonly key: string;
}

/** What cannot be kept, and where it stands in the record: ".field[3]". */
interface Fault {
  readonly path: string;
  readonly what: string;
}

function faultOf(value: unknown, depth: number): Fault | null {
  const fault = (what: string): Fault => ({ path: "", what });
  if (value === null || typeof value === "boolean" || value instanceof Uint8Array) return null;
  if (typeof value === "number") return Number.isSafeInteger(value) ? null : fault(`is ${value}, not a safe integer`);
  if (typeof value === "string") return value.isWellFormed() ? null : fault("holds half of a surrogate pair");
  if (typeof value !== "object") return fault(`is of type ${typeof value}`);
  if (depth === DEPTH_LIMIT) return fault(`lies deeper than ${DEPTH_LIMIT} levels, or in itself`);
  if (Array.isArray(value)) return faultInArray(value, depth + 1);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return fault("is an object of a class, not a plain one");
  return faultInObject(value, depth + 1);
}

function faultInArray(items: readonly unknown[], depth: number): Fault | null {
  // An index, because other loops pass over the holes of a sparse array.
  for (let i = 0; i < items.length; i++) {
    const fault = faultOf(items[i], depth);
    if (fault !== null) return { path: `[${i}]${fault.path}`, what: fault.what };
  }
  return null;
}

function faultInObject(fields: object, depth: number): Fault | null {
  for (const [name, value] of Object.entries(fields)) {
    if (name === "__proto__" || !name.isWellFormed()) return { path: "", what: `has a field ${JSON.stringify(name)}` };
    const fault = faultOf(value, depth);
    if (fault !== null) return { path: `.${name}${fault.path}`, what: fault.what };
  }
  return null;
}

function encodePlain(value: unknown): Uint8Array {
  return encode(value, rfc8949EncodeOptions);
}

/**
 * Deterministic CBOR (RFC 8949, section 4.2.1) of plain data: objects, arrays, strings, safe integers, booleans, null
 * and Uint8Array, no deeper than 64 levels. A field that has no value has to be absent, not undefined. -0 becomes 0.
 * @throws UsageError with the path of what cannot be kept.
 */
export function encodeRecord(value: unknown): Uint8Array {
  const fault = faultOf(value, 0);
  if (fault !== null) throw new UsageError(`this cannot be kept: record${fault.path} ${fault.what}`);
  return encodePlain(value);
}

function decodePlain(bytes: Uint8Array): unknown {
  const value: unknown = decode(bytes, {
    strict: true,
    allowIndefinite: false,
    allowUndefined: false,
    allowInfinity: false,
    allowNaN: false,
    allowBigInt: false,
    rejectDuplicateMapKeys: true,
  });
  const fault = faultOf(value, 0);
  if (fault !== null) throw new TypeError(`record${fault.path} ${fault.what}`);
  // The decoder takes fields in any order, whole numbers as floats and malformed UTF-8: none of it was written by us.
  if (!equal(encodePlain(value), bytes)) throw new TypeError("not the deterministic form of what it holds");
  return value;
}

/**
 * @param check gives the value its type, and throws when it is not of that type. A StoreError from it is passed on.
 * @param at where the bytes were read, for the message.
 * @throws StoreError DAMAGED when the bytes are not what `encodeRecord` makes, or the check throws.
 */
export function decodeRecord<T>(bytes: Uint8Array, check: (value: unknown) => T, at?: Place): T {
  try {
    return check(decodePlain(bytes));
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    const what = at === undefined ? "a record" : `the record ${at.table}/${at.key}`;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError("DAMAGED", `${what} is damaged: ${why}; restore the profile from a backup`, { cause });
  }
}

/** The change that puts a record. @throws UsageError as `encodeRecord`. */
export function recordChange(table: string, key: string, value: unknown): Change {
  return { table, key, value: encodeRecord(value) };
}

/** Null when there is no such record. @throws StoreError DAMAGED as `decodeRecord`. */
export async function readRecord<T>(
  store: StoreReader,
  table: string,
  key: string,
  check: (value: unknown) => T,
): Promise<T | null> {
  const bytes = await store.read(table, key);
  return bytes === null ? null : decodeRecord(bytes, check, { table, key });
}

/** In the order of the keys. @throws StoreError DAMAGED as `decodeRecord`. */
export async function listRecords<T>(
  store: StoreReader,
  table: string,
  check: (value: unknown) => T,
  range?: Range,
): Promise<{ readonly key: string; readonly value: T }[]> {
  const entries = await store.list(table, range);
  return entries.map(({ key, value }) => ({ key, value: decodeRecord(value, check, { table, key }) }));
}
