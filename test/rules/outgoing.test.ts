import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EMPTY, hex } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { clearBlock, openClearBlock } from "#protocol/block";
import { encodeMessage, type Message } from "#protocol/commands";
import { sealRres } from "#protocol/commands/proxy";
import { authorizedBytes, encodeBatch, encodeTransmission, readBatch, readTransmission } from "#protocol/transmission";
import type { Carriage } from "../../src/objects/carriage/carriage.ts";
import { firstToOpen, type Way } from "../../src/objects/carriage/first.ts";
import { Lane } from "../../src/objects/lane.ts";
import { OutgoingSession } from "../../src/objects/outgoing-session.ts";
import { brokerErr, ForwardingError, networkErr } from "../../src/relay/destination.ts";
import { DESTINATION } from "../../src/relay/limits.ts";
import { named } from "../support/wire-client.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  expect(vi.getTimerCount(), "timers that would keep an object in memory").toBe(0);
  vi.useRealTimers();
});

const params = { version: 19, sessionId: randomBytes(32) };

/** A session over a carriage that keeps what it is given. */
function session() {
  const sent: Uint8Array[] = [];
  const state = { buffered: 0, isClosed: false };
  const carriage: Carriage = {
    get buffered() {
      return state.buffered;
    },
    send: (block) => void sent.push(block),
    close: () => (state.isClosed = true),
  };
  const certChainPubKey = { certChain: [randomBytes(10)], signedKey: randomBytes(10) };
  const details = { ...params, versions: { min: 8, max: 19 }, certChainPubKey, secret: randomBytes(32) };
  const outgoing = new OutgoingSession(details, carriage, () => undefined);
  const corrIdOf = (index: number): Uint8Array => {
    const [bytes = EMPTY] = readBatch(openClearBlock(sent[index] ?? EMPTY));
    return readTransmission(params, bytes).corrId;
  };
  const blockOf = (corrId: Uint8Array, message: Message): Uint8Array => {
    const authorized = authorizedBytes(params.sessionId, corrId, EMPTY, encodeMessage(message, 19));
    return clearBlock(encodeBatch([encodeTransmission(params, authorized, null, null)]));
  };
  return {
    outgoing,
    sent,
    state,
    answer(index: number, fwdResponse: Uint8Array): void {
      const corrId = corrIdOf(index);
      const encFwdResponse = sealRres(details.secret, corrId, { fwdCorrId: randomBytes(24), fwdResponse });
      outgoing.block(blockOf(corrId, { tag: "RRES", encFwdResponse }));
    },
    noise: () => outgoing.block(blockOf(randomBytes(24), { tag: "OK" })),
  };
}

const command = () => ({
  fwdCorrId: randomBytes(24),
  fwdVersion: 19,
  fwdKey: generateKeyPair("X25519").publicKey,
  fwdTransmission: randomBytes(100),
});

