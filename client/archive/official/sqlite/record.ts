import { damaged, textOf } from "./pages.ts";

// Record format of SQLite (file format, section 2.1).

/** Integers beyond 2^53 are bigints. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** A variable-length integer of 1 to 9 bytes; beyond 2^53 it is only used for what is refused anyway. */
export function varint(bytes: Uint8Array, offset: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[offset + i];
    if (byte === undefined) return { value: Number.NaN, next: offset + i };
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, next: offset + i + 1 };
  }
  const last = bytes[offset + 8];
  return { value: last === undefined ? Number.NaN : value * 256 + last, next: offset + 9 };
}

const INTEGER_LENGTHS = [0, 1, 2, 3, 4, 6, 8] as const;

function lengthOf(serialType: number): number {
  if (serialType >= 12) return Math.floor((serialType - 12) / 2);
  if (serialType === 7) return 8;
  return INTEGER_LENGTHS[serialType] ?? 0;
}

function integer(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  const signed = BigInt.asIntN(8 * bytes.length, value);
  return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
}

function small(bytes: Uint8Array): number {
  let value = (bytes[0] ?? 0) << 24 >> 24;
  for (let i = 1; i < bytes.length; i++) value = value * 256 + (bytes[i] ?? 0);
  return value;
}

function valueOf(name: string, serialType: number, bytes: Uint8Array): SqlValue {
  if (serialType >= 12) return serialType % 2 === 0 ? bytes.slice() : textOf(name, bytes);
  if (serialType === 0) return null;
  if (serialType <= 4) return small(bytes);
  if (serialType <= 6) return integer(bytes);
  if (serialType === 7) return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0);
  return serialType - 8;
}

/** @throws ArchiveError DAMAGED */
export function readRecord(name: string, payload: Uint8Array): SqlValue[] {
  const header = varint(payload, 0);
  const values: SqlValue[] = [];
  let at = header.next;
  let offset = header.value;
  if (!(offset <= payload.length)) throw damaged(name, "a row is longer than its page says");
  while (at < header.value) {
    const { value: serialType, next } = varint(payload, at);
    const end = offset + lengthOf(serialType);
    const isKnown = Number.isSafeInteger(serialType) && serialType !== 10 && serialType !== 11;
    if (!isKnown || end > payload.length || next > header.value) throw damaged(name, "a row has an impossible column");
    values.push(valueOf(name, serialType, payload.subarray(offset, end)));
    [at, offset] = [next, end];
  }
  return values;
}
