import { describe, expect, it } from "vitest";
import { EMPTY } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { acknowledge, makeQueue, open, send, subscribe } from "../support/queue-user.ts";
import { named } from "../support/wire-client.ts";
import { connect } from "../support/workerd-relay.ts";

describe("two clients and a queue", () => {
  it.each([6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19])("pass messages in version %i", async (version) => {
    const recipient = await connect({ version });
    const sender = await connect({ version });
    const queue = await makeQueue(recipient);
    let key = null;
    if (version >= 9) {
      const { algorithm, secret } = queue.senderKey;
      expect(algorithm).toBe("X25519");
      expect(secret).toHaveLength(32);
      const pair = generateKeyPair("X25519");
      key = pair.secretKey;
      expect(named(await sender.ask({ tag: "SKEY", key: pair.publicKey }, key, queue.ids.sndId))).toBe("OK");
    }
    expect(named(await send(sender, queue, "one", key))).toBe("OK");
    expect(named(await send(sender, queue, "two", key))).toBe("OK");
    const event = await recipient.event();
    expect(event.entityId).toEqual(queue.ids.rcvId);
    const first = open(queue, event.message);
    expect(first.text).toBe("one");
    const second = open(queue, await acknowledge(recipient, queue, first.msgId));
    expect(second.text).toBe("two");
    expect(named(await acknowledge(recipient, queue, second.msgId))).toBe("OK");
    expect(named(await subscribe(recipient, queue))).toBe(version >= 16 ? "SOK" : "OK");
    expect(await recipient.isQuiet()).toBe(true);
  });

  it.each(["Ed25519", "Ed448", "X25519"] as const)("work with recipient keys of %s", async (algorithm) => {
    const client = await connect();
    const queue = await makeQueue(client, { algorithm });
    expect(named(await client.ask({ tag: "QUE" }, queue.recipientKey, queue.ids.rcvId))).toBe("INFO");
  });

  it("can do without block encryption: as a proxy, and without a client key", async () => {
    for (const options of [{ proxyServer: true }, { keyless: true }]) {
      const client = await connect(options);
      const queue = await makeQueue(client);
      expect(named(await send(client, queue, "clear"))).toBe("OK");
      expect(open(queue, (await client.event()).message).text).toBe("clear");
    }
  });

  it("are told END when another connection subscribes, and get nothing more", async () => {
    const [first, second, sender] = await Promise.all([connect(), connect(), connect()]);
    const queue = await makeQueue(first);
    expect(named(await subscribe(second, queue))).toBe("SOK");
    expect((await first.event()).message).toEqual({ tag: "END" });
    await send(sender, queue, "for the second");
    expect(open(queue, (await second.event()).message).text).toBe("for the second");
    expect(await first.isQuiet()).toBe(true);
    expect(named(await acknowledge(first, queue, EMPTY))).toBe("ERR NO_MSG");
  });

  it("are told DELD when the queue is deleted, and END in old sessions", async () => {
    for (const [version, tag] of [[19, "DELD"], [9, "END"]] as const) {
      const [subscriber, owner] = await Promise.all([connect({ version }), connect()]);
      const queue = await makeQueue(owner, { change: { subscribe: false } });
      await subscribe(subscriber, queue);
      expect(named(await owner.ask({ tag: "DEL" }, queue.recipientKey, queue.ids.rcvId))).toBe("OK");
      expect(named((await subscriber.event()).message)).toBe(tag);
      expect(named(await subscribe(subscriber, queue))).toBe("ERR AUTH");
    }
  });

  it("get what was sent while nobody listened, once somebody does", async () => {
    const [owner, sender] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(owner, { change: { subscribe: false } });
    for (const text of ["a", "b", "c"]) await send(sender, queue, text);
    await subscribe(owner, queue);
    let message = (await owner.event()).message;
    for (const text of ["a", "b", "c"]) {
      const opened = open(queue, message);
      expect(opened.text).toBe(text);
      message = await acknowledge(owner, queue, opened.msgId);
    }
    expect(message).toEqual({ tag: "OK" });
  });

  it("keep messages that a connection took with it when it went away", async () => {
    const [first, sender] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(first);
    await send(sender, queue, "lost?");
    const taken = open(queue, (await first.event()).message);
    first.close();
    const second = await connect();
    await subscribe(second, queue);
    const again = open(queue, (await second.event()).message);
    expect(again).toEqual(taken);
    await send(sender, queue, "next");
    expect(open(queue, await acknowledge(second, queue, again.msgId)).text).toBe("next");
  });

  it("get messages of queues whose subscriber is gone without trouble for the sender", async () => {
    const [gone, sender] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(gone);
    gone.close();
    await gone.closed;
    for (const text of ["a", "b"]) expect(named(await send(sender, queue, text))).toBe("OK");
    const back = await connect();
    await subscribe(back, queue);
    expect(open(queue, (await back.event()).message).text).toBe("a");
  });
});

