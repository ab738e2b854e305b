import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EMPTY, fromHex, hex } from "#crypto/bytes";
import { UsageError } from "../../../client/errors.ts";
import { MemoryStore } from "../../../client/store/memory.ts";
import {
  decodeRecord,
  DEPTH_LIMIT,
  encodeRecord,
  listRecords,
  readRecord,
  recordChange,
} from "../../../client/store/record.ts";
import { StoreError } from "../../../client/store/store.ts";
import { hasCode } from "./support/contract.ts";

const anything = (value: unknown): unknown => value;
const text = (value: unknown): string => {
  if (typeof value !== "string") throw new TypeError("not a text");
  return value;
};

const { plain } = fc.letrec((tie) => ({
  plain: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().map((n) => n + 0),
    fc.string({ unit: "grapheme" }),
    fc.uint8Array(),
    fc.array(tie("plain"), { maxLength: 5 }),
    fc.dictionary(fc.string({ unit: "grapheme" }).filter((name) => name !== "__proto__"), tie("plain"), { maxKeys: 5 }),
  ),
}));

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { deeper: value };
  return value;
}

/** Says the same with the fields of every object in the opposite order. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([name, item]) => [name, reordered(item)]));
}

describe("a record", () => {
  test("gives back any plain data, and the same bytes for the same data", () => {
    fc.assert(
      fc.property(plain, (value) => {
        const bytes = encodeRecord(value);
        expect(decodeRecord(bytes, anything)).toEqual(value);
        expect(hex(encodeRecord(reordered(value)))).toBe(hex(bytes));
      }),
    );
  });

  // RFC 8949, appendix A; the order of fields is that of section 4.2.1.
  test.each([
    [0, "00"],
    [23, "17"],
    [24, "1818"],
    [1_000_000, "1a000f4240"],
    [Number.MAX_SAFE_INTEGER, "1b001fffffffffffff"],
    [Number.MIN_SAFE_INTEGER, "3b001ffffffffffffe"],
    [-1, "20"],
    [-0, "00"],
    [null, "f6"],
    [true, "f5"],
    ["", "60"],
    ["\u6c34", "63e6b0b4"],
    [Uint8Array.of(1, 2, 3, 4), "4401020304"],
    [[1, [2, 3]], "8201820203"],
    [{ b: 2, a: 1, aa: 3 }, "a361610161620262616103"],
  ])("of %j is the bytes %s", (value, bytes) => {
    expect(hex(encodeRecord(value))).toBe(bytes);
  });

  test.each([
    ["undefined", { a: [1, { b: undefined }] }, "record.a[1].b is of type undefined"],
    ["a hole", Object.assign([], { 1: 1 }), "record[0] is of type undefined"],
    ["a fraction", { price: 0.5 }, "record.price is 0.5, not a safe integer"],
    ["too large a number", 2 ** 53, "record is 9007199254740992, not a safe integer"],
    ["NaN", [Number.NaN], "record[0] is NaN"],
    ["a bigint", [1n], "record[0] is of type bigint"],
    ["a function", { f: () => 1 }, "record.f is of type function"],
    ["a symbol", [Symbol("s")], "record[0] is of type symbol"],
    ["a date", { at: new Date(0) }, "record.at is an object of a class"],
    ["a map", new Map([["a", 1]]), "record is an object of a class"],
    ["other typed arrays", { words: new Uint16Array(2) }, "record.words is an object of a class"],
    ["a buffer", new ArrayBuffer(2), "record is an object of a class"],
    ["half a character", "\ud800", "record holds half of a surrogate pair"],
    ["half a character in a name", { "\udc00": 1 }, 'record has a field "\\udc00"'],
    ["a prototype", JSON.parse('{ "__proto__": 1 }'), 'record has a field "__proto__"'],
    ["too deep data", nested(DEPTH_LIMIT + 1), "lies deeper than 64 levels"],
  ])("cannot hold %s", (_, value, message) => {
    expect(() => encodeRecord(value)).toThrow(UsageError);
    expect(() => encodeRecord(value)).toThrow(message);
  });

  test("cannot hold itself, but holds as many levels as it says", () => {
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => encodeRecord(loop)).toThrow("or in itself");
    expect(decodeRecord(encodeRecord(nested(DEPTH_LIMIT)), anything)).toEqual(nested(DEPTH_LIMIT));
  });

  test.each([
    ["nothing", ""],
    ["undefined", "f7"],
    ["a float", "fb3ff8000000000000"],
    ["a whole number as a float", "f93c00"],
    ["NaN", "f97e00"],
    ["a number with a longer form than it needs", "1817"],
    ["a length with a longer form than it needs", "580101"],
    ["an integer that is not safe", "1b0020000000000000"],
    ["a negative one", "3b001fffffffffffff"],
    ["a tag", "c000"],
    ["a simple value", "f0"],
    ["a field twice", "a2616101616102"],
    ["fields out of order", "a2616201616101"],
    ["a field that is no text", "a10102"],
    ["the field __proto__", "a1695f5f70726f746f5f5fa0"],
    ["malformed UTF-8", "61ff"],
    ["half a surrogate pair", "63eda080"],
    ["an indefinite length", "9f01ff"],
    ["bytes of indefinite length", "5f4101ff"],
    ["a break", "ff"],
    ["bytes that follow", "0000"],
    ["bytes that are missing", "4401"],
    ["an array of four billion items", "9affffffff"],
    ["a map of four billion fields", "baffffffff"],
    ["four billion bytes", "5affffffff"],
    ["a text longer than any memory", "7b001fffffffffffff"],
    ["data too deep", "81".repeat(DEPTH_LIMIT + 1) + "00"],
    ["data without end", "81".repeat(200_000)],
  ])("with %s is DAMAGED", (_, bytes) => {
    expect(() => decodeRecord(fromHex(bytes), anything)).toThrow(StoreError);
    expect(() => decodeRecord(fromHex(bytes), anything)).toThrow("a record is damaged");
  });

  test("is the only form of what it holds: bytes either do not decode or encode to themselves", () => {
    const someBytes = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 12 }), plain.map(encodeRecord));
    fc.assert(
      fc.property(someBytes, fc.nat(), fc.nat(), (bytes, at, bit) => {
        const changed = bytes.with(at % bytes.length, (bytes[at % bytes.length] ?? 0) ^ (1 << (bit & 7)));
        try {
          expect(hex(encodeRecord(decodeRecord(changed, anything)))).toBe(hex(changed));
        } catch (error) {
          if (!(error instanceof StoreError)) throw error;
          expect(error.code).toBe("DAMAGED");
        }
      }),
    );
  });

  test("owns its bytes, whatever they were read from", () => {
    const bytes = encodeRecord({ key: Uint8Array.of(1, 2, 3), none: EMPTY });
    const decoded = decodeRecord(bytes, (value) => value as { key: Uint8Array });
    bytes.fill(0);
    expect(decoded.key).toEqual(Uint8Array.of(1, 2, 3));
    expect(Object.getPrototypeOf(decoded.key)).toBe(Uint8Array.prototype);
  });
});

describe("records in a store", () => {
  test("are written and read with a check of what they are", async () => {
    const store = new MemoryStore();
    await store.write([recordChange("t", "a", "one"), recordChange("t", "b", "two")]);
    expect(await readRecord(store, "t", "a", text)).toBe("one");
    expect(await readRecord(store, "t", "c", text)).toBeNull();
    expect(await listRecords(store, "t", text, { reverse: true })).toEqual([
      { key: "b", value: "two" },
      { key: "a", value: "one" },
    ]);
  });

  test("that are not what they should be are DAMAGED, and the message names them and the reason", async () => {
    const store = new MemoryStore();
    await store.write([recordChange("t", "number", 5), { table: "u", key: "noise", value: Uint8Array.of(0xff, 1) }]);
    await hasCode(readRecord(store, "t", "number", text), "DAMAGED");
    await expect(readRecord(store, "t", "number", text)).rejects.toThrow("the record t/number is damaged: not a text");
    await expect(listRecords(store, "u", anything)).rejects.toThrow("the record u/noise is damaged");
  });

  test("are refused before anything is written when they cannot be kept", () => {
    expect(() => recordChange("t", "k", { at: undefined })).toThrow("cannot be kept: record.at is of type undefined");
  });
});
