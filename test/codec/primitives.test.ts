import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { base64urlUnpadded, base64url, fromBase64url, fromHex, fromUtf8, hex, utf8 } from "#crypto/bytes";
import {
  bool,
  type Codec,
  decode,
  DecodeError,
  encode,
  EncodeError,
  int64,
  large,
  latin1,
  nonce,
  str,
  strOf,
  tail,
  text,
  word16,
  word32,
  word8,
} from "#protocol/codec";
import { byVersion, list, maybe, nonEmpty, struct } from "#protocol/combine";
import { errorType } from "#protocol/errors";
import { password } from "#protocol/password";
import { bytes, error, version } from "../support/arbitrary.ts";
import { reduceMessage } from "../support/reduce.ts";

function survivesJourney<T>(codec: Codec<T>, values: fc.Arbitrary<T>): void {
  fc.assert(
    fc.property(values, (value) => {
      expect(decode(codec, encode(codec, value))).toStrictEqual(value);
    }),
  );
}

describe("primitives", () => {
  test("survive their journey", () => {
    survivesJourney(word8, fc.nat(0xff));
    survivesJourney(word16, fc.nat(0xffff));
    survivesJourney(word32, fc.nat(0xffff_ffff));
    survivesJourney(int64, fc.maxSafeInteger());
    survivesJourney(bool, fc.boolean());
    survivesJourney(str, bytes(0, 255));
    survivesJourney(large, bytes(0, 2000));
    survivesJourney(tail, bytes(0, 300));
    survivesJourney(nonce, bytes(24));
    survivesJourney(text(str), fc.string({ unit: "binary", maxLength: 60 }));
    survivesJourney(maybe(word8), fc.option(fc.nat(0xff), { nil: null }));
    survivesJourney(list(word16), fc.array(fc.nat(0xffff), { maxLength: 255 }));
    survivesJourney(nonEmpty(str), fc.array(bytes(0, 20), { minLength: 1, maxLength: 255 }));
  });

  test("have the layouts of the specification", () => {
    expect(hex(encode(word16, 0x0102))).toBe("0102");
    expect(hex(encode(word32, 0xfffefdfc))).toBe("fffefdfc");
    expect(hex(encode(int64, -2))).toBe("fffffffffffffffe");
    expect(hex(encode(int64, 2 ** 40 + 1))).toBe("0000010000000001");
    expect(hex(encode(bool, true)) + hex(encode(bool, false))).toBe("5446");
    expect(hex(encode(str, utf8("ab")))).toBe("026162");
    expect(hex(encode(large, utf8("ab")))).toBe("00026162");
    expect(hex(encode(maybe(word8), null)) + hex(encode(maybe(word8), 7))).toBe("303107");
    expect(hex(encode(list(word8), [1, 2]))).toBe("020102");
  });

  test("names in Latin-1 lose what is beyond it, as the official code does", () => {
    expect(hex(encode(latin1(str), "é"))).toBe("01e9");
    expect(decode(latin1(str), fromHex("01e9"))).toBe("é");
    expect(hex(encode(latin1(str), "\u{1f600}"))).toBe("0100");
  });

  test("what a field cannot hold is never written", () => {
    expect(() => encode(word8, 256)).toThrow(EncodeError);
    expect(() => encode(word16, -1)).toThrow(EncodeError);
    expect(() => encode(word32, 2 ** 32)).toThrow(EncodeError);
    expect(() => encode(word16, 1.5)).toThrow(EncodeError);
    expect(() => encode(int64, 2 ** 53)).toThrow(EncodeError);
    expect(() => encode(int64, Number.NaN)).toThrow(EncodeError);
    expect(() => encode(str, new Uint8Array(256))).toThrow(EncodeError);
    expect(() => encode(large, new Uint8Array(65_536))).toThrow(EncodeError);
    expect(() => encode(strOf(4), new Uint8Array(5))).toThrow(EncodeError);
    expect(() => encode(nonce, new Uint8Array(23))).toThrow(EncodeError);
    expect(() => encode(nonEmpty(word8), [])).toThrow(EncodeError);
    expect(() => encode(list(word8), Array.from({ length: 256 }, () => 0))).toThrow(EncodeError);
    expect(() => encode(byVersion([6, word8]), 1, 5)).toThrow(EncodeError);
  });

  test.each<[string, Codec<unknown>, string]>([
    ["a boolean of another letter", bool as Codec<unknown>, "58"],
    ["a Maybe of another letter", maybe(word8) as Codec<unknown>, "32"],
    ["a Maybe without its value", maybe(word8) as Codec<unknown>, "31"],
    ["an empty list that must not be", nonEmpty(word8) as Codec<unknown>, "00"],
    ["a string cut short", str as Codec<unknown>, "0361"],
    ["bytes after the end", word8 as Codec<unknown>, "0102"],
    ["a number beyond 2^53", int64 as Codec<unknown>, "0020000000000000"],
    ["text that is not UTF-8", text(str) as Codec<unknown>, "01ff"],
    ["a string of another length", strOf(2) as Codec<unknown>, "0161"],
  ])("%s does not decode", (_, codec, input) => {
    expect(() => decode(codec, fromHex(input))).toThrow(DecodeError);
  });

  test("a DecodeError says which field, where and why", () => {
    const inner = struct<{ flag: boolean }>({ flag: bool });
    const outer = struct<{ id: Uint8Array; options: { flag: boolean } }>({ id: str, options: inner });
    try {
      decode(outer, fromHex("02616258"));
      expect.unreachable();
    } catch (failure) {
      expect(failure).toMatchObject({ field: "options.flag", offset: 4, reason: "boolean must be T or F" });
    }
  });
});

