import { concat, utf8 } from "#crypto/bytes";
import { crc32 } from "../../../../client/archive/official/crc32.ts";

/** What goes into a zip; fields that lie can be given. */
export interface ZipFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Packed already, with method 8. */
  readonly deflated?: Uint8Array;
  readonly crc?: number;
  readonly size?: number;
  readonly packedSize?: number;
  readonly offset?: number;
  readonly localName?: string;
  readonly flags?: number;
  readonly method?: number;
  /** Sizes and place stand in 64-bit fields, as of files beyond 4 GiB. */
  readonly isBig?: boolean;
}

type Field = readonly [value: number, length: 2 | 4 | 8];

function words(...fields: readonly Field[]): Uint8Array {
  const out = new Uint8Array(fields.reduce((sum, [, length]) => sum + length, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const [value, length] of fields) {
    if (length === 2) view.setUint16(at, value, true);
    else if (length === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += length;
  }
  return out;
}

const shared = (file: ZipFile, packed: Uint8Array): Field[] => [
  [20, 2],
  [file.flags ?? 0, 2],
  [file.method ?? (file.deflated ? 8 : 0), 2],
  [0, 2],
  [0x21, 2],
  [file.crc ?? crc32(file.bytes), 4],
  [file.isBig ? 0xffffffff : (file.packedSize ?? packed.length), 4],
  [file.isBig ? 0xffffffff : (file.size ?? file.bytes.length), 4],
];

/** A zip as the app makes one. */
export function zipOf(files: readonly ZipFile[]): Uint8Array {
  const locals: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let offset = 0;
  for (const file of files) {
    const packed = file.deflated ?? file.bytes;
    const name = utf8(file.name);
    const localName = utf8(file.localName ?? file.name);
    const local = concat(words([0x04034b50, 4], ...shared(file, packed), [localName.length, 2], [0, 2]), localName, packed);
    const numbers = [file.size ?? file.bytes.length, file.packedSize ?? packed.length, file.offset ?? offset] as const;
    const big = words([1, 2], [24, 2], ...numbers.map((number): Field => [number, 8]));
    const extra = file.isBig ? big : new Uint8Array();
    const place = file.isBig ? 0xffffffff : numbers[2];
    const tail = [[name.length, 2], [extra.length, 2], [0, 2], [0, 2], [0, 2], [0, 4], [place, 4]] as const;
    central.push(concat(words([0x02014b50, 4], [0x0314, 2], ...shared(file, packed), ...tail), name, extra));
    locals.push(local);
    offset += local.length;
  }
  const directory = concat(...central);
  const isBig = files.some((file) => file.isBig === true);
  const [count, size, start] = [files.length, directory.length, offset] as const;
  const fields = [[count, 8], [count, 8], [size, 8], [start, 8]] as const;
  const end64 = words([0x06064b50, 4], [44, 8], [45, 2], [45, 2], [0, 4], [0, 4], ...fields);
  const locator = words([0x07064b50, 4], [0, 4], [start + size, 8], [1, 4]);
  const most = isBig ? 0xffffffff : null;
  const end = [[0, 2], [0, 2], [count, 2], [count, 2], [most ?? size, 4], [most ?? start, 4], [0, 2]] as const;
  return concat(...locals, directory, ...(isBig ? [end64, locator] : []), words([0x06054b50, 4], ...end));
}