describe("a session with another relay", () => {
  it("gives each command its own answer, in whichever order they come", async () => {
    const { outgoing, answer } = session();
    const asked = [outgoing.forward(command()), outgoing.forward(command()), outgoing.forward(command())];
    for (const index of [2, 0, 1]) answer(index, Uint8Array.of(index));
    const answers = await Promise.all(asked);
    expect(answers).toEqual([0, 1, 2].map((index) => ({ tag: "PRES", encResponse: Uint8Array.of(index) })));
    outgoing.close(networkErr({ type: "failedError" }));
  });

  it("ends when the other side has been silent for as long as a command may take", async () => {
    const { outgoing, state } = session();
    const first = outgoing.forward(command());
    await vi.advanceTimersByTimeAsync(DESTINATION.answer - 1);
    const second = outgoing.forward(command());
    expect(state.isClosed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(state.isClosed).toBe(true);
    expect([await first, await second].map(named)).toEqual(Array(2).fill("ERR PROXY BROKER TIMEOUT"));
  });

  it("goes on when only one of its commands is not answered", async () => {
    const { outgoing, state, answer } = session();
    const [lost, found] = [outgoing.forward(command()), outgoing.forward(command())];
    answer(1, EMPTY);
    expect((await found).tag).toBe("PRES");
    await vi.advanceTimersByTimeAsync(DESTINATION.answer);
    expect(named(await lost)).toBe("ERR PROXY BROKER TIMEOUT");
    expect(state.isClosed).toBe(false);
    answer(0, EMPTY);
    expect(state.isClosed, "an answer that comes too late").toBe(false);
    outgoing.close(networkErr({ type: "failedError" }));
  });

  it("ends some time after its last use", async () => {
    const { outgoing, state, answer } = session();
    await vi.advanceTimersByTimeAsync(DESTINATION.idle - 1);
    const used = outgoing.forward(command());
    answer(0, EMPTY);
    await used;
    await vi.advanceTimersByTimeAsync(DESTINATION.idle - 1);
    outgoing.touch();
    await vi.advanceTimersByTimeAsync(DESTINATION.idle - 1);
    expect(state.isClosed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(state.isClosed).toBe(true);
  });

  it("tells everybody who waits when it ends", async () => {
    const { outgoing } = session();
    const asked = [outgoing.forward(command()), outgoing.forward(command())];
    outgoing.close(networkErr({ type: "failedError" }));
    expect((await Promise.all(asked)).map(named)).toEqual(Array(2).fill("ERR PROXY BROKER NETWORK"));
  });

  it("takes no more than it can hold, and nothing that its carriage cannot pass on", async () => {
    const { outgoing, sent, state } = session();
    const asked = Array.from({ length: DESTINATION.underWay }, () => outgoing.forward(command()));
    expect(named(await outgoing.forward(command()))).toBe("ERR PROXY BROKER TIMEOUT");
    expect(sent).toHaveLength(DESTINATION.underWay);
    outgoing.close(networkErr({ type: "failedError" }));
    await Promise.all(asked);
    const other = session();
    other.state.buffered = DESTINATION.buffered + 1;
    expect(named(await other.outgoing.forward(command()))).toBe("ERR PROXY BROKER TIMEOUT");
    expect(other.sent).toEqual([]);
    other.outgoing.close(networkErr({ type: "failedError" }));
    expect(state.isClosed).toBe(true);
  });

  it("refuses what fits no block without troubling the other side", async () => {
    const { outgoing, sent } = session();
    const large = { ...command(), fwdTransmission: randomBytes(16_300) };
    expect(named(await outgoing.forward(large))).toBe("ERR PROXY BROKER TRANSPORT LARGE_MSG");
    expect(sent).toEqual([]);
    outgoing.close(networkErr({ type: "failedError" }));
  });

  it("ends when the other side talks and talks, and when it cannot be understood", async () => {
    const talking = session();
    for (let i = 0; i <= 2 * DESTINATION.underWay; i++) talking.noise();
    expect(talking.state.isClosed).toBe(true);
    const { outgoing, state } = session();
    const asked = outgoing.forward(command());
    outgoing.block(new Uint8Array(16_384).fill(0xff));
    expect(state.isClosed).toBe(true);
    expect(named(await asked)).toBe("ERR PROXY BROKER RESPONSE \u0005BLOCK");
  });
});

describe("of several ways to another relay", () => {
  const times = { headStart: 100, connect: 1_000 };

  /** A way that opens or fails after some milliseconds, and what became of it. */
  function way(name: string, after: number, failure?: ForwardingError) {
    const events: string[] = [];
    const run: Way<string> = (signal) => {
      events.push("tried");
      signal.addEventListener("abort", () => void events.push("closed"));
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => (failure ? reject(failure) : resolve(name)), after);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          reject(new ForwardingError(networkErr({ type: "failedError" })));
        });
      });
    };
    return { run, events };
  }

  const failed = new ForwardingError(networkErr({ type: "failedError" }));
  const lied = new ForwardingError(brokerErr({ type: "TRANSPORT", transportErr: { type: "badSession" } }));

  async function outcome(...ways: readonly { run: Way<string> }[]): Promise<string> {
    const opened = firstToOpen(ways.map(({ run }) => run), times)
      .catch((error: ForwardingError) => named({ tag: "ERR", error: error.error }));
    await vi.advanceTimersByTimeAsync(times.connect);
    return await opened;
  }

  it("the first is the only one that is tried when it is quick", async () => {
    const [quick, other] = [way("quick", 50), way("other", 0)];
    expect(await outcome(quick, other)).toBe("quick");
    expect([quick.events, other.events]).toEqual([["tried"], []]);
  });

  it("the next is tried at once when one fails", async () => {
    const [broken, other] = [way("broken", 10, failed), way("other", 0)];
    expect(await outcome(broken, other)).toBe("other");
    expect(other.events).toEqual(["tried"]);
  });

  it("the next is tried too when one is slow, and the one that comes second is closed", async () => {
    const [slow, other] = [way("slow", 500), way("other", 10)];
    expect(await outcome(slow, other)).toBe("other");
    expect([slow.events, other.events]).toEqual([["tried", "closed"], ["tried"]]);
    const [late, later] = [way("late", 150), way("later", 100)];
    expect(await outcome(late, later)).toBe("late");
    expect([late.events, later.events]).toEqual([["tried"], ["tried", "closed"]]);
  });

  it("none is left open when time is up", async () => {
    const [slow, other] = [way("slow", 5_000), way("other", 5_000)];
    expect(await outcome(slow, other)).toBe("ERR PROXY BROKER NETWORK");
    expect([slow.events, other.events]).toEqual([["tried", "closed"], ["tried", "closed"]]);
  });

  it("no other is tried when another relay answers there", async () => {
    const stranger = new ForwardingError(networkErr({ type: "unknownCAError" }));
    const [wrong, other] = [way("wrong", 10, stranger), way("other", 10)];
    expect(await outcome(wrong, other)).toBe("ERR PROXY BROKER NETWORK");
    expect(other.events).toEqual([]);
    const [slow, late] = [way("slow", 500), way("late", 10, stranger)];
    expect(await outcome(slow, late)).toBe("ERR PROXY BROKER NETWORK");
    expect(slow.events).toEqual(["tried", "closed"]);
  });

  it("the failure is told that says most", async () => {
    expect(await outcome(way("a", 10, failed), way("b", 10, lied))).toBe("ERR PROXY BROKER TRANSPORT SESSION");
    expect(await outcome(way("a", 10, lied), way("b", 10, failed))).toBe("ERR PROXY BROKER TRANSPORT SESSION");
    expect(await outcome(way("a", 10, failed), way("b", 10, failed))).toBe("ERR PROXY BROKER NETWORK");
  });
});

