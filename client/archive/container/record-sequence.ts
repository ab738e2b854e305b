import { decodeFirst, encode, rfc8949EncodeOptions } from "cborg";
import { ArchiveError, TAKE_AGAIN } from "../errors.ts";
import { BEYOND, type Entry, NAME_LIMIT } from "../../store/store.ts";

/** One record: the CBOR array [key, value], a text and a byte string. */
export function encodeEntry({ key, value }: Entry): Uint8Array {
  return encode([key, value], rfc8949EncodeOptions);
}

const OPTIONS = { strict: true, allowIndefinite: false, allowUndefined: false, allowBigInt: false } as const;

function isEntry(item: unknown): item is [string, Uint8Array] {
  if (!Array.isArray(item) || item.length !== 2) return false;
  const [key, value]: unknown[] = item;
  const isKey = typeof key === "string" && key.length > 0 && key.length <= NAME_LIMIT && /^[\x20-\x7e]+$/.test(key);
  return isKey && key < BEYOND && value instanceof Uint8Array;
}

/** The records of a part. @throws ArchiveError DAMAGED */
export function* decodeEntries(name: string, bytes: Uint8Array): Generator<Entry, void, undefined> {
  for (let rest = bytes; rest.length > 0;) {
    const [item, next] = first(name, rest);
    if (!isEntry(item)) {
      throw new ArchiveError("DAMAGED", `${name} of the archive holds what is no record: ${TAKE_AGAIN}`);
    }
    yield { key: item[0], value: item[1].slice() };
    rest = next;
  }
}

function first(name: string, bytes: Uint8Array): [unknown, Uint8Array] {
  try {
    return decodeFirst(bytes, OPTIONS) as [unknown, Uint8Array];
  } catch (cause) {
    throw new ArchiveError("DAMAGED", `${name} of the archive holds what is no CBOR: ${TAKE_AGAIN}`, { cause });
  }
}
