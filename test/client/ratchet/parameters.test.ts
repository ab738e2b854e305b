import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { base64url, concat } from "#crypto/bytes";
import { encodePublicKey, generateKeyPair } from "#crypto/keys";
import { AddressError } from "#protocol/address";
import { decode, DecodeError, encode } from "#protocol/codec";
import {
  chooseE2eParams,
  type E2eParams,
  e2eParams,
  type E2eUri,
  e2eUri,
  formatE2eUri,
  parseE2eUri,
  type ProposedE2eParams,
  proposedE2eParams,
  type ProposedKem,
  type RatchetKem,
} from "../../../client/ratchet/parameters.ts";
import { bytes, publicKey, versionRange } from "../../support/arbitrary.ts";
import { runs } from "./support/party.ts";

const record = { noNullPrototype: true };
const key = bytes(1158);
const proposed: fc.Arbitrary<ProposedKem> = fc.record({ type: fc.constant("proposed"), key }, record);
const accepted: fc.Arbitrary<RatchetKem> = fc.record(
  { type: fc.constant("accepted"), ciphertext: bytes(1039), key },
  record,
);
const keys = { key1: publicKey("X448"), key2: publicKey("X448") };
const nullable = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });
const since3 = fc.oneof(fc.constant(3), fc.integer({ min: 3, max: 65_535 }));
const version2 = fc.record<E2eParams>({ version: fc.constant(2), ...keys, kem: fc.constant(null) }, record);
const params = fc.oneof(
  version2,
  fc.record<E2eParams>({ version: since3, ...keys, kem: nullable(fc.oneof(proposed, accepted)) }, record),
);
const proposals: fc.Arbitrary<ProposedE2eParams> = fc.record(
  { version: since3, ...keys, kem: nullable(proposed) },
  record,
);
const uris: fc.Arbitrary<E2eUri> = fc.record({ versions: versionRange, ...keys, kem: nullable(proposed) }, record);

const [a, b] = [generateKeyPair("X448").publicKey, generateKeyPair("X448").publicKey];
const kemKey = new Uint8Array(1158).fill(7);
const kemProposed: ProposedKem = { type: "proposed", key: kemKey };
const kemAccepted: RatchetKem = { type: "accepted", ciphertext: new Uint8Array(1039), key: kemKey };

describe("parameters in a message", () => {
  test("are read as they were written", () => {
    fc.assert(
      fc.property(params, (value) => {
        expect(decode(e2eParams, encode(e2eParams, value))).toStrictEqual(value);
      }),
      runs(300),
    );
    fc.assert(
      fc.property(proposals, (value) => {
        const written = encode(proposedE2eParams, value);
        expect(written).toStrictEqual(encode(e2eParams, value));
        expect(decode(proposedE2eParams, written)).toStrictEqual(value);
      }),
      runs(100),
    );
  });

  test("have the sizes of the specification", () => {
    const size = (version: number, kem: RatchetKem | null): number =>
      encode(e2eParams, { version, key1: a, key2: b, kem }).length;
    const sizes = [size(2, null), size(3, null), size(3, kemProposed), size(3, kemAccepted)];
    expect(sizes).toStrictEqual([140, 141, 1302, 2343]);
    expect(size(2, kemProposed), "version 2 has no room for a KEM").toBe(140);
  });

  test("of the initiating party accept nothing", () => {
    const written = encode(e2eParams, { version: 3, key1: a, key2: b, kem: kemAccepted });
    expect(() => decode(proposedE2eParams, written)).toThrow(DecodeError);
  });

  test("with a KEM key or ciphertext of another size are neither read nor written", () => {
    for (const length of [0, 1157, 1159]) {
      const kem: RatchetKem = { type: "proposed", key: new Uint8Array(length) };
      expect(() => encode(e2eParams, { version: 3, key1: a, key2: b, kem })).toThrow(RangeError);
    }
    const good = encode(e2eParams, { version: 3, key1: a, key2: b, kem: kemProposed });
    const shorter = concat(good.slice(0, 142), Uint8Array.of(4, 0x85), good.slice(144, -1));
    expect(() => decode(e2eParams, shorter)).toThrow(DecodeError);
  });

  test("cut, altered or random are errors of decoding or other parameters, and nothing else", () => {
    const altered = fc.tuple(params, fc.nat(200), fc.nat(255)).map(([value, at, byte]) =>
      encode(e2eParams, value).map((old, i) => i === at ? byte : old));
    const cut = fc.tuple(params, fc.nat(2500)).map(([value, length]) => encode(e2eParams, value).slice(0, length));
    fc.assert(
      fc.property(fc.oneof(altered, cut, bytes(0, 300)), (input) => {
        try {
          expect(encode(e2eParams, decode(e2eParams, input))).toStrictEqual(input);
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
        }
      }),
      runs(1000),
    );
  });
});

