import { expect, test } from "vitest";
import { EMPTY, fromHex, hex } from "#crypto/bytes";
import { KeyError } from "#crypto/errors";
import { expandSha256, extractSha256 } from "#crypto/hkdf-sha256";

const range = (from: number, to: number): Uint8Array =>
  Uint8Array.from({ length: to - from + 1 }, (_, i) => from + i);

// RFC 5869 appendix A.
test.each([
  {
    name: "A.1",
    inputKey: new Uint8Array(22).fill(0x0b),
    salt: range(0x00, 0x0c),
    info: range(0xf0, 0xf9),
    extracted: "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
    expanded: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  },
  {
    name: "A.2, of three blocks",
    inputKey: range(0x00, 0x4f),
    salt: range(0x60, 0xaf),
    info: range(0xb0, 0xff),
    extracted: "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
    expanded: "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
      + "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
  },
  {
    name: "A.3, without salt and info",
    inputKey: new Uint8Array(22).fill(0x0b),
    salt: EMPTY,
    info: EMPTY,
    extracted: "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
    expanded: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
  },
])("HKDF-SHA256, RFC 5869 $name", ({ inputKey, salt, info, extracted, expanded }) => {
  expect(hex(extractSha256(salt, inputKey))).toBe(extracted);
  expect(hex(expandSha256(fromHex(extracted), info, expanded.length / 2))).toBe(expanded);
});

test("it makes 255 blocks and not a byte more", () => {
  const key = new Uint8Array(32);
  expect(expandSha256(key, EMPTY, 8160).length).toBe(8160);
  expect(() => expandSha256(key, EMPTY, 8161)).toThrow(KeyError);
});
