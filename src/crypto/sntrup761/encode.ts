import { HALF_Q, P, type Polynomial, Q } from "./arithmetic.ts";

/** Bytes of a small polynomial: two bits for each coefficient. */
export const SMALL_LENGTH = 191;
/** Bytes of a polynomial modulo `Q`. */
export const FULL_LENGTH = 1158;
/** Bytes of a polynomial whose coefficients are multiples of 3. */
export const ROUNDED_LENGTH = 1007;

/** Values below this limit are kept for the next round; from what is more, low bytes are put out first. */
const LIMIT = 1 << 14;
const ROUNDED_MODULUS = (Q + 2) / 3;

/**
 * `Encode` of the NTRU Prime specification: values, each below its modulus, become one number in mixed radix, whose
 * bytes are put out as soon as they are known. Only the moduli, which are public, decide how many bytes go when.
 */
function encodeRadix(values: readonly number[], moduli: readonly number[]): number[] {
  const out: number[] = [];
  const put = (from: number, modulus: number, limit: number): [number, number] => {
    let [value, radix] = [from, modulus];
    while (radix >= limit) {
      out.push(value & 0xff);
      value >>= 8;
      radix = (radix + 0xff) >> 8;
    }
    return [value, radix];
  };
  let [level, radices] = [values, moduli];
  while (level.length > 1) {
    const [nextLevel, nextRadices]: [number[], number[]] = [[], []];
    for (let i = 0; i < level.length; i += 2) {
      const [low, lowRadix] = [level[i] ?? 0, radices[i] ?? 1];
      const paired = i + 1 < level.length;
      const value = low + Math.imul(lowRadix, paired ? (level[i + 1] ?? 0) : 0);
      const [rest, radix] = paired ? put(value, lowRadix * (radices[i + 1] ?? 1), LIMIT) : [low, lowRadix];
      nextLevel.push(rest);
      nextRadices.push(radix);
    }
    [level, radices] = [nextLevel, nextRadices];
  }
  put(level[0] ?? 0, radices[0] ?? 1, 2);
  return out;
}

/**
 * `Decode` of the NTRU Prime specification. Values that no encoder puts out are taken modulo their radix, as there.
 * It divides, and may: what is decoded so, public keys and ciphertexts, everybody has seen.
 */
function decodeRadix(bytes: Uint8Array, moduli: readonly number[]): number[] {
  const read = (at: number): number => bytes[at] ?? 0;
  const [first] = moduli;
  if (first === undefined) return [];
  if (moduli.length === 1) {
    let value = 0;
    for (let i = bytes.length - 1; i >= 0; i--) value = value * 256 + read(i);
    return [value % first];
  }
  let at = 0;
  const nextModuli: number[] = [];
  const lows: { readonly value: number; readonly scale: number }[] = [];
  for (let i = 0; i + 1 < moduli.length; i += 2) {
    let [value, scale, radix] = [0, 1, (moduli[i] ?? 1) * (moduli[i + 1] ?? 1)];
    while (radix >= LIMIT) {
      value += scale * read(at++);
      scale *= 256;
      radix = (radix + 0xff) >> 8;
    }
    lows.push({ value, scale });
    nextModuli.push(radix);
  }
  const isOdd = moduli.length % 2 === 1;
  if (isOdd) nextModuli.push(moduli.at(-1) ?? 1);
  const highs = decodeRadix(bytes.subarray(at), nextModuli);
  const out: number[] = [];
  for (const [pair, { value, scale }] of lows.entries()) {
    const both = value + scale * (highs[pair] ?? 0);
    const lowRadix = moduli[2 * pair] ?? 1;
    out.push(both % lowRadix, Math.floor(both / lowRadix) % (moduli[2 * pair + 1] ?? 1));
  }
  if (isOdd) out.push(highs.at(-1) ?? 0);
  return out;
}

const same = (modulus: number): number[] => Array.from({ length: P }, () => modulus);

/** 1158 bytes of a polynomial modulo `Q` in centred form. */
export function encodeFull(polynomial: Polynomial): Uint8Array {
  return Uint8Array.from(encodeRadix(Array.from(polynomial, (x) => x + HALF_Q), same(Q)));
}

/** Any 1158 bytes are a polynomial modulo `Q`. */
export function decodeFull(bytes: Uint8Array): Polynomial {
  return Int16Array.from(decodeRadix(bytes, same(Q)), (x) => x - HALF_Q);
}

/** 1007 bytes of a polynomial whose coefficients, in centred form, are multiples of 3. */
export function encodeRounded(polynomial: Polynomial): Uint8Array {
  // 10,923 / 2^15 is a third, near enough for multiples of 3 up to Q.
  const thirds = Array.from(polynomial, (x) => Math.imul(x + HALF_Q, 10_923) >> 15);
  return Uint8Array.from(encodeRadix(thirds, same(ROUNDED_MODULUS)));
}

/** Any 1007 bytes are such a polynomial. */
export function decodeRounded(bytes: Uint8Array): Polynomial {
  return Int16Array.from(decodeRadix(bytes, same(ROUNDED_MODULUS)), (x) => 3 * x - HALF_Q);
}

/** 191 bytes of a small polynomial: coefficients plus 1, four to a byte, the first in the lowest bits. */
export function encodeSmall(polynomial: Polynomial): Uint8Array {
  const out = new Uint8Array(SMALL_LENGTH);
  for (let i = 0; i < P; i++) out[i >> 2] = (out[i >> 2] ?? 0) | (((polynomial[i] ?? 0) + 1) << (2 * (i & 3)));
  return out;
}

/** The polynomial of 191 bytes; bits that no encoder writes make a coefficient of 2. */
export function decodeSmall(bytes: Uint8Array): Polynomial {
  return Int16Array.from({ length: P }, (_, i) => (((bytes[i >> 2] ?? 0) >> (2 * (i & 3))) & 3) - 1);
}
