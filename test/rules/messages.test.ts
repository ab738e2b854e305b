import { describe, expect, it } from "vitest";
import { EMPTY } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { describeError } from "#protocol/errors";
import type { IdentifiedSend } from "../../src/relay/execute.ts";
import { newId } from "../../src/relay/messages.ts";
import type { Outcome } from "../../src/relay/ports.ts";
import { QueueBench } from "../support/queue-bench.ts";

const sending = (): IdentifiedSend => ({ tag: "SEND", msgId: newId(), notification: false, body: Uint8Array.of(1) });

const errorOf = ({ answer }: Outcome): string => (answer.tag === "ERR" ? describeError(answer.error) : answer.tag);

describe("delivery", () => {
  it("pushes a message to a waiting subscriber and the next one only with the ACK", () => {
    const bench = new QueueBench();
    const first = bench.send("one", true);
    expect(first.answer).toEqual({ tag: "OK" });
    expect(first.events).toHaveLength(1);
    expect(first.events[0]?.connection).toBe("recipient");
    expect(first.events[0]?.entityId).toEqual(bench.ids.recipientId);
    expect(bench.open(first.events[0]?.message)).toMatchObject({ text: "one", notification: true, ts: bench.now });
    const second = bench.send("two");
    expect(second.events).toEqual([]);
    const acked = bench.ack(first.events[0]?.message);
    expect(bench.open(acked.answer).text).toBe("two");
    expect(bench.ack(acked.answer).answer).toEqual({ tag: "OK" });
    expect(bench.store.size()).toBe(0);
  });

  it("costs one write to store and one to acknowledge", () => {
    const bench = new QueueBench();
    const { events } = bench.send("one");
    expect(bench.store.writes).toBe(1);
    bench.ack(events[0]?.message);
    expect(bench.store.writes).toBe(2);
  });

  it("keeps messages for a recipient that is away and delivers the head with SUB", () => {
    const bench = new QueueBench({ subscribe: false });
    expect(bench.send("one").events).toEqual([]);
    bench.send("two");
    const subscribed = bench.run({ tag: "SUB" });
    expect(subscribed.answer).toEqual({ tag: "SOK", serviceId: null });
    expect(bench.open(subscribed.followUp).text).toBe("one");
    expect(subscribed.subscriptions).toBe(1);
  });

  it("delivers the head again for a repeated SUB, without a write and without END to itself", () => {
    const bench = new QueueBench();
    bench.send("one");
    bench.store.writes = 0;
    const again = bench.run({ tag: "SUB" });
    expect(bench.open(again.followUp).text).toBe("one");
    expect(again.events).toEqual([]);
    expect(again.subscriptions).toBeUndefined();
    expect(bench.store.writes).toBe(0);
  });

  it("tells the former subscriber END when another connection takes over; its ACK then finds nothing", () => {
    const bench = new QueueBench();
    const sent = bench.send("one");
    bench.store.writes = 0;
    const taken = bench.run({ tag: "SUB" }, "other");
    expect(taken.events).toEqual([{ connection: "recipient", entityId: bench.ids.recipientId, message: { tag: "END" } }]);
    expect(bench.open(taken.followUp).text).toBe("one");
    expect(bench.store.writes).toBe(1);
    expect(errorOf(bench.ack(sent.events[0]?.message, "recipient"))).toBe("NO_MSG");
    expect(bench.ack(taken.followUp, "other").answer.tag).toBe("OK");
  });

  it("tells every message its own id and time, in order of sending", () => {
    const bench = new QueueBench({ subscribe: false });
    for (let i = 0; i < 20; i++) {
      bench.now++;
      bench.send(`message ${i}`);
    }
    let { followUp: message } = bench.run({ tag: "SUB" });
    const ids = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const opened = bench.open(message);
      expect(opened).toMatchObject({ text: `message ${i}`, ts: 1_700_000_001 + i });
      ids.add(String(opened.msgId));
      const { answer } = bench.ack(message);
      message = answer;
    }
    expect(message).toEqual({ tag: "OK" });
    expect(ids.size).toBe(20);
  });
});

describe("ACK", () => {
  it("of an unknown id is NO_MSG and keeps the delivered message", () => {
    const bench = new QueueBench();
    const { events } = bench.send("one");
    expect(errorOf(bench.run({ tag: "ACK", msgId: randomBytes(24) }))).toBe("NO_MSG");
    expect(bench.ack(events[0]?.message).answer).toEqual({ tag: "OK" });
  });

  it("twice is NO_MSG", () => {
    const bench = new QueueBench();
    const { events } = bench.send("one");
    bench.ack(events[0]?.message);
    expect(errorOf(bench.ack(events[0]?.message))).toBe("NO_MSG");
  });

  it("with an empty id deletes nothing: a subscriber gets the same message again", () => {
    const bench = new QueueBench();
    bench.send("one");
    const { answer } = bench.run({ tag: "ACK", msgId: EMPTY });
    expect(bench.open(answer).text).toBe("one");
    expect(bench.store.size()).toBe(1);
  });

  it("without a subscription is NO_MSG", () => {
    const bench = new QueueBench({ subscribe: false });
    bench.send("one");
    expect(errorOf(bench.run({ tag: "ACK", msgId: EMPTY }))).toBe("NO_MSG");
  });
});

