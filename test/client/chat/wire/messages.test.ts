import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { base64urlUnpadded, fromUtf8, utf8 } from "#crypto/bytes";
import { decodeBody } from "../../../../client/chat/wire/body.ts";
import { relationOf } from "../../../../client/chat/wire/container.ts";
import { MessageError } from "../../../../client/chat/wire/errors.ts";
import { EVENT_NAMES } from "../../../../client/chat/wire/event-codecs.ts";
import { idBytes, newProbe, newRandomId, newSharedId, probeHash } from "../../../../client/chat/wire/ids.ts";
import type { Json, JsonObject } from "../../../../client/chat/wire/json.ts";
import {
  type ChatMessage,
  encodeMessage,
  forwardedMessage,
  messageJson,
  readForwarded,
  readMessage,
} from "../../../../client/chat/wire/message.ts";
import { knownEmoji } from "../../../../client/chat/wire/reaction.ts";
import { millisecondsOf, utcTimeOf } from "../../../../client/chat/wire/time.ts";
import { connectionVersion, versionFromAgent } from "../../../../client/chat/wire/versions.ts";
import { eventOf, message, messageWith } from "./arbitrary.ts";
import { jsonObject } from "./arbitrary-parts.ts";
import { zstd } from "./platform-zstd.ts";

function known({ versions, msgId, event }: ChatMessage): ChatMessage {
  return msgId === undefined ? { versions, event } : { versions, msgId, event };
}

function decoded(body: Uint8Array): ChatMessage {
  const [item] = decodeBody(body, zstd);
  if (item?.type === "error") throw item.error;
  if (item?.type !== "message") throw new Error("expected a message");
  return known(item.message);
}

/** Params of an event in JSON, and what is read from them. */
function read(event: string, params: Json): ChatMessage {
  return known(readMessage({ event, params }));
}

function failure(event: string, params: Json): string {
  try {
    read(event, params);
  } catch (error) {
    if (error instanceof MessageError) return error.message;
    throw error;
  }
  throw new Error("nothing was wrong");
}

const MSG_ID = "UbGLDJFXFURPyNsd";

describe("what is written is read", () => {
  test.each(EVENT_NAMES)("%s", (name) => {
    fc.assert(
      fc.property(messageWith(eventOf(name)), (sent) => {
        const body = encodeMessage(sent);
        expect(decoded(body)).toStrictEqual(sent);
        expect(JSON.stringify(JSON.parse(fromUtf8(body)))).toBe(fromUtf8(body));
      }),
      { numRuns: 60 },
    );
  });

  test("also when it is an event that is not known", () => {
    const same = (sent: ChatMessage): void => void expect(decoded(encodeMessage(sent))).toStrictEqual(sent);
    fc.assert(fc.property(message, same), { numRuns: 300 });
  });

  test("with halves of surrogate pairs replaced", () => {
    const params = { content: { type: "text", text: "a\ud800b" } } as const;
    const sent: ChatMessage = { versions: { min: 1, max: 16 }, event: { type: "x.msg.new", params } };
    expect(fromUtf8(encodeMessage(sent))).toContain("a\ufffdb");
    expect(read("x.msg.new", JSON.parse('{"content":{"type":"text","text":"\\ud800"}}') as Json).event).toMatchObject(
      {
        params: { content: { text: "\ufffd" } },
      },
    );
  });
});

