/** Bytes of plaintext in one record (RFC 8446 section 5.1). */
export const MOST_PLAINTEXT = 2 ** 14;
/** Bytes of a protected record: plaintext, content type, padding and tag (RFC 8446 section 5.2). */
export const MOST_CIPHERTEXT = MOST_PLAINTEXT + 256;
/**
 * Bytes of one handshake message. The largest is the certificate chain, which SMP sends again inside a block of
 * 16384 bytes: a server of SMP has no longer one.
 */
export const MOST_HANDSHAKE_MESSAGE = 2 ** 14;
/** Records and messages in a row that bring nothing: tickets, key updates, empty records, change_cipher_spec. */
export const MOST_IDLE_RECORDS = 32;
