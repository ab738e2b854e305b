import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EMPTY, fromHex, hex, utf8 } from "#crypto/bytes";
import {
  CHACHA_KEY_LENGTH,
  CHACHA_NONCE_LENGTH,
  CHACHA_TAG_LENGTH,
  openChaCha,
  sealChaCha,
} from "#crypto/chacha20-poly1305";
import { BoxError, KeyError } from "#crypto/errors";
import { bytes } from "../support/arbitrary.ts";

const KEY = fromHex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
const NONCE = fromHex("070000004041424344454647");

test("RFC 8439 section 2.8.2", () => {
  const plaintext = utf8(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  );
  const associatedData = fromHex("50515253c0c1c2c3c4c5c6c7");
  const sealed = sealChaCha(KEY, NONCE, plaintext, associatedData);
  expect(hex(sealed)).toBe(
    "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
      + "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
      + "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691",
  );
  expect(openChaCha(KEY, NONCE, sealed, associatedData)).toStrictEqual(plaintext);
});

describe("what was sealed", () => {
  const key = bytes(CHACHA_KEY_LENGTH);
  const nonce = bytes(CHACHA_NONCE_LENGTH);

  test("opens to what went in, and is longer by the tag", () => {
    fc.assert(
      fc.property(key, nonce, bytes(0, 300), bytes(0, 40), (k, n, plaintext, associatedData) => {
        const sealed = sealChaCha(k, n, plaintext, associatedData);
        expect(sealed.length).toBe(plaintext.length + CHACHA_TAG_LENGTH);
        expect(openChaCha(k, n, sealed, associatedData)).toStrictEqual(plaintext);
      }),
      { numRuns: 300 },
    );
  });

  test("does not open after one byte of anything was altered", () => {
    const parts = fc.tuple(key, nonce, bytes(0, 100), bytes(1, 40));
    const change = fc.tuple(fc.nat(3), fc.nat(1000), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(parts, change, ([k, n, text, ad], [part, at, mask]) => {
        const all = [k, n, sealChaCha(k, n, text, ad), ad].map((piece) => piece.slice()) as
          [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
        const altered = all[part] ?? EMPTY;
        const place = at % altered.length;
        altered[place] = (altered[place] ?? 0) ^ mask;
        expect(() => openChaCha(...all)).toThrow(BoxError);
      }),
      { numRuns: 300 },
    );
  });

  test("does not open when it was cut anywhere", () => {
    const sealed = sealChaCha(KEY, NONCE, utf8("a text of some length"), EMPTY);
    for (let length = 0; length < sealed.length; length++) {
      expect(() => openChaCha(KEY, NONCE, sealed.slice(0, length), EMPTY), `${length} bytes`).toThrow(BoxError);
    }
  });
});

test("keys and nonces of another length are refused", () => {
  const empty = new Uint8Array(CHACHA_TAG_LENGTH);
  const refused: [Uint8Array, Uint8Array][] = [0, 16, 31, 33].map((length) => [new Uint8Array(length), NONCE]);
  for (const length of [0, 8, 11, 13, 24]) refused.push([KEY, new Uint8Array(length)]);
  for (const [key, nonce] of refused) {
    const lengths = `key of ${key.length}, nonce of ${nonce.length}`;
    expect(() => sealChaCha(key, nonce, EMPTY, EMPTY), lengths).toThrow(KeyError);
    expect(() => openChaCha(key, nonce, empty, EMPTY), lengths).toThrow(KeyError);
  }
});
