import { freeze, nonzeroMask, P, type Polynomial, positiveMask, reciprocal, reduce } from "./arithmetic.ts";

/** How many division steps bring a polynomial of degree below P and the modulus to their greatest common divisor. */
export const DIVISION_STEPS = 2 * P - 1;

const ONE_THIRD = -1530;

/**
 * 1 / (3f) modulo `Q`, which exists for every small `f` but 0, for the modulus is irreducible there.
 *
 * Division steps of Bernstein and Yang ("Fast constant-time gcd computation and modular inversion", 2019): their
 * number is fixed, each does the same to the same places, and a mask instead of a branch decides about swapping.
 * `f` and `g` hold their polynomials in reversed order, so that a step looks at place 0 only; `v` and `r` hold what
 * the input was multiplied by to get there. Loops are cut to the places that still matter, which depends on the
 * number of the step alone.
 */
export function invertTripled(input: Polynomial): Polynomial {
  const [f, g] = [new Int16Array(P + 1), new Int16Array(P + 1)];
  const [v, r] = [new Int16Array(P), new Int16Array(P)];
  f[0] = 1;
  f[P - 1] = -1;
  f[P] = -1;
  g.set(input.toReversed());
  r[0] = ONE_THIRD;
  let delta = 1;
  for (let step = 0; step < DIVISION_STEPS; step++) {
    const f0: number = f[0] ?? 0;
    const g0 = freeze(g[0] ?? 0);
    const swap = positiveMask(delta) & nonzeroMask(g0);
    // Swapped operands only change the sign of the difference, so its factors take that and g needs no swap.
    const byG = (f0 ^ swap) - swap;
    const byF = (g0 ^ swap) - swap;
    delta = ((delta ^ swap) - swap + 1) | 0;
    f[0] = f0 ^ (swap & (f0 ^ g0));
    const places = Math.min(P + 1, DIVISION_STEPS - step);
    for (let i = 1; i < places; i++) {
      const fi = f[i] ?? 0;
      const gi = g[i] ?? 0;
      f[i] = fi ^ (swap & (fi ^ gi));
      g[i - 1] = reduce(Math.imul(byG, gi) - Math.imul(byF, fi));
    }
    g[places - 1] = 0;
    for (let i = Math.min(P - 1, step); i >= 0; i--) {
      const vi = i === 0 ? 0 : (v[i - 1] ?? 0);
      const ri = r[i] ?? 0;
      v[i] = vi ^ (swap & (vi ^ ri));
      r[i] = reduce(Math.imul(byG, ri) - Math.imul(byF, vi));
    }
  }
  const scale = reciprocal(freeze(f[0] ?? 0));
  const out = new Int16Array(P);
  for (let i = 0; i < P; i++) out[i] = freeze(Math.imul(scale, v[P - 1 - i] ?? 0));
  for (const secret of [f, g, v, r]) secret.fill(0);
  return out;
}
