import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { utf8 } from "#crypto/bytes";
import { encryptBody, encryptHeader, type MessageKey } from "../../../client/ratchet/encrypt.ts";
import { MAX_SKIP, MAX_STORED_SKIPPED } from "../../../client/ratchet/limits.ts";
import { type SkippedKey, skippedToDrop } from "../../../client/ratchet/skipped.ts";
import { BEGINNINGS, newPair, PADDED, type Pair, type Party, receive, runs, send } from "./support/party.ts";

const textOf = (number: number): Uint8Array => utf8(`message ${number}`);

/** A long chain of one party, whose bodies are encrypted when they are wanted. */
class Chain {
  readonly #keys: MessageKey[] = [];
  readonly end: Party;

  constructor(party: Party, length: number) {
    let { ratchet } = party;
    for (let number = 0; number < length; number++) {
      const { state, key } = encryptHeader(ratchet);
      this.#keys.push(key);
      ratchet = state;
    }
    this.end = { ...party, ratchet };
  }

  message(number: number): Uint8Array {
    const key = this.#keys[number];
    if (!key) throw new Error(`the chain has no message ${number}`);
    return encryptBody(key, textOf(number), PADDED);
  }
}

/** Bob after he read message 0 of Alice's chain. */
let pair: Pair;
let chain: Chain;
let bob: Party;

beforeAll(() => {
  pair = newPair(BEGINNINGS["no PQ"]);
  chain = new Chain(pair.alice, 1200);
  ({ party: bob } = receive(pair.bob, chain.message(0)));
});

const read = (party: Party, number: number): Party => {
  const { party: after, result } = receive(party, chain.message(number));
  expect(result, `message ${number}`).toStrictEqual({ ok: true, plaintext: textOf(number) });
  return after;
};

describe("messages that do not come", () => {
  test("512 may be missing in a row, and are read when they come, in any order; one more may not", () => {
    const near = fc.integer({ min: MAX_SKIP - 3, max: MAX_SKIP + 3 });
    fc.assert(
      fc.property(fc.oneof(near, fc.nat(1100)), fc.array(fc.nat(1100), { maxLength: 12 }), (missing, late) => {
        const number = 1 + missing;
        if (missing > MAX_SKIP) {
          const { party, result } = receive(bob, chain.message(number));
          expect(result).toMatchObject({ ok: false, error: { code: "SKIPPED", count: missing + 1 } });
          expect(party).toStrictEqual(bob);
          return;
        }
        let after = read(bob, number);
        expect(after.skipped).toHaveLength(missing);
        const comeLate = new Set(late.filter(() => missing > 0).map((at) => 1 + at % missing));
        for (const earlier of comeLate) after = read(after, earlier);
        expect(after.skipped).toHaveLength(missing - comeLate.size);
        for (const earlier of comeLate) {
          const again = receive(after, chain.message(earlier));
          expect(again.result).toMatchObject({ ok: false, error: { code: "EARLIER", count: number - earlier } });
        }
        const last = receive(after, chain.message(number));
        expect(last.result).toMatchObject({ ok: false, error: { code: "DUPLICATE" } });
        read(after, number + 1);
      }),
      runs(60),
    );
  });

  test("again and again: each gap is measured from the last message that was read", () => {
    let after = bob;
    for (const number of [1 + MAX_SKIP, 2 + 2 * MAX_SKIP]) after = read(after, number);
    expect(after.skipped).toHaveLength(2 * MAX_SKIP);
    for (const number of [1, MAX_SKIP, 2 + MAX_SKIP, 1 + 2 * MAX_SKIP]) after = read(after, number);
  });
});

