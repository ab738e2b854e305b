import { type Codec, decode, DecodeError, encode, EncodeError, word32 } from "#protocol/codec";
import { CHUNK, MAX_CHUNK_LENGTH } from "./file-chunk.ts";
import { MessageError } from "./errors.ts";

const CANCEL = 0x43;

/**
 * A part of a file in a connection that was made for it alone. `number` counts 1, 2, 3...; null: the sending was
 * cancelled.
 */
export type FilePiece = { readonly number: number; readonly bytes: Uint8Array } | null;

/** 'F', Word32 number, the bytes; or 'C' (chat specification, section 4.5). */
const filePiece: Codec<FilePiece> = {
  write(writer, piece, version) {
    if (piece === null) return void writer.byte(CANCEL);
    if (piece.bytes.length > MAX_CHUNK_LENGTH) throw new EncodeError(`a piece holds ${MAX_CHUNK_LENGTH} bytes at most`);
    writer.byte(CHUNK);
    word32.write(writer, piece.number, version);
    writer.bytes(piece.bytes);
  },
  read(reader, version) {
    const letter = reader.byte();
    if (letter === CANCEL) return null;
    if (letter !== CHUNK) reader.fail("expected 'F' or 'C'");
    return { number: word32.read(reader, version), bytes: reader.rest() };
  },
};

/** @throws EncodeError when there are too many bytes. */
export function encodeFilePiece(piece: FilePiece): Uint8Array {
  return encode(filePiece, piece);
}

/** @throws MessageError */
export function decodeFilePiece(body: Uint8Array): FilePiece {
  try {
    return decode(filePiece, body);
  } catch (error) {
    throw error instanceof DecodeError ? new MessageError(`piece of a file: ${error.message}`, "", { cause: error }) : error;
  }
}
