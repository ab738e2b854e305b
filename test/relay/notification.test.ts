import { evictAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EMPTY } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { encode } from "#protocol/codec";
import { ntfBlock } from "#protocol/ntf/block";
import { ntfClientHello } from "#protocol/ntf/handshake";
import { alarmOf, deviceOf, stored, tokensOf } from "../support/ntf-device.ts";
import { notify, Phone, sendNotifying, toldOf } from "../support/ntf-phone.ts";
import { namedNtf } from "../support/ntf-wire-client.ts";
import { PushInbox } from "../support/push-inbox.ts";
import { makeQueue } from "../support/queue-user.ts";
import { connect, connectNtf, openNtf, thisServer } from "../support/workerd-relay.ts";

const inbox = new PushInbox();

beforeEach(() => void inbox.listen());
afterEach(() => vi.restoreAllMocks());

const newPhone = async (version?: number): Promise<Phone> => new Phone(await connectNtf(version), inbox.subscribe());

async function newQueue(): ReturnType<typeof notify> {
  const owner = await connect();
  return await notify(owner, await makeQueue(owner, { change: { subscribe: false } }));
}

describe("a device", () => {
  it.each([1, 2, 3])("registers, proves that it reads its pushes, and is told of messages (version %i)", async (version) => {
    const [phone, queue, sender] = await Promise.all([newPhone(version), newQueue(), connect()]);
    await phone.register();
    const code = await phone.code();
    expect(await phone.named({ tag: "TCHK" })).toBe("CONFIRMED");
    expect(await phone.named({ tag: "TVFY", code })).toBe("OK");
    expect(await phone.named({ tag: "TCHK" })).toBe("ACTIVE");
    const subId = await phone.subscribe(await thisServer(), queue);
    await vi.waitFor(async () => expect(await phone.status(subId)).toBe("ACTIVE"));
    await sendNotifying(sender, queue);
    expect(toldOf((await phone.pushes(1))[0], [queue])).toEqual([0]);
  });

  it("goes on as if nothing had happened when all objects leave memory between any two steps", async () => {
    const [phone, queue, sender] = await Promise.all([newPhone(), newQueue(), connect()]);
    await evictAllDurableObjects();
    await phone.register();
    const code = await phone.code();
    await evictAllDurableObjects();
    expect(await phone.named({ tag: "TVFY", code })).toBe("OK");
    await evictAllDurableObjects();
    const subId = await phone.subscribe(await thisServer(), queue);
    await vi.waitFor(async () => expect(await phone.status(subId)).toBe("ACTIVE"));
    await evictAllDurableObjects();
    await sendNotifying(sender, queue);
    expect(toldOf((await phone.pushes(1))[0], [queue])).toEqual([0]);
    await evictAllDurableObjects();
    expect(await phone.named({ tag: "TCHK" })).toBe("ACTIVE");
    expect(await phone.status(subId)).toBe("ACTIVE");
  });

  it("may repeat whatever it was not answered", async () => {
    const [phone, queue] = await Promise.all([newPhone(), newQueue()]);
    const key = await phone.register();
    const { tokenId } = phone;
    const code = await phone.code();
    expect(await phone.register()).toEqual(key);
    expect(phone.tokenId).toEqual(tokenId);
    expect(await phone.code()).toEqual(code);
    for (let i = 0; i < 2; i++) expect(await phone.named({ tag: "TVFY", code })).toBe("OK");
    const server = await thisServer();
    expect(await phone.subscribe(server, queue)).toEqual(await phone.subscribe(server, queue));
    for (let i = 0; i < 2; i++) expect(await phone.named({ tag: "TCRN", minutes: 30 })).toBe("OK");
  });

  it("gets its commands of one block done in order, and answered in one block", async () => {
    const phone = await (await newPhone()).activate();
    const { client, keys, tokenId } = phone;
    const one = (command: Parameters<typeof client.transmission>[0], id = tokenId): Uint8Array =>
      client.transmission(command, command.tag === "PING" ? null : keys.secretKey, id);
    client.sendAll([
      one({ tag: "TCHK" }),
      one({ tag: "PING" }, EMPTY),
      one({ tag: "TCRN", minutes: 5 }),
      one({ tag: "TCHK" }, randomBytes(24)),
    ]);
    const answers = [await client.next(), await client.next(), await client.next(), await client.next()];
    expect(answers.map(({ answer }) => namedNtf(answer))).toEqual(["ACTIVE", "PONG", "ERR QUOTA", "ERR AUTH"]);
    expect(client.inbox.isEmpty).toBe(true);
  });

  it("leaves nothing behind when it is deleted", async () => {
    const [phone, queue, sender] = await Promise.all([newPhone(), newQueue(), connect()]);
    await phone.activate();
    const subId = await phone.subscribe(await thisServer(), queue);
    const object = await deviceOf(phone.tokenId);
    expect(await phone.named({ tag: "TDEL" })).toBe("OK");
    expect(await phone.named({ tag: "TCHK" })).toBe("ERR AUTH");
    expect(await phone.status(subId)).toBe("ERR AUTH");
    expect(await stored(object)).toEqual([]);
    expect(await alarmOf(object)).toBeNull();
    await sendNotifying(sender, queue);
    // The name of the registration is the same when the token comes again.
    await phone.register();
    expect((await phone.pushes(1)).map(({ type }) => type)).toEqual(["verification"]);
  });
});

