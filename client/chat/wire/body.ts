import {
  COMPRESSED,
  type Compression,
  decompressBody,
  type DecompressionLimits,
  Decompressor,
} from "./compression.ts";
import { MessageError } from "./errors.ts";
import { CHUNK, decodeFileChunk, type FileChunk } from "./file-chunk.ts";
import type { Json } from "./json.ts";
import { parseJson, readMessage, type ReceivedMessage } from "./message.ts";

/** A part of what a body holds. What cannot be read says why, and the others stand. */
export type BodyItem =
  | { readonly type: "message"; readonly message: ReceivedMessage }
  | { readonly type: "chunk"; readonly chunk: FileChunk }
  | { readonly type: "error"; readonly error: MessageError };

/** Messages that one body may hold. More than ten times what fits into one of an official client. */
export const MAX_MESSAGES = 4096;

const ARRAY = 0x5b;
const OBJECT = 0x7b;

function attempt(read: () => BodyItem): BodyItem {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    return { type: "error", error };
  }
}

const messageItem = (json: Json): BodyItem => attempt(() => ({ type: "message", message: readMessage(json) }));

function* readArray(body: Uint8Array): Generator<BodyItem> {
  const messages = parseJson(body);
  if (!Array.isArray(messages)) throw new MessageError("must be an array");
  for (const json of messages as readonly Json[]) yield messageItem(json);
}

function* readCompressed(body: Uint8Array, decompressor: Decompressor): Generator<BodyItem> {
  for (const content of decompressBody(body, decompressor)) {
    if (content instanceof MessageError) yield { type: "error", error: content };
    else yield* readBody(content, decompressor);
  }
}

function readParts(body: Uint8Array, decompressor: Decompressor): Iterable<BodyItem> {
  switch (body[0]) {
    case undefined:
      throw new MessageError("the body is empty");
    case ARRAY:
      return readArray(body);
    case COMPRESSED:
      return readCompressed(body, decompressor);
    case CHUNK:
      return [{ type: "chunk", chunk: decodeFileChunk(body) }];
    case OBJECT:
      return [messageItem(parseJson(body))];
    default:
      throw new MessageError("the body is neither JSON nor compressed nor a part of a file");
  }
}

function* readBody(body: Uint8Array, decompressor: Decompressor): Generator<BodyItem> {
  try {
    yield* readParts(body, decompressor);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    yield { type: "error", error };
  }
}

/**
 * All that one body of the agent holds, in order: a message, an array of them, a chunk of a file, or any of these
 * compressed (chat specification, section 1). Throws nothing for whatever bytes a peer sends.
 */
export function decodeBody(body: Uint8Array, compression: Compression, limits?: DecompressionLimits): BodyItem[] {
  const out: BodyItem[] = [];
  for (const item of readBody(body, new Decompressor(compression, limits))) {
    if (out.length === MAX_MESSAGES) {
      out.push({ type: "error", error: new MessageError(`the body holds more than ${MAX_MESSAGES} messages`) });
      break;
    }
    out.push(item);
  }
  return out;
}

/** What the information of a connection holds: exactly one message. @throws MessageError */
export function decodeConnInfo(info: Uint8Array, compression: Compression): ReceivedMessage {
  const [item, ...others] = decodeBody(info, compression);
  if (item?.type === "error") throw item.error;
  if (item?.type !== "message" || others.length > 0) throw new MessageError("must hold exactly one message");
  return item.message;
}
