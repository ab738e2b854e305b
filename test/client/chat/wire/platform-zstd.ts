import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Compression } from "../../../../client/chat/wire/compression.ts";

/** workerd counts the memory of its output in steps, and takes what is just enough for too little. */
const SPARE = 65_536;

/** What Node and workerd bring along, at the level of official clients. */
export const zstd: Compression = {
  compress: (content) =>
    Uint8Array.from(zstdCompressSync(content, { params: { [constants.ZSTD_c_compressionLevel]: 3 } })),
  decompress: (frame, length) => Uint8Array.from(zstdDecompressSync(frame, { maxOutputLength: length + SPARE })),
};
