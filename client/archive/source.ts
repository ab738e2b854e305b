import { sha256 } from "@noble/hashes/sha2.js";
import { ArchiveError, TAKE_AGAIN } from "./errors.ts";

/** Bytes that can be read anywhere: a file, a Blob, an object of a bucket. They must not change meanwhile. */
export interface ByteSource {
  readonly size: number;
  /** Those at `offset`: `length` of them, or as many as there are. The caller does not change them. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** What a Blob or a File of a browser can do. */
export interface BlobLike {
  readonly size: number;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}

export function blobSource(blob: BlobLike): ByteSource {
  return {
    size: blob.size,
    read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
  };
}

/** @throws ArchiveError TRUNCATED when fewer than `length` are there, READ when the source fails */
export async function readExactly(
  source: ByteSource,
  offset: number,
  length: number,
  what: string,
): Promise<Uint8Array> {
  const bytes = await reading(what, () => source.read(offset, length));
  if (bytes.length === length) return bytes;
  throw new ArchiveError("TRUNCATED", `${what} ends after ${offset + bytes.length} bytes: ${TAKE_AGAIN}`);
}

/** Turns what a source throws into an ArchiveError READ. */
export async function reading<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof ArchiveError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ArchiveError("READ", `${what} cannot be read: ${why}`, { cause });
  }
}

/** How much of a stream is read at once. */
export const CHUNK_LENGTH = 64 * 1024;

/** The bytes from `start` to `end` in pieces. @throws ArchiveError TRUNCATED, READ */
export async function* streamOf(
  source: ByteSource,
  start: number,
  end: number,
  what: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let offset = start; offset < end; offset += CHUNK_LENGTH) {
    yield await readExactly(source, offset, Math.min(CHUNK_LENGTH, end - offset), what);
  }
}

/** Where bytes go that are needed again in any order: memory, a temporary file. */
export interface Scratch {
  append(bytes: Uint8Array): Promise<void>;
  /** What was appended; nothing is after that. */
  source(): ByteSource;
  /** Frees the place. Once is enough; more often does no harm. */
  discard(): Promise<void>;
}

const MEMORY_LIMIT = 1024 * 1024 * 1024;

/** In memory; what is larger than `limit` is refused with ArchiveError SPACE. */
export function memoryScratch(limit = MEMORY_LIMIT): Scratch {
  let pieces: Uint8Array[] = [];
  let size = 0;
  return {
    async append(bytes) {
      if (size + bytes.length > limit) {
        const advice = "use a program that unpacks to a file";
        throw new ArchiveError("SPACE", `what has to be unpacked takes more than ${limit} bytes of memory: ${advice}`);
      }
      pieces.push(bytes.slice());
      size += bytes.length;
    },
    source() {
      const whole = new Uint8Array(size);
      let offset = 0;
      for (const piece of pieces) {
        whole.set(piece, offset);
        offset += piece.length;
      }
      pieces = [];
      return bytesSource(whole);
    },
    discard() {
      pieces = [];
      return Promise.resolve();
    },
  };
}

/** How far a long step has come, in bytes. */
export interface Progress {
  readonly step: "check" | "unpack" | "verify" | "write";
  readonly done: number;
  /** Null when it is not known. */
  readonly total: number | null;
}

/** SHA-256 of bytes that come one after another. */
export interface IncrementalHash {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

export const portableHash = (): IncrementalHash => sha256.create();

export interface Watch {
  /** A faster SHA-256 than JavaScript's, where a platform has one: `() => createHash("sha256")` of node:crypto. */
  readonly newHash?: () => IncrementalHash;
  readonly onProgress?: (progress: Progress) => void;
  /** Ends what is under way with ArchiveError ABORTED. */
  readonly signal?: AbortSignal;
}

/** @throws ArchiveError ABORTED when the caller gave up */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new ArchiveError("ABORTED", "the work on the archive was given up; nothing was changed");
  }
}
