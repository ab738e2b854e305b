// Bech32 (BIP 173) without its limit of length, as age writes keys.

const ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const;
const CHECKSUM_LENGTH = 6;

function checksum(values: readonly number[]): number {
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (const [bit, generator] of GENERATORS.entries()) if ((top >>> bit) & 1) sum ^= generator;
  }
  return sum;
}

function expanded(prefix: string): number[] {
  const codes = Array.from(prefix, (character) => character.charCodeAt(0));
  return [...codes.map((code) => code >>> 5), 0, ...codes.map((code) => code & 31)];
}

/** Groups bits anew; null when what is left over is not padding. */
function regroup(values: Iterable<number>, from: number, to: number, isPadded: boolean): number[] | null {
  const out: number[] = [];
  let bits = 0;
  let held = 0;
  for (const value of values) {
    held = (held << from) | value;
    bits += from;
    while (bits >= to) {
      bits -= to;
      out.push((held >>> bits) & ((1 << to) - 1));
    }
    held &= (1 << bits) - 1;
  }
  if (isPadded) return bits > 0 ? [...out, (held << (to - bits)) & ((1 << to) - 1)] : out;
  return bits < from && held === 0 ? out : null;
}

/** In lower case. @param prefix in lower case */
export function encodeBech32(prefix: string, bytes: Uint8Array): string {
  const values = regroup(bytes, 8, 5, true) ?? [];
  const sum = checksum([...expanded(prefix), ...values, ...Array<number>(CHECKSUM_LENGTH).fill(0)]) ^ 1;
  const check = Array.from({ length: CHECKSUM_LENGTH }, (_, i) => (sum >>> (5 * (CHECKSUM_LENGTH - 1 - i))) & 31);
  return `${prefix}1${[...values, ...check].map((value) => ALPHABET[value]).join("")}`;
}

/** In either case, not mixed; null when it is none with this prefix. */
export function decodeBech32(prefix: string, text: string): Uint8Array | null {
  const lower = text.toLowerCase();
  if (text !== lower && text !== text.toUpperCase()) return null;
  if (!lower.startsWith(`${prefix}1`)) return null;
  const values = Array.from(lower.slice(prefix.length + 1), (character) => ALPHABET.indexOf(character));
  if (values.length < CHECKSUM_LENGTH || values.includes(-1)) return null;
  if (checksum([...expanded(prefix), ...values]) !== 1) return null;
  const bytes = regroup(values.slice(0, -CHECKSUM_LENGTH), 5, 8, false);
  return bytes && Uint8Array.from(bytes);
}
