/** Numbers of the double ratchet (ratchet specification, section 1 and 5.1). Lengths are in bytes. */

/** Most messages that one step may skip in a receiving chain; one more is an error. */
export const MAX_SKIP = 512;

/**
 * Most keys of skipped messages to keep for one connection. The official code keeps all for ever; ours lets the
 * oldest chains go, since a peer that skips 512 messages in each chain would otherwise fill the store.
 */
export const MAX_STORED_SKIPPED = 4 * MAX_SKIP;

/** What a header is padded to. */
export const PADDED_HEADER = 88;
/** What a header is padded to once post-quantum encryption was ever on: room for a KEM key and a ciphertext. */
export const PADDED_PQ_HEADER = 2310;

export const KEY_LENGTH = 32;
export const IV_LENGTH = 16;
export const TAG_LENGTH = 16;
/** Raw X448 keys and shared secrets. */
export const DH_LENGTH = 56;
/** First keys of both parties, raw: authenticated with every message. */
export const ASSOCIATED_DATA_LENGTH = 2 * DH_LENGTH;