test("errors survive their journey at any version", () => {
  fc.assert(
    fc.property(error, version, (value, v) => {
      const decoded = decode(errorType, encode(errorType, value, v), v);
      expect({ tag: "ERR", error: decoded }).toStrictEqual(reduceMessage({ tag: "ERR", error: value }, v));
    }),
    { numRuns: 2000 },
  );
});

describe("texts of bytes", () => {
  test("hex, base64url and UTF-8 survive their journey", () => {
    fc.assert(
      fc.property(bytes(1, 200), (value) => {
        expect(fromHex(hex(value))).toStrictEqual(value);
        expect(fromBase64url(base64url(value))).toStrictEqual(value);
        expect(fromBase64url(base64urlUnpadded(value))).toStrictEqual(value);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        expect(fromUtf8(utf8(value))).toBe(value);
      }),
    );
  });

  test("a byte order mark is text like any other", () => {
    expect(fromUtf8(utf8("\ufeffa"))).toBe("\ufeffa");
  });

  test.each(["", "=", "A", "AAAAA", "AA+A", "AA/A", "AA A", "AA=A", "é"])("'%s' is no base64url", (value) => {
    expect(() => fromBase64url(value)).toThrow(RangeError);
  });

  test.each(["0", "0g", "0x00", " 00", "00 "])("'%s' is no hex", (value) => {
    expect(() => fromHex(value)).toThrow(RangeError);
  });
});

describe("a password", () => {
  const wire = (...content: readonly number[]): Uint8Array => Uint8Array.of(content.length, ...content);

  test("holds any printable character but space, @, : and /", () => {
    for (let byte = 0; byte < 256; byte++) {
      const isPrintable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
      const isAllowed = isPrintable && !"@:/".includes(String.fromCharCode(byte));
      if (isAllowed) expect(() => decode(password, wire(byte))).not.toThrow();
      else expect(() => decode(password, wire(byte))).toThrow(DecodeError);
    }
    expect(() => encode(password, "a b")).toThrow(EncodeError);
    expect(decode(password, encode(password, "sésame!"))).toBe("sésame!");
  });
});
