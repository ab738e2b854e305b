import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { base64url, concat, hex, utf8 } from "#crypto/bytes";
import { e2eParamsOf, generateE2eKeys } from "../../../client/ratchet/agree.ts";
import { decrypt } from "../../../client/ratchet/decrypt.ts";
import { encryptBody, encryptHeader } from "../../../client/ratchet/encrypt.ts";
import { RatchetError } from "../../../client/ratchet/errors.ts";
import {
  messageKeyFromOfficial,
  ratchetFromOfficial,
  ratchetToOfficial,
  skippedKeyFromOfficial,
} from "../../../client/ratchet/official-state.ts";
import {
  e2eKeysFromRecord,
  e2eKeysToRecord,
  messageKeyFromRecord,
  ratchetFromRecord,
  ratchetToRecord,
  skippedKeyFromRecord,
} from "../../../client/ratchet/snapshot.ts";
import { skippedToDrop } from "../../../client/ratchet/skipped.ts";
import { initInitiator, initJoiner } from "../../../client/ratchet/state.ts";
import { BEGINNINGS, fewKemKeys, newPair, PADDED, type Party, receive, runs, send } from "./support/party.ts";

/** Bob amid a conversation with a KEM: every field of his state has something, and keys of two chains are skipped. */
function busy(): Party {
  let { alice, bob } = newPair(BEGINNINGS["a KEM accepted in the reply"]);
  for (let turn = 0; turn < 2; turn++) {
    for (let number = 0; number < 3; number++) {
      const sent = send(alice, utf8(`${number}`));
      alice = sent.party;
      if (number === 1) bob = receive(bob, sent.message).party;
    }
    const answer = send(bob, utf8("answer"));
    [alice, bob] = [receive(alice, answer.message).party, answer.party];
  }
  return bob;
}

const bob = busy();
const { key: messageKey } = encryptHeader(bob.ratchet);
const [skippedKey] = bob.skipped;
const e2eKeys = generateE2eKeys(true, fewKemKeys);

type Plain = Uint8Array | number | boolean | string | null | { readonly [name: string]: Plain };

function isObject(value: Plain | undefined): value is { readonly [name: string]: Plain } {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array);
}

/** Every path to a value that is no object. */
function paths(value: Plain): string[][] {
  if (!isObject(value)) return [[]];
  return Object.entries(value).flatMap(([name, inner]) => paths(inner).map((path) => [name, ...path]));
}

/** The value with what is at the path replaced; undefined takes the field away. */
function replaced(value: Plain, [name, ...rest]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by;
  if (!isObject(value)) throw new Error("the path leads nowhere");
  const inner = replaced(value[name] ?? null, rest, by);
  const { [name]: _, ...others } = value;
  return inner === undefined ? others : { ...others, [name]: inner };
}

function at(value: Plain, path: readonly string[]): Plain | undefined {
  return path.reduce<Plain | undefined>((inner, name) => isObject(inner) ? inner[name] : undefined, value);
}

/** Values of another type or length than `value`. */
function damaged(value: Plain | undefined): readonly unknown[] {
  const others: readonly unknown[] = [undefined, "text", [1], new Map(), Number.NaN];
  if (value instanceof Uint8Array) {
    const [shorter, longer] = [value.slice(1), concat(value, Uint8Array.of(0))];
    return [...others, null, true, 7, shorter, longer, Array.from(value), new Uint8Array()];
  }
  if (typeof value === "number") return [...others, null, true, -1, 0.5, 2 ** 53, new Uint8Array(4)];
  return [...others, null, 1, new Uint8Array(1)];
}

const RECORDS: readonly (readonly [string, unknown, (record: unknown) => unknown])[] = [
  ["a ratchet", bob.ratchet, ratchetFromRecord],
  ["the key of a message", messageKey, messageKeyFromRecord],
  ["the key of a skipped message", skippedKey, skippedKeyFromRecord],
  ["the keys of a link", e2eKeys, e2eKeysFromRecord],
];

describe.each(RECORDS)("%s as it is stored", (name, value, read) => {
  const record = structuredClone(value) as Plain;

  test("comes back as it was, and what is not of it is left out", () => {
    expect(read(record)).toStrictEqual(value);
    expect(read({ ...(record as object), later: 1 })).toStrictEqual(value);
  });

  test("damaged anywhere it is refused, and the error says where", () => {
    // The header of a message may have any length.
    const fields = paths(record).filter((path) => path.join(".") !== "header");
    expect(fields.length).toBeGreaterThan(3);
    for (const path of fields) {
      for (const by of damaged(at(record, path))) {
        const run = (): unknown => read(replaced(record, path, by));
        const where = path.join(".");
        const error = { code: "RECORD", message: expect.stringContaining(where) as string };
        expect(run, `${name}: ${where} = ${String(by).slice(0, 20)}`).toThrow(expect.objectContaining(error) as Error);
      }
    }
    for (const none of [null, undefined, [], "", 5, new Uint8Array(3)]) expect(() => read(none)).toThrow(RatchetError);
  });
});

