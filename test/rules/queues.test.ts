import { describe, expect, it } from "vitest";
import { base64 } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { describeError } from "#protocol/errors";
import type { Outcome } from "../../src/relay/ports.ts";
import { forgetConnection } from "../../src/relay/subscribe.ts";
import { authSecret, otherKey, QueueBench } from "../support/queue-bench.ts";

const errorOf = ({ answer }: Outcome): string => (answer.tag === "ERR" ? describeError(answer.error) : answer.tag);

describe("recipient commands", () => {
  it("are AUTH with a wrong key, whatever its kind", () => {
    const bench = new QueueBench();
    for (const key of [otherKey(), generateKeyPair("X25519").secretKey, generateKeyPair("Ed448").secretKey]) {
      for (const tag of ["SUB", "GET", "OFF", "DEL", "QUE", "LDEL", "NDEL"] as const) {
        expect(errorOf(bench.run({ tag }, "thief", key))).toBe("AUTH");
      }
    }
    expect(bench.store.writes).toBe(0);
  });

  it.each(["Ed25519", "Ed448", "X25519"] as const)("are done with a key of %s", (algorithm) => {
    const bench = new QueueBench({ recipient: generateKeyPair(algorithm) });
    expect(bench.run({ tag: "SUB" }, "other").answer.tag).toBe("SOK");
  });

  it("on a queue that does not exist are AUTH", () => {
    const bench = new QueueBench();
    bench.run({ tag: "DEL" });
    for (const tag of ["SUB", "GET", "DEL", "QUE"] as const) expect(errorOf(bench.run({ tag }))).toBe("AUTH");
    expect(errorOf(bench.send("late"))).toBe("AUTH");
  });
});

describe("securing", () => {
  it("takes the first sender key and no other", () => {
    const bench = new QueueBench();
    const key = generateKeyPair("Ed25519").publicKey;
    expect(bench.run({ tag: "KEY", key }).answer.tag).toBe("OK");
    expect(bench.run({ tag: "KEY", key }).answer.tag).toBe("OK");
    expect(errorOf(bench.run({ tag: "KEY", key: generateKeyPair("Ed25519").publicKey }))).toBe("AUTH");
  });

  it("by the sender must be signed with the very key, and only works for messaging queues", () => {
    const bench = new QueueBench();
    const skey = { tag: "SKEY", key: bench.sender.publicKey } as const;
    expect(errorOf(bench.run(skey, "sender", otherKey()))).toBe("AUTH");
    expect(bench.run(skey, "sender").answer.tag).toBe("OK");
    expect(bench.run(skey, "sender").answer.tag).toBe("OK");
    const other = generateKeyPair("X25519");
    expect(errorOf(bench.run({ tag: "SKEY", key: other.publicKey }, "sender", other.secretKey))).toBe("AUTH");
    for (const mode of ["contact", null] as const) {
      const contact = new QueueBench({ mode });
      expect(errorOf(contact.run({ tag: "SKEY", key: contact.sender.publicKey }, "sender"))).toBe("AUTH");
      expect(contact.run({ tag: "KEY", key: contact.sender.publicKey }).answer.tag).toBe("OK");
    }
  });

  it("works on a suspended queue", () => {
    const bench = new QueueBench();
    bench.run({ tag: "OFF" });
    expect(bench.run({ tag: "SKEY", key: bench.sender.publicKey }, "sender").answer.tag).toBe("OK");
  });

  it("RKEY replaces the recipient's keys of a contact queue, and of no other", () => {
    const bench = new QueueBench({ mode: "contact" });
    const [first, second] = [generateKeyPair("Ed25519"), generateKeyPair("X25519")];
    expect(bench.run({ tag: "RKEY", keys: [first.publicKey, second.publicKey] }).answer.tag).toBe("OK");
    expect(errorOf(bench.run({ tag: "SUB" }))).toBe("AUTH");
    expect(bench.run({ tag: "SUB" }, "a", authSecret(first)).answer.tag).toBe("SOK");
    expect(bench.run({ tag: "SUB" }, "b", authSecret(second)).answer.tag).toBe("SOK");
    const messaging = new QueueBench();
    expect(errorOf(messaging.run({ tag: "RKEY", keys: [first.publicKey] }))).toBe("AUTH");
  });
});

describe("DEL", () => {
  it("removes everything and tells other subscribers, not the one who deletes", () => {
    const bench = new QueueBench({ ntf: true });
    bench.run({ tag: "NSUB" }, "ntf");
    bench.send("one", true);
    const deleted = bench.run({ tag: "DEL" }, "other");
    expect(deleted.events).toEqual([
      { connection: "recipient", entityId: bench.ids.recipientId, message: { tag: "DELD" } },
      { connection: "ntf", entityId: bench.ids.notifierId, message: { tag: "DELD" } },
    ]);
    expect(bench.store.record()).toBeNull();
    expect(bench.store.size()).toBe(0);
    const own = new QueueBench();
    expect(own.run({ tag: "DEL" })).toMatchObject({ answer: { tag: "OK" }, events: [], subscriptions: -1 });
    expect(errorOf(own.run({ tag: "DEL" }))).toBe("AUTH");
  });
});

describe("a blocked queue", () => {
  const blocked = (): QueueBench => {
    const bench = new QueueBench({ ntf: true });
    const record = bench.store.record();
    if (record) bench.store.save({ ...record, status: { type: "blocked", info: { reason: "spam", notice: { ttl: 60 } } } });
    return bench;
  };

  it("says so to senders and recipients, but can be switched off and deleted", () => {
    for (const command of [{ tag: "SUB" }, { tag: "GET" }, { tag: "QUE" }, { tag: "LDEL" }] as const) {
      expect(errorOf(blocked().run(command))).toBe("BLOCKED reason=spam,notice={\"ttl\":60}");
    }
    expect(errorOf(blocked().send("x"))).toMatch(/^BLOCKED/);
    expect(blocked().run({ tag: "NSUB" }, "ntf").answer.tag).toBe("SOK");
    expect(blocked().run({ tag: "DEL" }).answer.tag).toBe("OK");
    const bench = blocked();
    expect(bench.run({ tag: "OFF" }).answer.tag).toBe("OK");
    expect(errorOf(bench.send("x"))).toBe("AUTH");
  });
});

describe("QUE", () => {
  it("describes the queue as the asking connection sees it", () => {
    const bench = new QueueBench();
    const { events } = bench.send("one");
    const { msgId } = bench.open(events[0]?.message);
    expect(bench.run({ tag: "QUE" }).answer).toEqual({
      tag: "INFO",
      info: {
        qiSnd: false,
        qiNtf: false,
        qiSub: { qSubThread: "noSub", qDelivered: base64(msgId) },
        qiSize: 1,
        qiMsg: { msgId: base64(msgId), msgTs: "2023-11-14T22:13:20Z", msgType: "message" },
      },
    });
    expect(bench.run({ tag: "QUE" }, "stranger").answer).toMatchObject({ info: { qiSize: 1 } });
    expect(JSON.stringify(bench.run({ tag: "QUE" }, "stranger").answer)).not.toContain("qiSub");
  });
});

describe("a connection that is gone", () => {
  it("is forgotten where it is still the subscriber, and what it held comes again", () => {
    const bench = new QueueBench();
    bench.send("one");
    forgetConnection(bench.store, "another");
    expect(bench.store.subscriber()).not.toBeNull();
    forgetConnection(bench.store, "recipient");
    expect(bench.send("two").events).toEqual([]);
    expect(bench.open(bench.run({ tag: "SUB" }, "back").followUp).text).toBe("one");
  });
});

