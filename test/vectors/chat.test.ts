import { describe, expect, test } from "vitest";
import { fromHex, fromUtf8, hex, utf8 } from "#crypto/bytes";
import { publicKeyOf, type SecretKey } from "#crypto/keys";
import { type BodyItem, decodeBody } from "../../client/chat/wire/body.ts";
import { callFrameKey, callPublicKey } from "../../client/chat/wire/call-key.ts";
import { compressBody, MAX_PASSED_LENGTH } from "../../client/chat/wire/compression.ts";
import type { MsgContent } from "../../client/chat/wire/content.ts";
import { TooLargeError } from "../../client/chat/wire/errors.ts";
import { EVENT_NAMES } from "../../client/chat/wire/event-codecs.ts";
import { hasDeliveryReceipt, hasNotification } from "../../client/chat/wire/event-flags.ts";
import { encodeFileChunk } from "../../client/chat/wire/file-chunk.ts";
import { idFrom } from "../../client/chat/wire/ids.ts";
import { chatMessage, type ChatMessage, encodeMessage, type ReceivedMessage } from "../../client/chat/wire/message.ts";
import {
  batch,
  joinMessages,
  MAX_COMPRESSED_INFO_LENGTH,
  MAX_COMPRESSED_MSG_LENGTH,
  MAX_ENCODED_INFO_LENGTH,
  MAX_ENCODED_MSG_LENGTH,
  packMessages,
} from "../../client/chat/wire/pack.ts";
import {
  decodeShortLinkData,
  encodeShortLinkData,
  shortLinkUserData,
} from "../../client/chat/wire/short-link-data.ts";
import { CHAT_VERSIONS } from "../../client/chat/wire/versions.ts";
import { zstd } from "../client/chat/wire/platform-zstd.ts";
import chat from "./data/chat.json" with { type: "json" };

const json = (text: string): unknown => JSON.parse(text);
const jsonOf = (message: ChatMessage): unknown => json(fromUtf8(encodeMessage(message)));

function messagesOf(items: readonly BodyItem[]): ReceivedMessage[] {
  return items.flatMap((item) => (item.type === "message" ? [item.message] : []));
}

function onlyMessage(body: Uint8Array): ReceivedMessage {
  const items = decodeBody(body, zstd);
  const [message] = messagesOf(items);
  if (items.length !== 1 || !message) throw new Error(`expected one message, got ${items.map(({ type }) => type)}`);
  return message;
}

describe("events", () => {
  test.each(chat.events)(
    "$event $text",
    ({ event, text, hasNotification: notifies, hasDeliveryReceipt: receipted }) => {
      const message = onlyMessage(utf8(text));
      const isKnown = EVENT_NAMES.some((name) => name === event);
      expect(message.event.type).toBe(isKnown ? event : "unknown");
      expect(jsonOf(message)).toStrictEqual(json(text));
      expect(message.json).toStrictEqual(json(text));
      expect(hasNotification(message.event)).toBe(notifies);
      expect(hasDeliveryReceipt(message.event)).toBe(receipted);
    },
  );

  test("are all there", () => {
    const inVectors = new Set(chat.events.map(({ event }) => event));
    expect(EVENT_NAMES.filter((name) => !inVectors.has(name))).toEqual([]);
    expect([...inVectors].filter((name) => !EVENT_NAMES.some((known) => known === name))).toEqual([
      "x.something.new",
      "x.y",
    ]);
  });
});

test.each(chat.decoding)("odd input $input", ({ input, results }) => {
  const items = decodeBody(utf8(input), zstd);
  const seen = items.map((item) => (item.type === "message" ? { reEncoded: jsonOf(item.message) } : { error: true }));
  const expected = results.map((result) =>
    "reEncoded" in result && result.reEncoded !== undefined ? { reEncoded: json(result.reEncoded) } : { error: true },
  );
  expect(seen).toStrictEqual(expected);
});

describe("batches", () => {
  test.each(chat.batches)("$name", ({ maxLength, messages, batches }) => {
    const made = batch(messages.map(utf8), maxLength);
    expect(made.map((parts) => fromUtf8(joinMessages(parts)))).toEqual(batches.map(({ text }) => text));
    for (const { text, count, parsedCount } of batches) {
      const decoded = messagesOf(decodeBody(utf8(text), zstd));
      expect(decoded.length).toBe(parsedCount);
      expect(decoded.map(jsonOf)).toStrictEqual(count === 1 ? [json(text)] : json(text));
    }
  });
});

