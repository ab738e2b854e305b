import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, utf8 } from "#crypto/bytes";
import { generateKeyPair, type PublicKey } from "#crypto/keys";
import { generateKemKeyPair } from "#crypto/sntrup761";
import { e2eParamsOf, generateE2eKeys, generateReplyKeys } from "../../../client/ratchet/agree.ts";
import { RatchetError, type RatchetErrorCode } from "../../../client/ratchet/errors.ts";
import type { E2eParams } from "../../../client/ratchet/parameters.ts";
import { initInitiator, initJoiner } from "../../../client/ratchet/state.ts";
import { forge, type Forgery } from "./support/forge.ts";
import { BEGINNINGS, fewKemKeys, newPair, PADDED, type Pair, type Party, receive, runs, send } from "./support/party.ts";

const text = utf8("the true message");

/** Both parties have sent and received: Alice's next message is number 2 of her chain, and Bob has read 0 and 1. */
function talking(pair: Pair): Pair {
  const first = send(pair.alice, utf8("0"));
  const answer = send(receive(pair.bob, first.message).party, utf8("answer"));
  let alice = receive(first.party, answer.message).party;
  let bob = answer.party;
  for (const number of ["0", "1"]) {
    const sent = send(alice, utf8(number));
    alice = sent.party;
    bob = receive(bob, sent.message).party;
  }
  return { alice, bob };
}

/** Bob's state with which Alice's next message begins a chain. */
function beforeStep(pair: Pair): Pair {
  const answer = send(pair.bob, utf8("answer"));
  return { alice: receive(pair.alice, answer.message).party, bob: answer.party };
}

const fresh = newPair(BEGINNINGS["no PQ"]);
const inChain = talking(fresh);
const atStep = beforeStep(inChain);
const pqInChain = talking(newPair(BEGINNINGS["a KEM accepted in the reply"]));
const version2 = newPair(BEGINNINGS["version 2"]);

const FORMS: readonly (readonly [string, Pair, number])[] = [
  ["a message within a chain", inChain, 600],
  ["a message that begins a chain", atStep, 300],
  ["the first message of all", fresh, 300],
  ["a message with a KEM", pqInChain, 600],
  ["a message of version 2, the first of all", version2, 300],
];

function refused(party: Party, message: Uint8Array): RatchetErrorCode {
  const { result } = receive(party, message);
  if (result.ok) throw new Error("it was accepted");
  return result.error.code;
}

describe("an altered message", () => {
  test.each(FORMS)("%s: any byte, and the true one is read after it", (_, { alice, bob }, count) => {
    const { message } = send(alice, text);
    const known: readonly RatchetErrorCode[] = ["PARSE", "HEADER", "BODY", "SKIPPED", "EARLIER", "DUPLICATE", "KEM"];
    fc.assert(
      fc.property(fc.nat(message.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const altered = message.slice();
        altered[at] = (altered[at] ?? 0) ^ mask;
        expect(known).toContain(refused(bob, altered));
      }),
      runs(count),
    );
    expect(receive(bob, message).result).toStrictEqual({ ok: true, plaintext: text });
  });

  test("every byte of a message within a chain, one by one", () => {
    const { message } = send(inChain.alice, text);
    const codes = Array.from(message, (byte, at) => {
      const altered = message.slice();
      altered[at] = byte ^ 1;
      return refused(inChain.bob, altered);
    });
    // The version of the header and the length of its body are authenticated with the message's body only.
    expect(codes.slice(0, 2)).toStrictEqual(["PARSE", "PARSE"]);
    expect(codes.slice(4, 36)).toStrictEqual(Array<string>(32).fill("HEADER"));
    expect(codes.slice(38, 126)).toStrictEqual(Array<string>(88).fill("HEADER"));
    expect(codes.slice(126)).toStrictEqual(Array<string>(16 + PADDED).fill("BODY"));
  });

  test("cut anywhere, or with bytes after it", () => {
    const { message } = send(inChain.alice, text);
    for (let length = 0; length < message.length; length++) {
      const code = refused(inChain.bob, message.slice(0, length));
      expect(code, `${length} bytes`).toBe(length < 142 ? "PARSE" : "BODY");
    }
    expect(refused(inChain.bob, concat(message, Uint8Array.of(0)))).toBe("BODY");
  });

  test("random bytes, and random bytes behind the lengths of a message, are errors and nothing else", () => {
    const random = fc.uint8Array({ maxLength: 300 });
    const framed = fc.uint8Array({ minLength: 300, maxLength: 300 }).map((bytes) => {
      bytes.set([0, 124], 0);
      bytes.set([0, 88], 36);
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(random, framed), (bytes) => {
        expect(["PARSE", "HEADER"]).toContain(refused(inChain.bob, bytes));
      }),
      runs(1000),
    );
  });

  test("another conversation's message, and one's own", () => {
    const { message } = send(inChain.alice, text);
    expect(refused(pqInChain.bob, message)).toBe("HEADER");
    expect(refused(inChain.alice, message)).toBe("HEADER");
  });
});

const lowOrder: PublicKey<"X448"> = { algorithm: "X448", raw: new Uint8Array(56) };
const kem = generateKemKeyPair();
const { ciphertext } = fewKemKeys.encapsulate(kem.publicKey);

