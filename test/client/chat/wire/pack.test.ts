import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromUtf8, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { decodeBody, decodeConnInfo } from "../../../../client/chat/wire/body.ts";
import { TooLargeError } from "../../../../client/chat/wire/errors.ts";
import type { ChatEvent } from "../../../../client/chat/wire/event.ts";
import { isForwardable } from "../../../../client/chat/wire/event-flags.ts";
import { decodeFileChunk, encodeFileChunk, MAX_CHUNK_LENGTH } from "../../../../client/chat/wire/file-chunk.ts";
import { chatMessage, type ChatMessage, encodeMessage, messageJson } from "../../../../client/chat/wire/message.ts";
import {
  batch,
  type Carrier,
  joinMessages,
  MAX_COMPRESSED_INFO_LENGTH,
  MAX_COMPRESSED_MSG_LENGTH,
  MAX_ENCODED_MSG_LENGTH,
  packConnInfo,
  packMessages,
} from "../../../../client/chat/wire/pack.ts";
import {
  decodeShortLinkData,
  encodeShortLinkData,
  groupLinkClientData,
  MAX_PLAIN_LINK_DATA,
  readGroupLinkId,
} from "../../../../client/chat/wire/short-link-data.ts";
import { CHAT_VERSIONS } from "../../../../client/chat/wire/versions.ts";
import { portableZstd } from "../../../../client/chat/wire/zstd/portable.ts";
import { message } from "./arbitrary.ts";
import { content, groupProfile, profile } from "./arbitrary-parts.ts";
import { zstd } from "./platform-zstd.ts";

const DIRECT: Carrier = { version: 16, pq: false, group: false };
const PQ: Carrier = { ...DIRECT, pq: true };

/** These letters in no order, always the same: as hard to compress as text gets. */
function noise(letters: string, length: number): string {
  const bytes = Array.from({ length: Math.ceil(length / 32) }, (_, i) => [
    ...sha256(Uint8Array.of(i >> 8, i & 0xff)),
  ]).flat();
  return bytes
    .slice(0, length)
    .map((byte) => letters.charAt(byte % letters.length))
    .join("");
}
/** What the preview of a picture is made of. */
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const DIGITS = noise(BASE64, 12_000);
/** Letters of ASCII that JSON leaves as they are. */
const ASCII = Array.from({ length: 0x7e - 0x23 }, (_, i) => String.fromCharCode(0x23 + i))
  .join("")
  .replace("\\", "");

const saying = (text: string): ChatMessage =>
  chatMessage({ type: "x.msg.new", params: { content: { type: "text", text } } });
const ofLength = (length: number, letters = "a"): ChatMessage =>
  saying(letters.repeat(Math.ceil(length / letters.length)).slice(0, length - encodeMessage(saying("")).length));

