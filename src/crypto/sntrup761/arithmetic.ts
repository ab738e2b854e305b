/**
 * Arithmetic of sntrup761 (Streamlined NTRU Prime, round 3): polynomials modulo x^761 - x - 1 whose coefficients are
 * taken modulo 4591 or modulo 3, always in centred form. No step branches on a coefficient, none uses one as an
 * index, and none divides: quotients are products with a scaled reciprocal, so that their time is that of the
 * multiplier.
 */

/** The degree of the modulus, and how many coefficients a polynomial has. */
export const P = 761;
/** The large modulus of coefficients, a prime. */
export const Q = 4591;
/** Centred form of a coefficient modulo `Q` is from `-HALF_Q` to `HALF_Q`. */
export const HALF_Q = (Q - 1) / 2;
/** How many coefficients of a short polynomial are 1 or -1; all others are 0. */
export const WEIGHT = 286;

/** The coefficient of x^i stands at place i. "Small" means that each is -1, 0 or 1. */
export type Polynomial = Int16Array;

/**
 * A number congruent to `x` modulo `Q`, less than 3,000 from zero, for |x| < 2^24. Two of them times coefficients in
 * centred form add up to less than 2^24 again, so that the inversion needs nothing stronger in its inner loop.
 */
export function reduce(x: number): number {
  // 14,617 / 2^26 is a little less than 1 / Q; the shift by 7 keeps the product within 31 bits.
  return (x - Math.imul(Q, (Math.imul(x >> 7, 14_617) + (1 << 18)) >> 19)) | 0;
}

/** `x` modulo `Q` in centred form, for |x| < 2^24. */
export function freeze(x: number): number {
  const y = reduce(x);
  return (y - Math.imul(Q, (Math.imul(y, 29_235) + (1 << 26)) >> 27)) | 0;
}

/** `x` modulo 3 as -1, 0 or 1, for |x| < 2^14. */
export function freeze3(x: number): number {
  return (x - Math.imul(3, (Math.imul(x, 10_923) + (1 << 14)) >> 15)) | 0;
}

/** Minus `x`. The plain operator makes -0 of 0, which engines do not keep as an integer. */
export function negative(x: number): number {
  return (0 - x) | 0;
}

/** All ones unless `x` is 0. */
export function nonzeroMask(x: number): number {
  return (x | negative(x)) >> 31;
}

/** All ones when `x` is more than 0, for |x| < 2^31. */
export function positiveMask(x: number): number {
  return negative(x) >> 31;
}

/** 1 / x modulo `Q` in centred form, as x^(Q - 2); 0 for 0. */
export function reciprocal(x: number): number {
  let result = 1;
  // The exponent is a constant, so the branch on its bits tells nothing.
  for (let bit = 1 << 12; bit > 0; bit >>= 1) {
    result = freeze(Math.imul(result, result));
    if (((Q - 2) & bit) !== 0) result = freeze(Math.imul(result, x));
  }
  return result;
}

const ROWS = 4;
const PADDED = P + ROWS - 1;

/**
 * The product of two polynomials over the integers, modulo x^761 - x - 1. Each coefficient gathers at most 3 P
 * products, so that with a small operand it stays below 2^24.
 */
function product(a: Polynomial, b: Polynomial): Int32Array {
  const [left, right] = [new Int16Array(PADDED), new Int16Array(PADDED)];
  left.set(a);
  right.set(b);
  const sum = new Int32Array(2 * PADDED);
  // Four rows of the schoolbook at once: each sum is loaded and stored a quarter as often.
  for (let i = 0; i < P; i += ROWS) {
    const a0 = left[i] ?? 0;
    const a1 = left[i + 1] ?? 0;
    const a2 = left[i + 2] ?? 0;
    const a3 = left[i + 3] ?? 0;
    let b1 = 0;
    let b2 = 0;
    let b3 = 0;
    for (let j = 0; j < PADDED; j++) {
      const b0 = right[j] ?? 0;
      const row = (Math.imul(a0, b0) + Math.imul(a1, b1) + Math.imul(a2, b2) + Math.imul(a3, b3)) | 0;
      sum[i + j] = ((sum[i + j] ?? 0) + row) | 0;
      b3 = b2;
      b2 = b1;
      b1 = b0;
    }
  }
  // x^(761 + k) is x^(k + 1) + x^k.
  for (let k = 2 * P - 2; k >= P; k--) {
    const high = sum[k] ?? 0;
    sum[k - P] = ((sum[k - P] ?? 0) + high) | 0;
    sum[k - P + 1] = ((sum[k - P + 1] ?? 0) + high) | 0;
  }
  left.fill(0);
  right.fill(0);
  return sum;
}

function frozen(sum: Int32Array, freezing: (x: number) => number): Polynomial {
  const out = new Int16Array(P);
  for (let i = 0; i < P; i++) out[i] = freezing(sum[i] ?? 0);
  sum.fill(0);
  return out;
}

/** The product modulo `Q`, when one operand is in centred form and the other is small. */
export function multiply(a: Polynomial, small: Polynomial): Polynomial {
  return frozen(product(a, small), freeze);
}

/** The product modulo 3 of two small polynomials. */
export function multiply3(a: Polynomial, b: Polynomial): Polynomial {
  return frozen(product(a, b), freeze3);
}
