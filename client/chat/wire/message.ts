import { fromUtf8, utf8 } from "#crypto/bytes";
import type { VersionRange } from "#protocol/version";
import { MessageError } from "./errors.ts";
import type { ChatEvent, ForwardedMessage } from "./event.ts";
import { readEvent, writeEvent } from "./event-codecs.ts";
import { type Id, id } from "./ids.ts";
import {
  expectObject,
  inField,
  isObject,
  type Json,
  type JsonObject,
  object,
  optional,
  rawObject,
  text,
} from "./json.ts";
import { type UtcTime, utcTimeOf } from "./time.ts";
import { CHAT_VERSIONS, chatVersions, INITIAL_VERSIONS } from "./versions.ts";

/** How deep arrays and objects may lie in each other; what we know needs 10. */
export const DEPTH_LIMIT = 32;

/** What one client tells another (chat specification, section 1.1). */
export interface ChatMessage {
  /** Chat versions that the sender speaks. */
  readonly versions: VersionRange;
  /** Of what others can refer to; left out in handshakes and around what is forwarded. */
  readonly msgId?: Id;
  readonly event: ChatEvent;
}

/** A message of ours. */
export function chatMessage(event: ChatEvent, msgId?: Id): ChatMessage {
  return { versions: CHAT_VERSIONS, ...(msgId === undefined ? {} : { msgId }), event };
}

/** With the JSON that it was read from, unknown fields included: that is what is passed on. */
export interface ReceivedMessage extends ChatMessage {
  readonly json: JsonObject;
}

interface Envelope {
  readonly v?: VersionRange;
  readonly msgId?: Id;
  readonly event: string;
  readonly params: JsonObject;
}

const envelope = object<Envelope>({ v: optional(chatVersions), msgId: optional(id), event: text, params: rawObject });

function isDeeper(json: Json, levels: number): boolean {
  if (typeof json !== "object" || json === null) return false;
  if (levels === 0) return true;
  const items: readonly Json[] = isObject(json) ? Object.values(json) : json;
  return items.some((item) => isDeeper(item, levels - 1));
}

/** @throws MessageError when arrays and objects lie too deep in each other to be walked through. */
export function checkDepth(json: Json): void {
  if (isDeeper(json, DEPTH_LIMIT)) throw new MessageError(`lies deeper than ${DEPTH_LIMIT} levels`);
}

/** UTF-8 and JSON only. @throws MessageError */
export function parseJson(bytes: Uint8Array): Json {
  try {
    return JSON.parse(fromUtf8(bytes)) as Json;
  } catch (cause) {
    // Engines differ in what they throw for text that lies too deep.
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MessageError(`must be JSON in UTF-8: ${why.slice(0, 100)}`, "", { cause });
  }
}

export function stringifyJson(json: Json): Uint8Array {
  return utf8(JSON.stringify(json));
}

/** One message from its JSON. @throws MessageError */
export function readMessage(json: Json): ReceivedMessage {
  const source = expectObject(json);
  checkDepth(source);
  const { v: versions = INITIAL_VERSIONS, event: name, params, ...others } = envelope.read(source);
  return { versions, ...others, event: readEvent(name, params), json: source };
}

/** The JSON of a message; of a received one only what is known of it. */
export function messageJson({ versions, msgId, event: what }: ChatMessage): JsonObject {
  const { event, params } = writeEvent(what);
  return expectObject(envelope.write({ v: versions, ...(msgId === undefined ? {} : { msgId }), event, params }));
}

/** JSON without white space in UTF-8, not compressed. */
export function encodeMessage(message: ChatMessage): Uint8Array {
  return stringifyJson(messageJson(message));
}

/** The author of what is passed on, and when the relay took it (milliseconds since 1970). */
export interface ForwardedFrom {
  readonly memberId: Id;
  readonly memberName?: string;
  readonly receivedAt: number;
}

/** Params of `x.grp.msg.forward`: the message whole, with what this client does not know. */
export function forwardedMessage(message: ReceivedMessage, { receivedAt, ...from }: ForwardedFrom): ForwardedMessage {
  const msgTs: UtcTime = utcTimeOf(receivedAt);
  return { ...from, msg: message.json, msgTs };
}

/** The message that was passed on. @throws MessageError */
export function readForwarded(forwarded: ForwardedMessage): ReceivedMessage {
  return inField("params.msg", () => readMessage(forwarded.msg));
}
