import { fromHex } from "#crypto/bytes";
import { parseServerAddress } from "#protocol/address";
import { certChainPubKey } from "#protocol/certchain";
import { decode } from "#protocol/codec";
import type { Command, Message } from "#protocol/commands";
import type { Json, JsonObject, TaggedJson } from "./vectors.ts";

const HEX_FIELDS: ReadonlySet<string> = new Set([
  "body",
  "encBody",
  "encFwdResponse",
  "encFwdTransmission",
  "encMeta",
  "encResponse",
  "encTransmission",
  "fixedData",
  "linkId",
  "msgId",
  "nonce",
  "notifierId",
  "rcvId",
  "senderId",
  "serviceId",
  "sessionId",
  "sndId",
  "userData",
]);

function isObject(json: Json): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function convertField(name: string, json: Json): unknown {
  // Errors and queue information stand in the vectors in the very form that this library gives them.
  if (name === "error" || name === "info") return json;
  if (typeof json === "string") {
    if (name === "certChainPubKey") return decode(certChainPubKey, fromHex(json));
    return HEX_FIELDS.has(name) ? fromHex(json) : json;
  }
  if (name === "versions" && Array.isArray(json)) return { min: json[0], max: json[1] };
  if (Array.isArray(json)) return json.map((item: Json) => convertField(name, item));
  return isObject(json) ? convertObject(json) : json;
}

function convertObject(json: JsonObject): unknown {
  const { raw, uri } = json;
  if (typeof raw === "string") return { algorithm: json["algorithm"] ?? "X25519", raw: fromHex(raw) };
  if (typeof uri === "string") {
    const { password: _, ...server } = parseServerAddress(uri);
    return server;
  }
  const fields = Object.entries(json).map(([name, value]) => [name, convertField(name, value)] as const);
  return Object.fromEntries(fields);
}

/** A command of the vectors as this library spells it. They come from a line of code without service hashes. */
export function commandFrom(json: TaggedJson): Command {
  const converted = convertObject(json) as Command;
  return converted.tag === "SUBS" || converted.tag === "NSUBS" ? { ...converted, queues: null } : converted;
}

export function messageFrom(json: TaggedJson): Message {
  // `text` is the error once more, as text.
  const { text: _, ...fields } = json;
  const converted = convertObject(fields) as Message;
  return converted.tag === "SOKS" || converted.tag === "ENDS" ? { ...converted, idsHash: null } : converted;
}
