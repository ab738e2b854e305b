import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, utf8 } from "#crypto/bytes";
import { sha512 } from "#crypto/hash";
import {
  freeze,
  freeze3,
  HALF_Q,
  multiply,
  multiply3,
  P,
  type Polynomial,
  Q,
  reciprocal,
  reduce,
  WEIGHT,
} from "#crypto/sntrup761/arithmetic";
import {
  decodeFull,
  decodeRounded,
  decodeSmall,
  encodeFull,
  encodeRounded,
  encodeSmall,
  FULL_LENGTH,
  ROUNDED_LENGTH,
  SMALL_LENGTH,
} from "#crypto/sntrup761/encode";
import { decrypt, encrypt, publicPolynomial } from "#crypto/sntrup761/encrypt";
import { invertTripled } from "#crypto/sntrup761/invert";
import { invert3 } from "#crypto/sntrup761/invert3";
import { SAMPLE_LENGTH, shortFrom, smallFrom, sortWords } from "#crypto/sntrup761/sample";

/** The remainder nearest to 0, by division: what the constant-time code must agree with. */
const centred = (x: number, modulus: number): number => {
  const remainder = ((x % modulus) + modulus) % modulus;
  return remainder > modulus / 2 ? remainder - modulus : remainder;
};

/** The product modulo x^761 - x - 1 as it is learned in school. */
const schoolbook = (a: Polynomial, b: Polynomial, modulus: number): Polynomial => {
  const sum = Array.from({ length: 2 * P }, () => 0);
  for (const [i, x] of a.entries()) for (const [j, y] of b.entries()) sum[i + j] = (sum[i + j] ?? 0) + x * y;
  for (let k = 2 * P - 1; k >= P; k--) {
    sum[k - P] = (sum[k - P] ?? 0) + (sum[k] ?? 0);
    sum[k - P + 1] = (sum[k - P + 1] ?? 0) + (sum[k] ?? 0);
  }
  return Int16Array.from({ length: P }, (_, i) => centred(sum[i] ?? 0, modulus));
};

const polynomial = (bound: number): fc.Arbitrary<Polynomial> =>
  fc
    .array(fc.integer({ min: -bound, max: bound }), { minLength: P, maxLength: P })
    .map((coefficients) => Int16Array.from(coefficients));
const small = polynomial(1);
const full = polynomial(HALF_Q);
const constant = (x: number): Polynomial => new Int16Array(P).fill(x);
const one = Int16Array.from({ length: P }, (_, i) => (i === 0 ? 1 : 0));

/** Bytes that look random and are the same in every run, so that counts of them never flicker. */
const stream = (name: string, length: number): Uint8Array => {
  const blocks: Uint8Array[] = [];
  for (let i = 0; i < length; i += 64) blocks.push(sha512(utf8(`${name} ${i}`)));
  return concat(...blocks).subarray(0, length);
};

describe("coefficients", () => {
  const LIMIT = 2 ** 24;

  test("reduction agrees with division at every border between quotients, and at the ends of its range", () => {
    const beyondBorder = [-1, 0, 1];
    let worst = 0;
    for (let quotient = -3654; quotient < 3654; quotient++) {
      for (const offset of beyondBorder) {
        for (const x of [quotient * Q + HALF_Q + offset, quotient * Q + offset]) {
          if (freeze(x) !== centred(x, Q)) expect(freeze(x), `${x}`).toBe(centred(x, Q));
          worst = Math.max(worst, Math.abs(reduce(x)));
        }
      }
    }
    for (const x of [1 - LIMIT, LIMIT - 1]) expect(freeze(x)).toBe(centred(x, Q));
    expect(worst).toBeLessThan(3000);
    expect(2 * HALF_Q * 3000, "what the inversion adds up").toBeLessThan(LIMIT);
  });

  test("reduction agrees with division", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 - LIMIT, max: LIMIT - 1 }), (x) => {
        expect(freeze(x)).toBe(centred(x, Q));
        expect(centred(reduce(x) - x, Q)).toBe(0);
        expect(Math.abs(reduce(x))).toBeLessThan(3000);
      }),
      { numRuns: 2000 },
    );
  });

  test("modulo 3 too, for all that are allowed", () => {
    const wrong: number[] = [];
    for (let x = 1 - 2 ** 14; x < 2 ** 14; x++) if (freeze3(x) !== centred(x, 3)) wrong.push(x);
    expect(wrong).toStrictEqual([]);
  });

  test("every one but 0 has a reciprocal", () => {
    const wrong: number[] = [];
    for (let x = 1; x < Q; x++) if (freeze(x * reciprocal(freeze(x))) !== 1) wrong.push(x);
    expect(wrong).toStrictEqual([]);
    expect(reciprocal(0)).toBe(0);
  });
});