describe("who does not have the key or the code", () => {
  it("is answered AUTH, whether the id exists or not", async () => {
    const [phone, other, queue] = await Promise.all([newPhone(), newPhone(), newQueue()]);
    await Promise.all([phone.activate(), other.activate()]);
    const server = await thisServer();
    const subId = await phone.subscribe(server, queue);
    const { client } = other;
    const key = other.keys.secretKey;
    for (const tokenId of [phone.tokenId, randomBytes(24), randomBytes(7), subId]) {
      for (const command of [
        { tag: "TCHK" },
        { tag: "TDEL" },
        { tag: "TCRN", minutes: 20 },
        { tag: "TVFY", code: randomBytes(32) },
        { tag: "TRPL", token: other.endpoint.token },
      ] as const) {
        expect(namedNtf(await client.ask(command, key, tokenId))).toBe("ERR AUTH");
      }
    }
    for (const id of [subId, randomBytes(24), phone.tokenId]) {
      expect(namedNtf(await client.ask({ tag: "SCHK" }, key, id))).toBe("ERR AUTH");
      expect(namedNtf(await client.ask({ tag: "SDEL" }, key, id))).toBe("ERR AUTH");
    }
    const command = {
      tag: "SNEW",
      tokenId: phone.tokenId,
      queue: { server, notifierId: queue.notifierId },
      notifierKey: queue.notifierKey,
    } as const;
    expect(namedNtf(await client.ask(command, key))).toBe("ERR AUTH");
    expect(await phone.named({ tag: "TCHK" })).toBe("ACTIVE");
    expect(await phone.status(subId)).toBe("ACTIVE");
  });

  it("verifies nothing with a code of its own making, and subscribes to nothing before", async () => {
    const [phone, queue] = await Promise.all([newPhone(), newQueue()]);
    await phone.register();
    expect(await phone.named({ tag: "TVFY", code: randomBytes(32) })).toBe("ERR AUTH");
    await expect(thisServer().then((server) => phone.subscribe(server, queue))).rejects.toThrow("AUTH");
    expect(await phone.named({ tag: "TVFY", code: await phone.code() })).toBe("OK");
  });

  it("registers nothing with a key that does not sign, and stores nothing", async () => {
    const phone = await newPhone();
    const { endpoint: { token }, dhKeys, client } = phone;
    const command = { tag: "TNEW", token, verifyKey: phone.keys.publicKey, dhKey: dhKeys.publicKey } as const;
    expect(namedNtf(await client.ask(command, generateKeyPair("Ed25519").secretKey))).toBe("ERR AUTH");
    const kept = await runInDurableObject(await tokensOf(token), (_, state) => [...state.storage.kv.list()]);
    expect(kept).toEqual([]);
    expect(phone.endpoint.attempts).toBe(0);
  });

  it("is not pushed to where no provider is set up or the endpoint may not be reached", async () => {
    const phone = await newPhone();
    for (const host of ["127.0.0.1", "localhost", "push.internal", "169.254.169.254"]) {
      await expect(phone.register({ ...phone.endpoint.token, host })).rejects.toThrow("PROHIBITED");
    }
    await expect(phone.register({ provider: "apns_prod", token: "ab".repeat(32) })).rejects.toThrow("PROHIBITED");
    await expect(phone.register({ provider: "fcm", token: "token" })).rejects.toThrow("PROHIBITED");
    await phone.register({ provider: "apns_null", token: "test_ntf_token" });
  });
});