describe("work beside the order of the rest", () => {
  it("is started in its order, so much at once, and ends when it ends", async () => {
    const lane = new Lane(2);
    const started: string[] = [];
    const gates = new Map<string, PromiseWithResolvers<string>>();
    const run = (name: string): Promise<string> => {
      const gate = Promise.withResolvers<string>();
      gates.set(name, gate);
      return lane.run(async () => {
        started.push(name);
        return () => gate.promise;
      });
    };
    const work = ["a", "b", "c", "d"].map(run);
    await vi.advanceTimersByTimeAsync(0);
    expect([started, lane.waiting]).toEqual([["a", "b"], 2]);
    gates.get("b")?.resolve("B");
    expect(await work[1]).toBe("B");
    await vi.advanceTimersByTimeAsync(0);
    expect([started, lane.waiting]).toEqual([["a", "b", "c"], 1]);
    for (const name of ["a", "c", "d"]) gates.get(name)?.resolve(name.toUpperCase());
    expect(await Promise.all(work)).toEqual(["A", "B", "C", "D"]);
    expect([started, lane.waiting]).toEqual([["a", "b", "c", "d"], 0]);
  });

  it("that fails gives its place away, whether it had started or not", async () => {
    const lane = new Lane(1);
    const work = [
      lane.run(() => Promise.reject(new Error("not started"))),
      lane.run(async () => () => Promise.reject(new Error("failed"))),
      lane.run(async () => async () => hex(Uint8Array.of(1))),
    ];
    const outcomes = await Promise.allSettled(work);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
  });
});