describe("messages missing at the end of a chain", () => {
  /** Alice's next chain, begun after she sent `sent` messages of which Bob read the first. */
  const nextChain = (sent: number): { readonly next: Chain; readonly before: Party } => {
    const answer = send(bob, utf8("answer"));
    const { party: alice, result } = receive(new Chain(pair.alice, sent).end, answer.message);
    expect(result.ok).toBe(true);
    return { next: new Chain(alice, 520), before: answer.party };
  };

  test("are known from the next chain, and are read when they come", () => {
    const { next, before } = nextChain(1 + MAX_SKIP);
    const { party, result } = receive(before, next.message(MAX_SKIP));
    expect(result).toStrictEqual({ ok: true, plaintext: textOf(MAX_SKIP) });
    expect(party.skipped, "as many of either chain").toHaveLength(2 * MAX_SKIP);
    const older = read(party, MAX_SKIP);
    expect(receive(older, next.message(0)).result).toStrictEqual({ ok: true, plaintext: textOf(0) });
    const again = receive(older, chain.message(MAX_SKIP)).result;
    expect(again, "a chain that is over").toMatchObject({ ok: false, error: { code: "HEADER" } });
  });

  test("too many: the next chain cannot be read, and nothing of it is kept", () => {
    const { next, before } = nextChain(2 + MAX_SKIP);
    const { party, result } = receive(before, next.message(0));
    expect(result).toMatchObject({ ok: false, error: { code: "SKIPPED", count: MAX_SKIP + 2 } });
    expect(party).toStrictEqual(before);
    expect(receive(read(before, 1), next.message(0)).result, "until one of them comes after all")
      .toStrictEqual({ ok: true, plaintext: textOf(0) });
  });
});

describe("skipped keys that are too many to store", () => {
  const keyOf = (name: number, number: number): SkippedKey => ({
    headerKey: new Uint8Array(32).fill(name),
    number,
    key: new Uint8Array(32),
    iv: new Uint8Array(16),
    chain: name,
  });
  const stored = fc.uniqueArray(fc.tuple(fc.nat(6), fc.nat(20)), { maxLength: 60, selector: ([a, b]) => a * 100 + b })
    .map((list) => list.map(([name, number]) => keyOf(name, number)));

  test("go from the oldest chain on, the first numbers first, and no more than must", () => {
    fc.assert(
      fc.property(stored, fc.nat(60), (keys, limit) => {
        const dropped = skippedToDrop(keys, limit);
        expect(dropped).toHaveLength(Math.max(0, keys.length - limit));
        const age = ({ chain: name, number }: SkippedKey): number => name * 1000 + number;
        const oldestKept = Math.min(...keys.filter((key) => !dropped.includes(key)).map(age));
        for (const key of dropped) expect(age(key)).toBeLessThan(oldestKept);
      }),
      runs(500),
    );
  });

  test("2048 may stay", () => {
    expect(MAX_STORED_SKIPPED).toBe(2048);
    const keys = Array.from({ length: 2049 }, (_, i) => keyOf(i % 2, i));
    expect(skippedToDrop(keys.slice(1))).toStrictEqual([]);
    expect(skippedToDrop(keys)).toStrictEqual([keyOf(0, 0)]);
  });

  test("a chain's keys count as its own: those of the ended chain are older", () => {
    const withOld = read(bob, 3);
    const answer = send(withOld, utf8("answer"));
    const alice = receive(new Chain(pair.alice, 6).end, answer.message).party;
    const { party } = receive(answer.party, new Chain(alice, 3).message(2));
    const numbers = skippedToDrop(party.skipped, 2).map(({ number }) => number);
    expect(party.skipped.map(({ number }) => number)).toStrictEqual([1, 2, 4, 5, 0, 1]);
    expect(numbers).toStrictEqual([1, 2, 4, 5]);
  });

  test("what was dropped is not read any more, all else is", () => {
    const after = read(bob, 10);
    const dropped = new Set(skippedToDrop(after.skipped, 4));
    const party = { ...after, skipped: after.skipped.filter((key) => !dropped.has(key)) };
    for (const number of [1, 5]) {
      expect(receive(party, chain.message(number)).result).toMatchObject({ ok: false, error: { code: "EARLIER" } });
    }
    for (const number of [6, 9, 11]) read(party, number);
  });
});
