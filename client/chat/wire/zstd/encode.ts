import { concat } from "#crypto/bytes";
import { BitStream } from "./bit-stream.ts";
import { encodeFse } from "./fse.ts";
import { codeLengths, codesOf } from "./huffman.ts";

// Zstandard frames (RFC 8878) that spare no repetitions, but write every byte with as many bits as it deserves.
// Pictures in base64, which are what makes messages long, cannot be compressed more than that.

const MAGIC = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
const MAX_BLOCK = 131_072;
const RAW = 0;
const RLE = 1;
const COMPRESSED = 2;
/** With fewer bytes the description of the codes takes more than they spare. */
const MIN_COMPRESSED = 64;
const MAX_DIRECT_WEIGHTS = 128;
const MAX_FSE_LENGTH = 127;

function littleEndian(value: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Math.floor(value / 256 ** i) & 0xff);
}

/** Descriptor and content size: one segment, no checksum, no dictionary. */
function frameHeader(size: number): Uint8Array {
  if (size < 256) return Uint8Array.of(0x20, size);
  if (size < 65_792) return concat(Uint8Array.of(0x60), littleEndian(size - 256, 2));
  return concat(Uint8Array.of(0xa0), littleEndian(size, 4));
}

function block(type: number, size: number, isLast: boolean, content: Uint8Array): Uint8Array {
  return concat(littleEndian((isLast ? 1 : 0) + type * 2 + size * 8, 3), content);
}

/**
 * Of every byte but the last that occurs how short its code is, in one of two forms (section 4.2.1); null for
 * neither.
 */
function describeCodes(lengths: readonly number[]): Uint8Array | null {
  const longest = Math.max(...lengths);
  const last = lengths.findLastIndex((length) => length > 0);
  const weights = lengths.slice(0, last).map((length) => (length === 0 ? 0 : longest + 1 - length));
  const packed = encodeFse(weights);
  const directLength = Math.ceil(weights.length / 2);
  if (
    packed !== null &&
    packed.length <= MAX_FSE_LENGTH &&
    (packed.length < directLength || weights.length > MAX_DIRECT_WEIGHTS)
  ) {
    return concat(Uint8Array.of(packed.length), packed);
  }
  if (weights.length > MAX_DIRECT_WEIGHTS) return null;
  const direct = Uint8Array.from(
    { length: directLength },
    (_, i) => ((weights[2 * i] ?? 0) << 4) | (weights[2 * i + 1] ?? 0),
  );
  return concat(Uint8Array.of(MAX_FSE_LENGTH + weights.length), direct);
}

/** Compressed literals in four streams, and no sequences; null when that is not shorter than the bytes. */
function compressedBlock(content: Uint8Array): Uint8Array | null {
  const counts = Array.from({ length: 256 }, () => 0);
  for (const byte of content) counts[byte] = (counts[byte] ?? 0) + 1;
  const lengths = codeLengths(counts);
  const codes = codesOf(lengths);
  const description = describeCodes(lengths);
  if (description === null) return null;
  const quarter = (content.length + 3) >> 2;
  const streams = [0, 1, 2, 3].map((i) => {
    const stream = new BitStream();
    const part = content.subarray(i * quarter, (i + 1) * quarter).toReversed();
    for (const byte of part) stream.write(codes[byte] ?? 0, lengths[byte] ?? 0);
    return stream.closed();
  });
  const jumps = streams.slice(0, 3).map(({ length }) => littleEndian(length, 2));
  const literals = concat(description, ...jumps, ...streams);
  // Four streams, with sizes of 14 or 18 bits (section 3.1.1.3.1.1).
  const isLong = content.length >= 2 ** 14 || literals.length >= 2 ** 14;
  const sizes = content.length + literals.length * 2 ** (isLong ? 18 : 14);
  const header = littleEndian(COMPRESSED + (isLong ? 3 : 2) * 4 + sizes * 16, isLong ? 5 : 4);
  const out = concat(header, literals, Uint8Array.of(0));
  return out.length < content.length ? out : null;
}

function encodeBlock(content: Uint8Array, isLast: boolean): Uint8Array {
  const [first] = content;
  if (first !== undefined && content.length > 1 && content.every((byte) => byte === first)) {
    return block(RLE, content.length, isLast, Uint8Array.of(first));
  }
  const compressed = content.length < MIN_COMPRESSED ? null : compressedBlock(content);
  if (compressed === null) return block(RAW, content.length, isLast, content);
  return block(COMPRESSED, compressed.length, isLast, compressed);
}

/**
 * One frame with the size of its content, for platforms without a compressor. Text in ASCII becomes shorter by a
 * sixth or more, base64 by a quarter.
 */
export function encodeZstd(content: Uint8Array): Uint8Array {
  const count = Math.max(1, Math.ceil(content.length / MAX_BLOCK));
  const blocks = Array.from({ length: count }, (_, i) =>
    encodeBlock(content.subarray(i * MAX_BLOCK, (i + 1) * MAX_BLOCK), i === count - 1),
  );
  return concat(MAGIC, frameHeader(content.length), ...blocks);
}
