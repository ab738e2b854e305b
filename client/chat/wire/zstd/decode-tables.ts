import { BackwardBits } from "./backward-bits.ts";

/** How a finite state entropy goes from state to state (RFC 8878, section 4.1). */
export interface FseTable {
  /** Bits of a state. */
  readonly log: number;
  readonly symbols: Uint8Array;
  /** Bits to be read for the next state, and what is added to them. */
  readonly bits: Uint8Array;
  readonly bases: Uint16Array;
}

/** Codes of literals, by as many bits as the longest has. */
export interface HuffmanTable {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
}

/** What was read, and how many bytes it took. */
export interface Found<T> {
  readonly value: T;
  readonly length: number;
}

/** The table for these shares of the states; -1 stands for less than one state (section 4.1.1). */
export function fseTable(shares: readonly number[], log: number): FseTable {
  const size = 1 << log;
  const table = { log, symbols: new Uint8Array(size), bits: new Uint8Array(size), bases: new Uint16Array(size) };
  let high = size;
  for (const [symbol, share] of shares.entries()) {
    if (share === -1) table.symbols[--high] = symbol;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let position = 0;
  for (const [symbol, share] of shares.entries()) {
    for (let i = 0; i < share; i++) {
      table.symbols[position] = symbol;
      do position = (position + step) & (size - 1); while (position >= high);
    }
  }
  const next = shares.map((share) => Math.abs(share));
  for (let state = 0; state < size; state++) {
    const symbol = table.symbols[state] ?? 0;
    const count = next[symbol] ?? 0;
    next[symbol] = count + 1;
    const bits = log - Math.floor(Math.log2(count));
    table.bits[state] = bits;
    table.bases[state] = (count << bits) - size;
  }
  return table;
}

/** A table with one state: every symbol is this one. */
export function singleTable(symbol: number): FseTable {
  return { log: 0, symbols: Uint8Array.of(symbol), bits: new Uint8Array(1), bases: new Uint16Array(1) };
}

/** Reads a table from its description. @throws RangeError when it is none, or larger than allowed */
export function readFseTable(bytes: Uint8Array, maxLog: number, maxSymbol: number): Found<FseTable> {
  let at = 0;
  const peek = (count: number): number => {
    const from = at >> 3;
    const word = (bytes[from] ?? 0) | ((bytes[from + 1] ?? 0) << 8) | ((bytes[from + 2] ?? 0) << 16);
    return (word >> (at & 7)) & ((1 << count) - 1);
  };
  const log = peek(4) + 5;
  at = 4;
  if (log > maxLog) throw new RangeError(`a table of ${log} bits`);
  const shares: number[] = [];
  let left = (1 << log) + 1;
  let threshold = 1 << log;
  let bits = log + 1;
  while (left > 1) {
    if (shares.length > maxSymbol) throw new RangeError("a table has too many symbols");
    const most = 2 * threshold - 1 - left;
    const low = peek(bits) & (threshold - 1);
    let share = low;
    if (low < most) {
      at += bits - 1;
    } else {
      share = peek(bits);
      if (share >= threshold) share -= most;
      at += bits;
    }
    share--;
    left -= Math.abs(share);
    shares.push(share);
    if (share === 0) {
      let repeats: number;
      do {
        repeats = peek(2);
        at += 2;
        if (shares.length + repeats > maxSymbol + 1) throw new RangeError("a table has too many symbols");
        for (let i = 0; i < repeats; i++) shares.push(0);
      } while (repeats === 3);
    }
    while (left < threshold) {
      bits--;
      threshold >>= 1;
    }
  }
  const length = (at + 7) >> 3;
  if (left !== 1 || length > bytes.length) throw new RangeError("a table does not come out even");
  return { value: fseTable(shares, log), length };
}

const MAX_WEIGHT_LOG = 6;
const MAX_CODE_LENGTH = 11;

/** Weights in two turns, until the bits are used up (section 4.2.1.2). */
function packedWeights(bytes: Uint8Array): number[] {
  const { value: table, length } = readFseTable(bytes, MAX_WEIGHT_LOG, MAX_CODE_LENGTH + 1);
  const stream = new BackwardBits(bytes.subarray(length));
  const states: [number, number] = [stream.read(table.log), stream.read(table.log)];
  if (stream.left < 0) throw new RangeError("the weights are cut off");
  const weights: number[] = [];
  for (let turn: 0 | 1 = 0; weights.length < 255; turn = turn === 0 ? 1 : 0) {
    const state = states[turn];
    weights.push(table.symbols[state] ?? 0);
    states[turn] = (table.bases[state] ?? 0) + stream.read(table.bits[state] ?? 0);
    if (stream.left >= 0) continue;
    weights.push(table.symbols[states[turn === 0 ? 1 : 0]] ?? 0);
    return weights;
  }
  throw new RangeError("too many weights");
}

function plainWeights(bytes: Uint8Array, count: number): number[] {
  return Array.from({ length: count }, (_, i) => ((bytes[i >> 1] ?? 0) >> (i % 2 === 0 ? 4 : 0)) & 15);
}

/** Reads the codes of literals from their description (section 4.2.1). @throws RangeError when it is none */
export function readHuffmanTable(bytes: Uint8Array): Found<HuffmanTable> {
  const [header = 0] = bytes;
  const count = header - 127;
  const length = 1 + (header < 128 ? header : (count + 1) >> 1);
  if (length > bytes.length) throw new RangeError("the codes of literals are cut off");
  const weights = header < 128 ? packedWeights(bytes.subarray(1, length)) : plainWeights(bytes.subarray(1), count);
  const sum = weights.reduce((total, weight) => total + (weight === 0 ? 0 : 2 ** (weight - 1)), 0);
  const log = sum === 0 ? 0 : Math.floor(Math.log2(sum)) + 1;
  const last = Math.log2(2 ** log - sum) + 1;
  if (log === 0 || log > MAX_CODE_LENGTH || !Number.isInteger(last) || weights.length > 255) {
    throw new RangeError("the codes of literals do not come out even");
  }
  weights.push(last);
  if (!weights.includes(1)) throw new RangeError("no code of literals is as long as the longest");
  const table = { log, symbols: new Uint8Array(2 ** log), bits: new Uint8Array(2 ** log) };
  let at = 0;
  for (let weight = 1; weight <= log; weight++) {
    for (const [symbol, own] of weights.entries()) {
      if (own !== weight) continue;
      table.symbols.fill(symbol, at, at + 2 ** (weight - 1));
      table.bits.fill(log + 1 - weight, at, at + 2 ** (weight - 1));
      at += 2 ** (weight - 1);
    }
  }
  return { value: table, length };
}