describe("messages of one connection", () => {
  test("are packed in order, and all of them", () => {
    const carrier = fc.record<Carrier>({
      version: fc.integer({ min: 1, max: 16 }),
      pq: fc.boolean(),
      group: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 40 }), carrier, (sent, to) => {
        const packed = packMessages(sent, to, zstd);
        const items = packed.flatMap(({ body, count }) => {
          const inside = decodeBody(body, zstd);
          expect(inside.length).toBe(count);
          return inside;
        });
        const received = items.map((item) => (item.type === "message" ? item.message.json : item));
        expect(received).toEqual(sent.map(messageJson));
        if (to.version < (to.group ? 5 : 9)) expect(packed.length).toBe(sent.length);
        for (const { body } of packed)
          expect(body.length).toBeLessThanOrEqual(to.pq ? MAX_COMPRESSED_MSG_LENGTH : MAX_ENCODED_MSG_LENGTH);
      }),
      { numRuns: 200 },
    );
  });

  test("are in one array if there is room, to the byte", () => {
    const two = [ofLength(7800), ofLength(7799)];
    expect(packMessages(two, DIRECT, null)).toMatchObject([{ count: 2, body: { length: MAX_ENCODED_MSG_LENGTH } }]);
    expect(packMessages([...two, saying("")], DIRECT, null).map(({ count }) => count)).toEqual([1, 2]);
    expect(packMessages([ofLength(7800), ofLength(7800)], DIRECT, null).map(({ count }) => count)).toEqual([1, 1]);
    expect(packMessages([], DIRECT, null)).toEqual([]);
  });

  test("wake the recipient if one of them does", () => {
    const quiet: ChatMessage = { versions: CHAT_VERSIONS, event: { type: "x.ok", params: {} } };
    const flags = (...messages: ChatMessage[]) =>
      packMessages(messages, DIRECT, null).map(({ notification }) => notification);
    expect([flags(quiet), flags(quiet, saying("a"), quiet), flags(quiet, quiet)]).toEqual([[false], [true], [false]]);
  });

  test("that are too long are refused", () => {
    expect(() => packMessages([saying("a"), ofLength(15_603)], DIRECT, zstd)).toThrow(
      new TooLargeError(15_603, 15_602, false),
    );
  });

  test("stay JSON as long as that fits, also with PQ encryption", () => {
    const [fits] = packMessages([ofLength(MAX_COMPRESSED_MSG_LENGTH)], PQ, zstd);
    expect(fromUtf8(fits?.body.subarray(0, 1) ?? utf8(""))).toBe("{");
    const [longer] = packMessages([ofLength(MAX_COMPRESSED_MSG_LENGTH + 1)], PQ, zstd);
    expect(fromUtf8(longer?.body.subarray(0, 1) ?? utf8(""))).toBe("X");
    expect(longer?.body.length).toBeLessThan(200);
    // Before version 8 nobody reads what is compressed, and no connection is encrypted with PQ.
    expect(packMessages([ofLength(15_000)], { ...PQ, version: 7 }, zstd)).toMatchObject([
      { body: { length: 15_000 } },
    ]);
    expect(() => packMessages([ofLength(15_000)], PQ, null)).toThrow(new TooLargeError(15_000, 13_380, false));
  });

  const own = portableZstd((frame, output) => zstd.decompress(frame, output.length));

  test.each([
    ["the platform's", zstd],
    ["our own", own],
  ])("carry the preview of a picture, by %s compressor", (_, compression) => {
    const image = `data:image/jpg;base64,${noise(BASE64, 14_000)}`.slice(0, 14_000);
    const sent: ChatMessage = {
      versions: CHAT_VERSIONS,
      event: { type: "x.msg.new", params: { content: { type: "image", text: "", image } } },
    };
    const [packed] = packMessages([sent], PQ, compression);
    expect(packed?.body.length).toBeLessThan(10_800);
    expect(decodeBody(packed?.body ?? utf8(""), compression)).toMatchObject([{ message: { event: sent.event } }]);
  });

  test("that stay too long when they are compressed are refused", () => {
    const text = noise(ASCII, 14_500);
    expect(packMessages([saying(text)], PQ, zstd)).toMatchObject([{ count: 1 }]);
    expect(() => packConnInfo(saying(text), PQ, zstd)).toThrow(TooLargeError);
  });
});

test("arrays are never longer than they may be, nor are there more than needed in a row", () => {
  const sizes = fc.array(fc.integer({ min: 2, max: 300 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 310, max: 900 }), (lengths, limit) => {
      const batches = batch(
        lengths.map((length) => new Uint8Array(length)),
        limit,
      );
      expect(batches.flat().map(({ length }) => length)).toEqual(lengths);
      for (const [i, parts] of batches.entries()) {
        expect(joinMessages(parts).length).toBeLessThanOrEqual(limit);
        const before = batches[i - 1]?.at(-1);
        if (before) expect(joinMessages([before, ...parts]).length).toBeGreaterThan(limit);
      }
    }),
  );
});

describe("the information of a connection", () => {
  const info = (image: string): ChatMessage => ({
    versions: CHAT_VERSIONS,
    event: { type: "x.info", params: { profile: { displayName: "a", fullName: "", image } } },
  });

  test("is compressed for PQ encryption only when it would not fit", () => {
    for (const [length, first] of [
      [10_000, "{"],
      [12_400, "X"],
    ] as const) {
      const image = noise(BASE64, length);
      const body = packConnInfo(info(image), PQ, zstd);
      expect(fromUtf8(body.subarray(0, 1))).toBe(first);
      expect(body.length).toBeLessThanOrEqual(MAX_COMPRESSED_INFO_LENGTH);
      expect(decodeConnInfo(body, zstd).event).toEqual(info(image).event);
    }
    expect(packConnInfo(info(DIGITS), DIRECT, zstd).length).toBeGreaterThan(MAX_COMPRESSED_INFO_LENGTH);
    expect(() => packConnInfo(info("a".repeat(14_694)), DIRECT, zstd)).toThrow(TooLargeError);
  });
});

