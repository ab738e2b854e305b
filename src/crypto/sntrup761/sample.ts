import { P, type Polynomial, WEIGHT } from "./arithmetic.ts";

/** How many random bytes make a small or a short polynomial: four for each coefficient. */
export const SAMPLE_LENGTH = 4 * P;

function words(random: Uint8Array): Int32Array {
  const view = new DataView(random.buffer, random.byteOffset, SAMPLE_LENGTH);
  return Int32Array.from({ length: P }, (_, i) => view.getInt32(4 * i, true));
}

/**
 * Sorts ascending. Merge exchange (Knuth, The Art of Computer Programming, volume 3, algorithm 5.2.2M): which places
 * are compared depends on the length alone, and a mask decides about exchanging.
 */
export function sortWords(values: Int32Array): void {
  const { length } = values;
  const top = 1 << (31 - Math.clz32(length - 1));
  for (let p = top; p > 0; p >>= 1) {
    let [r, d] = [0, p];
    for (let q = top; ; q >>= 1) {
      for (let i = 0; i < length - d; i++) {
        if ((i & p) !== r) continue;
        const low = values[i] ?? 0;
        const high = values[i + d] ?? 0;
        const bits = high ^ low;
        const difference = (high - low) | 0;
        // Where the difference does not fit 32 bits, its sign is the opposite of the truth.
        const change = bits & ((difference ^ (bits & (difference ^ high))) >> 31);
        values[i] = low ^ change;
        values[i + d] = high ^ change;
      }
      if (q === p) break;
      d = q - p;
      r = p;
    }
  }
}

/** A random small polynomial, from `SAMPLE_LENGTH` random bytes. */
export function smallFrom(random: Uint8Array): Polynomial {
  // Three times 30 random bits, cut to its top two bits: 0, 1 or 2, each within 2^-30 of a third.
  return Int16Array.from(words(random), (word) => (Math.imul(word & 0x3fffffff, 3) >>> 30) - 1);
}

/**
 * A random small polynomial with exactly `WEIGHT` coefficients that are not 0, from `SAMPLE_LENGTH` random bytes:
 * coefficients in a fixed order, the random bits above them, sorted by these.
 */
export function shortFrom(random: Uint8Array): Polynomial {
  const tagged = words(random);
  for (let i = 0; i < P; i++) tagged[i] = i < WEIGHT ? (tagged[i] ?? 0) & -2 : ((tagged[i] ?? 0) & -4) | 1;
  sortWords(tagged);
  const short = Int16Array.from(tagged, (word) => (word & 3) - 1);
  tagged.fill(0);
  return short;
}
