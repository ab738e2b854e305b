import { box, open } from "#crypto/box";
import { utf8 } from "#crypto/bytes";
import { type Codec, decode, decodePrefix, encode, int64, strOf, tail } from "./codec.ts";
import { struct } from "./combine.ts";
import { msgFlags } from "./commands/sender.ts";
import { ID_LENGTH, NOTIFICATION_PADDED, RECEIVED_MESSAGE_PADDED } from "./limits.ts";
import { spaced } from "./tagged.ts";

/** What the recipient finds in a MSG. Times are seconds since 1970. */
export type ReceivedMessage =
  | { readonly type: "message"; readonly ts: number; readonly notification: boolean; readonly body: Uint8Array }
  /** The sender was refused because the queue was full. */
  | { readonly type: "quota"; readonly ts: number };

const QUOTA = utf8("QUOTA ");

const ordinary = struct<{ ts: number; notification: boolean; body: Uint8Array }>({
  ts: int64,
  notification: msgFlags,
  body: spaced(tail),
});

/** Before encryption: `QUOTA` SP time, or time, flags, SP, the sent body. */
export const receivedMessage: Codec<ReceivedMessage> = {
  write(writer, value, version) {
    if (value.type === "message") return ordinary.write(writer, value, version);
    writer.bytes(QUOTA);
    int64.write(writer, value.ts, version);
  },
  read(reader, version) {
    return reader.skip(QUOTA)
      ? { type: "quota", ts: int64.read(reader, version) }
      : { type: "message", ...ordinary.read(reader, version) };
  },
};

/** MSG's body, 16,122 bytes: the nonce is the message id. `secret`: the queue's recipient DH secret. */
export function sealReceivedMessage(secret: Uint8Array, msgId: Uint8Array, message: ReceivedMessage): Uint8Array {
  return box(secret, msgId, encode(receivedMessage, message), RECEIVED_MESSAGE_PADDED);
}

/** @throws BoxError, PaddingError, DecodeError */
export function openReceivedMessage(secret: Uint8Array, msgId: Uint8Array, encBody: Uint8Array): ReceivedMessage {
  return decode(receivedMessage, open(secret, msgId, encBody));
}

/** What a notification says: which message arrived and when. */
export interface NotificationMeta {
  readonly msgId: Uint8Array;
  readonly ts: number;
}

export const notificationMeta: Codec<NotificationMeta> = struct<NotificationMeta>({ msgId: strOf(ID_LENGTH), ts: int64 });

/** NMSG's metadata, 144 bytes. `secret`: the queue's notification DH secret. */
export function sealNotification(secret: Uint8Array, nonce: Uint8Array, meta: NotificationMeta): Uint8Array {
  return box(secret, nonce, encode(notificationMeta, meta), NOTIFICATION_PADDED);
}

/** Bytes after the known fields are ignored. @throws BoxError, PaddingError, DecodeError */
export function openNotification(secret: Uint8Array, nonce: Uint8Array, encMeta: Uint8Array): NotificationMeta {
  return decodePrefix(notificationMeta, open(secret, nonce, encMeta));
}
