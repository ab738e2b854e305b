import { base64url, fromBase64url, fromUtf8 } from "#crypto/bytes";
import {
  type AlgorithmName,
  decodeSecretKey,
  expectAlgorithm,
  type KeyPair,
  keyPairOf,
  type SecretKey,
} from "#crypto/keys";
import type { Server } from "#protocol/address";
import { millisecondsOf } from "../../chat/wire/time.ts";
import type { Row } from "./sqlite/database.ts";

// How the official programs write values into columns.

/** `2025-01-31 10:00:00.123456789`, UTC. Milliseconds since 1970. @throws ArchiveError DAMAGED */
export function timeIn(row: Row, column: string): number {
  return row.parsed(column, () => Math.max(0, millisecondsOf(`${row.text(column)}Z`)));
}

/** @throws ArchiveError DAMAGED */
export function maybeTimeIn(row: Row, column: string): number | null {
  return row.value(column) === null ? null : timeIn(row, column);
}

/** PKCS#8. @throws ArchiveError DAMAGED */
export function secretKeyIn<A extends AlgorithmName>(
  row: Row,
  column: string,
  ...allowed: readonly A[]
): SecretKey<A> {
  return row.parsed(column, () => {
    const key = decodeSecretKey(row.bytes(column));
    return expectAlgorithm(key, allowed.find((algorithm) => algorithm === key.algorithm) ?? (allowed[0] as A));
  });
}

/** PKCS#8; the public half follows from it. @throws ArchiveError DAMAGED */
export function keyPairIn<A extends AlgorithmName>(row: Row, column: string, algorithm: A): KeyPair<A> {
  const secretKey = secretKeyIn(row, column, algorithm);
  return row.parsed(column, () => keyPairOf(secretKey));
}

/** Raw bytes of a known length. @throws ArchiveError DAMAGED */
export function rawIn(row: Row, column: string, length: number): Uint8Array {
  const bytes = row.bytes(column);
  return row.parsed(column, () => {
    if (bytes.length !== length) throw new RangeError(`has ${bytes.length} bytes, not ${length}`);
    return bytes;
  });
}

/** @throws ArchiveError DAMAGED */
export function maybeRawIn(row: Row, column: string, length: number): Uint8Array | null {
  return row.value(column) === null ? null : rawIn(row, column, length);
}

/** One of these words. @throws ArchiveError DAMAGED */
export function wordIn<W extends string>(row: Row, column: string, ...words: readonly W[]): W {
  const text = row.text(column);
  return row.parsed(column, () => {
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) throw new RangeError(`${JSON.stringify(text.slice(0, 40))} is not known`);
    return word;
  });
}

/** @throws ArchiveError DAMAGED */
export function maybeWordIn<W extends string>(row: Row, column: string, ...words: readonly W[]): W | null {
  return row.value(column) === null ? null : wordIn(row, column, ...words);
}

export const KEY_HASH_LENGTH = 32;

/** Text of a key hash in base64url. @throws ArchiveError DAMAGED */
export function keyHashIn(row: Row, column: string): Uint8Array {
  const text = row.text(column);
  return row.parsed(column, () => {
    const hash = fromBase64url(text);
    if (hash.length !== KEY_HASH_LENGTH) throw new RangeError(`has ${hash.length} bytes, not ${KEY_HASH_LENGTH}`);
    return hash;
  });
}

/** `host` holds all its hosts with commas between them. @throws ArchiveError DAMAGED */
export function serverIn(row: Row, keyHash: Uint8Array): Server {
  return { hosts: row.text("host").split(","), port: row.text("port"), keyHash };
}

const PRINTABLE = /^[\x21-\x7e]{1,64}$/;

/** Ids of connections are texts in blobs; one that is none is written in base64url. */
export function nameOf(bytes: Uint8Array): string {
  try {
    const text = fromUtf8(bytes);
    if (PRINTABLE.test(text)) return text;
  } catch {
    // Not a text then.
  }
  return base64url(bytes);
}

export function nameIn(row: Row, column: string): string {
  return nameOf(row.bytes(column));
}

export function maybeNameIn(row: Row, column: string): string | null {
  const bytes = row.maybeBytes(column);
  return bytes === null ? null : nameOf(bytes);
}