describe("tolerance", () => {
  test("unknown fields are ignored, and null is the same as nothing", () => {
    fc.assert(
      fc.property(message, jsonObject, (sent, more) => {
        if (sent.event.type === "unknown") return;
        const wire = messageJson(sent);
        const fresh = Object.fromEntries(Object.entries(more).map(([key, value]) => [`new ${key}`, value]));
        const params: Json = { ...fresh, ...(wire["params"] as JsonObject), ttl: null };
        const hasTtl = "ttl" in (wire["params"] as JsonObject);
        const source: Json = { ...fresh, ...wire, params: hasTtl ? { ...params, ttl: 5 } : params };
        const expected = hasTtl
          ? { ...sent, event: { ...sent.event, params: { ...sent.event.params, ttl: 5 } } }
          : sent;
        expect(known(readMessage(source))).toStrictEqual(expected);
      }),
    );
  });

  test("ids come with and without padding and are written with it", () => {
    for (const length of [1, 2, 3, 16, 24]) {
      const bytes = new Uint8Array(length).fill(251);
      const { event } = read("x.file.cancel", { msgId: base64urlUnpadded(bytes) });
      if (event.type !== "x.file.cancel") throw new Error("another event");
      expect(idBytes(event.params.msgId)).toEqual(bytes);
      expect(event.params.msgId.length % 4).toBe(0);
    }
    for (const wrong of ["", "=", "a", "+/+/", "ab cd", 5, null, {}, ["AQID"]]) {
      expect(() => read("x.file.cancel", { msgId: wrong })).toThrow(MessageError);
    }
  });

  test.each([
    ["2025-01-01T10:00:00Z", Date.UTC(2025, 0, 1, 10)],
    ["2025-01-01T10:00:00.1Z", Date.UTC(2025, 0, 1, 10) + 100],
    ["2025-01-01T10:00:00.123456789012Z", Date.UTC(2025, 0, 1, 10) + 123],
    ["2024-02-29T23:59:60Z", Date.UTC(2024, 2, 1)],
    ["2025-01-01T10:00:00+02:30", Date.UTC(2025, 0, 1, 7, 30)],
    ["0001-01-01T00:00:00Z", Date.parse("0001-01-01T00:00:00Z")],
  ])("the time %s is kept as it is written", (sentAt, milliseconds) => {
    const quote = { content: { type: "text", text: "" }, msgRef: { sentAt, sent: true } };
    const { event } = read("x.msg.new", { content: { type: "text", text: "a" }, quote });
    expect(event).toMatchObject({ params: { quote: { msgRef: { sentAt } } } });
    expect(millisecondsOf(sentAt)).toBe(milliseconds);
  });

  test.each([
    "2025-02-30T10:00:00Z",
    "2025-01-01T24:00:00Z",
    "2025-01-01T10:00:00.1234567890123Z",
    "2025-01-01",
    "yesterday",
    "",
  ])("'%s' is no time", (sentAt) => expect(() => millisecondsOf(sentAt)).toThrow("must be a time"));

  test("our own times are read", () => {
    expect(millisecondsOf(utcTimeOf(1_700_000_000_123))).toBe(1_700_000_000_123);
  });

  test("of a request's first message neither or both are there", () => {
    const profile = { displayName: "a", fullName: "" };
    expect(read("x.contact", { profile, msgId: MSG_ID }).event).toStrictEqual({
      type: "x.contact",
      params: { profile },
    });
    const content = { type: "text", text: "hi" };
    expect(read("x.contact", { profile, msgId: MSG_ID, content }).event).toStrictEqual({
      type: "x.contact",
      params: { profile, message: { msgId: MSG_ID, content } },
    });
  });

  test("names like those of an object's own mean nothing", () => {
    const params = JSON.parse(
      `{"content":{"type":"text","text":"a"},"mentions":{"__proto__":{"memberId":"${MSG_ID}"}},"__proto__":{"ttl":5}}`,
    ) as Json;
    const { event } = read("x.msg.new", params);
    expect(event.params).toStrictEqual({
      content: { type: "text", text: "a" },
      mentions: [{ name: "__proto__", memberId: MSG_ID }],
    });
    expect(Object.getPrototypeOf(event.params)).toBe(Object.prototype);
    expect(() => read("constructor", {})).toThrow("is no event");
    expect(() => read("x.msg.new", { content: { type: "constructor" } })).not.toThrow();
    expect(() => read("toString", {})).toThrow(MessageError);
  });

  test("a field that stands twice has its last value", () => {
    const text = '{"event":"x.ok","event":"x.file.cancel","params":{"msgId":"AQID","msgId":"AQIE"}}';
    expect(decoded(utf8(text)).event).toStrictEqual({ type: "x.file.cancel", params: { msgId: "AQIE" } });
  });
});