describe("compression", () => {
  test.each(chat.compression)("of $plain", ({ plain, compressed, passthrough, parsedCount }) => {
    const items = decodeBody(fromHex(compressed), zstd);
    expect(items).toStrictEqual(decodeBody(utf8(plain), zstd));
    expect(messagesOf(items).length).toBe(parsedCount);

    const own = compressBody(utf8(plain), zstd);
    expect(decodeBody(own, zstd)).toStrictEqual(items);
    expect(utf8(plain).length <= MAX_PASSED_LENGTH).toBe(passthrough);
    // Frames of other implementations need not be the same.
    if (passthrough) expect(hex(own)).toBe(compressed);
    else expect(own.length).toBeLessThan(fromHex(compressed).length * 1.05);
  });

  test("of several items in one body", () => {
    const plains = chat.compression.map(({ plain }) => plain);
    const messages = messagesOf(decodeBody(fromHex(chat.compressedSeveral), zstd)).map(jsonOf);
    expect(messages).toStrictEqual([plains[0], plains[3]].map((plain) => json(plain ?? "")));
  });
});

test("limits", () => {
  expect(chat.limits).toStrictEqual({
    maxCompressedInfoLength: MAX_COMPRESSED_INFO_LENGTH,
    maxCompressedMsgLength: MAX_COMPRESSED_MSG_LENGTH,
    maxEncodedInfoLength: MAX_ENCODED_INFO_LENGTH,
    maxEncodedMsgLength: MAX_ENCODED_MSG_LENGTH,
    maxLengthPassthrough: MAX_PASSED_LENGTH,
  });
  expect(chat.chatVersions).toBe(`${CHAT_VERSIONS.min}-${CHAT_VERSIONS.max}`);
});

test.each(chat.sizes)("a text of $textLength characters", ({ textLength, encodedLength, limit, result }) => {
  const content: MsgContent = { type: "text", text: "a".repeat(textLength) };
  const message = chatMessage({ type: "x.msg.new", params: { content } }, idFrom(new Uint8Array(12)));
  expect(limit).toBe(MAX_ENCODED_MSG_LENGTH);
  const pack = () => packMessages([message], { version: 16, pq: false, group: false }, null);
  if (result === "ok") expect(pack()).toMatchObject([{ count: 1, body: { length: encodedLength } }]);
  else expect(pack).toThrow(new TooLargeError(encodedLength, limit, false));
});

test.each(chat.binary)("file chunk $hex", ({ hex: body, sharedMsgId, chunk }) => {
  const msgId = idFrom(fromHex(sharedMsgId));
  const part = typeof chunk === "string" ? null : { number: chunk.number, bytes: fromHex(chunk.bytes) };
  expect(decodeBody(fromHex(body), zstd)).toStrictEqual([{ type: "chunk", chunk: { msgId, part } }]);
  expect(hex(encodeFileChunk({ msgId, part }))).toBe(body);
});

test.each(chat.shortLinkUserData)("data of a short link %#", (data) => {
  const decoded = decodeShortLinkData(utf8(JSON.stringify(data)), zstd);
  expect(shortLinkUserData.write(decoded)).toStrictEqual(data);
  expect(decodeShortLinkData(encodeShortLinkData(decoded, zstd), zstd)).toStrictEqual(decoded);
});

describe("calls", () => {
  const secret = (raw: string): SecretKey<"X25519"> => ({ algorithm: "X25519", secret: fromHex(raw) });

  test.each(chat.calls)(
    "$callDhPubKeyInJson",
    ({ inviter, invitee, callDhPubKeyInJson, sharedKey, sharedKeyText }) => {
      expect(callPublicKey(publicKeyOf(secret(inviter.private.raw)))).toBe(callDhPubKeyInJson);
      const key = callFrameKey(secret(invitee.private.raw), callDhPubKeyInJson);
      expect(hex(key)).toBe(sharedKey);
      expect(idFrom(key)).toBe(sharedKeyText);
      expect(
        callFrameKey(secret(inviter.private.raw), callPublicKey(publicKeyOf(secret(invitee.private.raw)))),
      ).toEqual(key);
    },
  );

  test("the example of the specification", () => {
    const from = (first: number) => Uint8Array.from({ length: 32 }, (_, i) => first + i);
    const [a, b] = [0x01, 0x21].map((first) => ({ algorithm: "X25519" as const, secret: from(first) }));
    if (!a || !b) throw new Error("two keys were made");
    const keys = [a, b].map((key) => callPublicKey(publicKeyOf(key)));
    expect(keys).toEqual([
      "MCowBQYDK2VuAyEAB6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9_AsrhtHHw=",
      "MCowBQYDK2VuAyEAWGmv9FBUlzLLqu1eXfmzCm2jHLDldCutWtShp2jxpns=",
    ]);
    expect(idFrom(callFrameKey(a, keys[1] ?? ""))).toBe("qE3Hw8jwWLGy3EzR6bXcCnmH-ItqlWTN4zkfxCEVnnc=");
  });
});