describe("parameters in a link", () => {
  const text = `v=2-3&x3dh=${base64url(encodePublicKey(a))},${base64url(encodePublicKey(b))}`;
  const uri: E2eUri = { versions: { min: 2, max: 3 }, key1: a, key2: b, kem: null };

  test("are read as they were written, in binary and as text", () => {
    fc.assert(
      fc.property(uris, (value) => {
        expect(decode(e2eUri, encode(e2eUri, value))).toStrictEqual(value);
        const read = parseE2eUri(formatE2eUri(value));
        expect(read).toStrictEqual(value.versions.max < 3 ? { ...value, kem: null } : value);
      }),
      runs(200),
    );
  });

  test("as text", () => {
    expect(formatE2eUri(uri)).toBe(text);
    expect(formatE2eUri({ ...uri, versions: { min: 3, max: 3 } })).toBe(text.replace("2-3", "3"));
    const withKem = `${text}&kem_key=${base64url(kemKey)}`;
    expect(formatE2eUri({ ...uri, kem: kemProposed })).toBe(withKem);
    expect(parseE2eUri(withKem)).toStrictEqual({ ...uri, kem: kemProposed });
  });

  test("may stand in any order, beside ones that are not known, with their padding left off", () => {
    expect(parseE2eUri(`more=1&${text.split("&").toReversed().join("&")}&v2=x`)).toStrictEqual(uri);
    expect(parseE2eUri(text.replaceAll("=,", ",").replace(/=+$/, ""))).toStrictEqual(uri);
    expect(parseE2eUri(`${text.replace("2-3", "2")}&kem_key=nonsense!`).kem, "no KEM in version 2").toBe(null);
  });

  const [first = "", second = ""] = text.slice("v=2-3&x3dh=".length).split(",");
  const x25519 = base64url(encodePublicKey(generateKeyPair("X25519").publicKey));
  test.each([
    ["nothing", ""],
    ["no versions", text.slice("v=2-3&".length)],
    ["versions upside down", text.replace("2-3", "3-2")],
    ["versions that are no numbers", text.replace("2-3", "two")],
    ["a version that is too high", text.replace("2-3", "2-65536")],
    ["no keys", "v=2-3"],
    ["one key", `v=2-3&x3dh=${first}`],
    ["three keys", `${text},${second}`],
    ["a key of X25519", `v=2-3&x3dh=${first},${x25519}`],
    ["a key that is cut", text.slice(0, -8)],
    ["a key that is not base64url", `v=2-3&x3dh=${first},*${second.slice(1)}`],
    ["a KEM key of another size", `${text}&kem_key=${base64url(kemKey.slice(1))}`],
    ["a KEM key that is not base64url", `${text}&kem_key=*`],
    ["an accepted KEM", `${text}&kem_ct=AAAA&kem_key=${base64url(kemKey)}`],
  ])("with %s are refused", (_, wrong) => {
    expect(() => parseE2eUri(wrong)).toThrow(AddressError);
  });

  test("are taken in the highest version that both sides speak", () => {
    const chosen = (min: number, max: number): number | undefined =>
      chooseE2eParams({ ...uri, versions: { min, max } })?.version;
    expect([chosen(1, 2), chosen(2, 2), chosen(2, 3), chosen(3, 9), chosen(1, 1), chosen(4, 5)])
      .toStrictEqual([2, 2, 3, 3, undefined, undefined]);
  });
});
