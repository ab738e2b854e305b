import { beforeAll, describe, expect, it } from "vitest";
import { randomBytes } from "#crypto/random";
import type { AgentError } from "../../../../client/agent/errors.ts";
import type { SyncState } from "../../../../client/agent/records.ts";
import { synchronise } from "../../../../client/agent/rules/resync.ts";
import { rotationQueueMade, startRotation } from "../../../../client/agent/rules/rotate.ts";
import { canSend } from "../../../../client/agent/rules/sending.ts";
import type { E2eKeys } from "../../../../client/ratchet/agree.ts";
import { e2eParamsOf, generateE2eKeys } from "../../../../client/ratchet/agree.ts";
import { initInitiator, initJoiner } from "../../../../client/ratchet/state.ts";
import { collect, connectedAsInitiator, copyOf, type Meeting, newQueue } from "./support/meeting.ts";
import { gist, type Side } from "./support/side.ts";
import { type Actor, copyOfActor, World } from "./support/world.ts";

const HOUR = 3_600_000;

interface Pair {
  readonly world: World;
  readonly a: Actor;
  readonly b: Actor;
}

let talking: Pair;
let connected: Meeting;
beforeAll(async () => {
  talking = await World.connected();
  const { world, a, b } = talking;
  await exchange(world, a, b);
  connected = await connectedAsInitiator();
  await connected.side.receive(1, connected.peer.text());
});

function pairOf({ world, a, b }: Pair = talking): Pair {
  return { world: world.copy(), a: copyOfActor(a), b: copyOfActor(b) };
}

/** Each says something and hears the other. */
async function exchange(world: World, a: Actor, b: Actor): Promise<void> {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    const { length } = to.received;
    expect(await world.send(from, `hello ${from.sent.length}`)).toBe(true);
    await world.settle(a, b);
    expect(to.received.slice(length)).toEqual(from.sent.slice(-1));
  }
}

const told = ({ side }: Actor): string[] => gist(side);
const state = async (side: Side): Promise<SyncState> => (await side.connection()).sync.state;
const force = (side: Side): Promise<unknown> => side.step((step) => synchronise(step, true));
const code = async ({ side }: Actor): Promise<Uint8Array | undefined> => (await side.connection()).ratchet?.associatedData;

/** The side as it was before, in a program that was restored. */
function restored(actor: Actor, copy: Side): void {
  const { now } = actor.side;
  actor.side = copy.copy();
  actor.side.now = now;
  actor.unread.length = 0;
}

