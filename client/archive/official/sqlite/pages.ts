import { equal, fromUtf8 } from "#crypto/bytes";
import { ArchiveError, TAKE_AGAIN } from "../../errors.ts";
import { type ByteSource, readExactly } from "../../source.ts";

// Database file format of SQLite 3, section 1 (https://sqlite.org/fileformat2.html).

/** The pages of a database, in the clear, numbered from 1. */
export interface Pages {
  /** Of the database, for messages. */
  readonly name: string;
  /** Bytes of a page that hold data. */
  readonly usable: number;
  readonly count: number;
  /** @throws ArchiveError DAMAGED, TRUNCATED, READ */
  page(number: number): Promise<Uint8Array>;
  /** Whether a page is what was written, as far as that can be told. @throws ArchiveError as {@link Pages.page} */
  verify(number: number): Promise<void>;
}

export const MAGIC: Uint8Array = Uint8Array.from("SQLite format 3\0", (character) => character.charCodeAt(0));
export const HEADER_LENGTH = 100;

export function damaged(name: string, why: string, options?: ErrorOptions): ArchiveError {
  return new ArchiveError("DAMAGED", `${name} is damaged: ${why}; ${TAKE_AGAIN}`, options);
}

/** What the first page says of the whole. */
export interface Header {
  readonly pageSize: number;
  readonly reserved: number;
}

const UTF8 = 1;
const ROLLBACK = 1;
const SCHEMA_FORMATS = 4;

function pageSizeOf(view: DataView): number {
  const size = view.getUint16(16);
  return size === 1 ? 0x10000 : size;
}

/** @throws ArchiveError FORMAT, DAMAGED, UNFINISHED when it was written through a log that is not here */
export function readHeader(name: string, page: Uint8Array): Header {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  if (page.length < HEADER_LENGTH || !equal(page.subarray(0, MAGIC.length), MAGIC)) {
    throw new ArchiveError("FORMAT", `${name} is no SQLite database`);
  }
  const pageSize = pageSizeOf(view);
  const isPower = (pageSize & (pageSize - 1)) === 0;
  if (!isPower || pageSize < 512) throw damaged(name, `a page cannot have ${pageSize} bytes`);
  if (view.getUint8(18) > ROLLBACK || view.getUint8(19) > ROLLBACK) {
    const advice = "start the app, stop the chat there, and export again";
    throw new ArchiveError("UNFINISHED", `${name} was in use when it was copied, its log is missing: ${advice}`);
  }
  if (view.getUint32(44) > SCHEMA_FORMATS) {
    throw new ArchiveError("NEWER", `${name} is of a later SQLite: update this program`);
  }
  if (view.getUint32(56) !== UTF8) {
    throw new ArchiveError("FORMAT", `${name} has no UTF-8 texts, which no app writes`);
  }
  return { pageSize, reserved: view.getUint8(20) };
}

/** Databases without a passphrase. @throws ArchiveError as {@link readHeader}; TRUNCATED, READ */
export async function plainPages(name: string, source: ByteSource): Promise<Pages> {
  const { pageSize, reserved } = readHeader(name, await readExactly(source, 0, HEADER_LENGTH, name));
  if (source.size % pageSize !== 0) {
    throw new ArchiveError("TRUNCATED", `${name} ends within a page: ${TAKE_AGAIN}`);
  }
  const usable = pageSize - reserved;
  if (usable < 480) throw damaged(name, "its pages hold nothing");
  return {
    name,
    usable,
    count: source.size / pageSize,
    page: (number) => readExactly(source, (number - 1) * pageSize, pageSize, name),
    verify: () => Promise.resolve(),
  };
}

/** Remembers the pages that were used last. */
export function cachedPages(pages: Pages, capacity = 256): Pages {
  const known = new Map<number, Uint8Array>();
  return {
    ...pages,
    async page(number) {
      if (!Number.isSafeInteger(number) || number < 1 || number > pages.count) {
        throw damaged(pages.name, `it refers to a page ${number} of ${pages.count}`);
      }
      const found = known.get(number);
      const bytes = found ?? (await pages.page(number));
      known.delete(number);
      known.set(number, bytes);
      const oldest = known.size > capacity ? known.keys().next().value : undefined;
      if (oldest !== undefined) known.delete(oldest);
      return bytes;
    },
  };
}

/** @throws ArchiveError DAMAGED when it is not UTF-8 */
export function textOf(name: string, bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    throw damaged(name, "a text in it is not UTF-8", { cause });
  }
}
