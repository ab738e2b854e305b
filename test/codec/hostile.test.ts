import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, hex, utf8 } from "#crypto/bytes";
import { decode, DecodeError, encode } from "#protocol/codec";
import { decodeCommand, decodeMessage, encodeCommand, encodeMessage } from "#protocol/commands";
import { fwdResponse, fwdTransmission } from "#protocol/commands/proxy";
import { certChainPubKey } from "#protocol/certchain";
import { readClientHello, readServerHello, serviceResponse } from "#protocol/handshake";
import { notificationMeta, receivedMessage } from "#protocol/message";
import { server } from "#protocol/address";
import { UnknownTagError } from "#protocol/tagged";
import { readBatch, readTransmission, TransmissionError } from "#protocol/transmission";
import { command, commands, message, messages, version } from "../support/arbitrary.ts";

const RUNS = { numRuns: 4000 };
const TAGS = [...Object.keys(commands), ...Object.keys(messages)];

/** Fails unless `run` succeeds or throws one of the errors that tell of a peer's bytes. */
function survives<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    const isExpected = error instanceof DecodeError
      || error instanceof UnknownTagError
      || error instanceof TransmissionError;
    if (!isExpected) throw new Error("another error than the decoders promise", { cause: error });
    return undefined;
  }
}

interface Mutation {
  readonly kind: "truncate" | "flip" | "insert" | "remove";
  readonly at: number;
  readonly byte: number;
}

const mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("truncate" as const, "flip" as const, "insert" as const, "remove" as const),
    // Most of what can be broken stands near the beginning.
    at: fc.oneof(fc.nat(60), fc.nat(2000)),
    byte: fc.integer({ min: 1, max: 255 }),
  }, { noNullPrototype: true }),
  { minLength: 1, maxLength: 3 },
);

function mutate(bytes: Uint8Array, { kind, at, byte }: Mutation): Uint8Array {
  const place = bytes.length === 0 ? 0 : at % bytes.length;
  const [before, after] = [bytes.slice(0, place), bytes.slice(place)];
  switch (kind) {
    case "truncate":
      return before;
    case "insert":
      return concat(before, Uint8Array.of(byte), after);
    case "remove":
      return concat(before, after.slice(1));
    case "flip":
      return concat(before, after.slice(0, 1).map((old) => old ^ byte), after.slice(1));
  }
}

const mutated = (bytes: Uint8Array, list: readonly Mutation[]): Uint8Array => list.reduce(mutate, bytes);

