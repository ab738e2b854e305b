import { describe, expect, test } from "vitest";
import { utf8 } from "#crypto/bytes";
import type { EncryptOptions } from "../../../client/ratchet/encrypt.ts";
import { readMessage } from "../../../client/ratchet/header.ts";
import { BEGINNINGS, newPair, PADDED, type Pair, receive, send } from "./support/party.ts";

/** One message, read at once; answers both parties and the size of its header. */
function say(
  pair: Pair,
  from: keyof Pair,
  options: EncryptOptions = {},
): { readonly pair: Pair; readonly header: number } {
  const to = from === "alice" ? "bob" : "alice";
  const text = utf8(`from ${from}`);
  const sent = send(pair[from], text, options);
  const received = receive(pair[to], sent.message);
  expect(received.result).toStrictEqual({ ok: true, plaintext: text });
  const after = { ...pair, [from]: sent.party, [to]: received.party };
  return { pair: after, header: readMessage(sent.message).header.length };
}

/** Whether the sending and the receiving chain are post-quantum safe, of both. */
function safety({ alice, bob }: Pair): readonly [boolean, boolean, boolean, boolean] {
  return [alice.ratchet.sndKem, alice.ratchet.rcvKem, bob.ratchet.sndKem, bob.ratchet.rcvKem];
}

const SMALL = 124;
const LARGE = 2346;

function rounds(begin: Pair, count: number): Pair {
  let pair = begin;
  for (let i = 0; i < count; i++) {
    ({ pair } = say(pair, "alice"));
    ({ pair } = say(pair, "bob"));
  }
  return pair;
}

describe("post-quantum encryption is agreed when both sides and the version support it", () => {
  const yesNo = [false, true];
  const all = [2, 3].flatMap((version) =>
    yesNo.flatMap((alicePq) =>
      yesNo.flatMap((bobPq) =>
        (bobPq ? yesNo : [false]).map((linkHasKem) => ({ version, alicePq, bobPq, linkHasKem })))));

  test.each(all)("version $version, Alice $alicePq, Bob $bobPq, a KEM key in the link: $linkHasKem", (beginning) => {
    const pair = rounds(newPair(beginning), 4);
    const isSafe = beginning.version === 3 && beginning.alicePq && beginning.bobPq;
    expect(safety(pair)).toStrictEqual([isSafe, isSafe, isSafe, isSafe]);
  });

  test("with the key in the link the very first chain is safe", () => {
    const { pair, header } = say(newPair(BEGINNINGS["a KEM accepted in the reply"]), "alice");
    expect(header).toBe(LARGE);
    expect(safety(pair)).toStrictEqual([true, false, true, true]);
  });

  test("without it, from the first answer on", () => {
    const first = say(newPair(BEGINNINGS["a KEM proposed in the reply"]), "alice");
    expect(safety(first.pair)).toStrictEqual([false, false, true, false]);
    expect(safety(say(first.pair, "bob").pair)).toStrictEqual([true, true, true, false]);
  });
});

describe("post-quantum encryption is switched in the middle of a conversation", () => {
  test("on by both: headers grow at once, and chains are safe after one proposed and one accepted", () => {
    let pair = rounds(newPair(BEGINNINGS["no PQ"]), 1);
    const said: (readonly [number, ReturnType<typeof safety>])[] = [];
    for (const from of ["alice", "bob", "alice", "bob", "alice"] as const) {
      const { header, pair: after } = say(pair, from, { pq: "on" });
      said.push([header, safety(after)]);
      pair = after;
    }
    expect(said).toStrictEqual([
      [LARGE, [false, false, false, false]],
      [LARGE, [false, false, false, false]],
      [LARGE, [false, false, true, false]],
      [LARGE, [true, true, true, false]],
      [LARGE, [true, true, true, true]],
    ]);
    expect(safety(rounds(pair, 2)), "and stays on with no further word").toStrictEqual([true, true, true, true]);
  });

  test("on by one only: nothing comes of it but larger headers", () => {
    const before = rounds(newPair(BEGINNINGS["no PQ"]), 1);
    const { pair } = say(before, "alice", { pq: "on" });
    const after = rounds(pair, 3);
    expect(safety(after)).toStrictEqual([false, false, false, false]);
    expect(say(after, "alice").header).toBe(LARGE);
    expect(say(after, "bob").header).toBe(SMALL);
  });

  test("off by one: chains are ordinary again within a round, headers stay large", () => {
    const before = rounds(newPair(BEGINNINGS["a KEM accepted in the reply"]), 1);
    expect(safety(before)).toStrictEqual([true, true, true, true]);
    const { pair } = say(before, "alice", { pq: "off" });
    const after = rounds(pair, 3);
    expect(safety(after)).toStrictEqual([false, false, false, false]);
    expect(say(after, "alice").header).toBe(LARGE);
  });

  test("on from version 2: the first answer raises both to version 3", () => {
    const first = say(newPair(BEGINNINGS["version 2"]), "alice", { pq: "on" });
    expect(first.header).toBe(123);
    expect(first.pair.bob.ratchet.version).toStrictEqual({ current: 3, max: 3 });
    const answer = say(first.pair, "bob", { pq: "on" });
    expect(answer.header).toBe(LARGE);
    expect(answer.pair.alice.ratchet.version).toStrictEqual({ current: 3, max: 3 });
    expect(safety(rounds(answer.pair, 3))).toStrictEqual([true, true, true, true]);
  });

  test("off while a chain is on its way: who reads its second message first must keep the state from before", () => {
    let pair = rounds(newPair(BEGINNINGS["a KEM accepted in the reply"]), 2);
    ({ pair } = say(pair, "alice"));
    const first = send(pair.bob, utf8("first"), { pq: "off" });
    const second = send(first.party, utf8("second"));
    const tooEarly = receive(pair.alice, second.message);
    expect(tooEarly.result).toMatchObject({ ok: false, error: { code: "BODY" } });
    expect(receive(tooEarly.party, first.message).result, "lost with what the official client keeps")
      .toMatchObject({ ok: false });
    const inOrder = receive(pair.alice, first.message);
    expect(inOrder.result).toStrictEqual({ ok: true, plaintext: utf8("first") });
    expect(receive(inOrder.party, second.message).result).toStrictEqual({ ok: true, plaintext: utf8("second") });
  });
});

describe("sizes of messages", () => {
  const sizes = ({ alice }: Pair, padded: readonly number[] = [PADDED, 14_832, 15_840]): readonly number[] =>
    padded.map((paddedLength) => send(alice, utf8("text"), { paddedLength }).message.length);

  test("in version 2, in version 3 and with a KEM", () => {
    expect(sizes(newPair(BEGINNINGS["version 2"]))).toStrictEqual([240, 14_972, 15_980]);
    expect(sizes(newPair(BEGINNINGS["no PQ"]))).toStrictEqual([242, 14_974, 15_982]);
    expect(sizes(newPair(BEGINNINGS["a KEM accepted in the reply"]), [11_106, 13_618])).toStrictEqual([13_470, 15_982]);
  });

  test("the longest text fits, one byte more does not", () => {
    const { alice, bob } = newPair(BEGINNINGS["no PQ"]);
    const longest = new Uint8Array(PADDED - 2).fill(7);
    const { message } = send(alice, longest);
    expect(receive(bob, message).result).toStrictEqual({ ok: true, plaintext: longest });
    expect(() => send(alice, new Uint8Array(PADDED - 1))).toThrow(expect.objectContaining({ code: "LARGE" }) as Error);
  });
});