describe("products", () => {
  test("are those of the schoolbook", () => {
    fc.assert(
      fc.property(full, small, small, (a, b, c) => {
        expect(multiply(a, b)).toStrictEqual(schoolbook(a, b, Q));
        expect(multiply3(b, c)).toStrictEqual(schoolbook(b, c, 3));
      }),
      { numRuns: 10 },
    );
  });

  test("hold their range when every coefficient is as large as it may be", () => {
    for (const a of [constant(HALF_Q), constant(-HALF_Q)]) {
      for (const b of [constant(1), constant(-1)]) expect(multiply(a, b)).toStrictEqual(schoolbook(a, b, Q));
    }
    expect(multiply3(constant(1), constant(-1))).toStrictEqual(schoolbook(constant(1), constant(-1), 3));
  });
});

describe("inverses", () => {
  const tripled = (a: Polynomial, b: Polynomial): Polynomial => multiply(a, b).map((x) => freeze(3 * x));

  test("of 3f, for whatever small f but 0", () => {
    fc.assert(
      fc.property(small.filter((f) => f.some((x) => x !== 0)), (f) => {
        expect(tripled(invertTripled(f), f)).toStrictEqual(one);
      }),
      { numRuns: 10 },
    );
  });

  test("of 3f, for single powers of x, which swap late or often", () => {
    for (const power of [0, 1, 2, 379, 380, 381, 759, 760]) {
      const f = Int16Array.from({ length: P }, (_, i) => (i === power ? -1 : 0));
      expect(tripled(invertTripled(f), f), `x^${power}`).toStrictEqual(one);
      expect(multiply3(invert3(f) ?? constant(0), f), `x^${power}`).toStrictEqual(one);
    }
  });

  test("modulo 3", () => {
    fc.assert(
      fc.property(small.filter((g) => g.some((x) => x !== 0)), (g) => {
        expect(multiply3(invert3(g) ?? constant(0), g)).toStrictEqual(one);
      }),
      { numRuns: 30 },
    );
  });

  test("modulo 3 there is none of 0, of a factor of the modulus, nor of a multiple of that", () => {
    // The only factor of x^761 - x - 1 modulo 3 below degree 20, lowest coefficient first.
    const factor = new Int16Array(P);
    factor.set([-1, -1, 0, -1, -1, -1, 1, -1, 1, -1, 0, -1, 1, 1, 1, 1, -1, 0, 1, 1]);
    expect(invert3(constant(0))).toBeUndefined();
    expect(invert3(factor)).toBeUndefined();
    expect(invert3(multiply3(factor, smallFrom(stream("cofactor", SAMPLE_LENGTH))))).toBeUndefined();
  });
});

describe("encryption", () => {
  const f = shortFrom(stream("f", SAMPLE_LENGTH));
  const g = smallFrom(stream("g", SAMPLE_LENGTH));
  const r = shortFrom(stream("r", SAMPLE_LENGTH));
  const gInverse = invert3(g) ?? constant(0);
  const ciphertext = encrypt(r, publicPolynomial(f, g));

  test("is undone by the secret polynomials", () => {
    expect(ciphertext.every((x) => Math.abs(x) <= HALF_Q && x % 3 === 0)).toBe(true);
    expect(decrypt(ciphertext, f, gInverse)).toStrictEqual(r);
  });

  test("of nothing short is taken for the one polynomial that the specification names", () => {
    const named = Int16Array.from({ length: P }, (_, i) => (i < WEIGHT ? 1 : 0));
    expect(decrypt(constant(0), f, gInverse)).toStrictEqual(named);
    const stray = encrypt(smallFrom(stream("not short", SAMPLE_LENGTH)), constant(1));
    expect(decrypt(stray, f, gInverse)).toStrictEqual(named);
  });
});

