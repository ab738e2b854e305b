import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Compression } from "../chat/wire/compression.ts";

const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

/** The Zstandard of Node, from 22.15 on. */
export const nodeZstd: Compression = {
  compress: (content) => Uint8Array.from(zstdCompressSync(content, LEVEL)),
  decompress: (frame, length) => Uint8Array.from(zstdDecompressSync(frame, { maxOutputLength: Math.max(length, 1) })),
};