describe("states", () => {
  test("hold nothing but what CBOR holds", () => {
    const allowed = (value: unknown): boolean => {
      if (value === null || value instanceof Uint8Array) return true;
      const isPlain = typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype;
      return isPlain ? Object.values(value).every(allowed) : typeof value === "number" || typeof value === "boolean";
    };
    for (const value of [ratchetToRecord(bob.ratchet), messageKey, skippedKey]) expect(allowed(value)).toBe(true);
    const pair = newPair(BEGINNINGS["version 2"]);
    for (const { ratchet } of [pair.alice, pair.bob]) {
      expect(ratchetFromRecord(structuredClone(ratchetToRecord(ratchet)))).toStrictEqual(ratchet);
    }
    const withoutKem = { ...e2eKeys, kem: null };
    expect(e2eKeysFromRecord(structuredClone(e2eKeysToRecord(withoutKem)))).toStrictEqual(withoutKem);
  });

  test("are never changed by what is done with them", () => {
    const { alice, bob: receiver } = newPair(BEGINNINGS["a KEM accepted in the reply"]);
    const copies = structuredClone([alice, receiver]);
    const { key } = encryptHeader(alice.ratchet, { pq: "off" });
    const keyCopy = structuredClone(key);
    const message = encryptBody(key, utf8("text"), PADDED);
    const messageCopy = message.slice();
    expect(decrypt(receiver.ratchet, receiver.skipped, message).result.ok).toBe(true);
    expect(decrypt(receiver.ratchet, receiver.skipped, message.with(message.length - 1, 1)).result.ok).toBe(false);
    expect([alice, receiver, key, message]).toStrictEqual([...copies, keyCopy, messageCopy]);
  });

  test("are the same after a link's keys were stored", () => {
    const peer = generateE2eKeys(false, fewKemKeys);
    const stored = e2eKeysFromRecord(structuredClone(e2eKeysToRecord(e2eKeys)));
    const params = e2eParamsOf(peer, 3);
    expect(initInitiator(stored, params, true)).toStrictEqual(initInitiator(e2eKeys, params, true));
    const joiner = initJoiner(stored, params);
    expect(hex(joiner.associatedData)).toBe(hex(concat(e2eKeys.key1.publicKey.raw, peer.key1.publicKey.raw)));
  });
});

describe("the official JSON of a ratchet", () => {
  const json = ratchetToOfficial(bob.ratchet);

  test("goes on where the ratchet was, its skipped keys included", () => {
    const ratchet = ratchetFromOfficial(JSON.parse(JSON.stringify(json)));
    expect({ ...ratchet, steps: bob.ratchet.steps }).toStrictEqual(bob.ratchet);
    expect(ratchetToOfficial(ratchet)).toStrictEqual(json);
    const imported = bob.skipped.map(({ headerKey, number, key, iv }) => {
      const stored = concat(Uint8Array.of(32), key, Uint8Array.of(16), iv);
      return skippedKeyFromOfficial(ratchet, { headerKey, number, messageKey: stored });
    });
    expect(imported.map(({ key, iv }) => [key, iv])).toStrictEqual(bob.skipped.map(({ key, iv }) => [key, iv]));
    expect(imported.map(({ chain }) => chain)).toStrictEqual([0, 0, 1]);
    expect(skippedToDrop(imported, 1).map(({ chain }) => chain)).toStrictEqual([0, 0]);
    const { alice, bob: receiver } = newPair(BEGINNINGS["no PQ"]);
    const back = { ...receiver, ratchet: ratchetFromOfficial(ratchetToOfficial(receiver.ratchet)) };
    const { message } = send(alice, utf8("text"));
    expect(receive(back, message).result).toStrictEqual({ ok: true, plaintext: utf8("text") });
  });

  test("needs no flags and no nulls, and may name its versions", () => {
    const { rcSupportKEM: _, rcEnableKEM: __, rcSndKEM: ___, rcRcvKEM: ____, rcKEM: _____, ...rest } = json;
    const read = ratchetFromOfficial({ ...rest, rcVersion: { current: 2, maxSupported: 3 }, rcSnd: null, rcRcv: null });
    expect(read).toMatchObject({
      version: { current: 2, max: 3 },
      kem: null,
      supportKem: false,
      enableKem: false,
      sndKem: false,
      rcvKem: false,
      snd: null,
      rcv: null,
      steps: 0,
    });
  });

  test("is refused when a field is missing or is not what it should be", () => {
    const needed = Object.keys(json).filter((name) => !/KEM|rcSnd|rcRcv/.test(name));
    expect(needed.length).toBe(9);
    const others = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.string().map((text) => base64url(utf8(text))));
    fc.assert(
      fc.property(fc.constantFrom(...needed), others, (name, by) => {
        const isSame = /^rc(?:Ns|Nr|PN)$/.test(name) && Number.isSafeInteger(by) && Number(by) >= 0;
        const run = (): unknown => ratchetFromOfficial({ ...json, [name]: by });
        if (!isSame) expect(run).toThrow(expect.objectContaining({ code: "RECORD" }) as Error);
      }),
      runs(300),
    );
    for (const none of [null, 5, "", [], {}]) expect(() => ratchetFromOfficial(none)).toThrow(RatchetError);
  });

  test("keys beside it are refused when they are cut", () => {
    const { ratchet } = bob;
    const row = { headerKey: new Uint8Array(32), number: 1, messageKey: new Uint8Array(49) };
    expect(() => skippedKeyFromOfficial(ratchet, row)).toThrow(expect.objectContaining({ code: "RECORD" }) as Error);
    const cut = (): unknown => messageKeyFromOfficial(new Uint8Array(20));
    expect(cut).toThrow(expect.objectContaining({ code: "RECORD" }) as Error);
  });
});
