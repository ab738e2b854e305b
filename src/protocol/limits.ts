/** Sizes that the protocol fixes, in bytes. */
export const BLOCK_SIZE = 16_384;
/** Ids of queues, links and services that a router makes. */
export const ID_LENGTH = 24;
/** Sum of (2 + length) over the transmissions that peers put into one block. */
export const BATCH_SIZE = BLOCK_SIZE - 19;
export const BATCH_COUNT = 255;
export const SESSION_ID_LENGTH = 32;
export const CHALLENGE_LENGTH = 32;

/** Longest SEND body by version. */
export function maxMessageLength(version: number): number {
  if (version >= 11) return 16_048;
  return version >= 8 ? 16_064 : 16_088;
}

/** What a MSG body is padded to before encryption: the longest body of any version and its header. */
export const RECEIVED_MESSAGE_PADDED = 16_088 + 18;
/** What notification metadata is padded to before encryption. */
export const NOTIFICATION_PADDED = 128;
/** What a forwarded batch is padded to before encryption. */
export const FORWARDED_PADDED = 16_226;
