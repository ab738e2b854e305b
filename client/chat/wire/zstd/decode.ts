import { BackwardBits } from "./backward-bits.ts";
import { type HuffmanTable, readHuffmanTable } from "./decode-tables.ts";
import { append, type Memory, newMemory, type Output, runSequences } from "./sequences.ts";

// Zstandard frames (RFC 8878) for platforms without a decompressor. Whatever a frame says, no more is written than there
// is room for, and no more is done than what it takes to write that.

const RAW = 0;
const RLE = 1;
const COMPRESSED = 2;
const TREELESS = 3;
const MAX_BLOCK = 131_072;
const DICTIONARY_ID_LENGTHS = [0, 1, 2, 4] as const;

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}

/** Takes bytes off the front of something. */
class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw new RangeError("something is cut off");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  number(length: number): number {
    return littleEndian(this.take(length));
  }

  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }
}

/** Bytes of the header before the first block; it was checked before (`frameContentSize`). */
function headerLength(frame: Uint8Array): number {
  const descriptor = frame[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const flag = descriptor >> 6;
  const sizeLength = flag === 0 && !isSingleSegment ? 0 : 2 ** flag;
  return 5 + (isSingleSegment ? 0 : 1) + DICTIONARY_ID_LENGTHS[(descriptor & 3) as 0 | 1 | 2 | 3] + sizeLength;
}

interface BlockMemory extends Memory {
  codes: HuffmanTable | null;
}

/** One stream of literals, which has to come out even. */
function runCodes(bytes: Uint8Array, { log, symbols, bits }: HuffmanTable, out: Uint8Array): void {
  const stream = new BackwardBits(bytes);
  for (let i = 0; i < out.length; i++) {
    const code = stream.peek(log);
    out[i] = symbols[code] ?? 0;
    stream.skip(bits[code] ?? 0);
  }
  if (stream.left !== 0) throw new RangeError("the literals do not come out even");
}

function runFourStreams(bytes: Uint8Array, codes: HuffmanTable, out: Uint8Array): void {
  const cursor = new Cursor(bytes);
  const lengths = [cursor.number(2), cursor.number(2), cursor.number(2)];
  const quarter = (out.length + 3) >> 2;
  if (3 * quarter > out.length) throw new RangeError("too few literals for four streams");
  for (const [i, length] of lengths.entries()) runCodes(cursor.take(length), codes, out.subarray(i * quarter, (i + 1) * quarter));
  runCodes(cursor.rest(), codes, out.subarray(3 * quarter));
}

/** The literals of a block (section 3.1.1.3.1). */
function readLiterals(cursor: Cursor, memory: BlockMemory, limit: number): Uint8Array {
  const [first = 0] = cursor.rest();
  const type = first & 3;
  const format = (first >> 2) & 3;
  const check = (length: number): number => {
    if (length > limit) throw new RangeError("there are more literals than content");
    return length;
  };
  if (type === RAW || type === RLE) {
    const isShort = (format & 1) === 0;
    const length = check(isShort ? cursor.number(1) >> 3 : cursor.number(format === 1 ? 2 : 3) >> 4);
    return type === RAW ? cursor.take(length) : new Uint8Array(length).fill(cursor.number(1));
  }
  const bits = [10, 10, 14, 18][format] ?? 0;
  const header = Math.floor(cursor.number((4 + 2 * bits) / 8) / 16);
  const out = new Uint8Array(check(header % 2 ** bits));
  const streams = new Cursor(cursor.take(Math.floor(header / 2 ** bits)));
  if (type === COMPRESSED) {
    const { value, length } = readHuffmanTable(streams.rest());
    memory.codes = value;
    streams.take(length);
  }
  if (type === TREELESS && !memory.codes) throw new RangeError("there are no codes to use again");
  if (!memory.codes) throw new TypeError("the codes were just read");
  if (format === 0) runCodes(streams.rest(), memory.codes, out);
  else runFourStreams(streams.rest(), memory.codes, out);
  return out;
}

function decodeBlock(block: Uint8Array, output: Output, memory: BlockMemory): void {
  const cursor = new Cursor(block);
  const before = output.length;
  const literals = readLiterals(cursor, memory, Math.min(MAX_BLOCK, output.bytes.length - before));
  const sequences = cursor.rest();
  if (sequences.length === 0) throw new RangeError("a block has no sequences");
  runSequences(sequences, literals, output, memory);
  if (output.length - before > MAX_BLOCK) throw new RangeError("a block is too large");
}

/**
 * Decompresses one frame that was walked through by `frameContentSize`, into an output of the size that it says. A
 * checksum is not looked at: what was encrypted is whole.
 * @returns what was written of the output
 * @throws RangeError when the frame is damaged, or holds more
 */
export function decodeZstd(frame: Uint8Array, bytes: Uint8Array): Uint8Array {
  const output = { bytes, length: 0 };
  const memory: BlockMemory = { ...newMemory(), codes: null };
  const cursor = new Cursor(frame.subarray(headerLength(frame)));
  for (let isLast = false; !isLast;) {
    const header = cursor.number(3);
    const [type, size] = [(header >> 1) & 3, header >> 3];
    isLast = (header & 1) === 1;
    if (size > MAX_BLOCK) throw new RangeError("a block is too large");
    if (type === RAW) append(output, cursor.take(size));
    else if (type === RLE) append(output, new Uint8Array(Math.min(size, bytes.length + 1)).fill(cursor.number(1)));
    else if (type === COMPRESSED) decodeBlock(cursor.take(size), output, memory);
    else throw new RangeError("a block is of a reserved type");
  }
  return bytes.subarray(0, output.length);
}