describe("encodings", () => {
  const rounded = full.map((coefficients) => coefficients.map((x) => x - freeze3(x)));
  const extremes = [constant(HALF_Q), constant(-HALF_Q), constant(0)];

  test("come back as they went, in their fixed lengths", () => {
    const check = (a: Polynomial, b: Polynomial, c: Polynomial): void => {
      const encoded = [encodeFull(a), encodeRounded(b), encodeSmall(c)] as const;
      expect(encoded.map((bytes) => bytes.length)).toStrictEqual([FULL_LENGTH, ROUNDED_LENGTH, SMALL_LENGTH]);
      expect(decodeFull(encoded[0])).toStrictEqual(a);
      expect(decodeRounded(encoded[1])).toStrictEqual(b);
      expect(decodeSmall(encoded[2])).toStrictEqual(c);
    };
    fc.assert(fc.property(full, rounded, small, check), { numRuns: 20 });
    for (const extreme of extremes) check(extreme, extreme, extreme.map(Math.sign));
  });

  test("any bytes decode to coefficients in range", () => {
    for (let i = 0; i < 20; i++) {
      const bytes = i === 0 ? new Uint8Array(FULL_LENGTH).fill(0xff) : stream(`bytes ${i}`, FULL_LENGTH);
      expect(decodeFull(bytes).every((x) => Math.abs(x) <= HALF_Q)).toBe(true);
      const thirds = decodeRounded(bytes.subarray(0, ROUNDED_LENGTH));
      expect(thirds.every((x) => Math.abs(x) <= HALF_Q && x % 3 === 0)).toBe(true);
    }
  });
});

describe("samples", () => {
  const samples = Array.from({ length: 200 }, (_, i) => stream(`sample ${i}`, SAMPLE_LENGTH));

  test("sorting sorts, whatever the length and values", () => {
    const extremes = fc.constantFrom(-(2 ** 31), -1, 0, 1, 2 ** 31 - 1);
    const values = fc.array(fc.oneof(fc.integer(), extremes), { maxLength: 800 });
    fc.assert(
      fc.property(values, (numbers) => {
        const sorted = Int32Array.from(numbers);
        sortWords(sorted);
        expect(sorted).toStrictEqual(Int32Array.from(numbers).sort());
      }),
      { numRuns: 200 },
    );
  });

  test("short polynomials have their weight, spread evenly over places and signs", () => {
    const atPlace = Array.from({ length: P }, () => 0);
    let sum = 0;
    for (const sample of samples) {
      const short = shortFrom(sample);
      expect(short.filter((x) => x !== 0)).toHaveLength(WEIGHT);
      for (const [i, x] of short.entries()) {
        expect(Math.abs(x)).toBeLessThan(2);
        atPlace[i] = (atPlace[i] ?? 0) + Math.abs(x);
        sum += x;
      }
    }
    // Five standard deviations: of 57,200 signs about 1,196; of a place's binomial count (mean 75.2) about 34.
    expect(Math.abs(sum)).toBeLessThan(1196);
    for (const [i, count] of atPlace.entries()) expect(Math.abs(count - 75.2), `place ${i}`).toBeLessThan(34.3);
  });

  test("small polynomials have as many of each coefficient", () => {
    const counts = new Map([[-1, 0], [0, 0], [1, 0]]);
    for (const sample of samples) for (const x of smallFrom(sample)) counts.set(x, (counts.get(x) ?? 0) + 1);
    expect(counts.size).toBe(3);
    // 152,200 draws with chance 1/3: five standard deviations are 920.
    for (const [x, count] of counts) expect(Math.abs(count - 152_200 / 3), `${x}`).toBeLessThan(920);
  });
});
