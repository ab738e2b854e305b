import { describe, expect, it } from "vitest";
import { EMPTY, utf8 } from "#crypto/bytes";
import type { QueueMode } from "#protocol/commands/queue";
import { delivered } from "../../../../client/agent/rules/delivered.ts";
import { taskFailed } from "../../../../client/agent/rules/task-failed.ts";
import { ProtocolError } from "../../../../client/errors.ts";
import { startRotation } from "../../../../client/agent/rules/rotate.ts";
import { sealDelivery } from "../../../../client/agent/rules/seal.ts";
import { openClientMessage, readClientMsgEnvelope } from "../../../../client/agent/wire/client-message.ts";
import {
  allowNow,
  collect,
  confirmed,
  connectedAsJoiner,
  invited,
  joined,
  type Meeting,
  newQueue,
  serverNamed,
  work,
} from "./support/meeting.ts";
import { newLane, newOwn, type Own } from "./support/peer.ts";
import { gist, type Side } from "./support/side.ts";

async function statuses(side: Side): Promise<{ receive: string[]; send: string[]; status: string }> {
  const { receive, send, status } = await side.connection();
  return { receive: receive.map((queue) => queue.status), send: send.map((queue) => queue.status), status };
}

const told = (side: Side): string[] => gist({ events: side.events, faults: side.faults });

/** The next item to a queue, which its relay takes; the side may hear of that later. */
async function sendNext(side: Side, queue: number): Promise<{ body: Uint8Array; isSigned: boolean; hear: () => Promise<unknown> }> {
  const [delivery] = await side.waiting(queue);
  const found = (await side.connection()).send.find(({ id }) => id === queue);
  if (!delivery || !found) throw new Error("nothing waits to be sent");
  const { body, key } = sealDelivery(found, delivery);
  return { body, isSigned: key !== null, hear: () => side.step((step) => delivered(step, queue, delivery)) };
}

/** The key to secure with that a confirmation holds. */
function senderKeyIn(body: Uint8Array, own: Own | undefined): boolean {
  if (!own?.secret) throw new Error("it was not opened yet");
  return openClientMessage(readClientMsgEnvelope(body), own.secret).senderKey !== null;
}

/** An initiator whose peer has answered with a queue of this mode, allowed; its confirmation waits to be sent. */
async function allowed(replyMode: QueueMode | null, isSecured: boolean): Promise<Meeting> {
  const { side, peer } = await invited();
  const senderKey = isSecured ? null : peer.lane.authKeys.publicKey;
  await side.receive(1, peer.reply({ senderKey }, newOwn(serverNamed("peer.example.com"), replyMode)));
  await allowNow(side);
  return { side, peer };
}

