import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { base64url, concat, utf8 } from "#crypto/bytes";
import { encodePublicKey } from "#crypto/keys";
import {
  AddressError,
  formatQueueUri,
  formatServerAddress,
  parseQueueUri,
  parseServerAddress,
  sameServer,
  server as serverCodec,
} from "#protocol/address";
import { decode, DecodeError, encode, str } from "#protocol/codec";
import { nonEmpty } from "#protocol/combine";
import { bytes, dhKey, server, versionRange } from "../support/arbitrary.ts";

const RUNS = { numRuns: 2000 };
const mode = fc.constantFrom("messaging" as const, "contact" as const, null);
const password = fc.option(fc.stringMatching(/^[!-.0-9;-?A-~]{1,30}$/), { nil: null });
const queueUris = fc.record({
  clientVersions: fc.oneof(versionRange, fc.constantFrom({ min: 1, max: 4 }, { min: 4, max: 4 }, { min: 1, max: 1 })),
  server,
  senderId: bytes(1, 40),
  dhKey,
  mode,
}, { noNullPrototype: true });

/** Fails unless `run` succeeds or throws AddressError. */
function survives(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof AddressError)) throw new Error("another error than AddressError", { cause: error });
  }
}

describe("addresses survive their journey", () => {
  test("servers, as text and as bytes", () => {
    fc.assert(
      fc.property(server, password, (value, secret) => {
        const address = { ...value, password: secret };
        expect(parseServerAddress(formatServerAddress(address))).toStrictEqual(address);
        const decoded = decode(serverCodec, encode(serverCodec, value));
        expect(decoded).toStrictEqual(value);
        expect(sameServer(decoded, value)).toBe(true);
      }),
      RUNS,
    );
  });

  test("queue addresses of every range of client versions", () => {
    fc.assert(
      fc.property(queueUris, (uri) => {
        expect(parseQueueUri(formatQueueUri(uri))).toStrictEqual(uri);
      }),
      RUNS,
    );
  });
});

describe("older forms of queue addresses", () => {
  const keyHash = new Uint8Array(32).fill(3);
  const key = { algorithm: "X25519" as const, raw: new Uint8Array(32).fill(4) };
  const base = `smp://${base64url(keyHash)}@relay.example/${base64url(Uint8Array.of(1, 2, 3))}`;
  const der = base64url(encodePublicKey(key));
  const expected = {
    server: { hosts: ["relay.example"], port: "", keyHash },
    senderId: Uint8Array.of(1, 2, 3),
    dhKey: key,
    mode: null,
  };

  test("the key alone behind the hash", () => {
    expect(parseQueueUri(`${base}#${der}`)).toStrictEqual({ ...expected, clientVersions: { min: 1, max: 1 } });
  });

  test("the key behind the hash, then a query", () => {
    const parsed = parseQueueUri(`${base}#${der}?v=1-2&k=s`);
    expect(parsed).toStrictEqual({ ...expected, clientVersions: { min: 1, max: 2 }, mode: "messaging" });
  });

  test("parameters that nobody knows are ignored", () => {
    const parsed = parseQueueUri(`${base}#/?x=1&v=4&dh=${encodeURIComponent(der)}&q=c&future`);
    expect(parsed).toStrictEqual({ ...expected, clientVersions: { min: 4, max: 4 }, mode: "contact" });
  });
});

