import { utf8 } from "#crypto/bytes";
import { BLOCK_SIZE } from "#protocol/limits";

/** What a WebSocket got is not one block. */
export class BadFrame extends Error {
  override readonly name = "BadFrame";
}

/** The block in a message of a WebSocket. @throws BadFrame */
export function toBlock(data: ArrayBuffer | string): Uint8Array {
  const block = typeof data === "string" ? utf8(data) : new Uint8Array(data);
  if (block.length !== BLOCK_SIZE) throw new BadFrame(`a message must be one block of ${BLOCK_SIZE} bytes`);
  return block;
}