describe("two registrations of one device token", () => {
  it("the one that reads its push is left, the other is gone", async () => {
    const [first, queue] = await Promise.all([newPhone(), newQueue()]);
    await first.activate();
    const subId = await first.subscribe(await thisServer(), queue);
    const second = new Phone(await connectNtf(), first.endpoint);
    await second.register();
    expect(await first.named({ tag: "TCHK" })).toBe("ACTIVE");
    expect(await second.named({ tag: "TVFY", code: await second.code() })).toBe("OK");
    expect(await first.named({ tag: "TCHK" })).toBe("ERR AUTH");
    expect(await first.status(subId)).toBe("ERR AUTH");
    // The queue is free for whoever has its key.
    const again = await second.subscribe(await thisServer(), queue);
    await vi.waitFor(async () => expect(await second.status(again)).toBe("ACTIVE"));
  });

  it("strangers who know it cannot push out its owner, nor make it ring without end", async () => {
    const owner = await (await newPhone()).activate();
    let refused = 0;
    for (let i = 0; i < 12; i++) {
      const stranger = new Phone(await connectNtf(), owner.endpoint);
      const registered = await stranger.register().then(() => "IDTKN", (error: unknown) => String(error));
      if (registered.includes("QUOTA")) refused++;
    }
    expect(refused).toBeGreaterThanOrEqual(6);
    expect(await owner.named({ tag: "TCHK" })).toBe("ACTIVE");
  });

  it("a replaced token is verified anew, with the same subscriptions, and the former one is free", async () => {
    const [phone, queue, sender] = await Promise.all([newPhone(), newQueue(), connect()]);
    await phone.activate();
    const subId = await phone.subscribe(await thisServer(), queue);
    await vi.waitFor(async () => expect(await phone.status(subId)).toBe("ACTIVE"));
    const former = phone.endpoint;
    const moved = inbox.subscribe();
    for (let i = 0; i < 2; i++) expect(await phone.named({ tag: "TRPL", token: moved.token })).toBe("OK");
    phone.endpoint = moved;
    await vi.waitFor(() => expect(moved.got.length).toBeGreaterThan(0));
    const codes = await phone.pushes(1);
    const last = codes.at(-1);
    const verified = last?.type === "verification" ? await phone.named({ tag: "TVFY", code: last.code }) : "";
    // The second TRPL made the first one's code void, which may have been pushed all the same.
    if (verified !== "OK") expect(await phone.named({ tag: "TVFY", code: await phone.code() })).toBe("OK");
    await sendNotifying(sender, queue);
    await vi.waitFor(() => expect(moved.got.length).toBeGreaterThan(0));
    expect(toldOf((await phone.pushes(1)).at(-1), [queue])).toEqual([0]);
    expect(former.got).toEqual([]);
    const next = new Phone(await connectNtf(), former);
    await next.activate();
    expect(await phone.named({ tag: "TCHK" })).toBe("ACTIVE");
  });
});

describe("a connection", () => {
  it("is closed for what is no block, another server's name or another version", async () => {
    const sizes = [0, 511, 513, 16_384].map(async (size) => {
      const client = await openNtf();
      client.socket.send(new Uint8Array(size));
      expect((await client.closed).code).toBe(1007);
    });
    await Promise.all(sizes);
    const { keyHash } = await thisServer();
    for (const [version, hash] of [[3, randomBytes(32)], [4, keyHash], [0, keyHash]] as const) {
      const client = await openNtf();
      client.socket.send(ntfBlock(encode(ntfClientHello, { version, keyHash: hash })));
      expect((await client.closed).code).toBe(1008);
    }
  });

  it("answers what it cannot read, and goes on", async () => {
    const phone = await newPhone();
    const { client } = phone;
    client.socket.send(new Uint8Array(512).fill(1));
    expect(namedNtf((await client.next()).answer)).toContain("ERR BLOCK");
    expect(await phone.named({ tag: "TCHK" }, randomBytes(24))).toBe("ERR AUTH");
  });

  it("is refused more registrations in a minute than anybody needs", async () => {
    const phone = await newPhone();
    const answers: string[] = [];
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    try {
      for (let i = 0; i < 62; i++) {
        const token = { provider: "apns_null", token: i.toString(16).padStart(4, "0") } as const;
        answers.push(await phone.register(token).then(() => "IDTKN", () => "refused"));
      }
    } finally {
      vi.useRealTimers();
    }
    expect(answers.map((answer) => answer === "refused")).toEqual(answers.map((_, i) => i >= 60));
    expect(namedNtf(await phone.client.ask({ tag: "PING" }))).toBe("PONG");
  });
});