describe("commands and messages from a hostile peer", () => {
  test("random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), version, (bytes, v) => {
        survives(() => decodeCommand(bytes, v));
        survives(() => decodeMessage(bytes, v));
      }),
      RUNS,
    );
  });

  test("random parameters behind a tag that exists", () => {
    fc.assert(
      fc.property(fc.constantFrom(...TAGS), fc.uint8Array({ maxLength: 300 }), version, (tag, bytes, v) => {
        const input = concat(utf8(`${tag} `), bytes);
        survives(() => decodeCommand(input, v));
        survives(() => decodeMessage(input, v));
      }),
      RUNS,
    );
  });

  test("every mutation of a valid command is refused, or means something that can be said again", () => {
    fc.assert(
      fc.property(command, version, mutations, (value, v, list) => {
        const decoded = survives(() => decodeCommand(mutated(encodeCommand(value, v), list), v));
        if (!decoded) return;
        const again = encodeCommand(decoded, v);
        expect(hex(encodeCommand(decodeCommand(again, v), v))).toBe(hex(again));
      }),
      RUNS,
    );
  });

  test("every mutation of a valid message is refused, or means something that can be said again", () => {
    fc.assert(
      fc.property(message, version, mutations, (value, v, list) => {
        const decoded = survives(() => decodeMessage(mutated(encodeMessage(value, v), list), v));
        if (!decoded) return;
        const again = encodeMessage(decoded, v);
        expect(hex(encodeMessage(decodeMessage(again, v), v))).toBe(hex(again));
      }),
      RUNS,
    );
  });

  test("every truncation of every command and message, at each length", () => {
    for (const arbitrary of Object.values(commands)) {
      const [value] = fc.sample(arbitrary, { numRuns: 1, seed: 7 });
      if (!value) continue;
      const bytes = encodeCommand(value, 20);
      for (let length = 0; length < bytes.length; length++) survives(() => decodeCommand(bytes.slice(0, length), 20));
    }
    for (const arbitrary of Object.values(messages)) {
      const [value] = fc.sample(arbitrary, { numRuns: 1, seed: 7 });
      if (!value) continue;
      const bytes = encodeMessage(value, 20);
      for (let length = 0; length < bytes.length; length++) survives(() => decodeMessage(bytes.slice(0, length), 20));
    }
  });

  test("names of JavaScript's own are no tags and no errors", () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"]) {
      expect(() => decodeCommand(utf8(name), 19)).toThrow(UnknownTagError);
      expect(() => decodeMessage(utf8(name), 19)).toThrow(UnknownTagError);
      expect(() => decodeMessage(utf8(`ERR ${name}`), 19)).toThrow(DecodeError);
      expect(() => decodeMessage(utf8(`ERR CMD ${name}`), 19)).toThrow(DecodeError);
    }
  });

  test("a tag or an error as long as a block", () => {
    const long = new Uint8Array(16_382).fill(0x41);
    expect(() => decodeCommand(long, 19)).toThrow(UnknownTagError);
    expect(() => decodeMessage(long, 19)).toThrow(UnknownTagError);
    expect(() => decodeMessage(concat(utf8("ERR "), long), 19)).toThrow(DecodeError);
  });

  test("errors of proxies behind proxies, as deep as a block has room", () => {
    const nested = utf8(`ERR ${"PROXY PROTOCOL ".repeat(1091)}AUTH`);
    expect(nested.length).toBeLessThan(16_382);
    survives(() => decodeMessage(nested, 19));
    survives(() => decodeMessage(nested.slice(0, -1), 19));
  });

  test("JSON as deep as a block, or that names a prototype", () => {
    for (const tag of ["INFO", "RNAME"]) {
      survives(() => decodeMessage(utf8(`${tag} ${"[".repeat(16_000)}`), 20));
      survives(() => decodeMessage(utf8(`${tag} ${"{\"a\":".repeat(3000)}1${"}".repeat(3000)}`), 20));
      for (const json of ["null", "1", "[]", "{}", "\"qiSnd\"", ""]) {
        expect(() => decodeMessage(utf8(`${tag} ${json}`), 20), json).toThrow(DecodeError);
      }
    }
    const polluting = utf8(`INFO {"__proto__":{"polluted":1},"qiSnd":true,"qiNtf":true,"qiSize":1}`);
    survives(() => decodeMessage(polluting, 19));
    expect("polluted" in {}).toBe(false);
  });

  test("a blocking notice with a time that is no time", () => {
    const notice = (json: string): Uint8Array => utf8(`ERR BLOCKED reason=spam,notice=${json}`);
    for (const ttl of ["1e999", "\"x\"", "{}", "0.5"]) {
      expect(() => decodeMessage(notice(`{"ttl":${ttl}}`), 19), ttl).toThrow(DecodeError);
    }
    for (const json of ["", "[]", "1", "null"]) expect(() => decodeMessage(notice(json), 19)).toThrow(DecodeError);
    const forEver = { type: "BLOCKED", blockInfo: { reason: "spam", notice: {} } };
    expect(decodeMessage(notice(`{"ttl":null}`), 19)).toStrictEqual({ tag: "ERR", error: forEver });
  });
});

describe("everything else that is read before anybody is known", () => {
  const readers: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
    "router hello": readServerHello,
    "client hello": readClientHello,
    "service response": (bytes) => decode(serviceResponse, bytes),
    "received message": (bytes) => decode(receivedMessage, bytes),
    "notification metadata": (bytes) => decode(notificationMeta, bytes),
    "forwarded transmission": (bytes) => decode(fwdTransmission, bytes),
    "forwarded response": (bytes) => decode(fwdResponse, bytes),
    "certificate chain": (bytes) => decode(certChainPubKey, bytes),
    server: (bytes) => decode(server, bytes),
    batch: readBatch,
  };

  test.each(Object.entries(readers))("%s of random bytes", (_, read) => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void survives(() => read(bytes))), RUNS);
  });

  test("transmissions of random bytes, at any version", () => {
    const sessionId = new Uint8Array(32).fill(5);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), version, (bytes, v) => {
        survives(() => readTransmission({ version: v, sessionId }, bytes));
      }),
      RUNS,
    );
  });

  test("a count that promises more than there is", () => {
    for (const [name, read] of Object.entries(readers)) {
      survives(() => read(new Uint8Array(3).fill(0xff)));
      expect(survives(() => read(new Uint8Array(0))), name).toBeUndefined();
    }
    const [chain] = fc.sample(fc.uint8Array({ minLength: 20, maxLength: 20 }), { numRuns: 1, seed: 1 });
    const bytes = encode(certChainPubKey, { certChain: [chain ?? new Uint8Array(1)], signedKey: new Uint8Array(1) });
    bytes[0] = 255;
    expect(() => decode(certChainPubKey, bytes)).toThrow(DecodeError);
  });
});
