import { poly1305 } from "@noble/ciphers/_poly1305.js";
import { hsalsa, xsalsa20 } from "@noble/ciphers/salsa.js";
import { concat, equal } from "#crypto/bytes";
import { ArchiveError, TAKE_AGAIN } from "../errors.ts";
import type { FileKey } from "./chat-types.ts";

// Files that the app encrypted on the device (archive specification, section 5): XSalsa20, then the Poly1305 tag at
// the end, under HSalsa20 of the key as everything that SimpleX seals.

export const TAG_LENGTH = 16;
const BLOCK_LENGTH = 64;
/** The first block's beginning is the key of Poly1305. */
const MAC_KEY_LENGTH = 32;
// "expand 32-byte k", the constant of the Salsa20 core.
const SIGMA = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);

function streamKey(key: Uint8Array): Uint8Array {
  const words = new Uint32Array(8);
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  for (let i = 0; i < 8; i++) words[i] = view.getUint32(4 * i, true);
  const out = new Uint32Array(8);
  hsalsa(SIGMA, words, new Uint32Array(4), out);
  const bytes = new Uint8Array(32);
  const outView = new DataView(bytes.buffer);
  for (const [i, word] of out.entries()) outView.setUint32(4 * i, word, true);
  return bytes;
}

type Open = () => AsyncIterable<Uint8Array>;

/** Its pieces without the last 16 bytes, which it returns. */
async function* withoutTag(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, Uint8Array, undefined> {
  let held: Uint8Array = new Uint8Array();
  for await (const piece of pieces) {
    const all = concat(held, piece);
    const end = Math.max(0, all.length - TAG_LENGTH);
    if (end > 0) yield all.subarray(0, end);
    held = all.slice(end);
  }
  return held;
}

/**
 * Opens such a file in two passes, so that no byte comes out before all were verified.
 * @param open the file as it lies in the archive, from its beginning each time
 * @throws ArchiveError DAMAGED when it is not what the key sealed, and what `open` throws
 */
export async function* openSealedFile(
  name: string,
  { key, nonce }: FileKey,
  open: Open,
): AsyncGenerator<Uint8Array, void, undefined> {
  const cipherKey = streamKey(key);
  const mac = poly1305.create(xsalsa20(cipherKey, nonce, new Uint8Array(MAC_KEY_LENGTH)));
  const pieces = withoutTag(open());
  let next = await pieces.next();
  while (next.done !== true) {
    mac.update(next.value);
    next = await pieces.next();
  }
  if (!equal(mac.digest(), next.value)) {
    throw new ArchiveError("DAMAGED", `the file ${JSON.stringify(name)} does not open with its key: ${TAKE_AGAIN}`);
  }
  let place = MAC_KEY_LENGTH;
  for await (const piece of withoutTag(open())) {
    const skip = place % BLOCK_LENGTH;
    const data = concat(new Uint8Array(skip), piece);
    yield xsalsa20(cipherKey, nonce, data, undefined, (place - skip) / BLOCK_LENGTH).subarray(skip);
    place += piece.length;
  }
}