describe("the initiator", () => {
  it("stays when its request is refused the second time, after it was answered", async () => {
    const task = { type: "request", address: EMPTY, agentVersion: 7 } as const;
    const gone = new ProtocolError("own.example.com", "SEND", { type: "AUTH" });
    const answered = await confirmed();
    await answered.side.step((step) => taskFailed(step, task, gone));
    expect(told(answered.side)).toEqual(["confirmation"]);
    await allowNow(answered.side);
    const { side } = await invited();
    await side.step((step) => taskFailed(step, task, gone));
    expect(side.events).toMatchObject([{ type: "failed", reason: "NOT_AVAILABLE" }]);
  });

  it("is connected once its confirmation is with the peer's relay, where senders secure queues", async () => {
    const { side, peer } = await allowed("messaging", true);
    expect((await side.connection()).todo.map(({ type }) => type)).toEqual(["secureSend", "confirm"]);
    await work(side);
    const { body, isSigned, hear } = await sendNext(side, 2);
    expect(peer.read(body).type).toBe("connInfo");
    expect([isSigned, senderKeyIn(body, peer.own[0])]).toEqual([true, false]);
    expect((await statuses(side)).status).toBe("pending");
    await hear();
    expect(await statuses(side)).toEqual({ receive: ["confirmed"], send: ["active"], status: "connected" });
    await side.receive(1, peer.text());
    expect(await statuses(side)).toEqual({ receive: ["active"], send: ["active"], status: "connected" });
    expect(told(side)).toEqual(["confirmation", "connected", "message ok"]);
  });

  it("waits for HELLO and answers it, where recipients secure queues", async () => {
    const { side, peer } = await allowed(null, false);
    expect((await side.connection()).todo.map(({ type }) => type)).toEqual(["secureReceive", "confirm"]);
    await work(side);
    const confirmation = await sendNext(side, 2);
    expect(peer.read(confirmation.body).type).toBe("connInfo");
    expect([confirmation.isSigned, senderKeyIn(confirmation.body, peer.own[0])]).toEqual([false, true]);
    await confirmation.hear();
    expect(await statuses(side)).toEqual({ receive: ["secured"], send: ["confirmed"], status: "pending" });
    await side.receive(1, peer.message({ type: "HELLO" }));
    const hello = await sendNext(side, 2);
    expect(peer.read(hello.body)).toMatchObject({ type: "message", sndMsgId: 2, message: { type: "HELLO" } });
    expect(hello.isSigned).toBe(true);
    await hello.hear();
    expect(await statuses(side)).toEqual({ receive: ["active"], send: ["active"], status: "connected" });
    expect(told(side)).toEqual(["confirmation", "connected"]);
  });

  it("answers HELLO of a peer that secured this queue and cannot be secured against", async () => {
    const { side, peer } = await allowed(null, true);
    await work(side);
    for (const body of await collect(side, 2)) peer.read(body);
    expect((await statuses(side)).status).toBe("pending");
    await side.receive(1, peer.message({ type: "HELLO" }));
    expect((await collect(side, 2)).map((body) => peer.read(body))).toMatchObject([{ message: { type: "HELLO" } }]);
    expect((await statuses(side)).status).toBe("connected");
  });

  it("needs no HELLO when it can secure the peer's queue itself, though the peer could not", async () => {
    const { side, peer } = await allowed("messaging", false);
    expect((await side.connection()).todo.map(({ type }) => type)).toEqual(["secureReceive", "secureSend", "confirm"]);
    await work(side);
    for (const body of await collect(side, 2)) peer.read(body);
    expect(await statuses(side)).toEqual({ receive: ["secured"], send: ["active"], status: "connected" });
  });

  it("gets messages that the peer sent before it was allowed", async () => {
    const { side, peer } = await confirmed();
    const early = await side.receive(1, peer.text("early"));
    expect(early).toMatchObject({ isAcked: false, events: [{ type: "message", integrity: { type: "ok" } }] });
    const [event] = early.events;
    if (event?.type !== "message") throw new Error("there is no message");
    // A receipt would come before the confirmation, so none is sent.
    await allowNow(side);
    await side.acknowledge(event.item, EMPTY);
    await work(side);
    expect((await side.waiting(2)).map(({ kind, sndMsgId }) => [kind, sndMsgId])).toEqual([["confirmation", 1]]);
  });

  it("tells one confirmation only, and takes the same one again without a word", async () => {
    const { side, peer } = await invited();
    const body = peer.reply();
    expect(gist(await side.receive(1, body))).toEqual(["confirmation"]);
    const again = await side.receive(1, body);
    expect([gist(again), again.isAcked]).toEqual([[], true]);
  });

  it("is not kept from its peer by somebody who answers with nonsense first", async () => {
    const { side, peer } = await invited();
    const stranger = peer.copy();
    const ownInfo = { type: "connInfo", connInfo: utf8("no queue to reply to") } as const;
    expect(gist(await side.receive(1, stranger.confirmation(ownInfo)))).toEqual(["A_PROHIBITED"]);
    expect(await statuses(side)).toEqual({ receive: ["new"], send: [], status: "pending" });
    expect(gist(await side.receive(1, peer.reply()))).toEqual(["confirmation"]);
  });

  it("speaks the versions of its peer", async () => {
    const { side, peer } = await invited();
    await side.receive(1, peer.reply({ agentVersion: 4, clientVersion: 2 }));
    const { agentVersion, receive } = await side.connection();
    expect([agentVersion, receive[0]?.clientVersion]).toEqual([4, 2]);
  });
});

