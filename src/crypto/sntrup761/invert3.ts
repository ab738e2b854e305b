import { negative, nonzeroMask, P, type Polynomial, positiveMask } from "./arithmetic.ts";
import { DIVISION_STEPS } from "./invert.ts";

/** 762 coefficients modulo 3, 32 to a word: a bit of `plus` says 1, a bit of `minus` says -1. */
interface Trits {
  readonly plus: Int32Array;
  readonly minus: Int32Array;
}

const WORDS = 24;

function zero(): Trits {
  return { plus: new Int32Array(WORDS), minus: new Int32Array(WORDS) };
}

function put({ plus, minus }: Trits, at: number, trit: number): void {
  const word = at >> 5;
  plus[word] = (plus[word] ?? 0) | ((positiveMask(trit) & 1) << (at & 31));
  minus[word] = (minus[word] ?? 0) | ((positiveMask(negative(trit)) & 1) << (at & 31));
}

function take({ plus, minus }: Trits, at: number): number {
  const bit = (words: Int32Array): number => ((words[at >> 5] ?? 0) >> (at & 31)) & 1;
  return bit(plus) - bit(minus);
}

/** Exchanges `a` and `b` when `swap` is all ones, then adds `factor` (-1, 0 or 1) times `a` to `b`. */
function exchangeAndAdd(a: Trits, b: Trits, swap: number, factor: number): void {
  const same = positiveMask(factor);
  const opposite = positiveMask(negative(factor));
  for (let i = 0; i < WORDS; i++) {
    const plusChange = swap & ((a.plus[i] ?? 0) ^ (b.plus[i] ?? 0));
    const minusChange = swap & ((a.minus[i] ?? 0) ^ (b.minus[i] ?? 0));
    const ap = (a.plus[i] ?? 0) ^ plusChange;
    const am = (a.minus[i] ?? 0) ^ minusChange;
    const bp = (b.plus[i] ?? 0) ^ plusChange;
    const bm = (b.minus[i] ?? 0) ^ minusChange;
    a.plus[i] = ap;
    a.minus[i] = am;
    const cp = (ap & same) | (am & opposite);
    const cm = (am & same) | (ap & opposite);
    // Addition modulo 3 in seven operations (Kawahara, Aoki and Takagi, 2008).
    const mixed = (bp | cm) ^ (bm | cp);
    b.plus[i] = (bm | cm) ^ mixed;
    b.minus[i] = (bp | cp) ^ mixed;
  }
}

/** Multiplies by x: every coefficient moves up a place. */
function moveUp(words: Int32Array): void {
  for (let i = WORDS - 1; i > 0; i--) words[i] = ((words[i] ?? 0) << 1) | ((words[i - 1] ?? 0) >>> 31);
  words[0] = (words[0] ?? 0) << 1;
}

/** Divides by x: every coefficient moves down a place. */
function moveDown(words: Int32Array): void {
  for (let i = 0; i < WORDS - 1; i++) words[i] = ((words[i] ?? 0) >>> 1) | ((words[i + 1] ?? 0) << 31);
  words[WORDS - 1] = (words[WORDS - 1] ?? 0) >>> 1;
}

/**
 * 1 / g modulo 3 for a small `g`, or undefined where there is none: the modulus has factors there, the smallest of
 * degree 19, so that about one random `g` in 3^19 shares one. The division steps are those of `invertTripled`;
 * coefficients are packed, since arithmetic modulo 3 is a few logical operations on whole words.
 */
export function invert3(input: Polynomial): Polynomial | undefined {
  const [f, g, v, r] = [zero(), zero(), zero(), zero()];
  put(f, 0, 1);
  put(f, P - 1, -1);
  put(f, P, -1);
  for (let i = 0; i < P; i++) put(g, P - 1 - i, input[i] ?? 0);
  put(r, 0, 1);
  let delta = 1;
  for (let step = 0; step < DIVISION_STEPS; step++) {
    moveUp(v.plus);
    moveUp(v.minus);
    const g0 = take(g, 0);
    const swap = positiveMask(delta) & nonzeroMask(g0);
    const factor = Math.imul(take(f, 0), negative(g0));
    delta = ((delta ^ swap) - swap + 1) | 0;
    exchangeAndAdd(f, g, swap, factor);
    exchangeAndAdd(v, r, swap, factor);
    moveDown(g.plus);
    moveDown(g.minus);
  }
  const scale = take(f, 0);
  const out = new Int16Array(P);
  for (let i = 0; i < P; i++) out[i] = Math.imul(scale, take(v, P - 1 - i));
  for (const { plus, minus } of [f, g, v, r]) {
    plus.fill(0);
    minus.fill(0);
  }
  return delta === 0 ? out : undefined;
}
