import { describe, expect, it } from "vitest";
import { EMPTY, utf8 } from "#crypto/bytes";
import { issueCaCertificate, fingerprint } from "#crypto/certificate";
import { md5, sha3_384 } from "#crypto/hash";
import { dh, generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { Command, Message } from "#protocol/commands";
import type { LinkData } from "#protocol/commands/queue";
import { openNotification } from "#protocol/message";
import { acknowledge, makeQueue, open, send, subscribe } from "../support/queue-user.ts";
import { named, type WireClient, type WireOptions } from "../support/wire-client.ts";
import { connect } from "../support/workerd-relay.ts";

const linkData = (): LinkData => ({ fixedData: randomBytes(2048), userData: randomBytes(13_824) });

describe("credentials", () => {
  it("of every command are checked before anything else", async () => {
    const client = await connect();
    const key = generateKeyPair("Ed25519");
    const id = randomBytes(24);
    const dhKey = generateKeyPair("X25519").publicKey;
    const create: Command = {
      tag: "NEW",
      rcvAuthKey: key.publicKey,
      rcvDhKey: dhKey,
      basicAuth: null,
      subscribe: true,
      queueReqData: null,
      ntfCreds: null,
    };
    const sent: [Command, boolean, boolean, string][] = [
      [create, false, false, "ERR CMD NO_AUTH"],
      [create, true, true, "ERR CMD HAS_AUTH"],
      [{ tag: "SUB" }, false, true, "ERR CMD NO_AUTH"],
      [{ tag: "SUB" }, true, false, "ERR CMD NO_AUTH"],
      [{ tag: "SEND", notification: false, body: EMPTY }, false, false, "ERR CMD NO_ENTITY"],
      [{ tag: "LGET" }, false, false, "ERR CMD NO_ENTITY"],
      [{ tag: "LGET" }, true, true, "ERR CMD HAS_AUTH"],
      [{ tag: "PING" }, true, false, "ERR CMD HAS_AUTH"],
      [{ tag: "PING" }, false, true, "ERR CMD HAS_AUTH"],
      [{ tag: "NSUB" }, false, true, "ERR CMD NO_AUTH"],
      [{ tag: "SKEY", key: key.publicKey }, false, true, "ERR CMD NO_AUTH"],
    ];
    for (const [command, hasAuth, hasEntity, expected] of sent) {
      const answer = await client.ask(command, hasAuth ? key.secretKey : null, hasEntity ? id : EMPTY);
      expect(`${command.tag} ${named(answer)}`).toBe(`${command.tag} ${expected}`);
    }
  });

  it("keep ids of one kind from working as ids of another", async () => {
    const client = await connect();
    const queue = await makeQueue(client);
    const { rcvId, sndId } = queue.ids;
    expect(named(await client.ask({ tag: "SUB" }, queue.recipientKey, sndId))).toBe("ERR AUTH");
    expect(named(await client.ask({ tag: "NSUB" }, queue.recipientKey, rcvId))).toBe("ERR AUTH");
    expect(named(await client.ask({ tag: "SEND", notification: false, body: EMPTY }, null, rcvId))).toBe("ERR AUTH");
  });

  it("of the wrong length lead nowhere", async () => {
    const client = await connect();
    const { recipientKey } = await makeQueue(client);
    for (const length of [1, 23, 25, 255]) {
      expect(named(await client.ask({ tag: "SUB" }, recipientKey, randomBytes(length)))).toBe("ERR AUTH");
    }
  });
});

describe("the role of a name resolver, which this relay does not play", () => {
  it("is answered as routers do that have it switched off", async () => {
    const client = await connect();
    expect(named(await client.ask({ tag: "RSLV", domain: "name.simplex" }))).toBe("ERR NAME NO_RESOLVER");
    expect(named(await client.ask(utf8("RSLV -bad")))).toBe("ERR CMD SYNTAX");
  });
});

describe("short links", () => {
  it("of addresses are chosen by the owner, shown to anybody, and unique", async () => {
    const [owner, visitor] = await Promise.all([connect(), connect()]);
    const corrId = randomBytes(24);
    const senderId = sha3_384(corrId).slice(0, 24);
    const linkId = randomBytes(24);
    const data = linkData();
    const change = { queueReqData: { mode: "contact", data: { linkId, senderId, linkData: data } } } as const;
    const queue = await makeQueue(owner, { change, corrId });
    expect(queue.ids).toMatchObject({ sndId: senderId, linkId, queueMode: "contact" });
    expect(await visitor.ask({ tag: "LGET" }, null, linkId)).toEqual({ tag: "LNK", senderId, linkData: data });
    await expect(makeQueue(owner, { change, corrId })).rejects.toThrow("ERR AUTH");
    const other = randomBytes(24);
    const taken = { queueReqData: { mode: "contact", data: { linkId, senderId: sha3_384(other).slice(0, 24), linkData: data } } } as const;
    await expect(makeQueue(owner, { change: taken, corrId: other })).rejects.toThrow("ERR AUTH");
    expect(named(await owner.ask({ tag: "LDEL" }, queue.recipientKey, queue.ids.rcvId))).toBe("OK");
    expect(named(await visitor.ask({ tag: "LGET" }, null, linkId))).toBe("ERR AUTH");
    await makeQueue(owner, { change: taken, corrId: other });
  });

  it("of invitations are made by the relay, are for one key and end with the first message", async () => {
    const [owner, guest, late] = await Promise.all([connect(), connect(), connect()]);
    const corrId = randomBytes(24);
    const senderId = sha3_384(corrId).slice(0, 24);
    const data = linkData();
    const queue = await makeQueue(owner, {
      corrId,
      change: { queueReqData: { mode: "messaging", data: { senderId, linkData: data } } },
    });
    const linkId = queue.ids.linkId ?? EMPTY;
    expect(linkId).toHaveLength(24);
    expect(named(await guest.ask({ tag: "LGET" }, null, linkId))).toBe("ERR AUTH");
    const [pair, thief] = [generateKeyPair("X25519"), generateKeyPair("X25519")];
    const lkey = { tag: "LKEY", key: pair.publicKey } as const;
    expect(await guest.ask(lkey, pair.secretKey, linkId)).toEqual({ tag: "LNK", senderId, linkData: data });
    expect(named(await late.ask({ tag: "LKEY", key: thief.publicKey }, thief.secretKey, linkId))).toBe("ERR AUTH");
    expect(named(await send(guest, queue, "confirmation", pair.secretKey))).toBe("OK");
    expect(named(await guest.ask(lkey, pair.secretKey, linkId))).toBe("ERR AUTH");
    expect(open(queue, (await owner.event()).message).text).toBe("confirmation");
  });

  it("can be added to an address later, and go with the queue", async () => {
    const [owner, visitor] = await Promise.all([connect(), connect()]);
    const queue = await makeQueue(owner, { change: { queueReqData: { mode: "contact", data: null } } });
    const linkId = randomBytes(24);
    const data = linkData();
    const lset = { tag: "LSET", linkId, linkData: data } as const;
    expect(named(await owner.ask(lset, queue.recipientKey, queue.ids.rcvId))).toBe("OK");
    const second = await makeQueue(owner, { change: { queueReqData: { mode: "contact", data: null } } });
    expect(named(await owner.ask(lset, second.recipientKey, second.ids.rcvId))).toBe("ERR AUTH");
    const shown = { ...data, userData: utf8("changed") };
    expect(named(await owner.ask({ ...lset, linkData: shown }, queue.recipientKey, queue.ids.rcvId))).toBe("OK");
    expect(await visitor.ask({ tag: "LGET" }, null, linkId)).toMatchObject({ linkData: shown });
    await owner.ask({ tag: "DEL" }, queue.recipientKey, queue.ids.rcvId);
    expect(named(await visitor.ask({ tag: "LGET" }, null, linkId))).toBe("ERR AUTH");
    expect(named(await owner.ask(lset, second.recipientKey, second.ids.rcvId))).toBe("OK");
  });

  it("cannot be created for a sender id that is not the hash of the corrId", async () => {
    const client = await connect();
    const data = { senderId: randomBytes(24), linkData: linkData() };
    await expect(makeQueue(client, { change: { queueReqData: { mode: "messaging", data } } })).rejects.toThrow("CMD PROHIBITED");
  });
});

describe("notifications", () => {
  it("come for a queue made with notifier keys, and for one that got them later", async () => {
    const [owner, sender, notifier] = await Promise.all([connect(), connect(), connect()]);
    const [ntfKey, ntfDh] = [generateKeyPair("Ed25519"), generateKeyPair("X25519")];
    const keys = { key: ntfKey.publicKey, dhKey: ntfDh.publicKey };
    const made = await makeQueue(owner, { change: { ntfCreds: { authKey: keys.key, dhKey: keys.dhKey } } });
    const later = await makeQueue(owner);
    const nid = await owner.ask({ tag: "NKEY", ...keys }, later.recipientKey, later.ids.rcvId);
    if (nid.tag !== "NID" || !made.ids.serverNtfCreds) throw new Error("no notifier");
    for (const [queue, { notifierId, dhKey }] of [[made, made.ids.serverNtfCreds], [later, nid]] as const) {
      expect(named(await notifier.ask({ tag: "NSUB" }, ntfKey.secretKey, notifierId))).toBe("SOK");
      await sender.ask({ tag: "SEND", notification: true, body: utf8("ring") }, null, queue.ids.sndId);
      const { entityId, message } = await notifier.event();
      expect(entityId).toEqual(notifierId);
      if (message.tag !== "NMSG") throw new Error(named(message));
      const meta = openNotification(dh(ntfDh.secretKey, dhKey), message.nonce, message.encMeta);
      expect(meta.msgId).toEqual(open(queue, (await owner.event(queue.ids.rcvId)).message).msgId);
    }
    expect(named(await owner.ask({ tag: "NDEL" }, later.recipientKey, later.ids.rcvId))).toBe("OK");
    expect((await notifier.event()).message).toEqual({ tag: "DELD" });
  });

  it("that nobody listened to come with NSUB", async () => {
    const [owner, notifier] = await Promise.all([connect(), connect()]);
    const [ntfKey, ntfDh] = [generateKeyPair("Ed25519"), generateKeyPair("X25519")];
    const queue = await makeQueue(owner, { change: { ntfCreds: { authKey: ntfKey.publicKey, dhKey: ntfDh.publicKey } } });
    for (let i = 0; i < 3; i++) await owner.ask({ tag: "SEND", notification: true, body: EMPTY }, null, queue.ids.sndId);
    await notifier.ask({ tag: "NSUB" }, ntfKey.secretKey, queue.ids.serverNtfCreds?.notifierId);
    for (let i = 0; i < 3; i++) expect(named((await notifier.event()).message)).toBe("NMSG");
  });
});

describe("a service", () => {
  const certificate = (): NonNullable<WireOptions["service"]> => {
    const key = generateKeyPair("Ed25519");
    const der = issueCaCertificate(key.publicKey, key.secretKey, Date.now() - 1000);
    return { role: "messaging", certificate: der, key, fingerprint: fingerprint(der) };
  };
  const idsHash = (ids: readonly Uint8Array[]): Uint8Array =>
    ids.reduce<Uint8Array>((hash, id) => hash.map((byte, i) => byte ^ (md5(id)[i] ?? 0)), new Uint8Array(16));
  const serviceIdOf = (client: WireClient): Uint8Array =>
    client.serviceResponse?.type === "accepted" ? client.serviceResponse.serviceId : EMPTY;

  it("is known again by its certificate, in the role in which it has queues", async () => {
    const service = certificate();
    const [first, second] = [await connect({ service }), await connect({ service })];
    expect(serviceIdOf(first)).toHaveLength(24);
    expect(serviceIdOf(second)).toEqual(serviceIdOf(first));
    await makeQueue(first);
    await expect.poll(async () => {
      const answer = await second.ask({ tag: "SUBS", queues: null }, second.serviceKey, serviceIdOf(second));
      return answer.tag === "SOKS" ? answer.count : named(answer);
    }).toBe(1);
    const impostor = await connect({ service: { ...service, role: "notifier" } });
    expect(impostor.serviceResponse).toEqual({
      type: "rejected",
      error: { type: "handshake", handshakeErr: { type: "BAD_SERVICE" } },
    });
  });

  it("subscribes to all of its queues with one command", async () => {
    const service = certificate();
    const [client, sender] = [await connect({ service }), await connect()];
    const serviceId = serviceIdOf(client);
    const queues = [];
    for (let i = 0; i < 3; i++) queues.push(await makeQueue(client));
    expect(queues[0]?.ids.serviceId).toEqual(serviceId);
    client.close();
    for (const [i, queue] of queues.entries()) await send(sender, queue, `message ${i}`);
    const back = await connect({ service });
    const hash = idsHash(queues.map(({ ids }) => ids.rcvId));
    const subs = { tag: "SUBS", queues: { count: 3, idsHash: hash } } as const;
    expect(await back.ask(subs, back.serviceKey, serviceId)).toEqual({ tag: "SOKS", count: 3, idsHash: hash });
    for (const [i, queue] of queues.entries()) {
      const { text, msgId } = open(queue, (await back.event(queue.ids.rcvId)).message);
      expect(text).toBe(`message ${i}`);
      expect(await acknowledge(back, queue, msgId)).toEqual({ tag: "OK" });
    }
    expect((await back.event(EMPTY)).message).toEqual({ tag: "ALLS" });
    const third = await connect({ service });
    await third.ask({ tag: "SUBS", queues: null }, third.serviceKey, serviceId);
    expect((await back.event(serviceId)).message).toEqual({ tag: "ENDS", count: 3, idsHash: hash });
  });

  it("is told its numbers again by a second command, and its messages only once", async () => {
    const service = certificate();
    const client = await connect({ service });
    const queue = await makeQueue(client);
    await send(client, queue, "once");
    expect(open(queue, (await client.event(queue.ids.rcvId)).message).text).toBe("once");
    const subs = (): Promise<Message> => client.ask({ tag: "SUBS", queues: null }, client.serviceKey, serviceIdOf(client));
    expect(await subs()).toMatchObject({ tag: "SOKS", count: 1 });
    expect((await client.event()).message).toEqual({ tag: "ALLS" });
    expect(await subs()).toMatchObject({ tag: "SOKS", count: 1 });
    expect(await client.isQuiet()).toBe(true);
  });

  it("loses a queue that is subscribed without it, and gains one that is subscribed with it", async () => {
    const service = certificate();
    const [client, plain] = [await connect({ service }), await connect()];
    const queue = await makeQueue(plain);
    const other = await makeQueue(client);
    expect(await subscribe(client, queue)).toEqual({ tag: "SOK", serviceId: serviceIdOf(client) });
    expect((await plain.event()).message).toEqual({ tag: "END" });
    expect(await subscribe(plain, other)).toEqual({ tag: "SOK", serviceId: null });
    expect((await client.event()).message).toEqual({ tag: "END" });
    const third = await connect({ service });
    const answer = await third.ask({ tag: "SUBS", queues: null }, third.serviceKey, serviceIdOf(third));
    expect(answer).toEqual({ tag: "SOKS", count: 1, idsHash: idsHash([queue.ids.rcvId]) });
  });

  it("must sign twice, keep to its role, and subscribe what it creates", async () => {
    const service = certificate();
    const client = await connect({ service });
    const queue = await makeQueue(client);
    const plain = await connect();
    expect(named(await plain.ask({ tag: "SUBS", queues: null }, generateKeyPair("Ed25519").secretKey, serviceIdOf(client))))
      .toBe("ERR SERVICE");
    expect(named(await client.ask({ tag: "SUBS", queues: null }, generateKeyPair("Ed25519").secretKey, serviceIdOf(client))))
      .toBe("ERR SERVICE");
    expect(named(await client.ask({ tag: "NSUB" }, queue.recipientKey, randomBytes(24)))).toBe("ERR CMD PROHIBITED");
    expect(named(await client.ask(utf8("SUB"), queue.recipientKey, queue.ids.rcvId))).toBe("ERR SERVICE");
    await expect(makeQueue(client, { change: { subscribe: false } })).rejects.toThrow("CMD PROHIBITED");
    expect(named(await client.ask({ tag: "PING" }))).toBe("PONG");
  });

  it("for notifications gets those of all its queues", async () => {
    const service = { ...certificate(), role: "notifier" as const };
    const [client, owner] = [await connect({ service }), await connect()];
    const [ntfKey, ntfDh] = [generateKeyPair("Ed25519"), generateKeyPair("X25519")];
    const queue = await makeQueue(owner, { change: { ntfCreds: { authKey: ntfKey.publicKey, dhKey: ntfDh.publicKey } } });
    const notifierId = queue.ids.serverNtfCreds?.notifierId ?? EMPTY;
    expect(named(await client.ask({ tag: "NSUB" }, ntfKey.secretKey, notifierId))).toBe("SOK");
    const back = await connect({ service });
    const answer = await back.ask({ tag: "NSUBS", queues: null }, back.serviceKey, serviceIdOf(back));
    expect(answer).toMatchObject({ tag: "SOKS", count: 1 });
    await expect.poll(async () => {
      await owner.ask({ tag: "SEND", notification: true, body: EMPTY }, null, queue.ids.sndId);
      return named((await back.event(notifierId)).message);
    }).toBe("NMSG");
  });
});
