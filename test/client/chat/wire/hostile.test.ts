import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, utf8 } from "#crypto/bytes";
import { type BodyItem, decodeBody, decodeConnInfo, MAX_MESSAGES } from "../../../../client/chat/wire/body.ts";
import { compressBody, DECOMPRESSION_LIMITS } from "../../../../client/chat/wire/compression.ts";
import { MessageError } from "../../../../client/chat/wire/errors.ts";
import { encodeFileChunk } from "../../../../client/chat/wire/file-chunk.ts";
import { encodeMessage, readMessage } from "../../../../client/chat/wire/message.ts";
import { decodeShortLinkData } from "../../../../client/chat/wire/short-link-data.ts";
import { decompressSignal } from "../../../../client/chat/wire/signal-text.ts";
import { frameContentSize } from "../../../../client/chat/wire/zstd/frame.ts";
import { anyJson, message } from "./arbitrary.ts";
import { zstd } from "./platform-zstd.ts";

const decode = (body: Uint8Array): BodyItem[] => decodeBody(body, zstd);

/** What is wrong with each part, or "message" for one that is right. */
function verdicts(body: Uint8Array): string[] {
  return decode(body).map((item) => (item.type === "error" ? item.error.message : item.type));
}

/** Nothing but a MessageError comes out of any reader. */
function readEverywhere(bytes: Uint8Array): void {
  for (const item of decode(bytes)) {
    if (item.type === "error") expect(item.error).toBeInstanceOf(MessageError);
  }
  for (const read of [() => decodeConnInfo(bytes, zstd), () => decodeShortLinkData(bytes, zstd)]) {
    try {
      read();
    } catch (error) {
      expect(error).toBeInstanceOf(MessageError);
    }
  }
}

const OK = utf8('{"event":"x.ok","params":{}}');

/** One body of 'X' with these items, frames where the flag says so. */
function compressed(...items: readonly (readonly [isFrame: boolean, bytes: Uint8Array])[]): Uint8Array {
  const parts = items.map(([isFrame, bytes]) => {
    const head = isFrame ? [0x31, bytes.length >> 8, bytes.length & 0xff] : [0x30, bytes.length];
    return concat(Uint8Array.from(head), bytes);
  });
  return concat(Uint8Array.of(0x58, items.length), ...parts);
}

