import { describe, expect, it } from "vitest";
import { base64 } from "#crypto/bytes";
import { dh, generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { describeError } from "#protocol/errors";
import { openNotification } from "#protocol/message";
import { checkNew, chosenSenderId, create, requestedLink, requestedSenderId } from "../../src/relay/create.ts";
import { needsLink } from "../../src/relay/execute.ts";
import { idScheme } from "../../src/relay/ids.ts";
import { take } from "../../src/relay/limits.ts";
import type { Outcome, QueueLink } from "../../src/relay/ports.ts";
import { forgetConnection } from "../../src/relay/subscribe.ts";
import { MemoryQueueStore } from "../support/memory-queue.ts";
import { authorized, authSecret, caller, otherKey, QueueBench } from "../support/queue-bench.ts";

const errorOf = ({ answer }: Outcome): string => (answer.tag === "ERR" ? describeError(answer.error) : answer.tag);
const link = (): QueueLink => ({
  linkId: randomBytes(24),
  data: { fixedData: randomBytes(100), userData: randomBytes(200) },
});

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

describe("short links", () => {
  it("LSET shows data, replaces only the user's part, and keeps the link", () => {
    const bench = new QueueBench({ mode: "contact" });
    const { linkId, data } = link();
    expect(bench.run({ tag: "LSET", linkId, linkData: data }).answer.tag).toBe("OK");
    expect(bench.run({ tag: "LGET" }, "visitor").answer).toMatchObject({ tag: "LNK", linkData: data });
    const changed = { ...data, userData: randomBytes(9) };
    expect(bench.run({ tag: "LSET", linkId, linkData: changed }).answer.tag).toBe("OK");
    expect(bench.run({ tag: "LGET" }, "visitor").answer).toMatchObject({ linkData: changed });
    expect(errorOf(bench.run({ tag: "LSET", linkId, linkData: { ...data, fixedData: randomBytes(9) } }))).toBe("AUTH");
    expect(errorOf(bench.run({ tag: "LSET", linkId: randomBytes(24), linkData: data }))).toBe("AUTH");
  });

  it("LSET must claim the link only when it is new and the command is authorized", () => {
    const bench = new QueueBench({ mode: "contact" });
    const { linkId, data } = link();
    const command = { tag: "LSET", linkId, linkData: data } as const;
    const request = (key = authSecret(bench.recipient)): Parameters<typeof needsLink>[1] => ({
      command,
      entityId: bench.ids.recipientId,
      auth: authorized(command, bench.ids.recipientId, key),
    });
    expect(needsLink(bench.store, request())).toEqual(linkId);
    expect(needsLink(bench.store, request(otherKey()))).toBeNull();
    bench.run(command);
    expect(needsLink(bench.store, request())).toBeNull();
  });

  it("LDEL removes it, also when there is none", () => {
    const bench = new QueueBench({ mode: "contact", link: link() });
    const linkId = bench.store.record()?.link?.linkId;
    expect(bench.run({ tag: "LDEL" })).toMatchObject({ answer: { tag: "OK" }, releasedLink: linkId });
    expect(bench.run({ tag: "LDEL" }).releasedLink).toBeUndefined();
    expect(errorOf(bench.run({ tag: "LGET" }, "visitor"))).toBe("AUTH");
  });

  it("of a one-time invitation is for one key, and dies with the first authorized message, not with LKEY", () => {
    const bench = new QueueBench({ link: link() });
    const lkey = { tag: "LKEY", key: bench.sender.publicKey } as const;
    expect(errorOf(bench.run({ tag: "LGET" }, "visitor"))).toBe("AUTH");
    expect(bench.run(lkey, "sender").answer.tag).toBe("LNK");
    expect(bench.run(lkey, "sender").answer.tag).toBe("LNK");
    const other = generateKeyPair("X25519");
    expect(errorOf(bench.run({ tag: "LKEY", key: other.publicKey }, "other", other.secretKey))).toBe("AUTH");
    const sent = bench.send("confirmation");
    expect(sent.answer.tag).toBe("OK");
    expect(sent.releasedLink).toBeDefined();
    expect(errorOf(bench.run(lkey, "sender"))).toBe("AUTH");
  });

  it("cannot be set on a secured messaging queue", () => {
    const bench = new QueueBench();
    bench.run({ tag: "SKEY", key: bench.sender.publicKey }, "sender");
    const { linkId, data } = link();
    expect(errorOf(bench.run({ tag: "LSET", linkId, linkData: data }))).toBe("AUTH");
  });
});

describe("notifications", () => {
  it("tell a subscribed notifier of flagged messages, with the id and time of the message", () => {
    const bench = new QueueBench();
    const named = bench.run({ tag: "NKEY", key: bench.notifier.publicKey, dhKey: bench.notifierDh.publicKey });
    expect(named.answer).toMatchObject({ tag: "NID", notifierId: bench.ids.notifierId });
    expect(bench.run({ tag: "NSUB" }, "ntf").answer).toEqual({ tag: "SOK", serviceId: null });
    expect(bench.send("quiet").events).toHaveLength(1);
    const sent = bench.send("loud", true);
    const [event] = sent.events;
    expect(event).toMatchObject({ connection: "ntf", entityId: bench.ids.notifierId });
    if (named.answer.tag !== "NID" || event?.message.tag !== "NMSG") throw new Error("no notification");
    const secret = dh(bench.notifierDh.secretKey, named.answer.dhKey);
    const meta = openNotification(secret, event.message.nonce, event.message.encMeta);
    expect(meta.ts).toBe(bench.now);
    expect(event.message.encMeta).toHaveLength(144);
  });

  it("wait for a notifier that is away and come in order, but for a day only", () => {
    const bench = new QueueBench({ ntf: true });
    bench.send("1", true);
    bench.now += 86_400;
    bench.send("2", true);
    bench.now += 1;
    bench.send("3", true);
    const { events } = bench.run({ tag: "NSUB" }, "ntf");
    expect(events.map(({ message }) => message.tag)).toEqual(["NMSG", "NMSG"]);
    expect(bench.run({ tag: "NSUB" }, "ntf").events).toEqual([]);
  });

  it("go to the newest notifier connection; the former is told END", () => {
    const bench = new QueueBench({ ntf: true });
    bench.run({ tag: "NSUB" }, "a");
    const taken = bench.run({ tag: "NSUB" }, "b");
    expect(taken.events).toEqual([{ connection: "a", entityId: bench.ids.notifierId, message: { tag: "END" } }]);
  });

  it("end with NDEL, and a replaced key tells the former notifier DELD", () => {
    const bench = new QueueBench({ ntf: true });
    bench.run({ tag: "NSUB" }, "ntf");
    const key = generateKeyPair("Ed25519");
    const replaced = bench.run({ tag: "NKEY", key: key.publicKey, dhKey: bench.notifierDh.publicKey });
    expect(replaced.events).toEqual([{ connection: "ntf", entityId: bench.ids.notifierId, message: { tag: "DELD" } }]);
    expect(errorOf(bench.run({ tag: "NSUB" }, "ntf"))).toBe("AUTH");
    bench.run({ tag: "NSUB" }, "ntf", key.secretKey);
    expect(bench.run({ tag: "NDEL" }).events.map(({ message }) => message.tag)).toEqual(["DELD"]);
    expect(bench.run({ tag: "NDEL" }).answer.tag).toBe("OK");
    expect(errorOf(bench.run({ tag: "NSUB" }, "ntf", key.secretKey))).toBe("AUTH");
  });

  it("with an unusable recipient key are refused and change nothing", () => {
    const bench = new QueueBench();
    const dhKey = { algorithm: "X25519", raw: new Uint8Array(32) } as const;
    expect(errorOf(bench.run({ tag: "NKEY", key: bench.notifier.publicKey, dhKey }))).toBe("CMD SYNTAX");
    expect(bench.store.record()?.notifier).toBeNull();
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

describe("NEW", () => {
  const keys = generateKeyPair("Ed25519");
  const open = { allowNewQueues: true, password: null };
  const command = (change = {}): Parameters<typeof checkNew>[0] => ({
    tag: "NEW",
    rcvAuthKey: keys.publicKey,
    rcvDhKey: generateKeyPair("X25519").publicKey,
    basicAuth: null,
    subscribe: true,
    queueReqData: { mode: "messaging", data: null },
    ntfCreds: null,
    ...change,
  });
  const auth = (of: Parameters<typeof checkNew>[0], key = keys.secretKey, corrId = randomBytes(24)): ReturnType<typeof authorized> =>
    authorized(of, new Uint8Array(0), key, corrId);
  const verdict = (of: Parameters<typeof checkNew>[0], policy: Parameters<typeof checkNew>[3] = open): string => {
    const error = checkNew(of, caller("c"), auth(of), policy);
    return error ? describeError(error) : "fine";
  };

  it("must be signed with the key that it brings", () => {
    expect(verdict(command())).toBe("fine");
    const other = command();
    expect(checkNew(other, caller("c"), auth(other, otherKey()), open)).toEqual({ type: "AUTH" });
  });

  it("needs the password where there is one, and ignores it where there is none", () => {
    const closed = { allowNewQueues: true, password: "sesame" };
    expect(verdict(command(), closed)).toBe("AUTH");
    expect(verdict(command({ basicAuth: "wrong" }), closed)).toBe("AUTH");
    expect(verdict(command({ basicAuth: "sesame" }), closed)).toBe("fine");
    expect(verdict(command({ basicAuth: "anything" }))).toBe("fine");
    expect(verdict(command(), { allowNewQueues: false, password: null })).toBe("AUTH");
  });

  it("lets a client choose the sender id only as the hash of its corrId", () => {
    const corrId = randomBytes(24);
    const data = { linkId: randomBytes(24), senderId: chosenSenderId(corrId), linkData: link().data };
    const chosen = command({ queueReqData: { mode: "contact", data } });
    expect(checkNew(chosen, caller("c"), auth(chosen, keys.secretKey, corrId), open)).toBeNull();
    expect(checkNew(chosen, caller("c"), auth(chosen), open)).toEqual({ type: "CMD", cmdErr: { type: "PROHIBITED" } });
    expect(requestedSenderId(chosen)).toEqual({ senderId: data.senderId, isChosen: true });
    expect(requestedLink(chosen)?.linkId).toEqual(data.linkId);
    const messaging = command({ queueReqData: { mode: "messaging", data: { senderId: data.senderId, linkData: data.linkData } } });
    expect(requestedLink(messaging)?.linkId).toHaveLength(24);
    expect(requestedLink(command())).toBeNull();
  });

  it("as a service must subscribe", () => {
    const of = command({ subscribe: false });
    expect(checkNew(of, caller("c", 19, randomBytes(24)), auth(of), open)).toMatchObject({ cmdErr: { type: "PROHIBITED" } });
  });

  it("with an unusable key makes no queue", () => {
    const store = new MemoryQueueStore();
    const ids = idScheme(randomBytes(32)).idsOf(randomBytes(24));
    const of = command({ rcvDhKey: { algorithm: "X25519", raw: new Uint8Array(32) } });
    expect(errorOf(create(store, ids, of, null, caller("c")))).toBe("CMD SYNTAX");
    expect(store.record()).toBeNull();
  });
});

describe("ids", () => {
  it("of one queue lead to one another with the secret, and look independent without", () => {
    const scheme = idScheme(randomBytes(32));
    const other = idScheme(randomBytes(32));
    let equalBits = 0;
    const count = 2000;
    for (let i = 0; i < count; i++) {
      const senderId = randomBytes(24);
      const { recipientId, notifierId } = scheme.idsOf(senderId);
      expect(scheme.senderOfRecipient(recipientId)).toEqual(senderId);
      expect(scheme.senderOfNotifier(notifierId)).toEqual(senderId);
      expect(other.senderOfRecipient(recipientId)).not.toEqual(senderId);
      expect(scheme.senderOfNotifier(recipientId)).not.toEqual(senderId);
      senderId.forEach((byte, j) => {
        let same = ~(byte ^ (recipientId[j] ?? 0)) & 0xff;
        for (; same; same &= same - 1) equalBits++;
      });
    }
    // Half of the bits agree by chance: 5 standard deviations of a fair coin thrown 192 * 2000 times.
    const throws = 192 * count;
    expect(Math.abs(equalBits - throws / 2)).toBeLessThan(5 * Math.sqrt(throws) / 2);
  });

  it("that differ in one bit lead to places that have nothing in common", () => {
    const scheme = idScheme(randomBytes(32));
    const id = randomBytes(24);
    const near = id.map((byte, i) => (i === 23 ? byte ^ 1 : byte));
    const [a, b] = [scheme.idsOf(id).recipientId, scheme.idsOf(near).recipientId];
    const differing = a.reduce((sum, byte, i) => sum + (byte === b[i] ? 0 : 1), 0);
    expect(differing).toBeGreaterThan(16);
  });

  it("of a wrong length lead nowhere", () => {
    const scheme = idScheme(randomBytes(32));
    expect(scheme.senderOfRecipient(randomBytes(23))).toBeNull();
    expect(scheme.senderOfNotifier(new Uint8Array(0))).toBeNull();
  });
});

describe("a token bucket", () => {
  it("gives its capacity at once, then as much a minute, and never more than its capacity", () => {
    let bucket = take(null, 3, 0);
    for (let i = 0; i < 2; i++) bucket = bucket && take(bucket, 3, 0);
    expect(bucket).not.toBeNull();
    if (!bucket) return;
    expect(take(bucket, 3, 0)).toBeNull();
    expect(take(bucket, 3, 19_999)).toBeNull();
    expect(take(bucket, 3, 20_000)).toEqual({ tokens: 0, at: 20_000 });
    expect(take(bucket, 3, 3_600_000)).toEqual({ tokens: 2, at: 3_600_000 });
    expect(take(bucket, 0, 0)).not.toBeNull();
  });
});