describe("a repair", () => {
  it.each([["one side begins", 1], ["both sides begin at once", 2]])("gives both sides a new ratchet when %s", async (_, count) => {
    const { world, a, b } = pairOf();
    const before = await code(a);
    for (const { side } of [a, b].slice(0, count)) await force(side);
    await world.settle(a, b);
    expect([await state(a.side), await state(b.side)]).toEqual(["ok", "ok"]);
    expect(told(a)).toEqual(["sync started", "sync agreed", "sync ok"]);
    expect(told(b)).toEqual([...(count === 2 ? ["sync started"] : []), "sync agreed", "sync ok"]);
    expect(await code(a)).toEqual(await code(b));
    expect(await code(a)).not.toEqual(before);
    await exchange(world, a, b);
    // The chain of messages goes on over it: nothing seems to be missing.
    const heard = [...a.side.events, ...b.side.events].filter((event) => event.type === "message");
    expect(heard.map(({ integrity }) => integrity.type)).toEqual(["ok", "ok"]);
  });

  it("can be made again and again", async () => {
    const { world, a, b } = pairOf();
    for (const { side } of [a, b, a, a]) {
      await force(side);
      await world.settle(a, b);
      await exchange(world, a, b);
    }
    expect([...a.side.faults, ...b.side.faults]).toEqual([]);
  });

  it("may be begun again before it is answered", async () => {
    const { world, a, b } = pairOf();
    for (let i = 0; i < 3; i++) await force(a.side);
    await world.settle(a, b);
    await exchange(world, a, b);
    // Only EREADY of an agreement that was replaced at once cannot be read.
    expect(told(a).filter((line) => line.startsWith("sync"))).toEqual(["sync started", "sync started", "sync started", "sync agreed", "sync ok"]);
  });

  it("comes to an end though one side forgets it in the middle", async () => {
    const { world, a, b } = pairOf();
    const before = b.side.copy();
    await force(a.side);
    await world.settle(a, b);
    restored(b, before);
    await force(a.side);
    await world.settle(a, b);
    await exchange(world, a, b);
  });

  it("brings post-quantum encryption back", async () => {
    const { world, a, b } = await World.connected(true);
    await exchange(world, a, b);
    await force(a.side);
    await world.settle(a, b);
    for (let i = 0; i < 2; i++) await exchange(world, a, b);
    for (const { side } of [a, b]) {
      expect((await side.connection()).ratchet).toMatchObject({ sndKem: true, rcvKem: true });
    }
  });

  it("is not for connections that are not made, old peers, or without a reason", async () => {
    const refusal = (side: Side, isForced: boolean): Promise<unknown> =>
      side.step((step) => synchronise(step, isForced)).then(() => "begun", (error: unknown) => (error as AgentError).refusal);
    const { a } = pairOf();
    expect(await refusal(a.side, false)).toBe("PROHIBITED");
    await a.side.tamper((connection) => ({ ...connection, agentVersion: 2 }));
    expect(await refusal(a.side, true)).toBe("VERSION");
    await a.side.tamper((connection) => ({ ...connection, agentVersion: 7, send: [] }));
    expect(await refusal(a.side, true)).toBe("PROHIBITED");
  });
});

describe("a peer that was restored from an old copy", () => {
  it.each([[1, 0], [1, 1], [2, 1], [3, 2], [5, 5]])("%i messages sent, %i received: is noticed, and all is well again", async (sent, received) => {
    const { world, a, b } = pairOf();
    const old = a.side.copy();
    for (let i = 0; i < Math.max(sent, received); i++) {
      if (i < sent) await world.send(a, "lost with the copy");
      await world.settle(a, b);
      if (i < received) await world.send(b, "lost with the copy");
      await world.settle(a, b);
    }
    restored(a, old);
    await world.resubscribe(a);
    for (let i = 0; i < 4; i++) {
      for (const actor of [a, b]) await world.send(actor, "after it");
      await world.settle(a, b);
    }
    expect([await state(a.side), await state(b.side)]).toEqual(["ok", "ok"]);
    await exchange(world, a, b);
  });
});