describe("texts that are no addresses", () => {
  const hash = base64url(new Uint8Array(32));

  test.each([
    ["nothing", ""],
    ["another scheme", `https://${hash}@relay.example`],
    ["a short fingerprint", "smp://AAAA@relay.example"],
    ["a fingerprint of an impossible length", `smp://${"A".repeat(41)}@relay.example`],
    ["no host", `smp://${hash}@`],
    ["an empty host", `smp://${hash}@a.example,,b.example`],
    ["a port too high", `smp://${hash}@relay.example:65536`],
    ["two ports", `smp://${hash}@relay.example:1:2`],
    ["a host with a space", `smp://${hash}@relay example`],
    ["a path", `smp://${hash}@relay.example/x`],
    ["a password with a colon", `smp://${hash}:a:b@relay.example`],
  ])("a server address with %s", (_, text) => {
    expect(() => parseServerAddress(text)).toThrow(AddressError);
  });

  const queue = `smp://${hash}@relay.example`;
  test.each([
    ["no id", `${queue}/#/?v=4&dh=AAAA`],
    ["an id of an impossible length", `${queue}/A#/?v=4&dh=AAAA`],
    ["no key", `${queue}/AAAA#/?v=4`],
    ["a key that is none", `${queue}/AAAA#/?v=4&dh=AAAA`],
    ["a key that is not base64", `${queue}/AAAA#/?v=4&dh=%20`],
    ["a range upside down", `${queue}/AAAA#/?v=4-1&dh=AAAA`],
    ["a version that is no number", `${queue}/AAAA#/?v=x&dh=AAAA`],
    ["a bad host in srv", `${queue}/AAAA#/?v=1&dh=AAAA&srv=%0a`],
  ])("a queue address with %s", (_, text) => {
    expect(() => parseQueueUri(text)).toThrow(AddressError);
  });

  test("random texts, and good ones altered anywhere, give AddressError at worst", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        const places = [`smp://${text}`, `smp://${hash}@${text}`, `${queue}/${text}`, `${queue}/AAAA#/?${text}`];
        for (const input of [text, ...places]) {
          survives(() => parseServerAddress(input));
          survives(() => parseQueueUri(input));
        }
      }),
      RUNS,
    );
    fc.assert(
      fc.property(queueUris, fc.nat(), fc.string({ unit: "grapheme", maxLength: 2 }), (uri, place, instead) => {
        const text = formatQueueUri(uri);
        const at = place % text.length;
        survives(() => parseQueueUri(text.slice(0, at) + instead + text.slice(at + 1)));
        survives(() => parseQueueUri(text.slice(0, at)));
      }),
      RUNS,
    );
  });

  test("IPv6 is read with brackets and, as official clients write it, without", () => {
    for (const text of [`smp://${hash}@2001:db8::1`, `smp://${hash}@[2001:db8::1]`]) {
      const address = parseServerAddress(text);
      expect(address).toMatchObject({ hosts: ["2001:db8::1"], port: "" });
      expect(formatServerAddress(address)).toBe(`smp://${hash}@2001:db8::1`);
    }
    const withPort = parseServerAddress(`smp://${hash}@[::1]:5223`);
    expect(withPort).toMatchObject({ hosts: ["::1"], port: "5223" });
    expect(formatServerAddress(withPort)).toBe(`smp://${hash}@[::1]:5223`);
  });

  test("hosts that peers send are held to the official grammar", () => {
    const rest = concat(encode(str, utf8("443")), encode(str, new Uint8Array(32)));
    const read = (name: string): unknown =>
      decode(serverCodec, concat(encode(nonEmpty(str), [utf8(name)]), rest)).hosts[0];
    for (const name of ["a", "relay.example", "10.0.0.1", "::1", "abc234.onion", "-h"]) expect(read(name)).toBe(name);
    for (const name of ["", "a b", "a/b", "a:1", "a,b", "a#", "a;b", "[a]", "A.onion"]) {
      expect(() => read(name)).toThrow(DecodeError);
    }
  });

  test("a host name made to be slow to read is not", () => {
    const started = performance.now();
    survives(() => parseServerAddress(`smp://${hash}@${"a.-".repeat(5000)}!`));
    survives(() => parseQueueUri(`${queue}/${"A".repeat(20_000)}#${"?".repeat(20_000)}`));
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test("bytes of a server with an impossible list of hosts are refused", () => {
    expect(() => decode(serverCodec, utf8("\0"))).toThrow();
  });
});
