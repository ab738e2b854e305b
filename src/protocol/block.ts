import { BOX_TAG_LENGTH, box, NONCE_LENGTH, open } from "#crypto/box";
import { EMPTY, utf8 } from "#crypto/bytes";
import { hkdf } from "#crypto/hash";
import { pad, unpad } from "#crypto/pad";
import { BLOCK_SIZE } from "./limits.ts";
import { VERSION } from "./version.ts";

const CHAIN_KEY_LENGTH = 32;
const INIT_INFO = utf8("SimpleXSbChainInit");
const STEP_INFO = utf8("SimpleXSbChain");

/** The state of block encryption of one direction: 32 bytes, replaced by each block. Null: blocks are clear. */
export type ChainKey = Uint8Array;

export interface ChainKeys {
  readonly routerToClient: ChainKey;
  readonly clientToRouter: ChainKey;
}

/** Whether blocks after the hellos are encrypted (SMP transport, blocks). */
export function encryptsBlocks(version: number, isProxy: boolean, clientSentKey: boolean): boolean {
  return version >= VERSION.blockEncryption && !isProxy && clientSentKey;
}

/** `secret`: raw X25519 of the hello keys. */
export function chainKeys(sessionId: Uint8Array, secret: Uint8Array): ChainKeys {
  const both = hkdf(sessionId, secret, INIT_INFO, 2 * CHAIN_KEY_LENGTH);
  return { routerToClient: both.slice(0, CHAIN_KEY_LENGTH), clientToRouter: both.slice(CHAIN_KEY_LENGTH) };
}

function step(chainKey: ChainKey): { next: ChainKey; key: Uint8Array; nonce: Uint8Array } {
  const out = hkdf(EMPTY, chainKey, STEP_INFO, 2 * CHAIN_KEY_LENGTH + NONCE_LENGTH);
  return { next: out.slice(0, 32), key: out.slice(32, 64), nonce: out.slice(64) };
}

/** A clear block. @throws PaddingError when the content exceeds 16,382 bytes (2 less than `blockSize`). */
export function clearBlock(content: Uint8Array, blockSize = BLOCK_SIZE): Uint8Array {
  return pad(content, blockSize);
}

/** @throws PaddingError */
export function openClearBlock(block: Uint8Array): Uint8Array {
  return unpad(block);
}

/** The block and the key for the next one. @throws PaddingError when the content exceeds 16,366 bytes. */
export function sealBlock(chainKey: ChainKey, content: Uint8Array): { readonly block: Uint8Array; readonly next: ChainKey } {
  const { next, key, nonce } = step(chainKey);
  return { block: box(key, nonce, content, BLOCK_SIZE - BOX_TAG_LENGTH), next };
}

/**
 * The next key is answered whether or not the block opens: both sides step once a block.
 * `content()` throws BoxError or PaddingError.
 */
export function openBlock(chainKey: ChainKey, block: Uint8Array): { readonly next: ChainKey; content(): Uint8Array } {
  const { next, key, nonce } = step(chainKey);
  return { next, content: () => open(key, nonce, block) };
}
