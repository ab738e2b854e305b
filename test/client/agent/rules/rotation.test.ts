import { beforeAll, describe, expect, it } from "vitest";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { type SmpQueueInfo, queueUriOf, type SndQAddr } from "#protocol/queue-address";
import type { AgentError } from "../../../../client/agent/errors.ts";
import type { SyncState } from "../../../../client/agent/records.ts";
import { infoOf } from "../../../../client/agent/rules/addresses.ts";
import { delivered, refused } from "../../../../client/agent/rules/delivered.ts";
import {
  abortRotation,
  queueRemoved,
  rotationQueueMade,
  startRotation,
  stopWaiting,
  useQueue,
} from "../../../../client/agent/rules/rotate.ts";
import type { AMessage } from "../../../../client/agent/wire/agent-message.ts";
import { collect, connectedAsInitiator, copyOf, type Meeting, newQueue, serverNamed } from "./support/meeting.ts";
import { addressOf, type Lane, newLane, newOwn, type Own, type Peer } from "./support/peer.ts";
import { gist, type Side } from "./support/side.ts";

let connected: Meeting;
beforeAll(async () => {
  connected = await connectedAsInitiator();
  await connected.side.receive(1, connected.peer.text());
});

const QUEUE_RANGE = { min: 1, max: 4 };

