import { beforeAll, describe, expect, it } from "vitest";
import { EMPTY, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { encode } from "#protocol/codec";
import { queueUriOf } from "#protocol/queue-address";
import type { AgentMessage } from "../../../../client/agent/wire/agent-message.ts";
import { agentMessage } from "../../../../client/agent/wire/agent-message.ts";
import { delivered, refused } from "../../../../client/agent/rules/delivered.ts";
import { enqueue } from "../../../../client/agent/rules/enqueue.ts";
import { leaveIfOverdue } from "../../../../client/agent/rules/leave.ts";
import type { Dropped } from "../../../../client/agent/rules/send-failure.ts";
import { addressOf, newOwn, type Own } from "./support/peer.ts";
import { collect, connectedAsInitiator, copyOf, joined, type Meeting, serverNamed } from "./support/meeting.ts";
import { gist, type Outcome, type Side } from "./support/side.ts";

const DAY = 86_400_000;
const GONE: Dropped = { type: "drop", reason: "NOT_AVAILABLE", detail: "ERR AUTH" };

let connected: Meeting;
/** The peer has told the side to use another queue: number 3 replaces 2. */
let moving: Meeting & { readonly fresh: Own };
beforeAll(async () => {
  connected = await connectedAsInitiator();
  const { side, peer } = copyOf(connected);
  const [old] = peer.own;
  const fresh = newOwn(serverNamed("fresh.example.com"));
  if (!old) throw new Error("the peer has no queue");
  const replaces = addressOf(old.info);
  await side.receive(1, peer.message({ type: "QADD", queues: [{ uri: queueUriOf(fresh.info, { min: 1, max: 4 }), replaces }] }));
  for (const body of await collect(side, 2)) peer.read(body);
  await side.receive(1, peer.message({ type: "QUSE", queues: [{ address: addressOf(fresh.info), primary: true }] }));
  moving = { side, peer, fresh };
});

function say(side: Side, text: string): Promise<Outcome> {
  return side.step((step) => enqueue(step, { type: "A_MSG", body: utf8(text) }, "message"));
}

/** What becomes of the first item that waits for a queue. */
async function next(side: Side, queue: number, dropped: Dropped | null = null): Promise<string[]> {
  const [delivery] = await side.waiting(queue);
  if (!delivery) throw new Error(`nothing waits for queue ${queue}`);
  return gist(await side.step((step) => dropped ? refused(step, queue, delivery, dropped) : delivered(step, queue, delivery)));
}

describe("a message", () => {
  it("is told as sent once its relay has it", async () => {
    const { side } = copyOf(connected);
    await say(side, "hi");
    expect(await next(side, 2)).toEqual(["sent"]);
    expect(await side.waiting(2)).toEqual([]);
  });

  it("is told as not sent when its relay will not have it, and the next one is tried all the same", async () => {
    const { side } = copyOf(connected);
    await say(side, "refused");
    await say(side, "taken");
    expect(await next(side, 2, { type: "drop", reason: "REFUSED", detail: "ERR LARGE_MSG" })).toEqual(["unsent"]);
    expect(await next(side, 2)).toEqual(["sent"]);
  });

  it("is told once though it goes to two queues, whichever relay takes it first", async () => {
    for (const [first, second] of [[2, 3], [3, 2]] as const) {
      const { side } = copyOf(moving);
      await say(side, "hi");
      // The test of the new queue is still on its way.
      const [test, hi] = await side.waiting(3);
      expect([test?.kind, hi?.kind]).toEqual(["qtest", "message"]);
      const take = async (queue: number): Promise<string[]> => {
        const delivery = (await side.waiting(queue)).find(({ kind }) => kind === "message");
        if (!delivery) throw new Error("the message does not wait");
        return gist(await side.step((step) => delivered(step, queue, delivery)));
      };
      expect([await take(first), await take(second)]).toEqual([["sent"], []]);
    }
  });

  it.each([["old", 2, 3], ["new", 3, 2]])("is sent though the %s one of two queues refuses it", async (_, refusing, taking) => {
    const { side } = copyOf(moving);
    await say(side, "hi");
    const at = async (queue: number, dropped: Dropped | null): Promise<string[]> => {
      const delivery = (await side.waiting(queue)).find(({ kind }) => kind === "message");
      if (!delivery) throw new Error("the message does not wait");
      return gist(await side.step((step) => (dropped ? refused(step, queue, delivery, dropped) : delivered(step, queue, delivery))));
    };
    expect([await at(refusing, GONE), await at(taking, null)]).toEqual([[], ["sent"]]);
  });

  it("is told as not sent when both of two queues refuse it", async () => {
    const { side } = copyOf(moving);
    await say(side, "hi");
    const heard: string[][] = [];
    for (const queue of [3, 2]) {
      const delivery = (await side.waiting(queue)).find(({ kind }) => kind === "message");
      if (!delivery) throw new Error("the message does not wait");
      heard.push(gist(await side.step((step) => refused(step, queue, delivery, GONE))));
    }
    expect(heard.flat()).toEqual(["unsent"]);
  });

  it("that still waits for the old queue takes the new one too", async () => {
    const { side, peer } = copyOf(connected);
    await say(side, "before");
    const [old] = peer.own;
    const fresh = newOwn(serverNamed("fresh.example.com"));
    if (!old) throw new Error("the peer has no queue");
    const uri = queueUriOf(fresh.info, { min: 1, max: 4 });
    await side.receive(1, peer.message({ type: "QADD", queues: [{ uri, replaces: addressOf(old.info) }] }));
    await side.receive(1, peer.message({ type: "QUSE", queues: [{ address: addressOf(fresh.info), primary: true }] }));
    expect((await side.waiting(2)).map(({ kind }) => kind)).toEqual(["message", "qkey", "qtest"]);
    expect((await side.waiting(3)).map(({ kind }) => kind)).toEqual(["message", "qkey", "qtest"]);
    expect([await next(side, 3), await next(side, 3), await next(side, 3)]).toEqual([["sent"], [], ["send completed"]]);
    expect(await side.waiting(2)).toEqual([]);
  });
});

describe("a receipt", () => {
  const receipt = (sndMsgId: number, msgHash: Uint8Array) =>
    ({ type: "A_RCVD", receipts: [{ sndMsgId, msgHash, info: EMPTY }] }) as const;

  it("tells once that the message arrived as it was sent", async () => {
    const { side, peer } = copyOf(connected);
    await say(side, "hi");
    const [body] = await collect(side, 2);
    if (!body) throw new Error("nothing was sent");
    const read: AgentMessage = peer.read(body);
    const hash = sha256(encode(agentMessage, read));
    expect(gist(await side.receive(1, peer.message(receipt(2, hash))))).toEqual(["receipt ok"]);
    expect(gist(await side.receive(1, peer.message(receipt(2, hash))))).toEqual([]);
    expect(gist(await side.receive(1, peer.message(receipt(2, EMPTY))))).toEqual([]);
  });

  it("tells that something else arrived, and takes a better one afterwards", async () => {
    const { side, peer } = copyOf(connected);
    await say(side, "hi");
    const [body] = await collect(side, 2);
    if (!body) throw new Error("nothing was sent");
    const hash = sha256(encode(agentMessage, peer.read(body)));
    expect(gist(await side.receive(1, peer.message(receipt(2, utf8("another")))))).toEqual(["receipt badHash"]);
    expect(gist(await side.receive(1, peer.message(receipt(2, hash))))).toEqual(["receipt ok"]);
  });

  it("for what is no message of the application is refused, and the others with it are used", async () => {
    const { side, peer } = copyOf(connected);
    await side.receive(1, peer.message({ type: "EREADY", lastDecryptedMsgId: 1 }));
    await say(side, "hi");
    const [body] = await collect(side, 2);
    if (!body) throw new Error("nothing was sent");
    const hash = sha256(encode(agentMessage, peer.read(body)));
    const some = [1, 2, 3].map((sndMsgId) => ({ sndMsgId, msgHash: hash, info: EMPTY }));
    const [first, ...rest] = some;
    if (!first) throw new Error("there is no receipt");
    expect(gist(await side.receive(1, peer.message({ type: "A_RCVD", receipts: [first, ...rest] }))))
      .toEqual(["receipt ok", "A_PROHIBITED", "A_PROHIBITED"]);
  });
});

describe("a connection that is being made", () => {
  it("fails when the peer's queue does not take the confirmation", async () => {
    const { side } = await joinedUnsent();
    expect(await next(side, 1, GONE)).toEqual(["failed"]);
    expect(await side.connection()).toMatchObject({ status: "failed", todo: [] });
  });
});

async function joinedUnsent(): Promise<Meeting> {
  const meeting = await joined();
  // `joined` has sent the confirmation already: it is put back.
  const { side } = meeting;
  const connection = await side.connection();
  const [queue] = connection.send;
  if (!queue) throw new Error("there is no queue");
  await side.step((step) => {
    enqueue(step, { type: "HELLO" }, "confirmation", { queues: [queue] });
  });
  return meeting;
}

describe("a connection that was deleted and waits for its messages", () => {
  const leave = (side: Side): Promise<void> =>
    side.tamper((connection) => ({ ...connection, receive: [], todo: [], status: "leaving" }));

  it("goes with the last of them, sent or not", async () => {
    for (const dropped of [null, GONE]) {
      const { side } = copyOf(connected);
      await say(side, "one");
      await say(side, "two");
      await leave(side);
      await next(side, 2);
      expect(await side.isGone()).toBe(false);
      const [delivery] = await side.waiting(2);
      if (!delivery) throw new Error("nothing waits");
      await side.step((step) => (dropped ? refused(step, 2, delivery, dropped) : delivered(step, 2, delivery)));
      expect(await side.isGone()).toBe(true);
      for (const table of ["outbox", "sent", "hashes", "skipped"] as const) expect(await side.rows(table)).toBe(0);
    }
  });

  it("waits for two days, however old it is", async () => {
    const { side } = copyOf(connected);
    side.now += 100 * DAY;
    await say(side, "one");
    side.now += DAY;
    await say(side, "two");
    await leave(side);
    side.now += 2 * DAY;
    await side.step(leaveIfOverdue);
    expect(await side.isGone()).toBe(false);
    side.now += 1;
    await side.step(leaveIfOverdue);
    expect(await side.isGone()).toBe(true);
  });

  it("is the only kind that goes so", async () => {
    const { side } = copyOf(connected);
    await say(side, "one");
    side.now += 10 * DAY;
    await side.step(leaveIfOverdue);
    expect(await side.isGone()).toBe(false);
  });

  it("goes with a confirmation that nobody takes", async () => {
    const { side } = await joinedUnsent();
    await leave(side);
    const [delivery] = await side.waiting(1);
    if (!delivery) throw new Error("nothing waits");
    const outcome = await side.step((step) => refused(step, 1, delivery, GONE));
    expect(gist(outcome)).toEqual([]);
    expect(await side.isGone()).toBe(true);
  });
});
