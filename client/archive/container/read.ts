import { hex } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import type { Entry } from "../../store/store.ts";
import { ArchiveError, TAKE_AGAIN } from "../errors.ts";
import { type ByteSource, checkAborted, portableHash, readExactly, streamOf, type Watch } from "../source.ts";
import { type Key, openAge } from "./age.ts";
import {
  type ArchiveHead,
  type FilePart,
  HEAD_NAME,
  type Manifest,
  MANIFEST_NAME,
  MAX_JSON,
  type Part,
  readHead,
  readManifest,
  type RecordsPart,
} from "./manifest.ts";
import { decodeEntries } from "./record-sequence.ts";
import { BLOCK, paddingOf, readTarHead } from "./tar.ts";

/** A record and the table that it belongs to. */
export interface ArchivedRecord extends Entry {
  readonly table: string;
}

/** An archive in which everything has been verified. */
export interface OpenedArchive {
  readonly head: ArchiveHead;
  readonly manifest: Manifest;
  /** All records, table by table as they were written. @throws ArchiveError READ, DAMAGED when the source has changed */
  records(): AsyncGenerator<ArchivedRecord, void, undefined>;
  /** Of one part. @throws ArchiveError as {@link OpenedArchive.records} */
  recordsOf(part: RecordsPart): AsyncGenerator<ArchivedRecord, void, undefined>;
  /** A file in pieces. @throws ArchiveError as {@link OpenedArchive.records} */
  file(part: FilePart): AsyncGenerator<Uint8Array, void, undefined>;
}

/** A file of the tar, as it lies there. */
interface Found {
  readonly name: string;
  readonly start: number;
  readonly size: number;
  readonly sha256: string;
}

/** Parts of records are made of 1 MiB; only one single record can be larger. */
const MAX_RECORDS_PART = 512 * 1024 * 1024;
const MAX_FILES = 1_000_002;

function damaged(why: string): ArchiveError {
  return new ArchiveError("DAMAGED", `the archive is damaged: ${why}; ${TAKE_AGAIN}`);
}

const what = "the archive";

async function headAt(
  plain: ByteSource,
  at: number,
): Promise<{ readonly name: string; readonly size: number } | null> {
  const head = readTarHead(await readExactly(plain, at, BLOCK, what));
  if (head !== null && at + BLOCK + head.size > plain.size) throw damaged("a part is longer than the whole");
  return head;
}

async function jsonAt(plain: ByteSource, start: number, size: number): Promise<Uint8Array> {
  if (size > MAX_JSON) throw damaged("its list of parts is impossibly long");
  return readExactly(plain, start, size, what);
}

async function firstHead(plain: ByteSource): Promise<{ readonly head: ArchiveHead; readonly size: number }> {
  const first = await headAt(plain, 0);
  if (first?.name !== HEAD_NAME) {
    throw new ArchiveError("FORMAT", "this age file is no archive of this program: choose the file that it exported");
  }
  return { head: readHead(await jsonAt(plain, BLOCK, first.size)), size: first.size };
}

/**
 * What an archive says of itself, without reading the rest. It is what the one with the key wrote, but nothing tells yet
 * whether the archive is whole.
 * @throws ArchiveError PASSPHRASE, FORMAT, NEWER, TRUNCATED, DAMAGED, HOSTILE, READ
 */
export async function readArchiveHead(source: ByteSource, key: Key): Promise<ArchiveHead> {
  return (await firstHead(await openAge(source, key))).head;
}

async function checkPadding(plain: ByteSource, at: number, length: number): Promise<void> {
  const bytes = await readExactly(plain, at, length, what);
  if (bytes.some((byte) => byte !== 0)) throw damaged("something stands where nothing should");
}

