import { describe, expect, test } from "vitest";
import { fromHex, hex } from "#crypto/bytes";
import { KeyError } from "#crypto/errors";
import { dh, generateKeyPair, keyPairOf, type PublicKey, type SecretKey } from "#crypto/keys";

const secretOf = (raw: string): SecretKey<"X448"> => ({ algorithm: "X448", secret: fromHex(raw) });
const publicOf = (raw: string): PublicKey<"X448"> => ({ algorithm: "X448", raw: fromHex(raw) });

describe("RFC 7748, X448", () => {
  test("any scalar and coordinate (section 5.2)", () => {
    const first = dh(
      secretOf(
        "3d262fddf9ec8e88495266fea19a34d28882acef045104d0d1aae121700a779c984c24f8cdd78fbff44943eba368f54b"
          + "29259a4f1c600ad3",
      ),
      publicOf(
        "06fce640fa3487bfda5f6cf2d5263f8aad88334cbd07437f020f08f9814dc031ddbdc38c19c6da2583fa5429db94ada1"
          + "8aa7a7fb4ef8a086",
      ),
    );
    expect(hex(first)).toBe(
      "ce3e4ff95a60dc6697da1db1d85e6afbdf79b50a2412d7546d5f239fe14fbaadeb445fc66a01b0779d98223961111e21"
        + "766282f73dd96b6f",
    );
    const second = dh(
      secretOf(
        "203d494428b8399352665ddca42f9de8fef600908e0d461cb021f8c538345dd77c3e4806e25f46d3315c44e0a5b43712"
          + "82dd2c8d5be3095f",
      ),
      publicOf(
        "0fbcc2f993cd56d3305b0b7d9e55d4c1a8fb5dbb52f8e9a1e9b6201b165d015894e56c4d3570bee52fe205e28a78b91c"
          + "dfbde71ce8d157db",
      ),
    );
    expect(hex(second)).toBe(
      "884a02576239ff7a2f2f63b2db6a9ff37047ac13568e1e30fe63c4a7ad1b3ee3a5700df34321d62077e63633c575c1c9"
        + "54514e99da7c179d",
    );
  });

  test("once around from the base point (section 5.2)", () => {
    const five = fromHex(`05${"00".repeat(55)}`);
    expect(hex(dh({ algorithm: "X448", secret: five }, { algorithm: "X448", raw: five }))).toBe(
      "3f482c8a9f19b01e6c46ee9711d9dc14fd4bf67af30765c2ae2b846a4d23a8cd0db897086239492caf350b51f833868b"
        + "9bc2b3bca9cf4113",
    );
  });

  test("between Alice and Bob (section 6.2)", () => {
    const alice = keyPairOf(secretOf(
      "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6f127ab1d"
        + "9ac2d8c0a598726b",
    ));
    const bob = keyPairOf(secretOf(
      "1c306a7ac2a0e2e0990b294470cba339e6453772b075811d8fad0d1d6927c120bb5ee8972b0d3e21374c9c921b09d1b0"
        + "366f10b65173992d",
    ));
    const shared = "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282bb60c0b56fd2464c335543936521c24403085d59a"
      + "449a5037514a879d";
    expect(hex(dh(alice.secretKey, bob.publicKey))).toBe(shared);
    expect(hex(dh(bob.secretKey, alice.publicKey))).toBe(shared);
  });
});

// 0, 1, p - 1 and the encodings p, p + 1 of the first two: with these a peer would choose the secret (RFC 7748 6.2).
const LOW_ORDER = [
  "00".repeat(56),
  `01${"00".repeat(55)}`,
  `fe${"ff".repeat(27)}fe${"ff".repeat(27)}`,
  `${"ff".repeat(28)}fe${"ff".repeat(27)}`,
  `${"00".repeat(28)}${"ff".repeat(28)}`,
];

describe("unusable X448 keys", () => {
  test.each(LOW_ORDER)("the point of low order %s is refused", (raw) => {
    expect(() => dh(generateKeyPair("X448").secretKey, publicOf(raw))).toThrow(KeyError);
  });

  test("as are keys of another length", () => {
    const { secretKey, publicKey } = generateKeyPair("X448");
    for (const length of [0, 32, 55, 57, 68, 112]) {
      const bytes = new Uint8Array(length).fill(9);
      expect(() => dh(secretKey, { algorithm: "X448", raw: bytes }), `public, ${length} bytes`).toThrow(KeyError);
      expect(() => dh({ algorithm: "X448", secret: bytes }, publicKey), `secret, ${length} bytes`).toThrow(KeyError);
    }
  });
});
