import { EMPTY } from "#crypto/bytes";
import { type Codec, decode, DecodeError, encode, EncodeError, str } from "#protocol/codec";
import { MessageError } from "./errors.ts";
import { type Id, idBytes, idFrom } from "./ids.ts";

/** The letter that a chunk begins with. */
export const CHUNK = 0x46;
/** Bytes of a file in one chunk. */
export const MAX_CHUNK_LENGTH = 15_780;
const MAX_CHUNK_NUMBER = 255;
const CANCEL = 0;

/** A part of a file that is sent in the conversation itself. */
export interface FileChunk {
  /** Of the message that announced the file. */
  readonly msgId: Id;
  /** `number` counts 1, 2, 3... up to 255; without a part the sending was cancelled. */
  readonly part: { readonly number: number; readonly bytes: Uint8Array } | null;
}

/** 'F', Str with nothing, Str id of the message, 1 byte number or 0, the bytes (chat specification, section 4.5). */
const fileChunk: Codec<FileChunk> = {
  write(writer, { msgId, part }, version) {
    writer.byte(CHUNK);
    str.write(writer, EMPTY, version);
    str.write(writer, idBytes(msgId), version);
    if (part === null) return void writer.byte(CANCEL);
    const { number, bytes } = part;
    if (number < 1 || number > MAX_CHUNK_NUMBER) throw new EncodeError(`${number} is no number of a chunk`);
    if (bytes.length > MAX_CHUNK_LENGTH) throw new EncodeError(`a chunk holds ${MAX_CHUNK_LENGTH} bytes at most`);
    writer.byte(number).bytes(bytes);
  },
  read(reader, version) {
    if (reader.byte() !== CHUNK) reader.fail("expected 'F'");
    str.read(reader, version);
    const msgId = str.read(reader, version);
    if (msgId.length === 0) reader.fail("the id of the message must not be empty");
    const number = reader.byte();
    return { msgId: idFrom(msgId), part: number === CANCEL ? null : { number, bytes: reader.rest() } };
  },
};

/** @throws EncodeError when the number or the bytes are out of range. */
export function encodeFileChunk(chunk: FileChunk): Uint8Array {
  return encode(fileChunk, chunk);
}

/** @throws MessageError */
export function decodeFileChunk(body: Uint8Array): FileChunk {
  try {
    return decode(fileChunk, body);
  } catch (error) {
    throw error instanceof DecodeError
      ? new MessageError(`file chunk: ${error.message}`, "", { cause: error })
      : error;
  }
}
