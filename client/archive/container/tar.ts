import { equal } from "#crypto/bytes";
import { ArchiveError } from "../errors.ts";

// Heads of files in the tar format (POSIX.1-1988, ustar): what is inside an archive opens with any tar.

export const BLOCK = 512;
/** What eleven octal digits hold: 8 GiB less one byte. */
export const MAX_FILE_SIZE: number = 8 ** 11 - 1;
const SUM_AT = 148;
const SUM_LENGTH = 8;
const NAME_LENGTH = 100;
const SIZE_AT = 124;
const TIME_AT = 136;
const NUMBER_LENGTH = 12;

export interface TarHead {
  /** Up to 100 printable ASCII characters. */
  readonly name: string;
  readonly size: number;
  /** Seconds since 1970. */
  readonly time: number;
}

function put(block: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) block[at + i] = text.charCodeAt(i);
}

const octal = (value: number, length: number): string => value.toString(8).padStart(length - 1, "0");

export function tarHead({ name, size, time }: TarHead): Uint8Array {
  const block = new Uint8Array(BLOCK);
  put(block, 0, name);
  put(block, 100, "0000600");
  put(block, 108, "0000000");
  put(block, 116, "0000000");
  put(block, SIZE_AT, octal(size, NUMBER_LENGTH));
  put(block, TIME_AT, octal(time, NUMBER_LENGTH));
  block.fill(0x20, SUM_AT, SUM_AT + SUM_LENGTH);
  put(block, 156, "0");
  put(block, 257, "ustar\u000000");
  put(block, 329, "0000000");
  put(block, 337, "0000000");
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(block, SUM_AT, `${octal(sum, 7)}\0 `);
  return block;
}

const NAME = /^[a-z]+(?:\/[0-9]{6})?(?:\.json)?$/;

function textAt(block: Uint8Array, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return String.fromCharCode(...field.subarray(0, end < 0 ? length : end));
}

/** Null: the end. @throws ArchiveError DAMAGED unless it is exactly what {@link tarHead} makes */
export function readTarHead(block: Uint8Array): TarHead | null {
  if (block.every((byte) => byte === 0)) return null;
  const head = {
    name: textAt(block, 0, NAME_LENGTH),
    size: Number.parseInt(textAt(block, SIZE_AT, NUMBER_LENGTH), 8),
    time: Number.parseInt(textAt(block, TIME_AT, NUMBER_LENGTH), 8),
  };
  const isOurs = NAME.test(head.name) && head.size >= 0 && head.time >= 0 && equal(tarHead(head), block);
  if (isOurs) return head;
  throw new ArchiveError("DAMAGED", "the archive holds something that this program does not write: export it again");
}

/** Zeros after a file of this size, up to the next block. */
export function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}
