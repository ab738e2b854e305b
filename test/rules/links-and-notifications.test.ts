import { describe, expect, it } from "vitest";
import { hex } from "#crypto/bytes";
import { dh, generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { Message } from "#protocol/commands";
import { describeError } from "#protocol/errors";
import { openNotification } from "#protocol/message";
import { needsLink, type QueueCommand } from "../../src/relay/execute.ts";
import type { Outcome, QueueEvent, QueueLink } from "../../src/relay/ports.ts";
import { forgetConnection, redirectNotifications } from "../../src/relay/subscribe.ts";
import { authorized, authSecret, otherKey, QueueBench } from "../support/queue-bench.ts";

const errorOf = ({ answer }: Outcome): string => (answer.tag === "ERR" ? describeError(answer.error) : answer.tag);
const link = (): QueueLink => ({
  linkId: randomBytes(24),
  data: { fixedData: randomBytes(100), userData: randomBytes(200) },
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

  it("that could not be brought to a notifier wait for the next, or go to the one that came meanwhile", () => {
    const bench = new QueueBench({ ntf: true });
    const lose = (connection: string, messages: readonly Message[]): readonly QueueEvent[] => {
      forgetConnection(bench.store, connection);
      return redirectNotifications(bench.store, messages);
    };
    const notifications = ({ events }: Outcome): readonly Message[] => events.map(({ message }) => message);
    bench.run({ tag: "NSUB" }, "a");
    const first = notifications(bench.send("1", true)).filter(({ tag }) => tag === "NMSG");
    expect(lose("a", [...first, { tag: "END" }])).toEqual([]);
    const waiting = bench.run({ tag: "NSUB" }, "b");
    expect(notifications(waiting).map(({ tag }) => tag)).toEqual(["NMSG"]);
    const [message] = notifications(waiting);
    if (message?.tag !== "NMSG") throw new Error("no notification");
    bench.run({ tag: "NSUB" }, "c");
    expect(lose("b", [message])).toEqual([{ connection: "c", entityId: bench.ids.notifierId, message }]);
    bench.run({ tag: "NKEY", key: bench.notifier.publicKey, dhKey: generateKeyPair("X25519").publicKey });
    expect(lose("c", [message]), "sealed for who cannot know it any more").toEqual([]);
    expect(bench.store.pendingNotifications()).toEqual([]);
    bench.run({ tag: "NDEL" });
    expect(lose("c", [message])).toEqual([]);
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

  it("have another id with each notifier, and a former one leads to none", () => {
    const bench = new QueueBench();
    const keys = { key: bench.notifier.publicKey, dhKey: bench.notifierDh.publicKey };
    const idAfter = (...commands: readonly QueueCommand[]): string => {
      for (const command of commands) bench.run(command);
      const { answer } = bench.run({ tag: "NKEY", ...keys });
      return answer.tag === "NID" ? hex(answer.notifierId) : answer.tag;
    };
    const first = hex(bench.ids.notifierId);
    const ids = [idAfter(), idAfter(), idAfter({ tag: "NDEL" }), idAfter({ tag: "NDEL" }, { tag: "NDEL" })];
    expect(ids[0]).toBe(first);
    expect(new Set(ids).size).toBe(4);
    const auth = authorized({ tag: "NSUB" }, bench.ids.notifierId, authSecret(bench.notifier));
    const request = { command: { tag: "NSUB" }, entityId: bench.ids.notifierId, auth } as const;
    expect(errorOf(bench.execute(request))).toBe("AUTH");
    expect(bench.run({ tag: "NSUB" }).answer.tag).toBe("SOK");
  });

  it("that the recipient's own connection listens to end without a word, but are counted", () => {
    const bench = new QueueBench({ ntf: true });
    bench.run({ tag: "NSUB" }, "recipient");
    const key = generateKeyPair("Ed25519");
    const replaced = bench.run({ tag: "NKEY", key: key.publicKey, dhKey: bench.notifierDh.publicKey });
    expect(replaced).toMatchObject({ answer: { tag: "NID" }, events: [], subscriptions: -1 });
    bench.run({ tag: "NSUB" }, "recipient", key.secretKey);
    expect(bench.run({ tag: "DEL" })).toMatchObject({ answer: { tag: "OK" }, events: [], subscriptions: -2 });
  });

  it("with an unusable recipient key are refused and change nothing", () => {
    const bench = new QueueBench();
    const dhKey = { algorithm: "X25519", raw: new Uint8Array(32) } as const;
    expect(errorOf(bench.run({ tag: "NKEY", key: bench.notifier.publicKey, dhKey }))).toBe("CMD SYNTAX");
    expect(bench.store.record()?.notifier).toBeNull();
  });
});

