import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { Env } from "../../src/objects/env.ts";
import { notificationsOf } from "../../src/objects/notifications.ts";
import type { NotificationLimits } from "../../src/relay/notification/limits.ts";
import { type NotifiedQueue, notify, Phone, sendNotifying, toldOf } from "../support/ntf-phone.ts";
import { PushInbox } from "../support/push-inbox.ts";
import { makeQueue } from "../support/queue-user.ts";
import { named, type WireClient } from "../support/wire-client.ts";
import { connect, connectNtf, thisServer } from "../support/workerd-relay.ts";

const inbox = new PushInbox();

beforeEach(() => void inbox.listen());
afterEach(() => vi.restoreAllMocks());

interface Scene {
  readonly phone: Phone;
  readonly owner: WireClient;
  readonly queue: NotifiedQueue;
}

async function scene(): Promise<Scene> {
  const [client, owner] = await Promise.all([connectNtf(), connect()]);
  const phone = await new Phone(client, inbox.subscribe()).activate();
  const queue = await notify(owner, await makeQueue(owner, { change: { subscribe: false } }));
  return { phone, owner, queue };
}

async function becomes(phone: Phone, subId: Uint8Array, status: string): Promise<void> {
  await vi.waitFor(async () => expect(await phone.status(subId)).toBe(status));
}

async function follow(phone: Phone, queue: NotifiedQueue, status = "ACTIVE"): Promise<Uint8Array> {
  const subId = await phone.subscribe(await thisServer(), queue);
  await becomes(phone, subId, status);
  return subId;
}

describe("a queue of this relay", () => {
  it("is followed only with the key of its notifier", async () => {
    const { phone, owner, queue } = await scene();
    const wrong = { ...queue, notifierKey: generateKeyPair("Ed25519").secretKey };
    const wronglyFollowed = await follow(phone, wrong, "AUTH");
    await follow(phone, { ...queue, notifierId: randomBytes(24) }, "AUTH");
    await follow(phone, { ...queue, notifierId: randomBytes(9) }, "AUTH");
    const silent = await makeQueue(owner, { change: { subscribe: false } });
    await follow(phone, { ...queue, ...silent, notifierId: silent.ids.sndId }, "AUTH");
    await sendNotifying(owner, queue);
    await scheduler.wait(200);
    expect(phone.endpoint.got).toEqual([]);
    // The right key has no place before the wrong one is gone.
    await expect(phone.subscribe(await thisServer(), queue)).rejects.toThrow("AUTH");
    expect(await phone.named({ tag: "SDEL" }, wronglyFollowed)).toBe("OK");
    await follow(phone, queue);
    expect(toldOf((await phone.pushes(1))[0], [queue])).toEqual([0]);
  });

  it("tells of what came before it was followed", async () => {
    const { phone, owner, queue } = await scene();
    for (let i = 0; i < 3; i++) await sendNotifying(owner, queue);
    await follow(phone, queue);
    expect(toldOf((await phone.pushes(1))[0], [queue])).toEqual([0]);
  });

  it("is taken over by whoever subscribes to it as an official notification server does", async () => {
    const { phone, owner, queue } = await scene();
    const subId = await follow(phone, queue);
    const server = await connect();
    expect(named(await server.ask({ tag: "NSUB" }, queue.notifierKey, queue.notifierId))).toBe("SOK");
    await becomes(phone, subId, "END");
    await sendNotifying(owner, queue);
    expect(named((await server.event()).message)).toBe("NMSG");
    expect(phone.endpoint.got).toEqual([]);
  });

  it("takes itself back from there", async () => {
    const { phone, owner, queue } = await scene();
    const server = await connect();
    await server.ask({ tag: "NSUB" }, queue.notifierKey, queue.notifierId);
    await follow(phone, queue);
    expect(named((await server.event()).message)).toBe("END");
    await sendNotifying(owner, queue);
    expect(toldOf((await phone.pushes(1))[0], [queue])).toEqual([0]);
  });

  it("tells that its notifier, or it itself, was deleted", async () => {
    const { phone, owner, queue } = await scene();
    const subId = await follow(phone, queue);
    expect(named(await owner.ask({ tag: "NDEL" }, queue.recipientKey, queue.ids.rcvId))).toBe("OK");
    await becomes(phone, subId, "DELETED");
    const other = await notify(owner, await makeQueue(owner, { change: { subscribe: false } }));
    const otherSub = await follow(phone, other);
    expect(named(await owner.ask({ tag: "DEL" }, other.recipientKey, other.ids.rcvId))).toBe("OK");
    await becomes(phone, otherSub, "DELETED");
  });

  it("goes on under the key that NKEY gave it", async () => {
    const { phone, owner, queue } = await scene();
    const subId = await follow(phone, queue);
    const renewed = await notify(owner, queue);
    await becomes(phone, subId, "DELETED");
    await follow(phone, renewed);
    await sendNotifying(owner, queue);
    expect(toldOf((await phone.pushes(1))[0], [renewed])).toEqual([0]);
  });

  it("that has ended makes room for another where a device has as many as it may", async () => {
    const { phone, owner, queue } = await scene();
    const limits = (await notificationsOf(env as unknown as Env)).limits as { -readonly [K in keyof NotificationLimits]: number };
    const { subscriptions } = limits;
    limits.subscriptions = 2;
    try {
      await follow(phone, queue);
      const renewed = await notify(owner, queue);
      const subId = await follow(phone, renewed);
      const other = await notify(owner, await makeQueue(owner, { change: { subscribe: false } }));
      await follow(phone, other);
      const server = await thisServer();
      await expect(phone.subscribe(server, await notify(owner, await makeQueue(owner)))).rejects.toThrow("QUOTA");
      expect(await phone.status(subId)).toBe("ACTIVE");
    } finally {
      limits.subscriptions = subscriptions;
    }
  });

  it("is silent for a device that unsubscribed", async () => {
    const { phone, owner, queue } = await scene();
    const subId = await follow(phone, queue);
    expect(await phone.named({ tag: "SDEL" }, subId)).toBe("OK");
    expect(await phone.status(subId)).toBe("ERR AUTH");
    await sendNotifying(owner, queue);
    await scheduler.wait(200);
    expect(phone.endpoint.got).toEqual([]);
  });

  it("is not followed for a second device until the first has given it up", async () => {
    const { phone, owner, queue } = await scene();
    const subId = await follow(phone, queue);
    const second = await new Phone(await connectNtf(), inbox.subscribe()).activate();
    const server = await thisServer();
    await expect(second.subscribe(server, queue)).rejects.toThrow("AUTH");
    const wrong = { ...queue, notifierKey: generateKeyPair("Ed25519").secretKey };
    await expect(second.subscribe(server, wrong), "with a wrong key").rejects.toThrow("AUTH");
    expect(await phone.status(subId)).toBe("ACTIVE");
    await sendNotifying(owner, queue);
    expect(toldOf((await phone.pushes(1))[0], [queue])).toEqual([0]);
    expect(await phone.named({ tag: "TDEL" })).toBe("OK");
    await vi.waitFor(() => second.subscribe(server, queue));
    await sendNotifying(owner, queue);
    expect(toldOf((await second.pushes(1))[0], [queue])).toEqual([0]);
  });
});
