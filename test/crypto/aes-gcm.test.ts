import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AES_IV_LENGTH, AES_KEY_LENGTH, AES_TAG_LENGTH, openAesGcm, sealAesGcm } from "#crypto/aes-gcm";
import { EMPTY, fromHex, hex } from "#crypto/bytes";
import { BoxError, KeyError } from "#crypto/errors";
import { bytes } from "../support/arbitrary.ts";

const KEY = fromHex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
const IV = fromHex("cafebabefacedbaddecaf888");
const PLAINTEXT = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
  + "b16aedf5aa0de657ba637b391aafd255";
const CIPHERTEXT = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
  + "c5f61e6393ba7a0abcc9f662898015ad";

// Of McGrew and Viega, "The Galois/Counter Mode of Operation"; those with an IV of 16 bytes are golden vectors.
describe("AES-256-GCM with an IV of 12 bytes", () => {
  test("test cases 13 and 14: nothing, and a block of zeros, under zeros", () => {
    const [key, iv] = [new Uint8Array(32), new Uint8Array(12)];
    expect(hex(sealAesGcm(key, iv, EMPTY, EMPTY).tag)).toBe("530f8afbc74536b9a963b4f1c4cb738b");
    const { ciphertext, tag } = sealAesGcm(key, iv, new Uint8Array(16), EMPTY);
    expect(hex(ciphertext)).toBe("cea7403d4d606b6e074ec5d3baf39d18");
    expect(hex(tag)).toBe("d0d1c8a799996bf0265b98b5d48ab919");
  });

  test("test case 15: four blocks", () => {
    const { ciphertext, tag } = sealAesGcm(KEY, IV, fromHex(PLAINTEXT), EMPTY);
    expect(hex(ciphertext)).toBe(CIPHERTEXT);
    expect(hex(tag)).toBe("b094dac5d93471bdec1a502270e3cc6c");
  });

  test("test case 16: with associated data", () => {
    const associatedData = fromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const { ciphertext, tag } = sealAesGcm(KEY, IV, fromHex(PLAINTEXT).slice(0, 60), associatedData);
    expect(hex(ciphertext)).toBe(CIPHERTEXT.slice(0, 120));
    expect(hex(tag)).toBe("76fc6ece0f4e1768cddf8853bb2d551b");
    expect(hex(openAesGcm(KEY, IV, ciphertext, tag, associatedData))).toBe(PLAINTEXT.slice(0, 120));
  });
});

describe("what was sealed", () => {
  const key = bytes(AES_KEY_LENGTH);
  const iv = fc.oneof(bytes(AES_IV_LENGTH), bytes(12));
  const some = bytes(0, 300);

  test("opens to what went in, and has its length", () => {
    fc.assert(
      fc.property(key, iv, some, some, (k, i, plaintext, associatedData) => {
        const { ciphertext, tag } = sealAesGcm(k, i, plaintext, associatedData);
        expect([ciphertext.length, tag.length]).toStrictEqual([plaintext.length, AES_TAG_LENGTH]);
        expect(openAesGcm(k, i, ciphertext, tag, associatedData)).toStrictEqual(plaintext);
      }),
      { numRuns: 500 },
    );
  });

  test("does not open after one byte of anything was altered", () => {
    const parts = fc.tuple(key, iv, bytes(1, 100), bytes(1, 100));
    const change = fc.tuple(fc.nat(4), fc.nat(1000), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(parts, change, ([k, i, text, ad], [part, at, mask]) => {
        const { ciphertext, tag } = sealAesGcm(k, i, text, ad);
        const all = [k, i, ciphertext, tag, ad].map((piece) => piece.slice()) as
          [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
        const altered = all[part] ?? EMPTY;
        const place = at % altered.length;
        altered[place] = (altered[place] ?? 0) ^ mask;
        expect(() => openAesGcm(...all)).toThrow(BoxError);
      }),
      { numRuns: 500 },
    );
  });

  test("does not open with a tag that was cut, though its beginning is right", () => {
    const { ciphertext, tag } = sealAesGcm(KEY, IV, fromHex(PLAINTEXT), EMPTY);
    for (let length = 0; length < AES_TAG_LENGTH; length++) {
      expect(() => openAesGcm(KEY, IV, ciphertext, tag.slice(0, length), EMPTY), `${length} bytes`).toThrow(BoxError);
    }
    expect(() => openAesGcm(KEY, IV, ciphertext, new Uint8Array([...tag, 0]), EMPTY)).toThrow(BoxError);
  });

  test("shares no memory with the plaintext, which stays as it was", () => {
    const plaintext = fromHex(PLAINTEXT);
    const { ciphertext, tag } = sealAesGcm(KEY, IV, plaintext, EMPTY);
    ciphertext.fill(0);
    tag.fill(0);
    expect(hex(plaintext)).toBe(PLAINTEXT);
    expect(ciphertext.buffer.byteLength).toBe(ciphertext.length);
  });
});

test("keys and IVs of another length are refused", () => {
  for (const length of [0, 16, 24, 31, 33]) {
    expect(() => sealAesGcm(new Uint8Array(length), IV, EMPTY, EMPTY), `key of ${length}`).toThrow(KeyError);
  }
  for (const length of [0, 8, 11, 13, 15, 17]) {
    expect(() => sealAesGcm(KEY, new Uint8Array(length), EMPTY, EMPTY), `IV of ${length}`).toThrow(KeyError);
    expect(() => openAesGcm(KEY, new Uint8Array(length), EMPTY, EMPTY, EMPTY), `IV of ${length}`).toThrow(KeyError);
  }
});