describe("one block of many commands", () => {
  it("is answered in the order of its commands, in as few blocks as possible", async () => {
    const client = await connect();
    const queues = await Promise.all(Array.from({ length: 20 }, () => makeQueue(client)));
    const corrIds = queues.map(() => randomBytes(24));
    client.sendAll(queues.map((queue, i) => client.transmission({ tag: "SUB" }, queue.recipientKey, queue.ids.rcvId, corrIds[i])));
    for (const [i, corrId] of corrIds.entries()) {
      const answer = await client.answer(corrId);
      expect(answer.entityId).toEqual(queues[i]?.ids.rcvId);
      expect(named(answer.message)).toBe("SOK");
    }
  });

  it("does commands for one queue from first to last", async () => {
    const client = await connect();
    const queue = await makeQueue(client);
    const pair = generateKeyPair("X25519");
    const body = new TextEncoder().encode("after");
    const corrIds = [randomBytes(24), randomBytes(24)];
    client.sendAll([
      client.transmission({ tag: "SKEY", key: pair.publicKey }, pair.secretKey, queue.ids.sndId, corrIds[0]),
      client.transmission({ tag: "SEND", notification: false, body }, pair.secretKey, queue.ids.sndId, corrIds[1]),
    ]);
    for (const corrId of corrIds) expect(named((await client.answer(corrId)).message)).toBe("OK");
    expect(open(queue, (await client.event()).message).text).toBe("after");
  });

  it("keeps the order of one queue across blocks sent without waiting", async () => {
    const [recipient, sender] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(recipient, { change: { subscribe: false } });
    const count = 60;
    const corrIds = Array.from({ length: count }, () => randomBytes(24));
    corrIds.forEach((corrId, i) =>
      sender.sendAll([
        sender.transmission(
          { tag: "SEND", notification: false, body: new TextEncoder().encode(String(i)) },
          null,
          queue.ids.sndId,
          corrId,
        ),
      ])
    );
    for (const corrId of corrIds) expect(named((await sender.answer(corrId)).message)).toBe("OK");
    await subscribe(recipient, queue);
    let { message } = await recipient.event();
    for (let i = 0; i < count; i++) {
      const opened = open(queue, message);
      expect(opened.text).toBe(String(i));
      message = await acknowledge(recipient, queue, opened.msgId);
    }
  });

  it("is answered before the blocks that follow it, whichever is quicker", async () => {
    const client = await connect();
    const queue = await makeQueue(client, { change: { subscribe: false } });
    for (let round = 0; round < 5; round++) {
      const corrIds = Array.from({ length: 4 }, () => randomBytes(24));
      const transmissions = [
        client.transmission({ tag: "QUE" }, queue.recipientKey, queue.ids.rcvId, corrIds[0]),
        client.transmission({ tag: "PING" }, null, EMPTY, corrIds[1]),
        client.transmission({ tag: "LGET" }, null, randomBytes(24), corrIds[2]),
        client.transmission({ tag: "PING" }, null, EMPTY, corrIds[3]),
      ];
      for (const transmission of transmissions) client.sendAll([transmission]);
      const order = [];
      for (const _ of corrIds) order.push(named((await client.next()).message));
      expect(order).toEqual(["INFO", "PONG", "ERR AUTH", "PONG"]);
    }
  });

  it("answers what cannot be done among what can", async () => {
    const client = await connect();
    const queue = await makeQueue(client);
    const [bad, ping, unknown, sub] = Array.from({ length: 4 }, () => randomBytes(24));
    client.sendAll([
      client.transmission(new TextEncoder().encode("NONSENSE 1"), null, EMPTY, bad),
      client.transmission({ tag: "PING" }, null, EMPTY, ping),
      client.transmission({ tag: "SUB" }, queue.recipientKey, randomBytes(24), unknown),
      client.transmission({ tag: "SUB" }, queue.recipientKey, queue.ids.rcvId, sub),
    ]);
    const answers = [];
    for (const corrId of [bad, ping, unknown, sub]) answers.push(named((await client.answer(corrId ?? EMPTY)).message));
    expect(answers).toEqual(["ERR CMD UNKNOWN", "PONG", "ERR AUTH", "SOK"]);
  });
});
