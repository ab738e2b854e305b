import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, hex } from "#crypto/bytes";
import { decode, DecodeError, encode } from "#protocol/codec";
import {
  clientHello,
  readClientHello,
  readServerHello,
  serverHello,
  serviceResponse,
  type ServiceResponse,
} from "#protocol/handshake";
import { agreedVersion, versionRange } from "#protocol/version";
import * as arbitrary from "../support/arbitrary.ts";
import { bytes, certChainPubKey, dhKey, short } from "../support/arbitrary.ts";

const RUNS = { numRuns: 1000 };
const extension = bytes(0, 40);

const serverHellos = fc.record({
  versions: arbitrary.versionRange,
  sessionId: short,
  authPubKey: certChainPubKey,
  webIdentityProof: fc.option(fc.oneof(bytes(64), bytes(114)), { nil: null }),
}, { noNullPrototype: true });

const clientHellos = fc.record({
  version: arbitrary.version,
  keyHash: bytes(32),
  authPubKey: fc.option(dhKey, { nil: null }),
  proxyServer: fc.boolean(),
  service: fc.option(
    fc.record({
      role: fc.constantFrom("messaging" as const, "notifier" as const, "proxy" as const),
      certChainPubKey,
    }, { noNullPrototype: true }),
    { nil: null },
  ),
}, { noNullPrototype: true });

describe("router hello", () => {
  test("says what its newest version can say", () => {
    fc.assert(
      fc.property(serverHellos, (hello) => {
        const { max } = hello.versions;
        expect(readServerHello(encode(serverHello, hello))).toStrictEqual({
          ...hello,
          authPubKey: max >= 7 ? hello.authPubKey : null,
          webIdentityProof: max >= 19 ? hello.webIdentityProof : null,
        });
      }),
      RUNS,
    );
  });

  test("extensions of later versions are ignored", () => {
    fc.assert(
      fc.property(serverHellos, extension, (hello, more) => {
        fc.pre(hello.versions.max >= 19 && hello.webIdentityProof !== null);
        const written = encode(serverHello, hello);
        expect(readServerHello(concat(written, more))).toStrictEqual(readServerHello(written));
      }),
      RUNS,
    );
  });

  test("bytes that cannot be a proof are none", () => {
    const [authPubKey = null] = fc.sample(certChainPubKey, { numRuns: 1, seed: 3 });
    const hello = { versions: { min: 6, max: 19 }, sessionId: Uint8Array.of(1), authPubKey };
    const written = encode(serverHello, { ...hello, webIdentityProof: null });
    for (const more of [[], [0], [63, ...new Uint8Array(63)], [64, ...new Uint8Array(63)]]) {
      expect(readServerHello(concat(written, Uint8Array.from(more))).webIdentityProof).toBeNull();
    }
  });
});

describe("client hello", () => {
  test("says what its version can say", () => {
    fc.assert(
      fc.property(clientHellos, extension, (hello, more) => {
        const written = encode(clientHello, hello);
        const { version: v } = hello;
        const sent = {
          ...hello,
          authPubKey: v >= 7 ? hello.authPubKey : null,
          proxyServer: v >= 14 && hello.proxyServer,
          service: v >= 16 ? hello.service : null,
        };
        expect(readClientHello(written)).toStrictEqual(sent);
        // Behind an omitted key an extension could read as one.
        if (v >= 14 || hello.authPubKey) expect(readClientHello(concat(written, more))).toStrictEqual(sent);
      }),
      RUNS,
    );
  });

  test("what stands in the place of the key and is none counts as no key", () => {
    const keyless = { version: 11, keyHash: new Uint8Array(32), authPubKey: null, proxyServer: false, service: null };
    const written = encode(clientHello, keyless);
    for (const more of [[5, 1, 2], [0], [44, ...new Uint8Array(44)], [255]]) {
      expect(readClientHello(concat(written, Uint8Array.from(more)))).toStrictEqual(keyless);
    }
  });

  test("a key hash of another length is refused", () => {
    for (const length of [0, 31, 33]) {
      const bad = concat(Uint8Array.of(0, 6, length), new Uint8Array(length));
      expect(() => readClientHello(bad)).toThrow(DecodeError);
    }
  });
});

test("service responses survive their journey", () => {
  const responses: fc.Arbitrary<ServiceResponse> = fc.oneof(
    short.map((serviceId) => ({ type: "accepted", serviceId }) as const),
    arbitrary.transportError.map((error) => ({ type: "rejected", error }) as const),
  );
  fc.assert(
    fc.property(responses, (response) => {
      expect(decode(serviceResponse, encode(serviceResponse, response))).toStrictEqual(response);
    }),
    RUNS,
  );
});

describe("versions", () => {
  test("both ends agree on the highest that both speak", () => {
    fc.assert(
      fc.property(arbitrary.versionRange, arbitrary.versionRange, (a, b) => {
        const agreed = agreedVersion(a, b);
        expect(agreedVersion(b, a)).toBe(agreed);
        expect(agreed === null).toBe(a.max < b.min || b.max < a.min);
        if (agreed === null) return;
        expect(agreed).toBe(Math.min(a.max, b.max));
        expect(agreed).toBeGreaterThanOrEqual(Math.max(a.min, b.min));
      }),
      RUNS,
    );
  });

  test("a range upside down does not parse", () => {
    expect(hex(encode(versionRange, { min: 6, max: 20 }))).toBe("00060014");
    expect(() => decode(versionRange, Uint8Array.of(0, 7, 0, 6))).toThrow(DecodeError);
  });
});
