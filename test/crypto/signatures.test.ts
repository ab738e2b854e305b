import { describe, expect, test } from "vitest";
import { concat, fromHex, hex } from "#crypto/bytes";
import { KeyError } from "#crypto/errors";
import {
  decodePublicKey,
  decodeSecretKey,
  encodePublicKey,
  encodeSecretKey,
  expectAlgorithm,
  generateKeyPair,
  keyPairOf,
  sameKey,
  sign,
  type SignatureAlgorithm,
  verify,
} from "#crypto/keys";

interface Answer {
  readonly name: string;
  readonly algorithm: SignatureAlgorithm;
  readonly secret: string;
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
}

// RFC 8032 sections 7.1 and 7.4
const answers: readonly Answer[] = [
  {
    name: "TEST 1",
    algorithm: "Ed25519",
    secret: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    message: "",
    signature: "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
      + "d25bf5f0595bbe24655141438e7a100b",
  },
  {
    name: "TEST 2",
    algorithm: "Ed25519",
    secret: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    message: "72",
    signature: "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
      + "387b2eaeb4302aeeb00d291612bb0c00",
  },
  {
    name: "TEST 3",
    algorithm: "Ed25519",
    secret: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    message: "af82",
    signature: "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
      + "4a7c15e9716ed28dc027beceea1ec40a",
  },
  {
    name: "Blank",
    algorithm: "Ed448",
    secret: "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3528c8a3fcc2f044e39a3fc5b94492f8f"
      + "032e7549a20098f95b",
    publicKey: "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783df1e50f6c"
      + "d1fa1abeafe8256180",
    message: "",
    signature: "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b233f034f628281f2fd7a22ddd47d78"
      + "28c59bd0a21bfd3980ff0d2028d4b18a9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0f4db"
      + "b61149f05a7363268c71d95808ff2e652600",
  },
  {
    name: "1 octet",
    algorithm: "Ed448",
    secret: "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afbea67c5e8d2877c5e3bc397a659949e"
      + "f8021e954e0a12274e",
    publicKey: "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb00742802b8438ea4cb82169c"
      + "235160627b4c3a9480",
    message: "03",
    signature: "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e18f62de8ccdf633"
      + "fc1bf037ab7cd779805e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0f"
      + "f3348ab21aa4adafd1d234441cf807c03a00",
  },
];

describe.each(answers)("RFC 8032 $algorithm $name", ({ algorithm, secret, publicKey, message, signature }) => {
  const pair = keyPairOf({ algorithm, secret: fromHex(secret) });
  const [signed, given] = [fromHex(message), fromHex(signature)];

  test("public key and signature", () => {
    expect(hex(pair.publicKey.raw)).toBe(publicKey);
    expect(hex(sign(pair.secretKey, signed))).toBe(signature);
    expect(verify(pair.publicKey, signed, given)).toBe(true);
  });

  test("another message, another key and an altered signature do not verify", () => {
    expect(verify(pair.publicKey, concat(signed, Uint8Array.of(0)), given)).toBe(false);
    expect(verify(generateKeyPair(algorithm).publicKey, signed, given)).toBe(false);
    for (const at of [0, given.length >> 1, given.length - 1]) {
      const altered = given.slice();
      altered[at] = (altered[at] ?? 0) ^ 0x10;
      expect(verify(pair.publicKey, signed, altered), `byte ${at}`).toBe(false);
    }
  });

  test("signatures and keys of impossible shape are false, not a crash", () => {
    for (const length of [0, 1, 63, 65, 113, 115]) {
      expect(verify(pair.publicKey, signed, new Uint8Array(length)), `${length} bytes`).toBe(false);
    }
    const all = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte);
    for (const raw of [all(0xff, pair.publicKey.raw.length), all(0, 3), all(0, 0), all(2, 200)]) {
      expect(verify({ algorithm, raw }, signed, given)).toBe(false);
    }
  });

  test("S + L is refused: a signature has one form", () => {
    const order = algorithm === "Ed25519"
      ? 2n ** 252n + 27742317777372353535851937790883648493n
      : 2n ** 446n - 13818066809895115352007386748515426880336692474882178609894547503885n;
    const half = given.length / 2;
    const s = given.slice(half).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n) + order;
    const shifted = given.slice();
    for (let i = 0; i < half; i++) shifted[half + i] = Number((s >> BigInt(8 * i)) & 0xffn);
    expect(verify(pair.publicKey, signed, shifted)).toBe(false);
  });
});

