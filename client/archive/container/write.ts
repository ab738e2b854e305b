import { concat, hex } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import type { Entry } from "../../store/store.ts";
import { ArchiveError } from "../errors.ts";
import { checkAborted, CHUNK_LENGTH, portableHash, type Watch } from "../source.ts";
import { type Lock, sealAge } from "./age.ts";
import {
  type ArchiveHead,
  FORMAT,
  FORMAT_VERSION,
  HEAD_NAME,
  jsonBytes,
  type Manifest,
  MANIFEST_NAME,
  type Part,
} from "./manifest.ts";
import { encodeEntry } from "./record-sequence.ts";
import { BLOCK, MAX_FILE_SIZE, paddingOf, tarHead } from "./tar.ts";

/** Records of one table, in the order of their keys. */
export interface RecordsInput {
  readonly type: "records";
  readonly table: string;
  readonly entries: AsyncIterable<Entry> | Iterable<Entry>;
}

/** A file of the profiles. */
export interface FileInput {
  readonly type: "file";
  /** How records refer to it. */
  readonly id: string;
  /** Bytes that `open` gives. */
  readonly size: number;
  open(): AsyncIterable<Uint8Array>;
}

export type PartInput = RecordsInput | FileInput;

export interface ArchiveInput {
  readonly head: Omit<ArchiveHead, "format" | "version">;
  readonly parts: AsyncIterable<PartInput> | Iterable<PartInput>;
}

export interface WriteOptions extends Watch {
  /** Told before the last bytes come: what was written, with the files that could not be. */
  readonly onManifest?: (manifest: Manifest) => void;
}

/** Records are held together up to this size, so that memory stays flat and a tool can look into a part. */
const PART_SIZE = 1024 * 1024;
const MAX_PARTS = 999_999;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Numbers and lists the parts. */
class Writer {
  readonly #time: number;
  readonly #parts: Part[] = [];
  readonly #counts = new Map<string, number>();
  readonly #failures: { id: string; reason: string }[] = [];
  readonly #watch: Watch;
  #written = 0;

  constructor(createdAt: number, watch: Watch) {
    this.#time = Math.floor(createdAt / 1000);
    this.#watch = watch;
  }

  #out(bytes: Uint8Array): Uint8Array {
    checkAborted(this.#watch.signal);
    this.#written += bytes.length;
    this.#watch.onProgress?.({ step: "write", done: this.#written, total: null });
    return bytes;
  }

  #name(folder: string): string {
    const number = this.#parts.length + 1;
    if (number > MAX_PARTS) {
      throw new ArchiveError(
        "FORMAT",
        "there is more in these profiles than one archive holds: export fewer of them",
      );
    }
    return `${folder}/${number.toString().padStart(6, "0")}`;
  }

  *whole(name: string, bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
    yield this.#out(tarHead({ name, size: bytes.length, time: this.#time }));
    yield this.#out(concat(bytes, new Uint8Array(paddingOf(bytes.length))));
  }

  async *records({ table, entries }: RecordsInput): AsyncGenerator<Uint8Array, void, undefined> {
    let held: Uint8Array[] = [];
    let size = 0;
    for await (const entry of entries) {
      const bytes = encodeEntry(entry);
      if (size > 0 && size + bytes.length > PART_SIZE) {
        yield* this.#recordsPart(table, held);
        held = [];
        size = 0;
      }
      held.push(bytes);
      size += bytes.length;
    }
    if (size > 0) yield* this.#recordsPart(table, held);
  }

  *#recordsPart(table: string, held: readonly Uint8Array[]): Generator<Uint8Array, void, undefined> {
    const bytes = concat(...held);
    const name = this.#name("records");
    yield* this.whole(name, bytes);
    this.#counts.set(table, (this.#counts.get(table) ?? 0) + held.length);
    this.#parts.push({ type: "records", name, table, records: held.length, size: bytes.length, sha256: hex(sha256(bytes)) });
  }

  /** A file that cannot be read is left out or filled up, and listed: it never spoils the archive. */
  async *file(input: FileInput): AsyncGenerator<Uint8Array, void, undefined> {
    const { id, size } = input;
    const fail = (reason: string): void => void this.#failures.push({ id, reason });
    if (size > MAX_FILE_SIZE) return fail("it has more than 8 GiB");
    const chunks = piecesOf(input);
    const first = await chunks.next();
    if (first.done === true && first.value !== null) return fail(first.value);
    const name = this.#name("files");
    yield this.#out(tarHead({ name, size, time: this.#time }));
    const hash = (this.#watch.newHash ?? portableHash)();
    let next = first;
    let done = 0;
    while (next.done !== true) {
      hash.update(next.value);
      done += next.value.length;
      yield this.#out(next.value);
      next = await chunks.next();
    }
    if (next.value !== null) fail(next.value);
    for (; done < size; done += CHUNK_LENGTH) {
      const zeros = new Uint8Array(Math.min(CHUNK_LENGTH, size - done));
      hash.update(zeros);
      yield this.#out(zeros);
    }
    yield this.#out(new Uint8Array(paddingOf(size)));
    this.#parts.push({ type: "file", name, id, isComplete: next.value === null, size, sha256: hex(hash.digest()) });
  }

  manifest(head: Uint8Array): Manifest {
    const failures = this.#failures;
    return { head: hex(sha256(head)), parts: this.#parts, counts: Object.fromEntries(this.#counts), failures };
  }

  end(): Uint8Array {
    return this.#out(new Uint8Array(2 * BLOCK));
  }
}

/** The pieces of a file, no more of them than its size; at the end why there are fewer, or null. */
async function* piecesOf({ size, open }: FileInput): AsyncGenerator<Uint8Array, string | null, undefined> {
  let done = 0;
  try {
    for await (const chunk of open()) {
      if (done + chunk.length > size) return `it has more than the ${size} bytes that were expected`;
      done += chunk.length;
      if (chunk.length > 0) yield chunk;
    }
  } catch (error) {
    return reasonOf(error);
  }
  return done === size ? null : `it has ${done} of the ${size} bytes that were expected`;
}

async function* plainArchive(
  { head, parts }: ArchiveInput,
  { onManifest, ...watch }: WriteOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const writer = new Writer(head.createdAt, watch);
  const headBytes = jsonBytes({ format: FORMAT, version: FORMAT_VERSION, ...head });
  yield* writer.whole(HEAD_NAME, headBytes);
  for await (const part of parts) yield* part.type === "records" ? writer.records(part) : writer.file(part);
  const manifest = writer.manifest(headBytes);
  onManifest?.(manifest);
  yield* writer.whole(MANIFEST_NAME, jsonBytes(manifest));
  yield writer.end();
}

/**
 * Writes an archive as a stream of bytes: an age file (https://age-encryption.org/v1) with a tar file inside. Memory: a
 * part of records (1 MiB, or one record if that is larger) and the list of parts.
 * @throws ArchiveError PASSPHRASE, ABORTED, FORMAT; and what reading records throws. Files that fail are listed instead.
 */
export function writeArchive(
  input: ArchiveInput,
  lock: Lock,
  options: WriteOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  return sealAge(lock, plainArchive(input, options));
}
