import { describe, expect, test } from "vitest";
import { authenticate, AUTHENTICATOR_LENGTH, verifyAuthenticator } from "#crypto/authenticator";
import { BOX_TAG_LENGTH, box, boxNoPad, nonceOf, open, openNoPad } from "#crypto/box";
import { fromHex, hex, utf8 } from "#crypto/bytes";
import { BoxError, KeyError, PaddingError } from "#crypto/errors";
import { hkdf, md5, sha256, sha3_256, sha3_384, sha512 } from "#crypto/hash";
import { dh, generateKeyPair, keyPairOf, type PublicKey, type SecretKey } from "#crypto/keys";

const secretX = (raw: string): SecretKey<"X25519"> => ({ algorithm: "X25519", secret: fromHex(raw) });
const publicX = (raw: string): PublicKey<"X25519"> => ({ algorithm: "X25519", raw: fromHex(raw) });

const alice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
const bob = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
const bobPublic = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";

describe("RFC 7748", () => {
  test("X25519 with any scalar and coordinate (section 5.2)", () => {
    const first = dh(
      secretX("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
      publicX("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
    );
    expect(hex(first)).toBe("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
    const second = dh(
      secretX("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
      publicX("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"),
    );
    expect(hex(second)).toBe("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
  });

  test("X25519 iterated (section 5.2)", () => {
    let [k, u] = [fromHex(`09${"00".repeat(31)}`), fromHex(`09${"00".repeat(31)}`)];
    for (let i = 1; i <= 1000; i++) {
      [k, u] = [dh({ algorithm: "X25519", secret: k }, { algorithm: "X25519", raw: u }), k];
      if (i === 1) expect(hex(k)).toBe("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
    expect(hex(k)).toBe("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
  });

  test("X25519 between Alice and Bob (section 6.1)", () => {
    const [a, b] = [keyPairOf(secretX(alice)), keyPairOf(secretX(bob))];
    expect(hex(a.publicKey.raw)).toBe("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    expect(hex(b.publicKey.raw)).toBe(bobPublic);
    const shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    expect(hex(dh(a.secretKey, b.publicKey))).toBe(shared);
    expect(hex(dh(b.secretKey, a.publicKey))).toBe(shared);
  });

  test("X448 public keys (section 6.2)", () => {
    const a = "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6f127ab1d"
      + "9ac2d8c0a598726b";
    const b = "1c306a7ac2a0e2e0990b294470cba339e6453772b075811d8fad0d1d6927c120bb5ee8972b0d3e21374c9c921b09d1b0"
      + "366f10b65173992d";
    expect(hex(keyPairOf({ algorithm: "X448", secret: fromHex(a) }).publicKey.raw)).toBe(
      "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c22c5d9bbc836647241d953d40c5b12da88120d53"
        + "177f80e532c41fa0",
    );
    expect(hex(keyPairOf({ algorithm: "X448", secret: fromHex(b) }).publicKey.raw)).toBe(
      "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232a13ca706dcb57aec3dae"
        + "07bdc1c67bf33609",
    );
  });
});

// All points of small order and the other encodings of them: with these a peer would choose the secret (RFC 7748 6.1).
const lowOrder = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

describe("X25519 keys of low order", () => {
  test.each(lowOrder)("%s is refused, also with its top bit set", (point) => {
    const raw = fromHex(point);
    const { secretKey } = generateKeyPair("X25519");
    expect(() => dh(secretKey, { algorithm: "X25519", raw })).toThrow(KeyError);
    raw[31] = (raw[31] ?? 0) | 0x80;
    expect(() => dh(secretKey, { algorithm: "X25519", raw })).toThrow(KeyError);
    expect(() => authenticate(secretKey, { algorithm: "X25519", raw }, fromHex(""), raw)).toThrow(KeyError);
  });

  test("nor is a key of another length accepted", () => {
    const { secretKey } = generateKeyPair("X25519");
    for (const length of [0, 31, 33, 64]) {
      const raw = new Uint8Array(length).fill(9);
      expect(() => dh(secretKey, { algorithm: "X25519", raw })).toThrow(KeyError);
    }
  });
});

describe("hashes", () => {
  test("of 'abc'", () => {
    const abc = utf8("abc");
    expect(hex(md5(abc))).toBe("900150983cd24fb0d6963f7d28e17f72");
    expect(hex(sha256(abc))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(hex(sha512(abc))).toBe(
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    );
    expect(hex(sha3_256(abc))).toBe("3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
    expect(hex(sha3_384(abc))).toBe(
      "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
    );
  });

  // The inputs of RFC 5869, which answers for SHA-256 only; the answers were computed from HMAC by another program.
  test("HKDF-SHA512 on the inputs of RFC 5869", () => {
    const range = (from: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => from + i);
    const ikm = new Uint8Array(22).fill(0x0b);
    expect(hex(hkdf(range(0, 13), ikm, range(0xf0, 10), 42))).toBe(
      "832390086cda71fb47625bb5ceb168e4c8e26a1a16ed34d9fc7fe92c1481579338da362cb8d9f925d7cb",
    );
    expect(hex(hkdf(range(0x60, 80), range(0, 80), range(0xb0, 80), 82))).toBe(
      "ce6c97192805b346e6161e821ed165673b84f400a2b514b2fe23d84cd189ddf1b695b48cbd1c8388441137b3ce28f16a"
        + "a64ba33ba466b24df6cfcb021ecff235f6a2056ce3af1de44d572097a8505d9e7a93",
    );
    const nothing = new Uint8Array(0);
    expect(hex(hkdf(nothing, ikm, nothing, 42))).toBe(
      "f5fa02b18298a72a8c23898a8703472c6eb179dc204c03425c970e3b164bf90fff22d04836d0e2343bac",
    );
  });
});

describe("NaCl crypto_box", () => {
  const message = "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c6129"
    + "6cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde"
    + "048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705";
  const expected = "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186a"
    + "c0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae"
    + "90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74"
    + "e355a5";
  const nonce = fromHex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
  const shared = dh(secretX(alice), publicX(bobPublic));

  test("the answer of the NaCl paper's test program", () => {
    expect(hex(boxNoPad(shared, nonce, fromHex(message)))).toBe(expected);
    expect(hex(openNoPad(shared, nonce, fromHex(expected)))).toBe(message);
  });

  test("one altered bit anywhere, a wrong nonce or a wrong key do not open", () => {
    const sealed = fromHex(expected);
    for (let at = 0; at < sealed.length; at++) {
      const altered = sealed.slice();
      altered[at] = (altered[at] ?? 0) ^ 0x80;
      expect(() => openNoPad(shared, nonce, altered), `byte ${at}`).toThrow(BoxError);
    }
    expect(() => openNoPad(shared, nonceOf(nonce.slice(1)), sealed)).toThrow(BoxError);
    expect(() => openNoPad(sha256(shared), nonce, sealed)).toThrow(BoxError);
  });

  test("what is shorter than a tag does not open", () => {
    for (let length = 0; length <= BOX_TAG_LENGTH; length++) {
      expect(() => openNoPad(shared, nonce, new Uint8Array(length)), `${length} bytes`).toThrow(BoxError);
    }
  });

  test("a box that holds no padded message opens to an error of padding, not to rubbish", () => {
    expect(() => open(shared, nonce, boxNoPad(shared, nonce, fromHex("0003")))).toThrow(PaddingError);
    expect(() => open(shared, nonce, boxNoPad(shared, nonce, fromHex("")))).toThrow(PaddingError);
    expect(() => box(shared, nonce, new Uint8Array(15), 16)).toThrow(PaddingError);
  });

  test("a key that is a view into other bytes is read where it lies", () => {
    const around = new Uint8Array(40).fill(0xee);
    around.set(shared, 5);
    expect(hex(boxNoPad(around.subarray(5, 37), nonce, fromHex(message)))).toBe(expected);
  });

  test("nonces are cut or filled with zeros to 24 bytes", () => {
    expect(hex(nonceOf(fromHex("0102")))).toBe(`0102${"00".repeat(22)}`);
    expect(hex(nonceOf(new Uint8Array(30).fill(7)))).toBe("07".repeat(24));
  });
});

describe("authenticators", () => {
  const [client, router] = [generateKeyPair("X25519"), generateKeyPair("X25519")];
  const [nonce, message] = [fromHex("0102"), utf8("SUB")];
  const good = authenticate(client.secretKey, router.publicKey, nonce, message);

  test("are deniable: either side could have made one", () => {
    expect(good).toHaveLength(AUTHENTICATOR_LENGTH);
    expect(hex(authenticate(router.secretKey, client.publicKey, nonce, message))).toBe(hex(good));
    expect(verifyAuthenticator(router.secretKey, client.publicKey, nonce, message, good)).toBe(true);
  });

  test("hold for one nonce, one key and one message, and in one piece", () => {
    const by = (n: Uint8Array, m: Uint8Array, a: Uint8Array, key = client.publicKey): boolean =>
      verifyAuthenticator(router.secretKey, key, n, m, a);
    expect(by(fromHex("0103"), message, good)).toBe(false);
    expect(by(nonce, utf8("DEL"), good)).toBe(false);
    expect(by(nonce, message, good, generateKeyPair("X25519").publicKey)).toBe(false);
    for (const length of [0, 15, 16, 79]) expect(by(nonce, message, good.slice(0, length))).toBe(false);
  });
});