describe("keys in DER", () => {
  const sizes = { Ed25519: [44, 48], Ed448: [69, 73], X25519: [44, 48], X448: [68, 72] } as const;

  test.each(Object.keys(sizes) as (keyof typeof sizes)[])("%s: sizes and both directions", (algorithm) => {
    const { publicKey, secretKey } = generateKeyPair(algorithm);
    const [spki, pkcs8] = [encodePublicKey(publicKey), encodeSecretKey(secretKey)];
    expect([spki.length, pkcs8.length]).toStrictEqual(sizes[algorithm]);
    expect(decodePublicKey(spki, algorithm)).toStrictEqual(publicKey);
    expect(decodeSecretKey(pkcs8)).toStrictEqual(secretKey);
    expect(keyPairOf(expectAlgorithm(decodeSecretKey(pkcs8), algorithm)).publicKey).toStrictEqual(publicKey);
    expect(sameKey(publicKey, decodePublicKey(spki, algorithm))).toBe(true);
    expect(sameKey(publicKey, generateKeyPair(algorithm).publicKey)).toBe(false);
  });

  // RFC 8410 section 10 and appendix: keys of the documents themselves.
  test("RFC 8410 examples", () => {
    const spki = "302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
    const pkcs8 = "302e020100300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842";
    const { publicKey } = keyPairOf(expectAlgorithm(decodeSecretKey(fromHex(pkcs8)), "Ed25519"));
    expect(hex(encodePublicKey(publicKey))).toBe(spki);
    expect(hex(encodeSecretKey(decodeSecretKey(fromHex(pkcs8))))).toBe(pkcs8);
  });

  test.each(Object.keys(sizes) as (keyof typeof sizes)[])("%s: no truncation or growth is a key", (algorithm) => {
    const { publicKey, secretKey } = generateKeyPair(algorithm);
    const [spki, pkcs8] = [encodePublicKey(publicKey), encodeSecretKey(secretKey)];
    for (let length = 0; length < spki.length; length++) {
      expect(() => decodePublicKey(spki.slice(0, length), algorithm), `${length}`).toThrow(KeyError);
    }
    for (let length = 0; length < pkcs8.length; length++) {
      expect(() => decodeSecretKey(pkcs8.slice(0, length)), `${length}`).toThrow(KeyError);
    }
    expect(() => decodePublicKey(concat(spki, Uint8Array.of(0)), algorithm)).toThrow(KeyError);
    expect(() => decodeSecretKey(concat(pkcs8, Uint8Array.of(0)))).toThrow(KeyError);
  });

  test("every byte of the prefix matters, every byte of the key is the key", () => {
    const { publicKey } = generateKeyPair("Ed25519");
    const spki = encodePublicKey(publicKey);
    for (let at = 0; at < spki.length; at++) {
      const mutated = spki.slice();
      mutated[at] = (mutated[at] ?? 0) ^ 1;
      if (at < 12) expect(() => decodePublicKey(mutated, "Ed25519", "Ed448"), `byte ${at}`).toThrow(KeyError);
      else expect(sameKey(decodePublicKey(mutated, "Ed25519"), publicKey), `byte ${at}`).toBe(false);
    }
  });

  test("a key of an algorithm that is not allowed is no key", () => {
    const der = encodePublicKey(generateKeyPair("X25519").publicKey);
    expect(() => decodePublicKey(der, "Ed25519", "Ed448", "X448")).toThrow(KeyError);
    expect(() => expectAlgorithm(generateKeyPair("X25519").secretKey, "Ed25519")).toThrow(KeyError);
  });

  test("the decoded key does not hold on to the bytes that it came from", () => {
    const der = encodePublicKey(generateKeyPair("X25519").publicKey);
    const key = decodePublicKey(der, "X25519");
    const before = hex(key.raw);
    der.fill(0);
    expect(hex(key.raw)).toBe(before);
  });
});