describe("GET", () => {
  it("answers the head with the command and disturbs no subscriber", () => {
    const bench = new QueueBench();
    bench.send("one");
    const got = bench.run({ tag: "GET" }, "fetcher");
    expect(bench.open(got.answer).text).toBe("one");
    expect(got.events).toEqual([]);
    expect(bench.open(bench.run({ tag: "GET" }, "fetcher").answer).text).toBe("one");
  });

  it("is acknowledged with OK and never with the next message", () => {
    const bench = new QueueBench({ subscribe: false });
    bench.send("one");
    bench.send("two");
    const got = bench.run({ tag: "GET" }, "fetcher");
    expect(bench.ack(got.answer, "fetcher").answer).toEqual({ tag: "OK" });
    expect(errorOf(bench.ack(got.answer, "fetcher"))).toBe("NO_MSG");
    expect(bench.open(bench.run({ tag: "GET" }, "fetcher").answer).text).toBe("two");
  });

  it("of an empty queue is OK, and its ACK is NO_MSG even when a message came since", () => {
    const bench = new QueueBench({ subscribe: false });
    expect(bench.run({ tag: "GET" }, "fetcher").answer).toEqual({ tag: "OK" });
    bench.send("one");
    expect(errorOf(bench.run({ tag: "ACK", msgId: EMPTY }, "fetcher"))).toBe("NO_MSG");
  });

  it("and SUB exclude each other in one connection", () => {
    const bench = new QueueBench();
    expect(errorOf(bench.run({ tag: "GET" }, "recipient"))).toBe("CMD PROHIBITED");
    bench.run({ tag: "GET" }, "fetcher");
    expect(errorOf(bench.run({ tag: "SUB" }, "fetcher"))).toBe("CMD PROHIBITED");
  });

  it("that takes the message a subscriber holds leaves the subscriber to acknowledge it, and then to go on", () => {
    const bench = new QueueBench();
    const pushed = bench.send("one").events[0]?.message;
    const got = bench.run({ tag: "GET" }, "fetcher").answer;
    bench.ack(got, "fetcher");
    expect(bench.send("two").events).toEqual([]);
    const next = bench.ack(pushed);
    expect(bench.open(next.answer).text).toBe("two");
    expect(bench.ack(next.answer).answer).toEqual({ tag: "OK" });
  });
});

describe("quota", () => {
  const quota = { limits: { queueQuota: 3 } };

  it("refuses the message after the last and leaves one marker in its place", () => {
    const bench = new QueueBench(quota);
    const first = bench.send("1").events[0]?.message;
    bench.send("2");
    bench.send("3");
    expect(errorOf(bench.send("4"))).toBe("QUOTA");
    expect(errorOf(bench.send("5"))).toBe("QUOTA");
    expect(bench.store.size()).toBe(4);
    const second = bench.ack(first).answer;
    expect(errorOf(bench.send("6"))).toBe("QUOTA");
    const third = bench.ack(second).answer;
    const marker = bench.ack(third).answer;
    expect(bench.open(marker)).toMatchObject({ type: "quota", ts: bench.now });
    expect(errorOf(bench.send("7"))).toBe("QUOTA");
    expect(bench.ack(marker).answer).toEqual({ tag: "OK" });
    expect(bench.send("8").answer).toEqual({ tag: "OK" });
  });

  it("is 128 by default", () => {
    const bench = new QueueBench();
    for (let i = 0; i < 128; i++) expect(bench.send("m").answer.tag).toBe("OK");
    expect(errorOf(bench.send("m"))).toBe("QUOTA");
    expect(bench.store.size()).toBe(129);
  });

  it("does not notify for a message it refused", () => {
    const bench = new QueueBench({ limits: { queueQuota: 1 }, ntf: true });
    bench.run({ tag: "NSUB" }, "notifier");
    bench.send("1", true);
    expect(bench.send("2", true).events).toEqual([]);
  });
});