describe("the side whose peer moves", () => {
  const own = (peer: Peer): SmpQueueInfo => {
    const [first] = peer.own;
    if (!first) throw new Error("the peer has no queue");
    return first.info;
  };
  const qadd = (fresh: Own, replaces: SndQAddr | null, versions = QUEUE_RANGE): AMessage =>
    ({ type: "QADD", queues: [{ uri: queueUriOf(fresh.info, versions), replaces: replaces && addressOf(replaces) }] });
  const quse = (address: SndQAddr): AMessage => ({ type: "QUSE", queues: [{ address: addressOf(address), primary: true }] });

  async function added(): Promise<Meeting & { readonly fresh: Own }> {
    const meeting = copyOf(connected);
    const fresh = newOwn(serverNamed("fresh.example.com"));
    await meeting.side.receive(1, meeting.peer.message(qadd(fresh, own(meeting.peer))));
    return { ...meeting, fresh };
  }

  it("answers QADD with its keys, QUSE with a test of the new queue, and leaves the old one", async () => {
    const { side, peer, fresh } = await added();
    const [body] = await collect(side, 2);
    if (!body) throw new Error("nothing was sent");
    const qkey = peer.read(body);
    if (qkey.type !== "message" || qkey.message.type !== "QKEY") throw new Error("that is no QKEY");
    const [{ info }] = qkey.message.queues;
    expect(addressOf(info)).toEqual(addressOf(fresh.info));
    // The key in it is the sender's, not that of the queue.
    expect(info.dhKey).not.toEqual(fresh.info.dhKey);
    expect((await side.connection()).send.map(({ status, rotation, replaces }) => [status, rotation, replaces]))
      .toEqual([["active", "sending_qkey", null], ["new", null, 2]]);
    await side.receive(1, peer.message(quse(fresh.info)));
    // The test takes both queues: only in the new one something follows from it.
    for (const queue of [2, 3]) expect((await side.waiting(queue)).map(({ kind }) => kind)).toEqual(["qtest"]);
    await collectOne(side, 2);
    expect((await side.connection()).send).toHaveLength(2);
    await collect(side, 3);
    expect((await side.connection()).send.map(({ id, status, rotation, replaces }) => [id, status, rotation, replaces]))
      .toEqual([[3, "active", null, null]]);
    expect(gist({ events: side.events, faults: side.faults })).toEqual(["send started", "send secured", "send completed"]);
  });

  it.each<[string, (peer: Peer, fresh: Own) => AMessage, string]>([
    ["QADD of the queue in use", (peer) => qadd({ info: own(peer), dhKeys: generateKeyPair("X25519"), secret: null }, own(peer)), "A_QUEUE"],
    ["QADD of the queue that was added", (peer, fresh) => qadd(fresh, own(peer)), "A_QUEUE"],
    ["QADD of versions to come", (peer) => qadd(newOwn(), own(peer), { min: 5, max: 9 }), "A_VERSION"],
    ["QADD with a key of low order", (peer) => {
      const { info, ...rest } = newOwn();
      return qadd({ ...rest, info: { ...info, dhKey: { algorithm: "X25519", raw: new Uint8Array(32) } } }, own(peer));
    }, "A_CRYPTO"],
    ["QUSE of the queue in use", (peer) => quse(own(peer)), "A_QUEUE"],
    ["QKEY of the queue in use", (peer) => {
      return { type: "QKEY", queues: [{ info: own(peer), senderKey: generateKeyPair("Ed25519").publicKey }] };
    }, "A_QUEUE"],
  ])("refuses %s, and the move goes on", async (_, make, fault) => {
    const { side, peer, fresh } = await added();
    const outcome = await side.receive(1, peer.message(make(peer, fresh)));
    expect([gist(outcome), outcome.isAcked]).toEqual([[fault], true]);
    expect(gist(await side.receive(1, peer.text()))).toEqual(["message ok"]);
    expect(gist(await side.receive(1, peer.message(quse(fresh.info))))).toEqual(["send secured"]);
  });

  it("refuses QUSE before its own keys were sent, twice, and after the move", async () => {
    const { side, peer } = copyOf(connected);
    const fresh = newOwn(serverNamed("fresh.example.com"));
    expect(gist(await side.receive(1, peer.message(quse(fresh.info))))).toEqual(["A_QUEUE"]);
    await side.receive(1, peer.message(qadd(fresh, own(peer))));
    await side.receive(1, peer.message(quse(fresh.info)));
    expect(gist(await side.receive(1, peer.message(quse(fresh.info))))).toEqual(["A_QUEUE"]);
    await collect(side, 3);
    expect(gist(await side.receive(1, peer.message(quse(fresh.info))))).toEqual(["A_QUEUE"]);
    expect((await side.connection()).send).toHaveLength(1);
  });

  it("forgets a move that the peer began anew", async () => {
    const { side, peer, fresh } = await added();
    const another = newOwn(serverNamed("another.example.com"));
    expect(gist(await side.receive(1, peer.message(qadd(another, own(peer)))))).toEqual(["send started"]);
    expect((await side.connection()).send.map(({ id, replaces }) => [id, replaces])).toEqual([[2, null], [4, 2]]);
    expect(gist(await side.receive(1, peer.message(quse(fresh.info))))).toEqual(["A_QUEUE"]);
    expect(gist(await side.receive(1, peer.message(quse(another.info))))).toEqual(["send secured"]);
    // Again, now that the other queue may be used: what waits for it goes, and is in the old queue all the same.
    await side.receive(1, peer.message(qadd(fresh, own(peer))));
    expect(await side.waiting(4)).toEqual([]);
    expect((await side.connection()).send.map(({ id, replaces }) => [id, replaces])).toEqual([[2, null], [5, 2]]);
  });

  it("does not answer what is too long to be answered", async () => {
    const { side, peer } = copyOf(connected);
    const hosts = Array.from({ length: 60 }, (_, i) => `${"h".repeat(230)}${i}.com`);
    const info = { ...newOwn().info, server: { ...serverNamed(""), hosts } };
    // Its own messages hold less, to have room for keys.
    await side.tamper((connection) => ({ ...connection, pq: true }));
    const outcome = await side.receive(1, peer.message(qadd({ ...newOwn(), info }, own(peer)), { paddedLength: 15_840 }));
    expect([gist(outcome), outcome.isAcked]).toEqual([["A_PROHIBITED"], true]);
    expect((await side.connection()).send).toHaveLength(1);
    expect(gist(await side.receive(1, peer.text()))).toEqual(["message ok"]);
  });

  it.each<SyncState>(["started"])("does not move while the encryption is %s", async (state) => {
    const { side, peer, fresh } = await added();
    await side.tamper((connection) => ({ ...connection, sync: { ...connection.sync, state, triedAt: side.now } }));
    expect(gist(await side.receive(1, peer.message(quse(fresh.info))))).toEqual(["A_QUEUE"]);
    expect(gist(await side.receive(1, peer.message(qadd(newOwn(), own(peer)))))).toEqual(["A_QUEUE"]);
  });
});

