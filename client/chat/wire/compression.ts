import { concat } from "#crypto/bytes";
import { type Codec, decode, DecodeError, encode, large, str } from "#protocol/codec";
import { nonEmpty } from "#protocol/combine";
import { MessageError } from "./errors.ts";
import { frameContentSize } from "./zstd/frame.ts";

/** Zstandard, from wherever the platform has it. Both are synchronous. */
export interface Compression {
  /** One frame with the size of its content in the header. Official clients use level 3. */
  compress(content: Uint8Array): Uint8Array;
  /**
   * The content of one frame, which the caller has found to say that it holds `length` bytes.
   * @throws any error when the frame is damaged or holds another number of bytes.
   */
  decompress(frame: Uint8Array, length: number): Uint8Array;
}

/** Bytes that decompression may yield. */
export interface DecompressionLimits {
  /** Of one compressed item. */
  readonly item: number;
  /** Of a whole body, in all items and what is compressed in them. */
  readonly total: number;
}

/** No official client puts more than 15,602 bytes into one body. */
export const DECOMPRESSION_LIMITS: DecompressionLimits = { item: 65_536, total: 131_072 };

/** What remains of the limits while a body is read. */
export class Decompressor {
  readonly #compression: Compression;
  readonly #item: number;
  #left: number;

  constructor(compression: Compression, limits: DecompressionLimits = DECOMPRESSION_LIMITS) {
    this.#compression = compression;
    this.#item = limits.item;
    this.#left = limits.total;
  }

  /** Takes `length` off what may come out. @throws MessageError when it is more than that. */
  account(length: number): void {
    const limit = Math.min(this.#item, this.#left);
    if (length > limit) throw new MessageError(`compressed part: holds ${length} bytes, ${limit} are allowed`);
    this.#left -= length;
  }

  /** @throws MessageError when the frame is damaged, or too much would come out. */
  content(frame: Uint8Array): Uint8Array {
    const length = frameContentSize(frame);
    this.account(length);
    let content: Uint8Array;
    try {
      content = this.#compression.decompress(frame, length);
    } catch (cause) {
      throw new MessageError("compressed part: is damaged", "", { cause });
    }
    if (content.length !== length) throw new MessageError("compressed part: is damaged");
    return content;
  }
}

/** The letter that a compressed body begins with. */
export const COMPRESSED = 0x58;
const PASSED = 0x30;
const FRAME = 0x31;
/** Bytes up to which a body is not worth compressing. */
export const MAX_PASSED_LENGTH = 180;

interface Item {
  readonly isFrame: boolean;
  readonly bytes: Uint8Array;
}

/** '0', Str bytes | '1', Large frame. */
const item: Codec<Item> = {
  write(writer, { isFrame, bytes }, version) {
    writer.byte(isFrame ? FRAME : PASSED);
    (isFrame ? large : str).write(writer, bytes, version);
  },
  read(reader, version) {
    const letter = reader.byte();
    if (letter !== FRAME && letter !== PASSED) reader.fail("expected '0' or '1'");
    const isFrame = letter === FRAME;
    return { isFrame, bytes: (isFrame ? large : str).read(reader, version) };
  },
};

/** After 'X': a count of 1 byte, the items (chat specification, section 1.2). */
const items = nonEmpty(item);

/** 'X', count 1, the item. */
export function compressBody(body: Uint8Array, compression: Compression): Uint8Array {
  const isFrame = body.length > MAX_PASSED_LENGTH;
  const bytes = isFrame ? compression.compress(body) : body;
  return concat(Uint8Array.of(COMPRESSED), encode(items, [{ isFrame, bytes }]));
}

/**
 * What a compressed body holds, in order: of every item its bytes, or why it has none.
 * @throws MessageError when it is no list of items.
 */
export function* decompressBody(body: Uint8Array, decompressor: Decompressor): Generator<Uint8Array | MessageError> {
  for (const { isFrame, bytes } of readItems(body)) {
    try {
      if (!isFrame) decompressor.account(bytes.length);
      yield isFrame ? decompressor.content(bytes) : bytes;
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      yield error;
    }
  }
}

function readItems(body: Uint8Array): readonly Item[] {
  try {
    return decode(items, body.subarray(1));
  } catch (error) {
    throw error instanceof DecodeError
      ? new MessageError(`compressed body: ${error.message}`, "", { cause: error })
      : error;
  }
}