async function* files(plain: ByteSource, watch: Watch): AsyncGenerator<Found, void, undefined> {
  let at = 0;
  for (let number = 0; number <= MAX_FILES; number++) {
    const head = await headAt(plain, at);
    if (head === null) {
      await checkPadding(plain, at, 2 * BLOCK);
      if (at + 2 * BLOCK !== plain.size) throw damaged("something follows its end");
      return;
    }
    const start = at + BLOCK;
    const hash = (watch.newHash ?? portableHash)();
    let done = start;
    for await (const chunk of streamOf(plain, start, start + head.size, what)) {
      checkAborted(watch.signal);
      hash.update(chunk);
      done += chunk.length;
      watch.onProgress?.({ step: "verify", done, total: plain.size });
    }
    const padding = paddingOf(head.size);
    await checkPadding(plain, start + head.size, padding);
    at = start + head.size + padding;
    yield { ...head, start, sha256: hex(hash.digest()) };
  }
  throw damaged("it has too many parts");
}

function checkParts(manifest: Manifest, found: readonly Found[]): void {
  if (manifest.parts.length !== found.length) throw damaged(`it has ${found.length} parts instead of ${manifest.parts.length}`);
  const counts = new Map<string, number>();
  for (const [index, part] of manifest.parts.entries()) {
    const file = found[index];
    if (file?.name !== part.name || file.size !== part.size || file.sha256 !== part.sha256) {
      throw damaged(`${part.name} is not what was written`);
    }
    if (part.type === "records") counts.set(part.table, (counts.get(part.table) ?? 0) + part.records);
    if (part.type === "records" && part.size > MAX_RECORDS_PART) throw damaged(`${part.name} is impossibly long`);
  }
  const listed = Object.entries(manifest.counts);
  if (listed.length !== counts.size || listed.some(([table, count]) => counts.get(table) !== count)) {
    throw damaged("its numbers of records contradict each other");
  }
}

/** Every record of a part, so that none fails later. */
function checkRecords(part: RecordsPart, bytes: Uint8Array): void {
  let records = 0;
  for (const _ of decodeEntries(part.name, bytes)) records++;
  if (records !== part.records) throw damaged(`${part.name} has ${records} records instead of ${part.records}`);
}

/**
 * Opens an archive and verifies all of it (passphrase, format, sizes, hashes, records) before anything comes out.
 * Memory: a part of records, and the list of parts.
 * @throws ArchiveError PASSPHRASE, FORMAT, NEWER, TRUNCATED, DAMAGED, HOSTILE, READ, ABORTED; nothing else
 */
export async function openArchive(source: ByteSource, key: Key, watch: Watch = {}): Promise<OpenedArchive> {
  const plain = await openAge(source, key);
  const { head, size } = await firstHead(plain);
  const found: Found[] = [];
  for await (const file of files(plain, watch)) found.push(file);
  const last = found.pop();
  if (last?.name !== MANIFEST_NAME) throw damaged("its list of parts is missing");
  const manifest = readManifest(await jsonAt(plain, last.start, last.size));
  const first = found.shift();
  const headBytes = await jsonAt(plain, BLOCK, size);
  if (first?.name !== HEAD_NAME || hex(sha256(headBytes)) !== manifest.head) throw damaged("its head is not what was written");
  checkParts(manifest, found);
  const places = new Map(found.map((file) => [file.name, file]));
  const bytesOf = (part: Part): Promise<Uint8Array> => readExactly(plain, places.get(part.name)?.start ?? 0, part.size, what);
  for (const part of manifest.parts) {
    checkAborted(watch.signal);
    if (part.type === "records") checkRecords(part, await bytesOf(part));
  }
  async function* recordsOf(part: RecordsPart): AsyncGenerator<ArchivedRecord, void, undefined> {
    for (const entry of decodeEntries(part.name, await bytesOf(part))) yield { table: part.table, ...entry };
  }
  return {
    head,
    manifest,
    recordsOf,
    async *records() {
      for (const part of manifest.parts) if (part.type === "records") yield* recordsOf(part);
    },
    async *file({ name }) {
      const place = places.get(name);
      if (place === undefined) throw new ArchiveError("MISSING", `the archive has no part ${name}`);
      yield* streamOf(plain, place.start, place.start + place.size, what);
    },
  };
}
