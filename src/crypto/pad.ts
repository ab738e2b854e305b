import { PaddingError } from "./errors.ts";

const FILL = 0x23; // '#'
const LENGTH_PREFIX = 2;
const MAX_LENGTH = 65533;

/**
 * Word16 length, the message, then `#` up to `paddedLength` bytes (SMP transport, padding).
 * @throws PaddingError when the message does not fit.
 */
export function pad(message: Uint8Array, paddedLength: number): Uint8Array {
  if (message.length > MAX_LENGTH || message.length + LENGTH_PREFIX > paddedLength) {
    throw new PaddingError(`${message.length} bytes do not fit into ${paddedLength} with their length`);
  }
  const out = new Uint8Array(paddedLength);
  out[0] = message.length >> 8;
  out[1] = message.length & 0xff;
  out.set(message, LENGTH_PREFIX);
  out.fill(FILL, LENGTH_PREFIX + message.length);
  return out;
}

/**
 * The message of a padded block, as a view of it. As in the official code the fill is not checked.
 * @throws PaddingError when the length exceeds what is there.
 */
export function unpad(padded: Uint8Array): Uint8Array {
  const [high, low] = padded;
  if (high === undefined || low === undefined) throw new PaddingError("padded bytes are shorter than their length prefix");
  const end = LENGTH_PREFIX + (high << 8 | low);
  if (end > padded.length) throw new PaddingError(`length prefix names ${end - LENGTH_PREFIX} bytes, ${padded.length - LENGTH_PREFIX} are there`);
  return padded.subarray(LENGTH_PREFIX, end);
}