describe("data of short links", () => {
  test("is read as it was written", () => {
    const data = fc.oneof(
      fc.record(
        { profile, message: content, business: fc.boolean() },
        { requiredKeys: ["profile", "business"], noNullPrototype: true },
      ),
      fc.record({ groupProfile }, { noNullPrototype: true }),
    );
    fc.assert(
      fc.property(data, (sent) => {
        expect(decodeShortLinkData(encodeShortLinkData(sent, zstd), zstd)).toStrictEqual(sent);
      }),
    );
  });

  test("is compressed when it is long, without a count", () => {
    const data = { profile: { displayName: "a", fullName: "", image: DIGITS }, business: false };
    const bytes = encodeShortLinkData(data, zstd);
    expect([...bytes.subarray(0, 5)]).toEqual([0x58, 0x28, 0xb5, 0x2f, 0xfd]);
    expect(decodeShortLinkData(bytes, zstd)).toStrictEqual(data);
    expect(encodeShortLinkData(data, null).length).toBeGreaterThan(MAX_PLAIN_LINK_DATA);
    expect(() => decodeShortLinkData(bytes, zstd, { item: 12_000, total: 12_000 })).toThrow("12000 are allowed");
  });

  test("that is damaged is told", () => {
    for (const [bytes, why] of [
      ["", "is empty"],
      ["{}", "profile: is missing"],
      ["Xabc", "compressed part"],
      ["5", "must be an object"],
    ] as const) {
      expect(() => decodeShortLinkData(utf8(bytes), zstd)).toThrow(why);
    }
  });
});

test("the full link of a group names it", () => {
  expect(groupLinkClientData("AQID")).toBe('{"groupLinkId":"AQID"}');
  expect(readGroupLinkId('{"type":"group","groupLinkId":"AQIDBA"}')).toBe("AQIDBA==");
  expect(["", "{", "{}", "5", '{"groupLinkId":""}', '{"groupLinkId":5}'].map(readGroupLinkId)).toEqual(Array(6).fill(null));
});

test("chunks of files hold what they can", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 255 }),
      fc.integer({ min: 1, max: 255 }),
      fc.uint8Array({ maxLength: 500 }),
      (id, number, bytes) => {
        const chunk = {
          msgId: Buffer.from(id).toString("base64").replaceAll("+", "-").replaceAll("/", "_"),
          part: { number, bytes },
        };
        expect(decodeFileChunk(encodeFileChunk(chunk))).toEqual(chunk);
      },
    ),
  );
  const chunk = (number: number, length: number) => () =>
    encodeFileChunk({ msgId: "AQID", part: { number, bytes: new Uint8Array(length) } });
  expect(chunk(255, MAX_CHUNK_LENGTH)().length).toBe(MAX_CHUNK_LENGTH + 7);
  expect(chunk(1, MAX_CHUNK_LENGTH + 1)).toThrow("15780 bytes at most");
  expect(chunk(0, 1)).toThrow("no number");
  expect(chunk(256, 1)).toThrow("no number");
  expect(() => decodeFileChunk(Uint8Array.of(0x46, 0, 0, 1))).toThrow("file chunk: ");
});

test("what is passed on in groups", () => {
  const file = { fileName: "a", fileSize: 1 };
  const text = { type: "text", text: "" } as const;
  const cases: readonly [ChatEvent, boolean][] = [
    [{ type: "x.msg.new", params: { content: text } }, true],
    [{ type: "x.msg.new", params: { content: text, file } }, true],
    [{ type: "x.msg.new", params: { content: text, file: { ...file, fileInline: "sent" } } }, false],
    [{ type: "x.grp.leave", params: {} }, true],
    [{ type: "x.grp.mem.con", params: { memberId: "AQID" } }, false],
    [{ type: "x.ok", params: {} }, false],
    [{ type: "unknown", event: "x.new", params: {} }, false],
  ];
  expect(cases.map(([event]) => isForwardable(event))).toEqual(cases.map(([, expected]) => expected));
});
