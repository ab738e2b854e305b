import { listDurableObjectIds } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { EMPTY, utf8 } from "#crypto/bytes";
import { fingerprint, issueCaCertificate } from "#crypto/certificate";
import { dh, generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { Command, Message } from "#protocol/commands";
import { openNotification } from "#protocol/message";
import { chosenSenderId } from "../../src/relay/create.ts";
import { loseAnswers, until } from "../support/failing-objects.ts";
import { makeQueue, open, send, type TestQueue } from "../support/queue-user.ts";
import { named, type WireClient } from "../support/wire-client.ts";
import { connect } from "../support/workerd-relay.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const CONTACT = { queueReqData: { mode: "contact", data: null } } as const;
const ntf = generateKeyPair("Ed25519");
const ntfDh = generateKeyPair("X25519");
const NOTIFIED = { ntfCreds: { authKey: ntf.publicKey, dhKey: ntfDh.publicKey } } as const;
const linkData = { fixedData: utf8("fixed"), userData: utf8("user's") };

/** Gives the command as the recipient. The queue does it, but the answer is lost, once: it is asked a second time. */
async function askTwice(client: WireClient, queue: TestQueue, command: Command): Promise<Message> {
  loseAnswers("handle", 1);
  return await client.ask(command, queue.recipientKey, queue.ids.rcvId);
}

describe("a command whose answer got lost is done once, and answered as if nothing had happened:", () => {
  it("KEY", async () => {
    const client = await connect();
    const queue = await makeQueue(client);
    const { publicKey, secretKey } = generateKeyPair("X25519");
    expect(named(await askTwice(client, queue, { tag: "KEY", key: publicKey }))).toBe("OK");
    expect(named(await send(client, queue, "signed", secretKey))).toBe("OK");
  });

  it("SKEY", async () => {
    const client = await connect();
    const queue = await makeQueue(client);
    const { publicKey, secretKey } = generateKeyPair("X25519");
    loseAnswers("handle", 1);
    expect(named(await client.ask({ tag: "SKEY", key: publicKey }, secretKey, queue.ids.sndId))).toBe("OK");
    expect(named(await send(client, queue, "signed", secretKey))).toBe("OK");
  });

  it("LSET, LGET and LDEL", async () => {
    const [client, visitor] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(client, { change: CONTACT });
    const heir = await makeQueue(client, { change: CONTACT });
    const lset = { tag: "LSET", linkId: randomBytes(24), linkData } as const;
    expect(named(await askTwice(client, queue, lset))).toBe("OK");
    loseAnswers("handle", 1);
    const shown = { tag: "LNK", senderId: queue.ids.sndId, linkData };
    expect(await visitor.ask({ tag: "LGET" }, null, lset.linkId)).toEqual(shown);
    expect(named(await askTwice(client, queue, { tag: "LDEL" }))).toBe("OK");
    expect(named(await visitor.ask({ tag: "LGET" }, null, lset.linkId))).toBe("ERR AUTH");
    expect(named(await client.ask(lset, heir.recipientKey, heir.ids.rcvId))).toBe("OK");
  });

  it("LKEY", async () => {
    const client = await connect();
    const corrId = randomBytes(24);
    const data = { senderId: chosenSenderId(corrId), linkData };
    const queue = await makeQueue(client, { corrId, change: { queueReqData: { mode: "messaging", data } } });
    const { publicKey, secretKey } = generateKeyPair("X25519");
    loseAnswers("handle", 1);
    const answer = await client.ask({ tag: "LKEY", key: publicKey }, secretKey, queue.ids.linkId ?? EMPTY);
    expect(answer).toEqual({ tag: "LNK", senderId: queue.ids.sndId, linkData });
    expect(named(await send(client, queue, "signed", secretKey))).toBe("OK");
  });

  it("NKEY, NSUB and NDEL", async () => {
    const [client, notifier] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(client);
    const nid = await askTwice(client, queue, { tag: "NKEY", key: ntf.publicKey, dhKey: ntfDh.publicKey });
    if (nid.tag !== "NID") throw new Error(named(nid));
    const sent = { tag: "SEND", notification: true, body: EMPTY } as const;
    const ring = (): Promise<Message> => client.ask(sent, null, queue.ids.sndId);
    await ring();
    const { msgId } = open(queue, (await client.event()).message);
    loseAnswers("handle", 1);
    expect(named(await notifier.ask({ tag: "NSUB" }, ntf.secretKey, nid.notifierId))).toBe("SOK");
    const { message } = await notifier.event();
    if (message.tag !== "NMSG") throw new Error(named(message));
    expect(openNotification(dh(ntfDh.secretKey, nid.dhKey), message.nonce, message.encMeta).msgId).toEqual(msgId);
    expect(named(await askTwice(client, queue, { tag: "NDEL" }))).toBe("OK");
    expect(await notifier.event()).toMatchObject({ message: { tag: "DELD" } });
    await ring();
    expect(await notifier.isQuiet()).toBe(true);
  });

  it("SUB, with the message that follows it", async () => {
    const [owner, former] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(former);
    await send(owner, queue, "waiting");
    await former.event();
    expect(named(await askTwice(owner, queue, { tag: "SUB" }))).toBe("SOK");
    expect(open(queue, (await owner.event()).message).text).toBe("waiting");
    expect(named((await former.event()).message)).toBe("END");
    expect([await owner.isQuiet(), await former.isQuiet()]).toEqual([true, true]);
  });

  it("GET and QUE", async () => {
    const owner = await connect();
    const queue = await makeQueue(owner, { change: { subscribe: false } });
    await send(owner, queue, "waiting");
    expect(open(queue, await askTwice(owner, queue, { tag: "GET" })).text).toBe("waiting");
    expect(await askTwice(owner, queue, { tag: "QUE" })).toMatchObject({ tag: "INFO", info: { qiSize: 1 } });
  });

  it("OFF", async () => {
    const owner = await connect();
    const queue = await makeQueue(owner);
    expect(named(await askTwice(owner, queue, { tag: "OFF" }))).toBe("OK");
    expect(named(await send(owner, queue, "too late"))).toBe("ERR AUTH");
  });

  it("NEW, which makes one queue", async () => {
    const [owner, sender] = await Promise.all([connect(), connect()]);
    const before = (await listDurableObjectIds(env.QUEUE)).length;
    loseAnswers("create", 2);
    const queue = await makeQueue(owner, { change: NOTIFIED });
    expect((await listDurableObjectIds(env.QUEUE)).length).toBe(before + 1);
    expect(named(await send(sender, queue, "hello"))).toBe("OK");
    expect(open(queue, (await owner.event()).message).text).toBe("hello");
    expect(named(await sender.ask({ tag: "NSUB" }, ntf.secretKey, queue.ids.serverNtfCreds?.notifierId))).toBe("SOK");
  });

  it("NEW with an id and a link of the client's choice, which others cannot have", async () => {
    const [owner, visitor] = await Promise.all([connect(), connect()]);
    const corrId = randomBytes(24);
    const data = { linkId: randomBytes(24), senderId: chosenSenderId(corrId), linkData };
    const change = { queueReqData: { mode: "contact", data } } as const;
    loseAnswers("create", 1);
    const queue = await makeQueue(owner, { corrId, change });
    expect(queue.ids).toMatchObject({ sndId: data.senderId, linkId: data.linkId });
    expect(named(await visitor.ask({ tag: "LGET" }, null, data.linkId))).toBe("LNK");
    expect(named(await send(visitor, queue, "hello"))).toBe("OK");
    expect(open(queue, (await owner.event()).message).text).toBe("hello");
    await expect(makeQueue(visitor, { corrId, change })).rejects.toThrow("ERR AUTH");
  });

  it("NEW that did not change what a sender was quick enough to do", async () => {
    const [owner, sender] = await Promise.all([connect(), connect()]);
    const corrId = randomBytes(24);
    const data = { senderId: chosenSenderId(corrId), linkData };
    const { publicKey, secretKey } = generateKeyPair("X25519");
    let isSecured = false;
    loseAnswers("create", 1, () => until(() => isSecured));
    const made = makeQueue(owner, { corrId, change: { queueReqData: { mode: "messaging", data } } });
    const skey = { tag: "SKEY", key: publicKey } as const;
    const secure = async (): Promise<string> => named(await sender.ask(skey, secretKey, data.senderId));
    await expect.poll(secure, { interval: 10 }).toBe("OK");
    isSecured = true;
    const queue = await made;
    expect(named(await send(sender, queue, "signed", secretKey))).toBe("OK");
  });

  it("SUBS, without ENDS to the connection that gave it", async () => {
    const key = generateKeyPair("Ed25519");
    const certificate = issueCaCertificate(key.publicKey, key.secretKey, Date.now() - 1000);
    const service = { role: "messaging", certificate, key, fingerprint: fingerprint(certificate) } as const;
    const first = await connect({ service });
    const queue = await makeQueue(first);
    first.close();
    const sender = await connect();
    await send(sender, queue, "waiting");
    const client = await connect({ service });
    const serviceId = client.serviceResponse?.type === "accepted" ? client.serviceResponse.serviceId : EMPTY;
    loseAnswers("subscribe", 1);
    const answer = await client.ask({ tag: "SUBS", queues: null }, client.serviceKey, serviceId);
    expect(answer).toMatchObject({ tag: "SOKS", count: 1 });
    expect(open(queue, (await client.event(queue.ids.rcvId)).message).text).toBe("waiting");
    const told = new Set<string>();
    await expect(async () => {
      for (;;) told.add(named((await client.event(undefined, 300)).message));
    }).rejects.toThrow("nothing came");
    expect([...told]).toEqual(["ALLS"]);
  });
});

describe("a command that cannot be done twice", () => {
  const NO_ANSWER = { tag: "ERR", error: { type: "STORE", storeErr: "the queue did not answer, try again" } };

  it("DEL: the client learns that nobody knows, and finds the queue gone", async () => {
    const owner = await connect();
    const queue = await makeQueue(owner);
    expect(await askTwice(owner, queue, { tag: "DEL" })).toEqual(NO_ANSWER);
    expect(named(await owner.ask({ tag: "DEL" }, queue.recipientKey, queue.ids.rcvId))).toBe("ERR AUTH");
  });

  it("RKEY: it is signed with the key that it replaces", async () => {
    const owner = await connect();
    const queue = await makeQueue(owner, { change: CONTACT });
    const { publicKey, secretKey } = generateKeyPair("Ed25519");
    expect(await askTwice(owner, queue, { tag: "RKEY", keys: [publicKey] })).toEqual(NO_ANSWER);
    expect(named(await owner.ask({ tag: "QUE" }, secretKey, queue.ids.rcvId))).toBe("INFO");
    expect(named(await owner.ask({ tag: "QUE" }, queue.recipientKey, queue.ids.rcvId))).toBe("ERR AUTH");
  });

  it("ACK: the connection ends, and the next one gets what comes after the message, once", async () => {
    const owner = await connect();
    const queue = await makeQueue(owner);
    for (const text of ["acknowledged", "next"]) await send(owner, queue, text);
    const { msgId } = open(queue, (await owner.event()).message);
    await expect(askTwice(owner, queue, { tag: "ACK", msgId })).rejects.toThrow("closed");
    const heir = await connect();
    await heir.ask({ tag: "SUB" }, queue.recipientKey, queue.ids.rcvId);
    expect(open(queue, (await heir.event()).message).text).toBe("next");
  });
});
