const POLYNOMIAL = 0xedb88320;

function entry(index: number): number {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value >>> 0;
}

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, index) => entry(index));

/** CRC-32 of zip files; `before` is that of the bytes that came before. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0);
  return ~crc >>> 0;
}