describe("the side that moves", () => {
  interface Moving extends Meeting {
    /** The new queue as the peer sees it. */
    readonly info: SmpQueueInfo;
    readonly lane: Lane;
  }

  /** The new queue is there, QADD waits to be sent. */
  async function moving(): Promise<Moving> {
    const { side, peer } = copyOf(connected);
    await side.step((step) => startRotation(step, null));
    const made = newQueue(2, "new.example.com");
    await side.step((step) => {
      step.finishTask();
      rotationQueueMade(step, { ...made, id: step.nextQueue(), replaces: 1 });
    });
    const info = infoOf(made, 4);
    return { side, peer, info, lane: newLane(info) };
  }

  const qkey = (info: SmpQueueInfo, lane: Lane): AMessage =>
    ({ type: "QKEY", queues: [{ info: { ...info, dhKey: lane.dhKeys.publicKey }, senderKey: lane.authKeys.publicKey }] });

  /** The queue is secured and QUSE waits to be sent. */
  async function used(): Promise<Moving> {
    const meeting = await moving();
    const { side, peer, info, lane } = meeting;
    await side.receive(1, peer.message(qkey(info, lane)));
    await side.step((step) => {
      step.finishTask();
      step.updateRcvQueue(3, { status: "secured" });
    });
    await side.step((step) => {
      step.finishTask();
      useQueue(step, 3);
    });
    return meeting;
  }

  const states = async (side: Side): Promise<unknown[]> =>
    (await side.connection()).receive.map(({ id, status, rotation, replaces }) => [id, status, rotation, replaces]);
  const tasks = async (side: Side): Promise<string[]> => (await side.connection()).todo.map(({ type }) => type);
  const refusal = (action: Promise<unknown>): Promise<string> =>
    action.then(() => "allowed", (error: unknown) => (error as AgentError).refusal);

  it("adds a queue, secures it for the peer, and removes the old one once a message came through the new one", async () => {
    const { side, peer, lane } = await used();
    for (const body of await collect(side, 2)) peer.read(body);
    expect(await states(side)).toEqual([[1, "active", "sending_quse", null], [3, "secured", null, 1]]);
    // What comes through the new queue waits until the old one is empty, and comes again then.
    const msgId = randomBytes(24);
    const test = peer.message({ type: "QTEST", queues: [addressOf(lane.address)] }, { lane });
    const first = await side.receive(3, test, msgId);
    expect([gist(first), first.isAcked]).toEqual([[], false]);
    expect(await tasks(side)).toEqual(["remove"]);
    expect((await states(side)).at(0)).toEqual([3, "secured", null, 1]);
    expect(gist(await side.receive(1, peer.text("sent before"))).length).toBe(1);
    const removed = await side.step((step) => {
      step.finishTask();
      queueRemoved(step, 1);
    });
    expect([gist(removed), removed.effects]).toEqual([["receive completed"], [{ type: "again", queue: 3 }]]);
    const again = await side.receive(3, test, msgId);
    expect([gist(again), again.isAcked]).toEqual([[], true]);
    expect(await states(side)).toEqual([[3, "active", null, null]]);
  });

  it("takes what is late from an old relay that could not be reached", async () => {
    const { side, peer, lane } = await used();
    const late = peer.text("late");
    const next = peer.text("next", { lane });
    expect((await side.receive(3, next)).isAcked).toBe(false);
    const gaveUp = await side.step((step) => {
      step.finishTask();
      stopWaiting(step, 1);
    });
    expect(gaveUp.effects).toContainEqual({ type: "again", queue: 3 });
    expect(gist(gaveUp)).toEqual(["receive completed"]);
    expect(gist(await side.receive(3, next))).toEqual(["message skipped"]);
    expect(gist(await side.receive(1, late))).toEqual(["message badId"]);
    // Copies of both come through the other queue too.
    for (const [queue, body] of [[1, next], [3, late]] as const) {
      const copy = await side.receive(queue, body);
      expect([gist(copy).filter((line) => line !== "A_CRYPTO"), copy.isAcked]).toEqual([[], true]);
    }
    expect(await tasks(side)).toEqual(["remove"]);
  });

  it("tells a message once that came through both queues", async () => {
    const { side, peer, lane } = await used();
    await side.receive(3, peer.message({ type: "QTEST", queues: [addressOf(lane.address)] }, { lane }));
    await side.step((step) => {
      step.finishTask();
      stopWaiting(step, 1);
    });
    const encrypted = peer.encrypt(new TextEncoder().encode("M"));
    expect(gist(await side.receive(3, peer.encrypted(encrypted, { lane })))).toEqual(["A_MESSAGE"]);
    const copy = await side.receive(1, peer.encrypted(encrypted));
    expect([gist(copy), copy.isAcked]).toEqual([[], true]);
  });

  it.each<[string, (info: SmpQueueInfo, lane: Lane) => AMessage, string]>([
    ["for the queue in use", (info, lane) => ({ type: "QKEY", queues: [{ info: { ...info, senderId: lane.address.senderId }, senderKey: lane.authKeys.publicKey }] }), "A_QUEUE"],
    ["for a queue elsewhere", (info, lane) => qkey({ ...info, senderId: randomBytes(24) }, lane), "A_QUEUE"],
    ["of a version to come", (info, lane) => qkey({ ...info, clientVersion: 5 }, lane), "A_VERSION"],
    ["with a key of low order", (info, lane) => qkey(info, { ...lane, dhKeys: { ...lane.dhKeys, publicKey: { algorithm: "X25519", raw: new Uint8Array(32) } } }), "A_CRYPTO"],
  ])("refuses QKEY %s, and the move goes on", async (_, make, fault) => {
    const { side, peer, info, lane } = await moving();
    const odd = make(info, _ === "for the queue in use" ? peer.lane : lane);
    const outcome = await side.receive(1, peer.message(odd));
    expect([gist(outcome), outcome.isAcked]).toEqual([[fault], true]);
    expect(gist(await side.receive(1, peer.message(qkey(info, lane))))).toEqual(["receive confirmed"]);
    expect(await tasks(side)).toEqual(["secureReceive", "use"]);
  });

  it("refuses QKEY once the queue is secured, and after the move was taken back", async () => {
    const secured = await used();
    const { side, peer, info, lane } = secured;
    expect(gist(await side.receive(1, peer.message(qkey(info, lane))))).toEqual(["A_QUEUE"]);
    const aborted = await moving();
    await aborted.side.step(abortRotation);
    expect(gist(await aborted.side.receive(1, aborted.peer.message(qkey(aborted.info, aborted.lane))))).toEqual(["A_QUEUE"]);
  });

  it("takes a message that comes through the new queue before the peer was told to use it, with a fault", async () => {
    const { side, peer, info, lane } = await moving();
    await side.receive(1, peer.message(qkey(info, lane)));
    const outcome = await side.receive(3, peer.text("hasty", { lane }));
    expect([gist(outcome), outcome.isAcked]).toEqual([["message ok", "A_QUEUE"], false]);
    expect((await states(side)).at(0)).toEqual([1, "active", "sending_qadd", null]);
  });

  it("can take the move back until QUSE, and no longer", async () => {
    const { side } = copyOf(connected);
    expect(await refusal(side.step(abortRotation))).toBe("PROHIBITED");
    await side.step((step) => startRotation(step, null));
    expect(await refusal(side.step((step) => startRotation(step, null)))).toBe("PROHIBITED");
    expect(gist(await side.step(abortRotation))).toEqual(["receive aborted"]);
    expect([await tasks(side), await states(side)]).toEqual([[], [[1, "active", null, null]]]);

    const made = await moving();
    expect(gist(await made.side.step(abortRotation))).toEqual(["receive aborted"]);
    expect([await states(made.side), await made.side.rows("removals")]).toEqual([[[1, "active", null, null]], 1]);

    const keyed = await moving();
    await keyed.side.receive(1, keyed.peer.message(qkey(keyed.info, keyed.lane)));
    expect(gist(await keyed.side.step(abortRotation))).toEqual(["receive aborted"]);
    // What was to be done for the new queue is not done any more: its relay may be what does not work.
    expect([await tasks(keyed.side), await keyed.side.rows("removals")]).toEqual([[], 1]);
    expect(gist(await keyed.side.step((step) => useQueue(step, 3)))).toEqual([]);

    const last = await used();
    expect(await refusal(last.side.step(abortRotation))).toBe("PROHIBITED");
    await last.side.receive(3, last.peer.text("through the new queue", { lane: last.lane }));
    expect(await refusal(last.side.step(abortRotation))).toBe("PROHIBITED");
  });

  it.each(["qadd", "quse"])("stays where it is when the peer cannot be sent %s", async (kind) => {
    const { side, peer } = kind === "qadd" ? await moving() : await used();
    if (kind === "quse") {
      const [first] = await side.waiting(2);
      expect(first?.kind).toBe("qadd");
      await collectOne(side, 2);
    }
    const [delivery] = await side.waiting(2);
    if (delivery?.kind !== kind) throw new Error(`${String(delivery?.kind)} waits`);
    const dropped = { type: "drop", reason: "EXPIRED", detail: "two days" } as const;
    expect(gist(await side.step((step) => refused(step, 2, delivery, dropped)))).toEqual(["receive failed"]);
    expect([await states(side), await side.rows("removals")]).toEqual([[[1, "active", null, null]], 1]);
    expect(gist(await side.receive(1, peer.text()))).toEqual(["message ok"]);
    expect(await refusal(side.step((step) => startRotation(step, null)))).toBe("allowed");
  });
});

async function collectOne(side: Side, queue: number): Promise<void> {
  const [delivery] = await side.waiting(queue);
  if (delivery) await side.step((step) => delivered(step, queue, delivery));
}