describe("the joiner", () => {
  const ownInfo = { type: "connInfo", connInfo: utf8("me") } as const;

  it("is connected once the peer's confirmation came, where senders secure queues", async () => {
    const { side, peer } = await joined();
    expect(await statuses(side)).toEqual({ receive: ["new"], send: ["confirmed"], status: "pending" });
    await side.receive(2, peer.confirmation(ownInfo, { e2eParams: null }));
    expect(await statuses(side)).toEqual({ receive: ["active"], send: ["active"], status: "connected" });
    expect(told(side)).toEqual(["info", "connected"]);
  });

  /** The peer has told its key; it is to be secured with, and HELLO waits to be sent. */
  async function secured(): Promise<Meeting> {
    const { side, peer } = await joined({ mode: null });
    await side.receive(2, peer.confirmation(ownInfo, { e2eParams: null, senderKey: peer.lane.authKeys.publicKey }));
    await work(side);
    expect(await statuses(side)).toEqual({ receive: ["secured"], send: ["confirmed"], status: "pending" });
    return { side, peer };
  }

  it("says HELLO and waits for the peer's, where recipients secure queues", async () => {
    const { side, peer } = await secured();
    expect((await collect(side, 1)).map((body) => peer.read(body))).toMatchObject([{ sndMsgId: 2, message: { type: "HELLO" } }]);
    expect(await statuses(side)).toEqual({ receive: ["secured"], send: ["active"], status: "pending" });
    await side.receive(2, peer.message({ type: "HELLO" }));
    expect(await statuses(side)).toEqual({ receive: ["active"], send: ["active"], status: "connected" });
    expect(told(side)).toEqual(["info", "connected"]);
  });

  it("tells its key in a confirmation that is not signed, to a queue that it cannot secure", async () => {
    const { side, peer } = await joined({ mode: null });
    // What `joined` collected was opened by the peer: the queue was not secured by SKEY.
    expect((await side.connection()).send[0]).toMatchObject({ mode: null, status: "confirmed" });
    expect(peer.own[0]?.secret).not.toBeNull();
  });

  it("is connected though the peer's HELLO overtakes the relay's answer to its own", async () => {
    const { side, peer } = await secured();
    const hello = await sendNext(side, 1);
    peer.read(hello.body);
    await side.receive(2, peer.message({ type: "HELLO" }));
    await hello.hear();
    await collect(side, 1);
    expect(await statuses(side)).toEqual({ receive: ["active"], send: ["active"], status: "connected" });
    expect(told(side)).toEqual(["info", "connected"]);
  });

  it("is connected though a message of the peer comes before its HELLO", async () => {
    const { side, peer } = await secured();
    await collect(side, 1);
    await side.receive(2, peer.text("early"));
    await side.receive(2, peer.message({ type: "HELLO" }));
    expect(await statuses(side)).toEqual({ receive: ["active"], send: ["active"], status: "connected" });
    expect(told(side)).toEqual(["info", "message ok", "connected"]);
  });

  it("takes the peer's confirmation once", async () => {
    const { side, peer } = await connectedAsJoiner();
    const { received } = await side.connection();
    expect(gist(await side.receive(2, peer.confirmation(ownInfo, { e2eParams: null })))).toEqual([]);
    expect((await side.connection()).received).toEqual(received);
  });

  it("takes no confirmation in a queue that it moves to", async () => {
    const { side, peer } = await connectedAsJoiner();
    await side.receive(2, peer.text());
    await side.step((step) => startRotation(step, null));
    const made = newQueue(3, "new.example.com");
    await side.tamper((connection) => ({ ...connection, todo: [], receive: [...connection.receive, { ...made, replaces: 2 }] }));
    const { received } = await side.connection();
    const lane = newLane({ ...peer.lane.address, dhKey: made.dhKeys.publicKey });
    const outcome = await side.receive(3, peer.confirmation(ownInfo, { e2eParams: null, lane }));
    expect([gist(outcome), outcome.isAcked]).toEqual([["A_PROHIBITED"], true]);
    expect((await side.connection()).received).toEqual(received);
  });
});

describe("a connection that never was", () => {
  it("takes no confirmation any more", async () => {
    const { side, peer } = await joined();
    await side.step((step) => step.fail({ type: "failed", reason: "NOT_AVAILABLE", detail: "gone" }));
    const body = peer.confirmation({ type: "connInfo", connInfo: EMPTY }, { e2eParams: null });
    expect(gist(await side.receive(2, body))).toEqual(["A_PROHIBITED"]);
  });
});
