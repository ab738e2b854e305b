import { BackwardBits } from "./backward-bits.ts";
import { fseTable, type FseTable, readFseTable, singleTable } from "./decode-tables.ts";

// Sequences of a block: some literals, then something that was there before (RFC 8878, section 3.1.1.3.2).

/** The least value of a code, and how many bits are added to it. */
interface Code {
  readonly base: number;
  readonly bits: number;
}

/** Codes whose values follow each other without a gap. */
function codes(first: number, bits: readonly number[]): readonly Code[] {
  let base = first;
  return bits.map((count) => {
    const code = { base, bits: count };
    base += 2 ** count;
    return code;
  });
}

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
const LITERALS = codes(0, [...zeros(16), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const MATCHES = codes(3, [...zeros(32), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
/** Offsets beyond are greater than any content that is taken. */
const MAX_OFFSET_CODE = 24;

interface Kind {
  readonly maxLog: number;
  readonly maxSymbol: number;
  readonly usual: FseTable;
}

const KINDS = {
  literals: {
    maxLog: 9,
    maxSymbol: LITERALS.length - 1,
    usual: fseTable(
      [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1], 6),
  },
  offsets: {
    maxLog: 8,
    maxSymbol: 31,
    usual: fseTable([1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1], 5),
  },
  matches: {
    maxLog: 9,
    maxSymbol: MATCHES.length - 1,
    usual: fseTable([1, 4, 3, 2, 2, 2, 2, 2, 2, ...zeros(37).map(() => 1), -1, -1, -1, -1, -1, -1, -1], 6),
  },
} as const satisfies Record<string, Kind>;

/** What blocks of a frame leave to those after them. */
export interface Memory {
  literals: FseTable | null;
  offsets: FseTable | null;
  matches: FseTable | null;
  /** The last offsets, the latest first. */
  recent: [number, number, number];
}

export function newMemory(): Memory {
  return { literals: null, offsets: null, matches: null, recent: [1, 4, 8] };
}

/** Where the content goes, and how much of it is there. */
export interface Output {
  readonly bytes: Uint8Array;
  length: number;
}

function room({ bytes, length }: Output, wanted: number): void {
  if (wanted > bytes.length - length) throw new RangeError("there is more content than was said");
}

export function append(output: Output, bytes: Uint8Array): void {
  room(output, bytes.length);
  output.bytes.set(bytes, output.length);
  output.length += bytes.length;
}

/** Repeats what stands `offset` bytes before the end; what is written may be read again. */
function repeat(output: Output, offset: number, count: number): void {
  if (offset > output.length) throw new RangeError("something from before the beginning is repeated");
  room(output, count);
  const { bytes, length } = output;
  for (let i = length; i < length + count; i++) bytes[i] = bytes[i - offset] ?? 0;
  output.length += count;
}

function offsetOf(memory: Memory, value: number, hasLiterals: boolean): number {
  const [first, second, third] = memory.recent;
  if (value > 3) {
    memory.recent = [value - 3, first, second];
    return value - 3;
  }
  const which = value - 1 + (hasLiterals ? 0 : 1);
  if (which === 1) memory.recent = [second, first, third];
  if (which === 2) memory.recent = [third, first, second];
  if (which === 3) memory.recent = [first - 1, first, second];
  if (memory.recent[0] === 0) throw new RangeError("an offset of nothing");
  return memory.recent[0];
}

function readCount(bytes: Uint8Array): { readonly count: number; readonly length: number } {
  const [first = 0, second = 0, third = 0] = bytes;
  if (first < 128) return { count: first, length: 1 };
  return first < 255
    ? { count: (first - 128) * 256 + second, length: 2 }
    : { count: second + third * 256 + 0x7f00, length: 3 };
}

/** A table by the mode that a block names for it, and how many bytes that took. */
function tableFor(mode: number, kind: Kind, before: FseTable | null, bytes: Uint8Array): { value: FseTable; length: number } {
  if (mode === 0) return { value: kind.usual, length: 0 };
  if (mode === 2) return readFseTable(bytes, kind.maxLog, kind.maxSymbol);
  if (mode === 3) {
    if (!before) throw new RangeError("there is no table to use again");
    return { value: before, length: 0 };
  }
  const [symbol] = bytes;
  if (symbol === undefined || symbol > kind.maxSymbol) throw new RangeError("a table of no symbol");
  return { value: singleTable(symbol), length: 1 };
}

/** Reads and does the sequences of a block. @throws RangeError when they are damaged or make too much */
export function runSequences(bytes: Uint8Array, literals: Uint8Array, output: Output, memory: Memory): void {
  const { count, length } = readCount(bytes);
  if (count === 0) {
    if (bytes.length !== 1) throw new RangeError("a block is longer than what is in it");
    return append(output, literals);
  }
  const modes = bytes[length] ?? 0;
  if ((modes & 3) !== 0) throw new RangeError("a reserved bit is set");
  let at = length + 1;
  for (const [name, shift] of [["literals", 6], ["offsets", 4], ["matches", 2]] as const) {
    const found = tableFor((modes >> shift) & 3, KINDS[name], memory[name], bytes.subarray(at));
    memory[name] = found.value;
    at += found.length;
  }
  const { literals: ll, offsets: of, matches: ml } = memory;
  if (!ll || !of || !ml) throw new TypeError("every table was just read");
  const stream = new BackwardBits(bytes.subarray(at));
  let [llState, ofState, mlState] = [stream.read(ll.log), stream.read(of.log), stream.read(ml.log)];
  let used = 0;
  for (let i = 0; i < count; i++) {
    const ofCode = of.symbols[ofState] ?? 0;
    if (ofCode > MAX_OFFSET_CODE) throw new RangeError("an offset is too large");
    const value = 2 ** ofCode + stream.read(ofCode);
    const match = MATCHES[ml.symbols[mlState] ?? 0];
    const literal = LITERALS[ll.symbols[llState] ?? 0];
    if (!match || !literal) throw new RangeError("there is no such code");
    const matched = match.base + stream.read(match.bits);
    const taken = literal.base + stream.read(literal.bits);
    if (stream.left < 0 || used + taken > literals.length) throw new RangeError("the sequences are cut off");
    append(output, literals.subarray(used, used + taken));
    used += taken;
    repeat(output, offsetOf(memory, value, taken > 0), matched);
    if (i === count - 1) break;
    llState = (ll.bases[llState] ?? 0) + stream.read(ll.bits[llState] ?? 0);
    mlState = (ml.bases[mlState] ?? 0) + stream.read(ml.bits[mlState] ?? 0);
    ofState = (of.bases[ofState] ?? 0) + stream.read(of.bits[ofState] ?? 0);
  }
  if (stream.left !== 0) throw new RangeError("the sequences do not come out even");
  append(output, literals.subarray(used));
}
