import { concat } from "#crypto/bytes";
import { damaged, HEADER_LENGTH, type Pages } from "./pages.ts";
import { varint } from "./record.ts";

// B-trees of SQLite (file format, section 1.6).

const INTERIOR_INDEX = 2;
const INTERIOR_TABLE = 5;
const LEAF_INDEX = 10;
const LEAF_TABLE = 13;
/** More than 2^31 pages never lie deeper. */
const MAX_DEPTH = 24;

/** A row as it lies in the tree. Those of a table without row ids have none. */
export interface Cell {
  readonly rowid: number | null;
  readonly payload: Uint8Array;
}

interface Walk {
  readonly pages: Pages;
  /** Every page belongs to one place of one tree. */
  readonly seen: Set<number>;
  readonly isTable: boolean;
}

async function take({ pages, seen }: Walk, number: number): Promise<Uint8Array> {
  if (seen.has(number)) throw damaged(pages.name, `page ${number} is used in two places`);
  seen.add(number);
  return pages.page(number);
}

/** How much of a payload lies in the tree itself (file format, section 1.6). */
function localLength(usable: number, isTable: boolean, length: number): number {
  const most = isTable ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
  if (length <= most) return length;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fitting = least + ((length - least) % (usable - 4));
  return fitting <= most ? fitting : least;
}

async function payloadOf(walk: Walk, page: Uint8Array, at: number, length: number): Promise<Uint8Array> {
  const { name, usable, count } = walk.pages;
  if (!Number.isSafeInteger(length) || length > count * usable) throw damaged(name, "a row is larger than the whole");
  const local = localLength(usable, walk.isTable, length);
  if (at + local + (local < length ? 4 : 0) > usable) throw damaged(name, "a row does not fit in its page");
  const parts = [page.subarray(at, at + local)];
  let missing = length - local;
  let next = missing > 0 ? new DataView(page.buffer, page.byteOffset).getUint32(at + local) : 0;
  while (missing > 0) {
    const overflow = await take(walk, next);
    const part = overflow.subarray(4, 4 + Math.min(missing, usable - 4));
    parts.push(part);
    missing -= part.length;
    next = new DataView(overflow.buffer, overflow.byteOffset).getUint32(0);
  }
  return parts.length === 1 ? (parts[0] ?? page) : concat(...parts);
}

async function* walkPage(walk: Walk, number: number, depth: number): AsyncGenerator<Cell, void, undefined> {
  const { name, usable } = walk.pages;
  if (depth > MAX_DEPTH) throw damaged(name, "a table lies too deep");
  const page = await take(walk, number);
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const start = number === 1 ? HEADER_LENGTH : 0;
  const kind = page[start];
  const isLeaf = kind === (walk.isTable ? LEAF_TABLE : LEAF_INDEX);
  if (!isLeaf && kind !== (walk.isTable ? INTERIOR_TABLE : INTERIOR_INDEX)) {
    throw damaged(name, `page ${number} does not belong to a table`);
  }
  const cells = view.getUint16(start + 3);
  const pointers = start + (isLeaf ? 8 : 12);
  if (pointers + 2 * cells > usable) throw damaged(name, `page ${number} has too many rows`);
  for (let i = 0; i < cells; i++) {
    let at = view.getUint16(pointers + 2 * i);
    if (at + 4 > usable) throw damaged(name, `a row of page ${number} lies outside`);
    if (!isLeaf) {
      yield* walkPage(walk, view.getUint32(at), depth + 1);
      at += 4;
      if (walk.isTable) continue;
    }
    const length = varint(page, at);
    const rowid = walk.isTable ? varint(page, length.next) : { value: null, next: length.next };
    yield { rowid: rowid.value, payload: await payloadOf(walk, page, rowid.next, length.value) };
  }
  if (!isLeaf) yield* walkPage(walk, view.getUint32(start + 8), depth + 1);
}

/**
 * The rows of a tree in their order. Memory: a page for each level, and 8 bytes or so for each page of the tree.
 * @param isTable with row ids; else the tree is that of an index or of a table WITHOUT ROWID
 * @throws ArchiveError DAMAGED, READ
 */
export function cellsOf(pages: Pages, root: number, isTable: boolean): AsyncGenerator<Cell, void, undefined> {
  return walkPage({ pages, seen: new Set(), isTable }, root, 0);
}
