import { concat, utf8 } from "#crypto/bytes";
import { type Compression, compressBody } from "./compression.ts";
import { TooLargeError } from "./errors.ts";
import { hasNotification } from "./event-flags.ts";
import { type ChatMessage, encodeMessage } from "./message.ts";
import { CHAT_VERSION } from "./versions.ts";

/** Bytes of a message or an array of them before compression (chat specification, section 1.3). */
export const MAX_ENCODED_MSG_LENGTH = 15_602;
/** Bytes of a body in a connection with PQ encryption. */
export const MAX_COMPRESSED_MSG_LENGTH = 13_380;
/** Bytes of connection information before compression. */
export const MAX_ENCODED_INFO_LENGTH = 14_694;
/** Bytes of connection information in a connection with PQ encryption. */
export const MAX_COMPRESSED_INFO_LENGTH = 10_968;

/** A connection, as far as it decides how messages are put into it. */
export interface Carrier {
  /** The chat version of the connection. */
  readonly version: number;
  /** Whether it supports PQ encryption, which leaves less room. */
  readonly pq: boolean;
  /** Whether it leads to a member of a group. */
  readonly group: boolean;
}

/** What is handed to the agent in one piece. */
export interface PackedBody {
  readonly body: Uint8Array;
  /** How many of the messages it holds, in order. */
  readonly count: number;
  /** Whether the relay is told to wake the recipient. */
  readonly notification: boolean;
}

const OPEN = utf8("[");
const COMMA = utf8(",");
const CLOSE = utf8("]");

/** The body that holds these encoded messages: an array, or the only one of them. */
export function joinMessages(parts: readonly Uint8Array[]): Uint8Array {
  const [first, ...others] = parts;
  if (first === undefined || others.length === 0) return first ?? concat(OPEN, CLOSE);
  return concat(OPEN, first, ...others.flatMap((part) => [COMMA, part]), CLOSE);
}

/**
 * Puts encoded messages together into arrays of up to `maxLength` bytes, in order. As official clients do, arrays are
 * filled from the end: what remains at the beginning is the short one. One that is alone is not in an array.
 */
export function batch(encoded: readonly Uint8Array[], maxLength: number): readonly (readonly Uint8Array[])[] {
  const batches: Uint8Array[][] = [];
  let length = 0;
  for (const message of encoded.toReversed()) {
    const last = batches.at(-1);
    // A comma or a bracket for each, and one bracket more.
    length += message.length + 1;
    if (last && length + 1 <= maxLength) last.push(message);
    else {
      batches.push([message]);
      length = message.length + 1;
    }
  }
  return batches.map((messages) => messages.toReversed()).toReversed();
}

interface Room {
  /** Before compression. */
  readonly encoded: number;
  readonly compressed: number;
}

const MESSAGE: Room = { encoded: MAX_ENCODED_MSG_LENGTH, compressed: MAX_COMPRESSED_MSG_LENGTH };
const INFO: Room = { encoded: MAX_ENCODED_INFO_LENGTH, compressed: MAX_COMPRESSED_INFO_LENGTH };

const isNarrow = ({ pq, version }: Carrier): boolean => pq && version >= CHAT_VERSION.compressionAndPq;

function checked(body: Uint8Array, limit: number, isCompressed = false): Uint8Array {
  if (body.length > limit) throw new TooLargeError(body.length, limit, isCompressed);
  return body;
}

function fitted(body: Uint8Array, room: Room, carrier: Carrier, compression: Compression | null): Uint8Array {
  if (!isNarrow(carrier) || body.length <= room.compressed) return body;
  if (compression === null) return checked(body, room.compressed);
  return checked(compressBody(body, compression), room.compressed, true);
}

/**
 * The bodies that carry these messages to one connection, in order: put together where the connection's version
 * allows it, compressed where they would not fit otherwise.
 * @param compression null where nothing can be compressed; then less fits into a connection with PQ encryption.
 * @throws TooLargeError when a message does not fit.
 */
export function packMessages(
  messages: readonly ChatMessage[],
  carrier: Carrier,
  compression: Compression | null,
): PackedBody[] {
  const encoded = messages.map((message) => checked(encodeMessage(message), MAX_ENCODED_MSG_LENGTH));
  const isBatched = carrier.version >= (carrier.group ? CHAT_VERSION.groupBatch : CHAT_VERSION.directBatch);
  // An array is never so long that it would have to be compressed: it might not fit even then.
  const maxLength = isNarrow(carrier) ? MAX_COMPRESSED_MSG_LENGTH : MAX_ENCODED_MSG_LENGTH;
  const batches = isBatched ? batch(encoded, maxLength) : encoded.map((message) => [message]);
  let start = 0;
  return batches.map((parts) => {
    const events = messages.slice(start, start + parts.length).map(({ event }) => event);
    start += parts.length;
    const body = fitted(joinMessages(parts), MESSAGE, carrier, compression);
    return { body, count: parts.length, notification: events.some(hasNotification) };
  });
}

/**
 * One message as the information of a connection.
 * @throws TooLargeError when it does not fit.
 */
export function packConnInfo(message: ChatMessage, carrier: Carrier, compression: Compression | null): Uint8Array {
  return fitted(checked(encodeMessage(message), MAX_ENCODED_INFO_LENGTH), INFO, carrier, compression);
}
