import { fromUtf8 } from "#crypto/bytes";
import { ArchiveError, TAKE_AGAIN } from "../errors.ts";
import { type ByteSource, readExactly } from "../source.ts";

// The directory of a zip file (PKWARE APPNOTE 6.3, sections 4.3 and 4.5.3).

/** A file in the zip. */
export interface ZipEntry {
  readonly name: string;
  readonly method: "store" | "deflate";
  readonly crc: number;
  /** Bytes in the zip. */
  readonly packedSize: number;
  /** Bytes of the file. */
  readonly size: number;
  /** Of the local header. */
  readonly offset: number;
}

export interface ZipDirectory {
  readonly entries: readonly ZipEntry[];
  /** Where the entries end. */
  readonly end: number;
}

const END = 0x06054b50;
const END_LENGTH = 22;
const END64 = 0x06064b50;
const END64_LENGTH = 56;
const LOCATOR64 = 0x07064b50;
const LOCATOR64_LENGTH = 20;
const CENTRAL = 0x02014b50;
const CENTRAL_LENGTH = 46;
const LOCAL = 0x04034b50;
const LOCAL_LENGTH = 30;
const EXTRA64 = 1;
const MAX_COMMENT = 0xffff;
const MAX_ENTRIES = 1_000_000;
const MAX_DIRECTORY = 256 * 1024 * 1024;
/** Deflate makes at most 1032 bytes of one. */
const MAX_RATIO = 1032;
const ENCRYPTED = 1;
const WORD32 = 0xffffffff;
const WORD16 = 0xffff;

const what = "the zip";

function damaged(why: string): ArchiveError {
  return new ArchiveError("DAMAGED", `the directory of the zip is damaged: ${why}; ${TAKE_AGAIN}`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function word64(view: DataView, offset: number): number {
  const value = view.getBigUint64(offset, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged("it names an impossible size");
  return Number(value);
}

interface End {
  readonly count: number;
  readonly size: number;
  readonly offset: number;
  /** Of the end record itself. */
  readonly at: number;
}

async function findEnd(source: ByteSource): Promise<End> {
  const length = Math.min(source.size, END_LENGTH + MAX_COMMENT);
  const start = source.size - length;
  const view = viewOf(await readExactly(source, start, length, what));
  for (let at = length - END_LENGTH; at >= 0; at--) {
    if (view.getUint32(at, true) !== END || at + END_LENGTH + view.getUint16(at + 20, true) !== length) continue;
    const [disk, ofDirectory] = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)];
    if (disk !== ofDirectory || (disk !== 0 && disk !== WORD16)) throw damaged("it is one of several volumes");
    const end = {
      count: view.getUint16(at + 10, true),
      size: view.getUint32(at + 12, true),
      offset: view.getUint32(at + 16, true),
      at: start + at,
    };
    const isBig = end.count === WORD16 || end.size === WORD32 || end.offset === WORD32;
    return isBig ? findEnd64(source, end) : end;
  }
  const begin = await readExactly(source, 0, Math.min(4, source.size), what);
  if (begin.length === 4 && viewOf(begin).getUint32(0, true) === LOCAL) {
    throw new ArchiveError("TRUNCATED", `the zip has no directory, its end is missing: ${TAKE_AGAIN}`);
  }
  throw new ArchiveError("FORMAT", "this is no zip file: choose the file that the app's database export made");
}

async function findEnd64(source: ByteSource, end: End): Promise<End> {
  if (end.at < LOCATOR64_LENGTH) return end;
  const locator = viewOf(await readExactly(source, end.at - LOCATOR64_LENGTH, LOCATOR64_LENGTH, what));
  if (locator.getUint32(0, true) !== LOCATOR64) return end;
  const at = word64(locator, 8);
  const view = viewOf(await readExactly(source, at, END64_LENGTH, what));
  if (view.getUint32(0, true) !== END64) throw damaged("its 64-bit end is not where it should be");
  return { count: word64(view, 32), size: word64(view, 40), offset: word64(view, 48), at };
}

interface Sizes {
  readonly size: number;
  readonly packedSize: number;
  readonly offset: number;
}

/** Those that do not fit in 32 bits stand in an extra field, in this order. */
function withExtra(extra: Uint8Array, { size, packedSize, offset }: Sizes): Sizes {
  if (size !== WORD32 && packedSize !== WORD32 && offset !== WORD32) return { size, packedSize, offset };
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length;) {
    const length = view.getUint16(at + 2, true);
    const end = Math.min(at + 4 + length, extra.length);
    if (view.getUint16(at, true) === EXTRA64) {
      let next = at + 4;
      const take = (value: number): number => {
        if (value !== WORD32) return value;
        if (next + 8 > end) throw damaged("a 64-bit size is missing");
        next += 8;
        return word64(view, next - 8);
      };
      return { size: take(size), packedSize: take(packedSize), offset: take(offset) };
    }
    at = end;
  }
  throw damaged("a 64-bit size is missing");
}

function nameOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    throw new ArchiveError("DAMAGED", `a file in the zip has a name that is no text: ${TAKE_AGAIN}`, { cause });
  }
}

function readEntry(directory: Uint8Array, at: number): { readonly entry: ZipEntry; readonly next: number } {
  const view = viewOf(directory);
  if (at + CENTRAL_LENGTH > directory.length || view.getUint32(at, true) !== CENTRAL) throw damaged("an entry is missing");
  const lengths = [28, 30, 32].map((place) => view.getUint16(at + place, true));
  const [nameLength = 0, extraLength = 0, commentLength = 0] = lengths;
  const extraAt = at + CENTRAL_LENGTH + nameLength;
  const next = extraAt + extraLength + commentLength;
  if (next > directory.length) throw damaged("an entry is longer than the whole");
  const name = nameOf(directory.subarray(at + CENTRAL_LENGTH, extraAt));
  const method = view.getUint16(at + 10, true);
  if ((view.getUint16(at + 8, true) & ENCRYPTED) !== 0 || (method !== 0 && method !== 8)) {
    throw new ArchiveError(
      "FORMAT",
      `${JSON.stringify(name)} is packed in a way that the apps never use: choose the zip that the app itself made`,
    );
  }
  const sizes = withExtra(directory.subarray(extraAt, extraAt + extraLength), {
    size: view.getUint32(at + 24, true),
    packedSize: view.getUint32(at + 20, true),
    offset: view.getUint32(at + 42, true),
  });
  return { entry: { name, method: method === 0 ? "store" : "deflate", crc: view.getUint32(at + 16, true), ...sizes }, next };
}

/** @throws ArchiveError HOSTILE when sizes and places contradict each other as only a trap's do */
function checkEntries(entries: readonly ZipEntry[], end: number): void {
  const names = new Set<string>();
  let free = 0;
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    const shown = JSON.stringify(entry.name);
    if (names.has(entry.name)) throw new ArchiveError("HOSTILE", `the zip holds ${shown} twice: do not use it`);
    names.add(entry.name);
    if (entry.offset < free) {
      throw new ArchiveError("HOSTILE", `${shown} lies within another file of the zip: do not use it`);
    }
    free = entry.offset + LOCAL_LENGTH + entry.packedSize;
    if (free > end) throw new ArchiveError("TRUNCATED", `${shown} reaches beyond the end of the zip: ${TAKE_AGAIN}`);
    const isImpossible = entry.method === "store" ? entry.size !== entry.packedSize : entry.size > entry.packedSize * MAX_RATIO;
    if (isImpossible) {
      throw new ArchiveError("HOSTILE", `${shown} cannot have ${entry.size} bytes: do not use this zip`);
    }
  }
}

/**
 * Reads what the zip says of its files, and believes no more of it than can be true: no file twice or within another,
 * none larger than its packed bytes can hold.
 * @throws ArchiveError FORMAT, TRUNCATED, DAMAGED, HOSTILE, READ
 */
export async function readDirectory(source: ByteSource): Promise<ZipDirectory> {
  if (source.size === 0) throw new ArchiveError("TRUNCATED", `the zip is empty: ${TAKE_AGAIN}`);
  const end = await findEnd(source);
  if (end.offset + end.size > end.at || end.size > MAX_DIRECTORY) throw damaged("it is not where its end says");
  if (end.count > MAX_ENTRIES || end.count * CENTRAL_LENGTH > end.size) throw damaged("it names more files than it holds");
  const directory = await readExactly(source, end.offset, end.size, what);
  const entries: ZipEntry[] = [];
  for (let at = 0; entries.length < end.count;) {
    const { entry, next } = readEntry(directory, at);
    entries.push(entry);
    at = next;
  }
  checkEntries(entries, end.offset);
  return { entries, end: end.offset };
}

/** Where the bytes of a file begin. Its header has to name it as the directory does. @throws ArchiveError */
export async function findContent(source: ByteSource, { end }: ZipDirectory, entry: ZipEntry): Promise<number> {
  const header = await readExactly(source, entry.offset, LOCAL_LENGTH, what);
  const view = viewOf(header);
  const shown = JSON.stringify(entry.name);
  const wrong = new ArchiveError("DAMAGED", `${shown} is not where the zip says: ${TAKE_AGAIN}`);
  if (view.getUint32(0, true) !== LOCAL) throw wrong;
  const nameLength = view.getUint16(26, true);
  const name = nameOf(await readExactly(source, entry.offset + LOCAL_LENGTH, nameLength, what));
  if (name !== entry.name) throw wrong;
  const start = entry.offset + LOCAL_LENGTH + nameLength + view.getUint16(28, true);
  if (start + entry.packedSize > end) throw wrong;
  return start;
}