describe("what is wrong is told", () => {
  const text = { type: "text", text: "a" };
  test.each<[string, Json, string]>([
    ["x.msg.new", {}, "params.content: is missing"],
    ["x.msg.new", { content: { type: "text" } }, "params.content.text: is missing"],
    ["x.msg.new", { content: { type: "text", text: 5 } }, "params.content.text: must be a string"],
    ["x.msg.new", { content: { type: 5 } }, "params.content.type: must be a string"],
    ["x.msg.new", { content: text, ttl: 1.5 }, "params.ttl: must be a whole number, not negative"],
    ["x.msg.new", { content: text, forward: 1 }, "params.forward: must be true, false or an object"],
    ["x.msg.new", { content: text, mentions: { bob: {} } }, 'params.mentions."bob".memberId: is missing'],
    ["x.msg.new", { content: text, scope: { type: "all" } }, "params.scope.type: 'all' is not known"],
    [
      "x.info",
      { profile: { displayName: "a", fullName: "", preferences: { voice: { allow: "maybe" } } } },
      "params.profile.preferences.voice.allow: must be one of always, yes, no",
    ],
    [
      "x.info",
      { profile: { displayName: "a", fullName: "", preferences: { commands: [{ type: "command", label: "" }] } } },
      "params.profile.preferences.commands[0].keyword: is missing",
    ],
    [
      "x.grp.mem.role",
      { memberId: MSG_ID, role: "king" },
      "params.role: must be one of observer, author, member, moderator, admin, owner",
    ],
    ["x.ok", [], "params: must be an object"],
    ["y.strange", {}, "event: 'y.strange' is no event"],
    ["x.with space", {}, "event: 'x.with space' is no event"],
  ])("%s %j", (event, params, expected) => expect(failure(event, params)).toBe(expected));

  test.each(["16-1", "a", "1-", "1-70000", "", 1])("versions %j", (v) => {
    expect(() => readMessage({ v, event: "x.ok", params: {} })).toThrow("v: must be a range of versions");
  });
});

describe("what is passed on", () => {
  test("is the whole message with all that is not known", () => {
    const source = {
      v: "1-99",
      event: "x.msg.new",
      params: { content: { type: "text", text: "a", new: 1 }, more: [2] },
      x: {},
    };
    const forwarded = forwardedMessage(readMessage(source), { memberId: MSG_ID, memberName: "bob", receivedAt: 5 });
    expect(forwarded).toStrictEqual({
      memberId: MSG_ID,
      memberName: "bob",
      msg: source,
      msgTs: "1970-01-01T00:00:00.005Z",
    });
    const carried = readMessage(
      messageJson({ versions: { min: 1, max: 16 }, event: { type: "x.grp.msg.forward", params: forwarded } }),
    );
    if (carried.event.type !== "x.grp.msg.forward") throw new Error("another event");
    expect(readForwarded(carried.event.params)).toStrictEqual(readMessage(source));
  });

  test("may be damaged while the rest is not", () => {
    const { event } = read("x.grp.msg.forward", {
      memberId: MSG_ID,
      msg: { event: "x.msg.new", params: {} },
      msgTs: utcTimeOf(0),
    });
    if (event.type !== "x.grp.msg.forward") throw new Error("another event");
    expect(() => readForwarded(event.params)).toThrow("params.msg.params.content: is missing");
  });
});

test("ids are made as official clients make them", () => {
  const text = /^[A-Za-z0-9_-]+=*$/;
  expect(fromUtf8(idBytes(newSharedId()))).toMatch(text);
  expect(idBytes(newSharedId()).length).toBe(16);
  expect(fromUtf8(idBytes(newProbe()))).toMatch(text);
  expect(idBytes(newProbe()).length).toBe(44);
  expect(idBytes(newRandomId()).length).toBe(16);
  expect(new Set(Array.from({ length: 100 }, newSharedId)).size).toBe(100);
  // echo -n abc | sha256sum
  expect(probeHash("YWJj")).toBe("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=");
});

test("reactions are known with and without a variation selector", () => {
  expect(knownEmoji("❤\u{fe0f}")).toBe("❤");
  expect(knownEmoji("👍")).toBe("👍");
  expect([knownEmoji("\u{fe0f}"), knownEmoji("Z"), knownEmoji(""), knownEmoji("👍👍")]).toEqual([
    null,
    null,
    null,
    null,
  ]);
});

test("a container is the first of what it could be", () => {
  const content = { type: "text", text: "a" } as const;
  const ref = { sentAt: utcTimeOf(0), sent: true };
  const quote = { msgRef: ref, content };
  expect(relationOf({ content, quote, parent: ref, forward: true })).toBe("quote");
  expect(relationOf({ content, parent: ref, forward: true })).toBe("comment");
  expect(relationOf({ content, forward: true })).toBe("forward");
  expect(relationOf({ content })).toBe("plain");
});

test("the version of a connection is raised and never lowered", () => {
  expect(connectionVersion({ min: 1, max: 99 })).toBe(16);
  expect(connectionVersion({ min: 1, max: 9 })).toBe(9);
  expect(connectionVersion({ min: 1, max: 9 }, 12)).toBe(12);
  expect(connectionVersion({ min: 1, max: 14 }, 12)).toBe(14);
  expect(connectionVersion({ min: 20, max: 30 }, 8)).toBe(8);
  expect([versionFromAgent(4), versionFromAgent(5)]).toEqual([1, 8]);
});