describe("what could not be read", () => {
  /** A message whose ratchet header nothing opens, or whose body was altered. */
  const unreadable = (peer: Meeting["peer"], at: number): Uint8Array => {
    const honest = peer.encrypt(randomBytes(10));
    return peer.encrypted(honest.with(at, (honest.at(at) ?? 0) ^ 1));
  };
  const header = (peer: Meeting["peer"]): Uint8Array => unreadable(peer, 60);
  const body = (peer: Meeting["peer"]): Uint8Array => unreadable(peer, -1);

  it("once may be one message only; twice in a row it is the ratchet", async () => {
    const { side, peer } = copyOf(connected);
    side.repairs = false;
    expect(gist(await side.receive(1, body(peer)))).toEqual(["sync allowed", "A_CRYPTO"]);
    expect(canSend(await side.connection())).toBe(true);
    expect(gist(await side.receive(1, peer.text()))).toEqual(["sync ok", "message ok"]);
    expect(gist(await side.receive(1, body(peer)))).toEqual(["sync allowed", "A_CRYPTO"]);
    expect(gist(await side.receive(1, body(peer)))).toEqual(["sync required", "A_CRYPTO"]);
    expect(canSend(await side.connection())).toBe(false);
    expect(gist(await side.receive(1, peer.text()))).toEqual(["sync ok", "message ok"]);
  });

  it("is repaired without asking, once an hour at most", async () => {
    const { side, peer } = copyOf(connected);
    expect(gist(await side.receive(1, header(peer)))).toEqual(["sync required", "sync started", "A_CRYPTO"]);
    expect((await side.waiting(2)).map(({ kind, notification }) => [kind, notification])).toEqual([["ratchetKey", true]]);
    // The peer says nothing to it, but a message that can be read.
    expect(gist(await side.receive(1, peer.text()))).toEqual(["message ok"]);
    expect(await state(side)).toBe("started");
    side.now += HOUR - 1_000;
    expect(gist(await side.receive(1, peer.text()))).toEqual(["message ok"]);
    side.now += 1_000;
    expect(gist(await side.receive(1, peer.text()))).toEqual(["sync started", "message ok"]);
    expect(await side.waiting(2)).toHaveLength(2);
  });

  it("is left to the application where it wants that", async () => {
    const { side, peer } = copyOf(connected);
    side.repairs = false;
    expect(gist(await side.receive(1, header(peer)))).toEqual(["sync required", "A_CRYPTO"]);
    expect(await side.waiting(2)).toEqual([]);
    expect(gist(await side.step((step) => synchronise(step, false)))).toEqual(["sync started"]);
  });

  it("is not answered to peers that cannot repair", async () => {
    const { side, peer } = copyOf(connected);
    await side.tamper((connection) => ({ ...connection, agentVersion: 2 }));
    const outcome = await side.receive(1, peer.seal({ type: "message", agentVersion: 2, encAgentMessage: peer.encrypt(randomBytes(10)).with(60, 0) }));
    expect(gist(outcome)).toEqual(["sync required", "A_CRYPTO"]);
  });
});

