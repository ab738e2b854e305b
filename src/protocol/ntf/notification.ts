import { box, NONCE_LENGTH, open } from "#crypto/box";
import { base64url, fromBase64url, fromUtf8, utf8 } from "#crypto/bytes";
import { formatNtfQueue, type NtfQueue, parseNtfQueue } from "./queue.ts";
import { MESSAGES_IN_PUSH, NOTIFICATION_DATA_PADDED } from "./limits.ts";

/** What a push brought is no notification; the message says why. */
export class NotificationError extends Error {
  override readonly name = "NotificationError";
}

/** One message that waits in a queue (PNMessageData). Only the queue's recipient can open `encMeta`. */
export interface MessageNotification {
  readonly queue: NtfQueue;
  /** When the notification server heard of it, seconds since 1970. */
  readonly ts: number;
  /** NMSG's nonce, 24 bytes. */
  readonly nonce: Uint8Array;
  /** NMSG's metadata, 144 bytes. */
  readonly encMeta: Uint8Array;
}

/** The JSON that reaches a device; `nonce` and what is sealed are base64url. */
export type NotificationData =
  | { readonly nonce: string; readonly verification: string }
  | { readonly nonce: string; readonly message: string }
  | { readonly checkMessages: true };

const SEPARATOR = ";";
const LENGTH_PREFIX = 2;

/** `<queue> <seconds> <nonce> <metadata>`. */
export function formatMessageNotification({ queue, ts, nonce, encMeta }: MessageNotification): string {
  return `${formatNtfQueue(queue)} ${ts} ${base64url(nonce)} ${base64url(encMeta)}`;
}

/** @throws NotificationError */
export function parseMessageNotification(text: string): MessageNotification {
  const [queue = "", ts = "", nonce = "", encMeta = "", ...more] = text.split(" ");
  const isWhole = more.length === 0 && /^\d{1,12}$/.test(ts);
  if (!isWhole) throw new NotificationError("a notification has a queue, a time, a nonce and metadata");
  try {
    const bytes = fromBase64url(nonce);
    if (bytes.length !== NONCE_LENGTH) throw new RangeError(`a nonce has ${NONCE_LENGTH} bytes`);
    return { queue: parseNtfQueue(queue), ts: Number(ts), nonce: bytes, encMeta: fromBase64url(encMeta) };
  } catch (cause) {
    throw new NotificationError("a field of a notification is malformed", { cause });
  }
}

/** The list as it is sealed: oldest first. */
export function formatMessages(messages: readonly MessageNotification[]): string {
  return messages.map(formatMessageNotification).join(SEPARATOR);
}

/** @throws NotificationError */
export function parseMessages(text: string): readonly MessageNotification[] {
  return text.split(SEPARATOR).map(parseMessageNotification);
}

/** Whether one push can tell of so many messages, each of another queue. */
export function messagesFit(messages: readonly MessageNotification[], paddedLength = NOTIFICATION_DATA_PADDED): boolean {
  return messages.length <= MESSAGES_IN_PUSH && formatMessages(messages).length + LENGTH_PREFIX <= paddedLength;
}

function seal(secret: Uint8Array, nonce: Uint8Array, data: Uint8Array, paddedLength: number): string {
  return base64url(box(secret, nonce, data, paddedLength));
}

/** The code for TVFY. `secret`: raw X25519 of the token's keys. */
export function sealVerification(
  secret: Uint8Array,
  nonce: Uint8Array,
  code: Uint8Array,
  paddedLength = NOTIFICATION_DATA_PADDED,
): NotificationData {
  return { nonce: base64url(nonce), verification: seal(secret, nonce, code, paddedLength) };
}

/** @throws PaddingError when they do not fit, see {@link messagesFit}. */
export function sealMessages(
  secret: Uint8Array,
  nonce: Uint8Array,
  messages: readonly MessageNotification[],
  paddedLength = NOTIFICATION_DATA_PADDED,
): NotificationData {
  return { nonce: base64url(nonce), message: seal(secret, nonce, utf8(formatMessages(messages)), paddedLength) };
}

export const CHECK_MESSAGES: NotificationData = { checkMessages: true };

/** What a device finds in a push. */
export type OpenedNotification =
  | { readonly type: "verification"; readonly code: Uint8Array }
  | { readonly type: "messages"; readonly messages: readonly MessageNotification[] }
  | { readonly type: "check" };

function readBytes(value: unknown): Uint8Array {
  if (typeof value !== "string") throw new NotificationError("a field of the notification is no text");
  try {
    return fromBase64url(value);
  } catch (cause) {
    throw new NotificationError("a field of the notification is not base64url", { cause });
  }
}

/**
 * Opens what a push brought, already read as JSON. `secret`: raw X25519 of the token's keys.
 * @throws NotificationError, BoxError, PaddingError
 */
export function openNotificationData(secret: Uint8Array, json: unknown): OpenedNotification {
  if (typeof json !== "object" || json === null) throw new NotificationError("the notification is no JSON object");
  const { nonce, verification, message, checkMessages } = json as Readonly<Record<string, unknown>>;
  if (checkMessages === true) return { type: "check" };
  const nonceBytes = readBytes(nonce);
  if (nonceBytes.length !== NONCE_LENGTH) throw new NotificationError(`a nonce has ${NONCE_LENGTH} bytes`);
  if (verification !== undefined) {
    return { type: "verification", code: open(secret, nonceBytes, readBytes(verification)).slice() };
  }
  return { type: "messages", messages: parseMessages(readText(open(secret, nonceBytes, readBytes(message)))) };
}

function readText(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    throw new NotificationError("the list of messages is no text", { cause });
  }
}