/** Number of Alice's next message in {@link inChain} is 2; her chain before had one. */
const FORGERIES: readonly (readonly [string, Pair, Forgery, RatchetErrorCode, number | null])[] = [
  ["a key of low order in a new chain", atStep, { header: { dhKey: lowOrder } }, "KEY", null],
  ["a KEM ciphertext for a key that is not there", atStep, {
    header: { kem: { type: "accepted", ciphertext, key: kem.publicKey } },
  }, "KEM", null],
  ["a KEM key of another length", inChain, {
    headerBytes: (honest) => concat(honest.slice(0, 71), Uint8Array.of(0x31, 0x50, 0, 1, 7), honest.slice(72)),
  }, "PARSE", null],
  ["a header that ends early", inChain, { headerBytes: (honest) => honest.slice(0, -1) }, "PARSE", null],
  ["a header of X25519", inChain, { headerBytes: (honest) => honest.with(12, 0x6e) }, "PARSE", null],
  ["a header that is not padded", inChain, { paddedHeader: (honest) => honest.with(0, 0xff) }, "HEADER", null],
  ["bytes behind the encrypted header", inChain, {
    encryptedHeader: (honest) => concat(honest, Uint8Array.of(0)),
  }, "PARSE", null],
  ["a body that is not padded", inChain, { paddedBody: (honest) => honest.with(0, 0xff) }, "PADDING", null],
  ["a body that is too short for a length", inChain, { paddedBody: (honest) => honest.slice(0, 1) }, "PADDING", null],
  ["the highest number that there is", inChain, { header: { ns: 0xffff_ffff } }, "SKIPPED", 0xffff_ffff + 1 - 2],
  ["513 messages after the last", inChain, { header: { ns: 2 + 513 } }, "SKIPPED", 514],
  ["the last number again", inChain, { header: { ns: 1 } }, "DUPLICATE", null],
  ["the number before it", inChain, { header: { ns: 0 } }, "EARLIER", 1],
  ["a chain before that was shorter than what came of it", atStep, { header: { pn: 1 } }, "DUPLICATE", null],
  ["one that was shorter still", atStep, { header: { pn: 0 } }, "EARLIER", 1],
  ["one that was too long", atStep, { header: { pn: 2 + 513 } }, "SKIPPED", 514],
];

describe("a peer who has the keys and means harm", () => {
  test.each(FORGERIES)("%s", (_, { alice, bob }, forgery, code, count) => {
    const { result, party } = receive(bob, forge(alice, forgery));
    expect(result).toMatchObject({ ok: false, error: { code, count } });
    if (code !== "PADDING") expect(party, "nothing of it is kept").toStrictEqual(bob);
    const { message } = send(alice, text);
    expect(receive(bob, message).result, "the state from before goes on").toStrictEqual({ ok: true, plaintext: text });
  });

  test("too high a number in a new chain is refused, and the chain is kept as the official client keeps it", () => {
    const { result, party } = receive(atStep.bob, forge(atStep.alice, { header: { pn: 4, ns: 513 } }));
    expect(result).toMatchObject({ ok: false, error: { code: "SKIPPED", count: 514 } });
    expect(party.ratchet.steps).toBe(atStep.bob.ratchet.steps + 1);
    expect(party.skipped.map(({ number }) => number), "of the chain before").toStrictEqual([2, 3]);
    expect(receive(party, send(atStep.alice, text).message).result).toStrictEqual({ ok: true, plaintext: text });
  });

  test("what later versions add to a header is passed over, and a version beyond ours stays ours", () => {
    const longer = forge(inChain.alice, { headerBytes: (honest) => concat(honest, utf8("more")) }, text);
    expect(receive(inChain.bob, longer).result).toStrictEqual({ ok: true, plaintext: text });
    const later = receive(inChain.bob, forge(inChain.alice, { header: { maxVersion: 9 } }, text));
    expect(later.result).toStrictEqual({ ok: true, plaintext: text });
    expect(later.party.ratchet.version).toStrictEqual({ current: 3, max: 3 });
  });
});

describe("parameters of a peer who means harm", () => {
  const own = generateE2eKeys(false, fewKemKeys);
  const peer = generateE2eKeys(false, fewKemKeys);
  const good: E2eParams = e2eParamsOf(peer, 3);
  const code = (run: () => unknown): RatchetErrorCode | null => {
    try {
      run();
      return null;
    } catch (error) {
      if (!(error instanceof RatchetError)) throw error;
      return error.code;
    }
  };
  const both = (params: E2eParams): (RatchetErrorCode | null)[] => [
    code(() => initJoiner(own, params, { source: fewKemKeys })),
    code(() => initInitiator(own, params, true)),
  ];

  test("are refused with keys of low order and in versions that are not spoken", () => {
    expect(both(good)).toStrictEqual([null, null]);
    expect(both({ ...good, key1: lowOrder })).toStrictEqual(["KEY", "KEY"]);
    expect(both({ ...good, key2: lowOrder })).toStrictEqual(["KEY", "KEY"]);
    for (const version of [0, 1, 4, 65_535]) expect(both({ ...good, version })).toStrictEqual(["VERSION", "VERSION"]);
  });

  test("may not accept a KEM key that nobody proposed", () => {
    expect(code(() => initInitiator(own, { ...good, kem: { type: "accepted", ciphertext, key: kem.publicKey } }, true)))
      .toBe("KEM");
  });

  test("cannot be answered with what was made for another link", () => {
    const link = e2eParamsOf(generateE2eKeys(true, fewKemKeys), 3);
    const reply = generateReplyKeys(link, true, fewKemKeys);
    const otherKey = generateKemKeyPair().publicKey;
    const kemOfOther = { type: "proposed", key: otherKey } as const;
    const other = { ...link, key1: generateKeyPair("X448").publicKey, kem: kemOfOther };
    expect(code(() => initJoiner(reply, other))).toBe("KEM");
    expect(code(() => initJoiner(reply, { ...other, kem: null }))).toBe("KEM");
    expect(code(() => initJoiner(reply, link))).toBe(null);
  });
});