describe("keys of a peer", () => {
  /** What the peer makes of its keys and the side's, which is ready to send when `isSender`. */
  function agree(peer: Meeting["peer"], keys: E2eKeys, answer: Uint8Array, isSender: boolean): void {
    const envelope = peer.open(answer);
    if (envelope.type !== "ratchetKey") throw new Error("the side answered with something else");
    peer.skipped = [];
    peer.ratchet = isSender ? initJoiner(keys, envelope.e2eParams) : initInitiator(keys, envelope.e2eParams, false);
  }

  async function offered(): Promise<Meeting & { keys: E2eKeys }> {
    const { side, peer } = copyOf(connected);
    const keys = generateE2eKeys(false);
    expect(gist(await side.receive(1, peer.ratchetKey(e2eParamsOf(keys, 3))))).toEqual(["sync agreed"]);
    return { side, peer, keys };
  }

  it("are answered with keys, and EREADY by the side whose keys have the higher hash", async () => {
    const { side, peer, keys } = await offered();
    const isSender = (await side.connection()).ratchet?.snd === null;
    const [answer, ready] = await collect(side, 2);
    if (!answer) throw new Error("there was no answer");
    expect(ready === undefined, "EREADY").toBe(isSender);
    agree(peer, keys, answer, isSender);
    if (ready) expect(peer.read(ready)).toMatchObject({ message: { type: "EREADY" } });
    const eready = { type: "EREADY", lastDecryptedMsgId: 1 } as const;
    expect(gist(await side.receive(1, peer.message(eready)))).toEqual(["sync ok"]);
    // Who could not send before says so now.
    expect((await collect(side, 2)).map((body) => peer.read(body))).toMatchObject(isSender ? [{ message: { type: "EREADY" } }] : []);
    // The keys have a number of their own, and EREADY follows them: nothing is missing.
    expect(gist(await side.receive(1, peer.text()))).toEqual(["message ok"]);
    expect(gist(await side.receive(1, peer.message(eready)))).toEqual([]);
    expect(await side.waiting(2)).toEqual([]);
  });

  it("are taken once", async () => {
    const { side, peer, keys } = await offered();
    await collect(side, 2);
    const { ratchet } = await side.connection();
    const again = await side.receive(1, peer.ratchetKey(e2eParamsOf(keys, 3)));
    expect([gist(again), again.isAcked]).toEqual([[], true]);
    expect((await side.connection()).ratchet).toEqual(ratchet);
    expect(await side.waiting(2)).toEqual([]);
  });

  it("that come again before the new ratchet was used are answered with the same keys", async () => {
    const { side, peer } = await offered();
    const [first] = await collect(side, 2);
    const others = generateE2eKeys(false);
    expect(gist(await side.receive(1, peer.ratchetKey(e2eParamsOf(others, 3))))).toEqual(["sync agreed"]);
    const [second, ready] = await collect(side, 2);
    if (!first || !second) throw new Error("there was no answer");
    expect(peer.open(second)).toMatchObject({ type: "ratchetKey", e2eParams: (peer.open(first) as { e2eParams: object }).e2eParams });
    agree(peer, others, second, ready === undefined);
    if (ready) expect(peer.read(ready)).toMatchObject({ message: { type: "EREADY" } });
    expect(gist(await side.receive(1, peer.message({ type: "EREADY", lastDecryptedMsgId: 1 })))).toEqual(["sync ok"]);
  });

  it("without end do not fill the record", async () => {
    const { side, peer } = copyOf(connected);
    const seen = Array.from({ length: 100 }, () => ({ hash: randomBytes(32), at: side.now }));
    await side.tamper((connection) => ({ ...connection, sync: { ...connection.sync, seen } }));
    await side.receive(1, peer.ratchetKey(e2eParamsOf(generateE2eKeys(false), 3)));
    expect((await side.connection()).sync.seen).toHaveLength(100);
    expect((await side.connection()).sync.seen.slice(0, -1)).toEqual(seen.slice(1));
  });

  it("leave nothing of the old ratchet", async () => {
    const { side, peer } = copyOf(connected);
    peer.text();
    await side.receive(1, peer.text());
    expect(await side.rows("skipped")).toBe(1);
    await side.receive(1, peer.ratchetKey(e2eParamsOf(generateE2eKeys(false), 3)));
    expect(await side.rows("skipped")).toBe(0);
  });

  it("let the queue go on while nothing can be sent", async () => {
    for (;;) {
      const { side, peer } = await offered();
      // One half of all keys make the side wait for the peer's first message.
      if ((await side.connection()).ratchet?.snd !== null) continue;
      await collect(side, 2);
      const quota = await side.receiveQuota(1);
      expect([gist(quota), quota.isAcked, await side.waiting(2)]).toEqual([[], true, []]);
      const old = await side.receive(1, peer.text("of the old ratchet"));
      expect([gist(old), old.isAcked]).toEqual([["A_CRYPTO"], true]);
      // After an hour it is no message that was sent before, but a peer that knows nothing of the agreement.
      side.now += HOUR;
      expect(gist(await side.receive(1, peer.text()))).toEqual(["sync required", "sync started", "A_CRYPTO"]);
      return;
    }
  });

  it("end a move that has just begun: QADD could not be read", async () => {
    const { side, peer } = copyOf(connected);
    await side.step((step) => startRotation(step, null));
    await side.receive(1, peer.ratchetKey(e2eParamsOf(generateE2eKeys(false), 3)));
    const made = await side.step((step) => {
      step.finishTask();
      rotationQueueMade(step, { ...newQueue(0), id: step.nextQueue(), replaces: 1 });
    });
    expect(gist(made)).toEqual(["receive failed"]);
    expect((await side.connection()).receive).toMatchObject([{ id: 1, rotation: null }]);
    expect(await side.rows("removals")).toBe(1);
  });
});
