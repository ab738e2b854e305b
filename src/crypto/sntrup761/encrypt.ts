import { freeze, freeze3, multiply, multiply3, nonzeroMask, P, type Polynomial, WEIGHT } from "./arithmetic.ts";
import { invertTripled } from "./invert.ts";

/** The public polynomial g / (3f) of a short `f` and a small `g`. */
export function publicPolynomial(f: Polynomial, g: Polynomial): Polynomial {
  return multiply(invertTripled(f), g);
}

/** Encrypts a short `r` to a public polynomial `h`: h r, each coefficient rounded to the nearest multiple of 3. */
export function encrypt(r: Polynomial, h: Polynomial): Polynomial {
  return multiply(h, r).map((x) => x - freeze3(x));
}

/**
 * Recovers the short polynomial `r` from its encryption with the secret `f` and the inverse of `g` modulo 3.
 * From anything else it makes some polynomial, or a fixed one where the result would not be short.
 */
export function decrypt(rounded: Polynomial, f: Polynomial, gInverse: Polynomial): Polynomial {
  const e = multiply(rounded, f).map((x) => freeze3(freeze(3 * x)));
  const r = multiply3(e, gInverse);
  let weight = 0;
  for (let i = 0; i < P; i++) weight += (r[i] ?? 0) & 1;
  const notShort = nonzeroMask(weight - WEIGHT);
  for (let i = 0; i < P; i++) {
    const fixed = i < WEIGHT ? 1 : 0;
    const coefficient = r[i] ?? 0;
    r[i] = coefficient ^ (notShort & (coefficient ^ fixed));
  }
  e.fill(0);
  return r;
}
