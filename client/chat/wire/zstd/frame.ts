import { DecodeError, Reader } from "#protocol/codec";
import { MessageError } from "../errors.ts";

// Zstandard frames (RFC 8878, section 3.1.1), as far as it takes to know how much comes out before anything is
// decompressed.

const MAGIC = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
const RAW = 0;
const RLE = 1;
const RESERVED = 3;
const CHECKSUM_LENGTH = 4;
const DICTIONARY_ID_LENGTHS = [0, 1, 2, 4] as const;

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}

function readContentSize(reader: Reader): { readonly size: number; readonly hasChecksum: boolean } {
  if (!reader.skip(MAGIC)) reader.fail("not a Zstandard frame");
  const descriptor = reader.byte();
  const isSingleSegment = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x08) !== 0) reader.fail("a reserved bit is set");
  if (!isSingleSegment) reader.byte();
  const dictionary = reader.take(DICTIONARY_ID_LENGTHS[(descriptor & 0x03) as 0 | 1 | 2 | 3]);
  if (littleEndian(dictionary) !== 0) reader.fail("the frame needs a dictionary");
  const flag = descriptor >> 6;
  if (flag === 0 && !isSingleSegment) reader.fail("the frame does not tell the size of its content");
  const size = littleEndian(reader.take(2 ** flag)) + (flag === 1 ? 256 : 0);
  return { size, hasChecksum: (descriptor & 0x04) !== 0 };
}

/** Blocks that a frame may have: no encoder makes them so short, and each costs time. */
const maxBlocks = (contentSize: number): number => 16 + Math.ceil(contentSize / 256);

/** The least that a frame's blocks decompress to. */
function readBlocks(reader: Reader, limit: number): number {
  let least = 0;
  let count = 0;
  for (let isLast = false; !isLast;) {
    count++;
    if (count > limit) reader.fail(`more than ${limit} blocks`);
    const header = littleEndian(reader.take(3));
    const type = (header >> 1) & 0x03;
    const size = header >> 3;
    if (type === RESERVED) reader.fail("a block is of a reserved type");
    // A compressed block may come out shorter than it is, down to nothing.
    if (type === RAW || type === RLE) least += size;
    reader.view(type === RLE ? 1 : size);
    isLast = (header & 1) === 1;
  }
  return least;
}

/**
 * How many bytes one whole frame says that it holds. Its blocks were walked through: they end where the input ends,
 * and those whose size is known do not hold more than that.
 * @throws MessageError when it is no such frame, or does not say.
 */
export function frameContentSize(frame: Uint8Array): number {
  const reader = new Reader(frame);
  try {
    const { size, hasChecksum } = readContentSize(reader);
    const least = readBlocks(reader, maxBlocks(size));
    if (least > size) reader.fail("the blocks hold more than the frame says");
    if (hasChecksum) reader.view(CHECKSUM_LENGTH);
    if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes follow the frame`);
    return size;
  } catch (error) {
    throw error instanceof DecodeError
      ? new MessageError(`compressed part: ${error.message}`, "", { cause: error })
      : error;
  }
}
