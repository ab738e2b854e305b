/** Bytes of every block; none is encrypted. */
export const NTF_BLOCK_SIZE = 512;
/** Sum of (2 + length) over the transmissions that peers put into one block, from version 2 on. */
export const NTF_BATCH_SIZE = NTF_BLOCK_SIZE - 19;
/** Content of a block beside its own length. */
export const NTF_CONTENT_SIZE = NTF_BLOCK_SIZE - 2;
/** The code that proves that a device has its token. */
export const REG_CODE_LENGTH = 32;
/** Queues of which one push tells. */
export const MESSAGES_IN_PUSH = 6;
/** Shortest interval of periodic notifications, in minutes. */
export const MIN_CRON_MINUTES = 20;

/**
 * What notification data is padded to before encryption. The official server's 3,072 make payloads of 4.3 kB, above
 * the 4,096 bytes that push services grant; this fits all of them with what each adds, and still holds six messages.
 */
export const NOTIFICATION_DATA_PADDED = 2_900;

/** Where WebSockets lead to the notification server of a relay. */
export const NOTIFICATIONS_PATH = "/ntf";