describe("bytes that are no message", () => {
  test("throw nothing, whatever they are", () => {
    const letter = fc.constantFrom(0x58, 0x46, 0x5b, 0x7b, 0x22, 0x3d, 0xef);
    const any = fc
      .tuple(letter, fc.uint8Array({ maxLength: 200 }))
      .map(([first, rest]) => Uint8Array.of(first, ...rest));
    fc.assert(fc.property(fc.oneof(any, fc.uint8Array({ maxLength: 200 })), readEverywhere), { numRuns: 2000 });
  });

  test("also when one byte of a message was changed", () => {
    const changed = fc.tuple(message, fc.nat(), fc.nat(255), fc.boolean()).map(([sent, at, byte, isCompressed]) => {
      const plain = encodeMessage(sent);
      const body = isCompressed ? compressBody(plain, zstd) : plain;
      body[at % body.length] = byte;
      return body;
    });
    fc.assert(fc.property(changed, readEverywhere), { numRuns: 500 });
  });

  test("also when a field has another type, or is cut off", () => {
    // Each place in a message in turn gets something else.
    const places = (json: unknown, path: readonly string[] = []): string[][] =>
      typeof json === "object" && json !== null
        ? Object.entries(json).flatMap(([key, value]) => [[...path, key], ...places(value, [...path, key])])
        : [];
    const put = (json: unknown, [key = "", ...rest]: readonly string[], value: unknown): unknown => {
      const copy: Record<string, unknown> | unknown[] = Array.isArray(json) ? [...json] : { ...(json as object) };
      const old: unknown = Reflect.get(copy, key);
      Object.defineProperty(copy, key, {
        value: rest.length === 0 ? value : put(old, rest, value),
        enumerable: true,
        configurable: true,
        writable: true,
      });
      return copy;
    };
    fc.assert(
      fc.property(message, fc.nat(), anyJson, (sent, at, value) => {
        const json: unknown = JSON.parse(new TextDecoder().decode(encodeMessage(sent)));
        const all = places(json);
        const place = all[at % all.length] ?? [];
        readEverywhere(utf8(JSON.stringify(put(json, place, value))));
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ["nothing", "", ["the body is empty"]],
    ["an empty array", "[]", []],
    ["half of one", "{", [expect.stringContaining("must be JSON in UTF-8")]],
    ["a number", "5", [expect.stringContaining("neither JSON")]],
    ["white space before it", ' {"event":"x.ok","params":{}}', [expect.stringContaining("neither JSON")]],
    ["a byte order mark", "\u{feff}{}", [expect.stringContaining("neither JSON")]],
    [
      "good and bad ones",
      '[{"event":"x.ok","params":{}},5,{"event":"x.ok"},null,[],{"event":"x.ok","params":{}}]',
      ["message", "must be an object", "params: is missing", "must be an object", "must be an object", "message"],
    ],
  ])("%s", (_, text, expected) => expect(verdicts(utf8(text))).toEqual(expected));

  test("UTF-8 that is malformed", () => {
    expect(verdicts(Uint8Array.of(0x7b, 0x22, 0xc0, 0x80, 0x22, 0x3a, 0x31, 0x7d))).toEqual([
      expect.stringContaining("must be JSON in UTF-8"),
    ]);
  });

  test.each(["[", '{"a":', '[{"event":"x.new","params":{"a":'])("depth of %s", (opening) => {
    const closing = [...opening]
      .toReversed()
      .flatMap((bracket) => (bracket === "{" ? "}" : bracket === "[" ? "]" : []));
    const times = Math.floor(60_000 / (opening.length + closing.length));
    const text = `${opening.repeat(times)}1${closing.join("").repeat(times)}`;
    const [item, ...others] = decode(utf8(text));
    expect(item).toMatchObject({ type: "error" });
    expect(others).toEqual([]);
  });

  test("menus of commands that go on and on", () => {
    const menus = `${'{"type":"menu","label":"","commands":['.repeat(1500)}${"]}".repeat(1500)}`;
    const profile = `{"displayName":"a","fullName":"","preferences":{"commands":[${menus}]}}`;
    expect(verdicts(utf8(`{"event":"x.info","params":{"profile":${profile}}}`))).toEqual([
      "lies deeper than 32 levels",
    ]);
    expect(() => decodeShortLinkData(utf8(`{"profile":${profile},"business":false}`), zstd)).toThrow("lies deeper");
  });

  test("arrays of very many", () => {
    const items = decode(utf8(`[${"1,".repeat(30_000)}1]`));
    expect(items.length).toBe(MAX_MESSAGES + 1);
    expect(items.at(-1)).toMatchObject({ error: { reason: `the body holds more than ${MAX_MESSAGES} messages` } });
  });
});

describe("compressed bodies", () => {
  const packed = zstd.compress(OK);

  test("hold what they say, in order", () => {
    expect(
      verdicts(compressed([false, OK], [true, packed], [false, utf8("[5]")], [true, zstd.compress(utf8("{"))])),
    ).toEqual(["message", "message", "must be an object", expect.stringContaining("must be JSON")]);
    expect(decode(compressBody(compressBody(OK, zstd), zstd))).toEqual(decode(OK));
  });

  test("that would fill the memory are refused before they are opened", () => {
    const opened: number[] = [];
    const watched = {
      ...zstd,
      decompress: (frame: Uint8Array, length: number) => (opened.push(length), zstd.decompress(frame, length)),
    };
    const bomb = zstd.compress(new Uint8Array(100_000_000));
    expect(bomb.length).toBeLessThan(15_000);
    expect(decodeBody(compressed([true, bomb], [true, packed]), watched)).toMatchObject([
      { error: { message: "compressed part: holds 100000000 bytes, 65536 are allowed" } },
      { type: "message" },
    ]);
    expect(opened).toEqual([OK.length]);
  });

  test("that say less than they hold are refused", () => {
    const frame = zstd.compress(new Uint8Array(3_000_000));
    // Single segment, size in 4 bytes after the descriptor.
    const at = frame.findIndex(
      (_, i) => i > 4 && frame[i] === 0xc0 && frame[i + 1] === 0xc6 && frame[i + 2] === 0x2d,
    );
    expect(at).toBeGreaterThan(4);
    frame.set([60_000 & 0xff, 60_000 >> 8, 0, 0], at);
    expect(verdicts(compressed([true, frame]))).toEqual([expect.stringMatching(/^compressed part: /)]);
  });

  test("have a limit for all of their parts together", () => {
    const part = zstd.compress(utf8(`{"a":"${"a".repeat(60_000)}"}`));
    const nested = compressBody(compressed([true, part], [true, part]), zstd);
    const all = verdicts(compressed([false, nested], [true, part], [false, OK]));
    expect(all.slice(0, 2)).toEqual(["event: is missing", "event: is missing"]);
    expect(all[2]).toMatch(/^compressed part: holds 60008 bytes, 10\d{3} are allowed$/);
    expect(all[3]).toBe("message");
    expect(DECOMPRESSION_LIMITS.total).toBe(131_072);
  });

  test.each([
    ["no count", Uint8Array.of(0x58)],
    ["a count of nothing", Uint8Array.of(0x58, 0)],
    ["fewer items than counted", Uint8Array.of(0x58, 2, 0x30, 1, 0x7b)],
    ["an item of another kind", Uint8Array.of(0x58, 1, 0x32, 1, 0x7b)],
    ["bytes behind the items", concat(compressed([false, OK]), Uint8Array.of(0))],
    ["no frame", compressed([true, utf8("not a frame")])],
    ["an empty frame", compressed([true, new Uint8Array()])],
    ["a frame that is cut off", compressed([true, packed.subarray(0, -1)])],
    ["two frames", compressed([true, concat(packed, packed)])],
    [
      "a frame that does not say what it holds",
      compressed([true, Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0x50, 1, 0, 0)]),
    ],
    [
      "a frame that needs a dictionary",
      compressed([true, Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x21, 5, 0, 1, 0, 0)]),
    ],
    ["a frame that can be skipped", compressed([true, Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0)])],
  ])("with %s", (_, body) => {
    const all = verdicts(body);
    expect(all.length).toBe(1);
    expect(all[0]).toMatch(/^compressed (?:part|body): /);
  });

  test("tell their size in any of its forms", () => {
    for (const length of [0, 1, 255, 256, 257, 65_791, 65_792, 70_000]) {
      expect(frameContentSize(zstd.compress(new Uint8Array(length)))).toBe(length);
    }
  });

  test("are read as they were made", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4000 }), (bytes) => {
        const frame = zstd.compress(bytes);
        expect(frameContentSize(frame)).toBe(bytes.length);
        expect(zstd.decompress(frame, bytes.length)).toEqual(bytes);
      }),
    );
  });
});

describe("the information of a connection", () => {
  test("is exactly one message", () => {
    expect(decodeConnInfo(OK, zstd)).toEqual(readMessage({ event: "x.ok", params: {} }));
    expect(decodeConnInfo(compressBody(OK, zstd), zstd)).toEqual(decodeConnInfo(OK, zstd));
    const two = utf8('[{"event":"x.ok","params":{}},{"event":"x.ok","params":{}}]');
    const chunk = encodeFileChunk({ msgId: "AQID", part: null });
    for (const info of [two, utf8("[]"), chunk]) {
      expect(() => decodeConnInfo(info, zstd)).toThrow("must hold exactly one message");
    }
    expect(() => decodeConnInfo(utf8('{"event":"x.info","params":{}}'), zstd)).toThrow("params.profile: is missing");
  });
});

test("signals of calls that are no text throw nothing else", () => {
  const digits = fc.stringMatching(/^[A-Za-z0-9+/]{1,200}={0,2}$/);
  fc.assert(
    fc.property(fc.oneof(digits, fc.string()), (text) => {
      try {
        decompressSignal(text, 1000);
      } catch (error) {
        expect(error).toBeInstanceOf(MessageError);
      }
    }),
    { numRuns: 2000 },
  );
});