describe("expiry", () => {
  const day = 86_400;

  it("drops messages older than their time when another is sent", () => {
    const bench = new QueueBench({ subscribe: false });
    bench.send("old");
    bench.now += 21 * day + 1;
    bench.send("new");
    expect(bench.open(bench.run({ tag: "SUB" }).followUp).text).toBe("new");
    expect(bench.store.size()).toBe(1);
  });

  it("keeps what is exactly as old as allowed", () => {
    const bench = new QueueBench({ subscribe: false });
    bench.send("old");
    bench.now += 21 * day;
    bench.send("new");
    expect(bench.store.size()).toBe(2);
  });

  it("never drops a quota marker nor what stands behind one", () => {
    const bench = new QueueBench({ subscribe: false, limits: { queueQuota: 1 } });
    bench.send("1");
    bench.send("refused");
    bench.now += 30 * day;
    expect(errorOf(bench.send("2"))).toBe("QUOTA");
    expect(bench.open(bench.run({ tag: "SUB" }).followUp).type).toBe("quota");
  });

  it("lets a subscriber acknowledge the message that expired in its hands, and gives it the next", () => {
    const bench = new QueueBench();
    const held = bench.send("old").events[0]?.message;
    bench.now += 22 * day;
    expect(bench.send("new").events).toEqual([]);
    const next = bench.ack(held);
    expect(bench.open(next.answer).text).toBe("new");
    expect(bench.ack(next.answer).answer).toEqual({ tag: "OK" });
  });
});

describe("SEND", () => {
  it.each([[6, 16_088], [7, 16_088], [8, 16_064], [10, 16_064], [11, 16_048], [19, 16_048]])(
    "in version %i takes %i bytes and no more",
    (version, length) => {
      const bench = new QueueBench();
      const sent = (size: number): Outcome =>
        bench.run({ ...sending(), body: new Uint8Array(size) }, "sender", null, version);
      expect(sent(length).answer.tag).toBe("OK");
      expect(errorOf(sent(length + 1))).toBe("LARGE_MSG");
    },
  );

  it("takes an empty body", () => {
    const bench = new QueueBench();
    expect(bench.open(bench.send("").events[0]?.message).text).toBe("");
  });

  it("to a suspended queue is AUTH, and what was stored can still be received", () => {
    const bench = new QueueBench({ subscribe: false });
    bench.send("one");
    expect(bench.run({ tag: "OFF" }).answer.tag).toBe("OK");
    expect(bench.run({ tag: "OFF" }).answer.tag).toBe("OK");
    expect(errorOf(bench.send("two"))).toBe("AUTH");
    expect(bench.open(bench.run({ tag: "SUB" }).followUp).text).toBe("one");
  });

  it("with a key to an unsecured queue, and without one to a secured queue, is AUTH", () => {
    const bench = new QueueBench();
    const sender = bench.sender.secretKey;
    expect(errorOf(bench.run(sending(), "sender", sender))).toBe("AUTH");
    bench.run({ tag: "SKEY", key: bench.sender.publicKey }, "sender");
    expect(errorOf(bench.run(sending(), "sender", null))).toBe("AUTH");
    expect(errorOf(bench.run(sending(), "sender", generateKeyPair("X25519").secretKey))).toBe("AUTH");
    expect(bench.run(sending(), "sender", sender).answer.tag).toBe("OK");
  });
});

describe("a SEND that comes a second time", () => {
  it("is one message: stored once, and told to a subscriber that may have missed it", () => {
    const bench = new QueueBench();
    const command = sending();
    const [first, second] = [bench.run(command, "sender"), bench.run(command, "sender")];
    expect([first.answer, second.answer]).toEqual([{ tag: "OK" }, { tag: "OK" }]);
    expect(second.events).toEqual(first.events);
    expect([bench.store.size(), bench.store.writes]).toEqual([1, 1]);
  });

  it("waits behind what the subscriber holds", () => {
    const bench = new QueueBench();
    bench.send("held");
    const command = sending();
    bench.run(command, "sender");
    expect(bench.run(command, "sender").events).toEqual([]);
    expect(bench.store.size()).toBe(2);
  });

  it("does not come back once it was acknowledged", () => {
    const bench = new QueueBench();
    const command = sending();
    bench.ack(bench.run(command, "sender").events[0]?.message);
    expect(bench.run(command, "sender")).toMatchObject({ answer: { tag: "OK" }, events: [] });
    expect(bench.store.size()).toBe(0);
  });

  it("is stored where only a quota marker took its place, once there is room", () => {
    const bench = new QueueBench({ limits: { queueQuota: 1 } });
    const held = bench.send("held").events[0]?.message;
    const command = sending();
    for (let i = 0; i < 2; i++) expect(errorOf(bench.run(command, "sender"))).toBe("QUOTA");
    expect(bench.store.size()).toBe(2);
    const marker = bench.ack(held).answer;
    // The id is the nonce of the box: marker and message must not share one.
    expect(marker).toMatchObject({ tag: "MSG" });
    expect(marker).not.toMatchObject({ msgId: command.msgId });
    bench.ack(marker);
    expect(bench.run(command, "sender").answer.tag).toBe("OK");
    expect(bench.store.size()).toBe(1);
  });
});
