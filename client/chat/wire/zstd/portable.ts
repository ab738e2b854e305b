import type { Compression } from "../compression.ts";
import { encodeZstd } from "./encode.ts";

/** Decompresses one frame into an output of the right length, as `decodeZstd` does. */
export type Decompress = (frame: Uint8Array, output: Uint8Array) => Uint8Array;

/** Zstandard where the platform has none, as in browsers. */
export function portableZstd(decompress: Decompress): Compression {
  return {
    compress: encodeZstd,
    decompress: (frame, length) => decompress(frame, new Uint8Array(length)),
  };
}
