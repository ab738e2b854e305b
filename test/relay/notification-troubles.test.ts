import { evictAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EMPTY } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { Server } from "#protocol/address";
import { AlarmClock } from "../../src/objects/alarm-clock.ts";
import type { FollowerApi } from "../../src/objects/api.ts";
import { Device } from "../../src/objects/device.ts";
import { SqlDeviceStore } from "../../src/objects/device-store.ts";
import type { Env } from "../../src/objects/env.ts";
import { notificationsOf } from "../../src/objects/notifications.ts";
import { Queue } from "../../src/objects/queue.ts";
import { breakCalls, until } from "../support/failing-objects.ts";
import { after, alarmOf, deviceOf, stored } from "../support/ntf-device.ts";
import { type NotifiedQueue, notify, Phone, sendNotifying, toldOf } from "../support/ntf-phone.ts";
import { PushInbox } from "../support/push-inbox.ts";
import { makeQueue } from "../support/queue-user.ts";
import { connect, connectNtf, thisServer } from "../support/workerd-relay.ts";

// What goes wrong for a device costs no more than it must, and ends.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 1440 * MINUTE;
const env = bindings as unknown as Env;
const inbox = new PushInbox();

beforeEach(() => {
  inbox.listen();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(() => vi.restoreAllMocks());

const newPhone = async (): Promise<Phone> => await new Phone(await connectNtf(), inbox.subscribe()).activate();

async function newQueue(): ReturnType<typeof notify> {
  const owner = await connect();
  return await notify(owner, await makeQueue(owner, { change: { subscribe: false } }));
}

async function followed(phone: Phone): Promise<{ readonly queue: NotifiedQueue; readonly subId: Uint8Array }> {
  const queue = await newQueue();
  const subId = await phone.subscribe(await thisServer(), queue);
  await becomes(phone, subId, "ACTIVE");
  return { queue, subId };
}

async function becomes(phone: Phone, subId: Uint8Array, status: string): Promise<void> {
  await vi.waitFor(async () => expect(await phone.status(subId)).toBe(status));
}

/** Long enough for whatever goes on by itself. */
const rest = (): Promise<void> => scheduler.wait(300);

/** A relay that nobody runs. */
const otherServer = (host = "relay.example.net", port = ""): Server => ({ hosts: [host], port, keyHash: randomBytes(32) });
const otherQueue = (): NotifiedQueue =>
  ({ notifierId: randomBytes(24), notifierKey: generateKeyPair("Ed25519").secretKey }) as unknown as NotifiedQueue;

/** What all followers inherit. */
const followers = (): Promise<FollowerApi> =>
  runInDurableObject(env.FOLLOWER.get(env.FOLLOWER.newUniqueId()), (one) => Object.getPrototypeOf(one) as FollowerApi);

/** Lets an alarm go off under other settings. */
async function alarmUnder(settings: Partial<Env>, object: DurableObjectStub): Promise<void> {
  await runInDurableObject(object, async (instance) => {
    const device = instance as Device & { env: Env };
    const { env: former } = device;
    device.env = { ...former, ...settings };
    try {
      await device.alarm();
    } finally {
      device.env = former;
    }
  });
}

describe("a device that fails at what is due", () => {
  it("tries again after a pause, not at once", async () => {
    const phone = await newPhone();
    const { queue } = await followed(phone);
    const object = await deviceOf(phone.tokenId);
    const broken = vi.spyOn(SqlDeviceStore.prototype, "saveDelivery").mockImplementation(() => {
      throw new Error("no room");
    });
    const before = phone.endpoint.attempts;
    await sendNotifying(await connect(), queue);
    await vi.waitFor(() => expect(phone.endpoint.attempts).toBe(before + 1));
    await rest();
    expect(phone.endpoint.attempts).toBe(before + 1);
    // Also where more is heard meanwhile.
    await sendNotifying(await connect(), queue);
    await rest();
    expect(phone.endpoint.attempts).toBe(before + 1);
    expect(await alarmOf(object)).toBeGreaterThan(Date.now() + 20 * SECOND);
    broken.mockRestore();
    phone.endpoint.got.length = 0;
    expect(await after(MINUTE, object)).toBe(true);
    expect(toldOf((await phone.pushes(1))[0], [queue])).toEqual([0]);
  });

  it("goes on when settings that were wrong are right again", async () => {
    const phone = await newPhone();
    await phone.named({ tag: "TCRN", minutes: 20 });
    const object = await deviceOf(phone.tokenId);
    await alarmUnder({ VAPID_PRIVATE_KEY: "no key" }, object);
    expect(await alarmOf(object)).toBeLessThanOrEqual(Date.now() + MINUTE);
    expect(await after(21 * MINUTE, object)).toBe(true);
    expect((await phone.pushes(1)).map(({ type }) => type)).toEqual(["check"]);
  });

  it("looks every day whether pushes are made again", async () => {
    const phone = await newPhone();
    const object = await deviceOf(phone.tokenId);
    await runInDurableObject(object, (_, state) => state.storage.deleteAlarm());
    await alarmUnder({ PUSH: "off" }, object);
    expect(await alarmOf(object)).toBeGreaterThan(Date.now() + DAY - MINUTE);
    expect(await alarmOf(object)).toBeLessThanOrEqual(Date.now() + DAY);
  });

  it("whose id is of another secret rests until that is back", async () => {
    const phone = await newPhone();
    const { queue } = await followed(phone);
    const object = await deviceOf(phone.tokenId);
    const { ids } = await runInDurableObject(object, (instance) => notificationsOf((instance as Device & { env: Env }).env));
    let asked = 0;
    const original = ids.deviceOfToken;
    // Were it to ask for ever nothing else could end it.
    const lost = vi.spyOn(ids, "deviceOfToken").mockImplementation((id) => (++asked > 500 ? original(id) : null));
    await sendNotifying(await connect(), queue);
    await rest();
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(20);
    lost.mockRestore();
    expect(await alarmOf(object)).not.toBeNull();
    expect(await after(MINUTE, object)).toBe(true);
    expect(toldOf((await phone.pushes(1))[0], [queue])).toEqual([0]);
  });

  it("leaves nothing behind when it is deleted while a queue could not be followed", async () => {
    const [phone, queue] = await Promise.all([newPhone(), newQueue()]);
    let isDeleted = false;
    const following = vi.spyOn(Queue.prototype, "followFor").mockImplementationOnce(async () => {
      await until(() => isDeleted);
      throw new Error("gone");
    });
    await phone.subscribe(await thisServer(), queue);
    await vi.waitFor(() => expect(following).toHaveBeenCalled());
    const object = await deviceOf(phone.tokenId);
    expect(await phone.named({ tag: "TDEL" })).toBe("OK");
    isDeleted = true;
    await rest();
    expect(await stored(object)).toEqual([]);
    expect(await alarmOf(object)).toBeNull();
  });

  it("can be deleted whatever is stored of its queues", async () => {
    const phone = await newPhone();
    const { subId } = await followed(phone);
    const object = await deviceOf(phone.tokenId);
    await runInDurableObject(object, (_, { storage: { sql } }) => {
      sql.exec("UPDATE subscription SET queue = replace(queue, '@', '@a!')");
    });
    expect(await phone.status(subId)).toBe("ERR AUTH");
    const again = await followed(phone);
    await becomes(phone, again.subId, "ACTIVE");
    phone.endpoint.answer = () => new Response(null, { status: 410 });
    await sendNotifying(await connect(), again.queue);
    await vi.waitFor(async () => expect(await phone.named({ tag: "TCHK" })).toBe("INVALID,UNREGISTERED"));
    expect(await phone.named({ tag: "TDEL" })).toBe("OK");
    expect(await stored(object)).toEqual([]);
  });
});

describe("an alarm", () => {
  it("that an object has set before it left memory is not put off by a later one", async () => {
    const { DEVICE } = env;
    const object = DEVICE.get(DEVICE.newUniqueId());
    const soon = Date.now() + MINUTE;
    const later = (): Promise<void> =>
      runInDurableObject(object, async (_, state) => {
        const clock = new AlarmClock(state);
        await scheduler.wait(10);
        clock.by(soon + MINUTE);
      });
    await runInDurableObject(object, (_, state) => state.storage.setAlarm(soon));
    await evictAllDurableObjects();
    await later();
    expect(await alarmOf(object)).toBe(soon);
    await runInDurableObject(object, (_, state) => state.storage.deleteAlarm());
    await later();
    expect(await alarmOf(object)).toBe(soon + MINUTE);
  });

  it("of a device that does not exist (any more) leaves nothing", async () => {
    const object = env.DEVICE.get(env.DEVICE.newUniqueId());
    await runInDurableObject(object, async (_, { storage }) => {
      storage.sql.exec("CREATE TABLE unfollowed (k INTEGER PRIMARY KEY, at INTEGER)");
      storage.sql.exec("INSERT INTO unfollowed VALUES (0, ?)", Date.now() + DAY);
      await storage.setAlarm(Date.now() + MINUTE);
    });
    expect(await runDurableObjectAlarm(object)).toBe(true);
    expect(await alarmOf(object)).toBeNull();
    expect(await stored(object)).toEqual([]);
  });
});

describe("the follower of another relay", () => {
  it("is asked under the id that the subscription gets", async () => {
    const [phone, all] = await Promise.all([newPhone(), followers()]);
    const claim = vi.spyOn(all, "claim").mockResolvedValue(true);
    const follow = vi.spyOn(all, "follow").mockResolvedValue(undefined);
    const subId = await phone.subscribe(otherServer(), otherQueue());
    await becomes(phone, subId, "PENDING");
    expect(claim.mock.calls.map(([, , one]) => one.subId)).toEqual([subId]);
    expect(follow.mock.calls.flatMap(([, queues]) => queues.map((one) => one.subId))).toEqual([subId]);
  });

  it("is not asked, or even made, where that relay may not be reached", async () => {
    const [phone, all] = await Promise.all([newPhone(), followers()]);
    const [claim, follow, unfollow] = (["claim", "follow", "unfollow"] as const).map((name) => vi.spyOn(all, name));
    for (const server of [otherServer("127.0.0.1"), otherServer("relay.local"), otherServer("relay.example.net", "25")]) {
      const subId = await phone.subscribe(server, otherQueue());
      await becomes(phone, subId, "ERR the relay may not be reached from this server");
    }
    expect(await phone.named({ tag: "TDEL" })).toBe("OK");
    await rest();
    for (const spy of [claim, follow, unfollow]) expect(spy).not.toHaveBeenCalled();
  });

  it("is not asked where the device has as many subscriptions as it may", async () => {
    const [phone, all] = await Promise.all([newPhone(), followers()]);
    const { limits } = await notificationsOf(env);
    const { subscriptions } = limits;
    const claim = vi.spyOn(all, "claim").mockResolvedValue(true);
    Object.assign(limits, { subscriptions: 0 });
    try {
      await expect(phone.subscribe(otherServer(), otherQueue())).rejects.toThrow("QUOTA");
    } finally {
      Object.assign(limits, { subscriptions });
    }
    expect(claim).not.toHaveBeenCalled();
  });

  it("hears that a device is gone though queues of this relay do not", async () => {
    const [phone, all] = await Promise.all([newPhone(), followers()]);
    vi.spyOn(all, "claim").mockResolvedValue(true);
    vi.spyOn(all, "follow").mockResolvedValue(undefined);
    const unfollow = vi.spyOn(all, "unfollow").mockResolvedValue(undefined);
    await followed(phone);
    const subId = await phone.subscribe(otherServer(), otherQueue());
    await becomes(phone, subId, "PENDING");
    breakCalls(Queue, "unfollowFor", 1, "before");
    expect(await phone.named({ tag: "TDEL" })).toBe("OK");
    await vi.waitFor(() => expect(unfollow.mock.calls.flat(2)).toMatchObject([{ subId }]));
  });
});

describe("a queue", () => {
  it("whose device was dead for a moment is followed again, in whatever order that is heard of", async () => {
    const phone = await newPhone();
    const { queue, subId } = await followed(phone);
    let isVerified = false;
    const original = Queue.prototype.unfollowFor;
    vi.spyOn(Queue.prototype, "unfollowFor").mockImplementationOnce(async function (this: Queue, one) {
      await until(() => isVerified);
      return await original.call(this, one);
    });
    phone.endpoint.answer = () => new Response(null, { status: 410 });
    await sendNotifying(await connect(), queue);
    await vi.waitFor(async () => expect(await phone.named({ tag: "TCHK" })).toBe("INVALID,UNREGISTERED"));
    phone.endpoint.answer = () => new Response(null, { status: 201 });
    await phone.register();
    expect(await phone.named({ tag: "TVFY", code: await phone.code() })).toBe("OK");
    await rest();
    isVerified = true;
    await becomes(phone, subId, "ACTIVE");
    await rest();
    await sendNotifying(await connect(), queue);
    expect(toldOf((await phone.pushes(1))[0], [queue])).toEqual([0]);
  });

  it("that tells a dead device is answered that nobody listens", async () => {
    const phone = await newPhone();
    const { queue } = await followed(phone);
    breakCalls(Queue, "unfollowFor", 1, "before");
    phone.endpoint.answer = () => new Response(null, { status: 410 });
    await sendNotifying(await connect(), queue);
    await vi.waitFor(async () => expect(await phone.named({ tag: "TCHK" })).toBe("INVALID,UNREGISTERED"));
    const pushed = vi.spyOn(Device.prototype, "push");
    await sendNotifying(await connect(), queue);
    await vi.waitFor(() => expect(pushed.mock.settledResults).toMatchObject([{ value: false }]));
    // It does not come again, and the next message waits for whoever follows.
    await sendNotifying(await connect(), queue);
    await rest();
    expect(pushed).toHaveBeenCalledTimes(1);
  });

  it("that could not be followed is soon asked again when another one could", async () => {
    const [phone, first, second] = await Promise.all([newPhone(), newQueue(), newQueue()]);
    const original = Queue.prototype.followFor;
    vi.spyOn(Queue.prototype, "followFor").mockImplementation(async function (this: Queue, one) {
      if (one.notifierId.toString() === first.notifierId.toString()) throw new Error("not now");
      return await original.call(this, one);
    });
    const object = await deviceOf(phone.tokenId);
    const pause = (): Promise<number> =>
      runInDurableObject(object, (_, { storage }) => Number(storage.sql.exec("SELECT at FROM unfollowed").one()["at"]) - Date.now());
    const server = await thisServer();
    await phone.subscribe(server, first);
    await rest();
    expect(await after(2 * MINUTE, object)).toBe(true);
    await rest();
    expect(await pause(), "it fails for the second time").toBeGreaterThan(40 * SECOND);
    const subId = await phone.subscribe(server, second);
    await becomes(phone, subId, "ACTIVE");
    await rest();
    expect(await pause()).toBeLessThanOrEqual(30 * SECOND);
  });
});

describe("a stranger who makes up ids", () => {
  it("makes no device, and no alarm", async () => {
    const phone = new Phone(await connectNtf(), inbox.subscribe());
    const forgotten = vi.spyOn(AlarmClock.prototype, "forget");
    phone.tokenId = randomBytes(24);
    expect(await phone.named({ tag: "SCHK" }, randomBytes(24))).toBe("ERR AUTH");
    expect(await phone.named({ tag: "TCHK" })).toBe("ERR AUTH");
    await expect(phone.subscribe(otherServer(), otherQueue())).rejects.toThrow("AUTH");
    expect(forgotten).not.toHaveBeenCalled();
    expect(phone.secret).toBe(EMPTY);
  });
});
