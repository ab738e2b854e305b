import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { utf8 } from "#crypto/bytes";
import type { RatchetErrorCode } from "../../../client/ratchet/errors.ts";
import type { PqSwitch } from "../../../client/ratchet/state.ts";
import { BEGINNINGS, type Beginning, newPair, type Pair, type Party, receive, runs, send } from "./support/party.ts";

type Name = keyof Pair;

type Action =
  | { readonly type: "send"; readonly who: Name; readonly text: string; readonly pq: PqSwitch | null }
  /** One of the messages on their way, any of them. */
  | { readonly type: "deliver"; readonly which: number }
  /** A message that was delivered comes again. */
  | { readonly type: "repeat"; readonly which: number }
  | { readonly type: "lose"; readonly which: number };

const who = fc.constantFrom<Name>("alice", "bob");
const text = fc.string({ maxLength: 20 });
const which = fc.nat(1000);
const record = { noNullPrototype: true };

function actions(pq: fc.Arbitrary<PqSwitch | null>): fc.Arbitrary<Action[]> {
  const sending = fc.record({ type: fc.constant("send" as const), who, text, pq }, record);
  const other = (type: "deliver" | "repeat" | "lose"): fc.Arbitrary<Action> =>
    fc.record({ type: fc.constant(type), which }, record) as fc.Arbitrary<Action>;
  return fc.array(
    fc.oneof(
      { weight: 5, arbitrary: sending },
      { weight: 6, arbitrary: other("deliver") },
      { weight: 2, arbitrary: other("repeat") },
      { weight: 1, arbitrary: other("lose") },
    ),
    { minLength: 1, maxLength: 24, size: "max" },
  );
}

interface Sent {
  readonly to: Name;
  readonly plaintext: Uint8Array;
  readonly message: Uint8Array;
  /** Whether the chain that it belongs to is post-quantum safe, as its sender has it. */
  readonly isPq: boolean;
  /** Whether a receiver can begin the chain with it. */
  readonly opensChain: boolean;
}

const REPEATED: readonly RatchetErrorCode[] = ["DUPLICATE", "EARLIER", "HEADER"];

/** A network between two parties that restart after every step: everything is written down and read again. */
class Conversation {
  readonly #parties: Record<Name, Party>;
  readonly #onTheWay: Sent[] = [];
  readonly #delivered: Sent[] = [];
  readonly #last: Partial<Record<Name, Sent>> = {};

  constructor({ alice, bob }: Pair) {
    this.#parties = { alice, bob };
  }

  #send(from: Name, plaintext: Uint8Array, pq: PqSwitch | null): void {
    const before = this.#parties[from];
    if (!before.ratchet.snd) {
      expect(() => send(before, plaintext)).toThrow(expect.objectContaining({ code: "NO_SENDING_CHAIN" }) as Error);
      return;
    }
    const { party, message } = send(before, plaintext, pq ? { pq } : {});
    this.#parties[from] = party;
    const { sndKem: isPq, kem } = before.ratchet;
    // Once PQ was switched off, headers lack the ciphertext that the chain was made with (so it is officially).
    const opensChain = isPq === Boolean(kem?.accepted);
    this.#onTheWay.push({ to: from === "alice" ? "bob" : "alice", plaintext, message, isPq, opensChain });
  }

  #deliver(sent: Sent): void {
    const before = this.#parties[sent.to];
    const { party, result } = receive(before, sent.message);
    const isStep = party.ratchet.steps > before.ratchet.steps;
    if (isStep && !sent.opensChain) {
      expect(result).toMatchObject({ ok: false, error: { code: "BODY" } });
      // The state from before still reads what is to come, and then this one too.
      this.#onTheWay.push(sent);
      return;
    }
    expect(result).toStrictEqual({ ok: true, plaintext: sent.plaintext });
    if (isStep) expect(party.ratchet.rcvKem).toBe(sent.isPq);
    if (isStep || party.ratchet.nr !== before.ratchet.nr) this.#last[sent.to] = sent;
    this.#parties[sent.to] = party;
    this.#delivered.push(sent);
  }

  #repeat(sent: Sent): void {
    const before = this.#parties[sent.to];
    const { party, result } = receive(before, sent.message);
    if (result.ok) throw new Error("a message was decrypted twice");
    const expected: readonly RatchetErrorCode[] = this.#last[sent.to] === sent ? ["DUPLICATE"] : REPEATED;
    expect(expected).toContain(result.error.code);
    expect(party).toStrictEqual(before);
  }

  play(action: Action): void {
    if (action.type === "send") return this.#send(action.who, utf8(action.text), action.pq);
    const from = action.type === "repeat" ? this.#delivered : this.#onTheWay;
    const at = from.length === 0 ? 0 : action.which % from.length;
    const sent = from[at];
    if (!sent) return;
    if (action.type === "repeat") return this.#repeat(sent);
    this.#onTheWay.splice(at, 1);
    if (action.type === "deliver") this.#deliver(sent);
  }

  /** At last everything on its way arrives, in either order, and after it everything once more. */
  finish(backwards: boolean): void {
    for (let waiting = Number.POSITIVE_INFINITY; this.#onTheWay.length < waiting;) {
      waiting = this.#onTheWay.length;
      const round = this.#onTheWay.splice(0);
      for (const sent of backwards ? round.toReversed() : round) this.#deliver(sent);
    }
    expect(this.#onTheWay.filter(({ opensChain }) => opensChain)).toStrictEqual([]);
    for (const sent of this.#delivered) this.#repeat(sent);
  }
}

const noSwitch = fc.constant(null);
const anySwitch = fc.option(fc.constantFrom<PqSwitch>("on", "off"), { freq: 3, nil: null });

const CASES: readonly (readonly [string, Beginning, fc.Arbitrary<PqSwitch | null>, number])[] = [
  ["version 2", BEGINNINGS["version 2"], noSwitch, 400],
  ["version 2 where PQ is switched on and off, which raises it to 3", BEGINNINGS["version 2"], anySwitch, 200],
  ["no PQ", BEGINNINGS["no PQ"], noSwitch, 600],
  ["no PQ at first, switched on and off", BEGINNINGS["no PQ"], anySwitch, 300],
  ["a KEM proposed in the reply", BEGINNINGS["a KEM proposed in the reply"], noSwitch, 200],
  ["a KEM accepted in the reply, switched off and on", BEGINNINGS["a KEM accepted in the reply"], anySwitch, 300],
];

describe("two parties, any order, losses, repeats and restarts", () => {
  test.each(CASES)("%s: what arrives is read once and never twice", (_, beginning, pq, count) => {
    // States are never changed: every run begins with the same.
    const pair = newPair(beginning);
    fc.assert(
      fc.property(actions(pq), fc.boolean(), (list, backwards) => {
        const conversation = new Conversation(pair);
        for (const action of list) conversation.play(action);
        conversation.finish(backwards);
      }),
      runs(count),
    );
  });
});
