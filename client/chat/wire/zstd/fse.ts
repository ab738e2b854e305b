import { concat } from "#crypto/bytes";
import { BitStream } from "./bit-stream.ts";

// Finite state entropy (RFC 8878, section 4.1), as far as the lengths of Huffman codes need it.

/** States of the table, as a power of two: the most that is allowed for lengths of codes. */
const TABLE_LOG = 6;
const TABLE_SIZE = 2 ** TABLE_LOG;

/** From where one state comes: by reading `bits` bits, added to `base`. */
interface State {
  readonly symbol: number;
  readonly bits: number;
  readonly base: number;
}

/** How many states each symbol gets: at least one of each that occurs, all of the table together. */
function shares(counts: readonly number[], total: number): number[] {
  const out = counts.map((count) => (count === 0 ? 0 : Math.max(1, Math.round((count * TABLE_SIZE) / total))));
  for (let excess = out.reduce((sum, share) => sum + share) - TABLE_SIZE; excess !== 0; excess -= Math.sign(excess)) {
    const largest = out.indexOf(Math.max(...out));
    out[largest] = (out[largest] ?? 0) - Math.sign(excess);
  }
  return out;
}

/** The description of the table (RFC 8878, section 4.1.1). */
function describe(parts: readonly number[]): Uint8Array {
  const stream = new BitStream();
  stream.write(TABLE_LOG - 5, 4);
  let left = TABLE_SIZE + 1;
  let threshold = TABLE_SIZE;
  let bits = TABLE_LOG + 1;
  for (let symbol = 0; symbol < parts.length && left > 1; symbol++) {
    const part = parts[symbol] ?? 0;
    const short = 2 * threshold - 1 - left;
    const value = part + 1;
    stream.write(value >= threshold ? value + short : value, value < short ? bits - 1 : bits);
    left -= part;
    while (left < threshold && bits > 1) {
      bits--;
      threshold >>= 1;
    }
    if (part > 0) continue;
    // How many more zeros follow: threes as long as there are three, then the rest.
    let zeros = 0;
    while (parts[symbol + 1 + zeros] === 0) zeros++;
    symbol += zeros;
    for (; zeros >= 3; zeros -= 3) stream.write(3, 2);
    stream.write(zeros, 2);
  }
  return stream.done();
}

function tableOf(parts: readonly number[]): State[] {
  const symbols = Array.from({ length: TABLE_SIZE }, () => 0);
  const step = (TABLE_SIZE >> 1) + (TABLE_SIZE >> 3) + 3;
  let position = 0;
  for (const [symbol, part] of parts.entries()) {
    for (let i = 0; i < part; i++) {
      symbols[position] = symbol;
      position = (position + step) % TABLE_SIZE;
    }
  }
  const next = [...parts];
  return symbols.map((symbol) => {
    const count = next[symbol] ?? 0;
    next[symbol] = count + 1;
    const bits = TABLE_LOG - Math.floor(Math.log2(count));
    return { symbol, bits, base: (count << bits) - TABLE_SIZE };
  });
}

/**
 * The description of a table, then the symbols by two states that take turns. Null when it takes more than one kind
 * of symbol to do so.
 */
export function encodeFse(symbols: readonly number[]): Uint8Array | null {
  const counts = Array.from(
    { length: Math.max(...symbols) + 1 },
    (_, symbol) => symbols.filter((own) => own === symbol).length,
  );
  if (symbols.length < 2 || counts.includes(symbols.length)) return null;
  const parts = shares(counts, symbols.length);
  const table = tableOf(parts);
  const stream = new BitStream();
  // What is read first is written last. The first state of a symbol takes the most bits: none are left for it when
  // the reader wants them, which is how it knows the end.
  const states: [number, number] = [0, 0];
  for (let i = symbols.length - 1; i >= 0; i--) {
    const turn = (i % 2) as 0 | 1;
    if (i >= symbols.length - 2) {
      states[turn] = table.findIndex(({ symbol }) => symbol === symbols[i]);
      continue;
    }
    const target = states[turn];
    const from = table.findIndex(
      ({ symbol, bits, base }) => symbol === symbols[i] && target >= base && target < base + 2 ** bits,
    );
    const state = table[from];
    if (!state) throw new TypeError("every state can be reached with every symbol");
    stream.write(target - state.base, state.bits);
    states[turn] = from;
  }
  stream.write(states[1], TABLE_LOG);
  stream.write(states[0], TABLE_LOG);
  return concat(describe(parts), stream.closed());
}
