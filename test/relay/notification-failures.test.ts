import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Device } from "../../src/objects/device.ts";
import { DeviceTokens } from "../../src/objects/device-tokens.ts";
import { Queue } from "../../src/objects/queue.ts";
import { breakCalls } from "../support/failing-objects.ts";
import { after, alarmOf, deviceOf, tokensOf } from "../support/ntf-device.ts";
import { notify, Phone, sendNotifying, toldOf } from "../support/ntf-phone.ts";
import { PushInbox } from "../support/push-inbox.ts";
import { makeQueue } from "../support/queue-user.ts";
import { connect, connectNtf, thisServer } from "../support/workerd-relay.ts";

// What comes to its end in the middle of something is done, or can be done again.

const MINUTE = 60_000;
const inbox = new PushInbox();

beforeEach(() => {
  inbox.listen();
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(() => vi.restoreAllMocks());

const newPhone = async (endpoint = inbox.subscribe()): Promise<Phone> => new Phone(await connectNtf(), endpoint);

async function newQueue(): ReturnType<typeof notify> {
  const owner = await connect();
  return await notify(owner, await makeQueue(owner, { change: { subscribe: false } }));
}

const UNKNOWN = "STORE";

describe("a registration", () => {
  it.each(["before", "after"] as const)("whose token fails %s it is done is found again", async (when) => {
    const phone = await newPhone();
    breakCalls(Device, "handle", 1, when);
    await expect(phone.register()).rejects.toThrow(UNKNOWN);
    await phone.register();
    const codes = await phone.pushes(1);
    const last = codes.at(-1);
    expect(last?.type === "verification" && await phone.named({ tag: "TVFY", code: last.code })).toBe("OK");
  });

  it.each(["before", "after"] as const)("that is verified while its device token fails %s it knows is verified again", async (when) => {
    const [first, queue] = await Promise.all([newPhone(), newQueue()]);
    await first.activate();
    const second = await newPhone(first.endpoint);
    await second.register();
    const code = await second.code();
    breakCalls(DeviceTokens, "activate", 1, when);
    expect(await second.named({ tag: "TVFY", code })).toContain(UNKNOWN);
    expect(await second.named({ tag: "TVFY", code })).toBe("OK");
    expect(await first.named({ tag: "TCHK" })).toBe("ERR AUTH");
    await second.subscribe(await thisServer(), queue);
  });

  it("that could not be told that it is over is told later", async () => {
    const first = await (await newPhone()).activate();
    const second = await newPhone(first.endpoint);
    await second.register();
    breakCalls(Device, "forget", 1, "before");
    expect(await second.named({ tag: "TVFY", code: await second.code() })).toBe("OK");
    expect(await first.named({ tag: "TCHK" })).toBe("ACTIVE");
    expect(await after(MINUTE, await tokensOf(first.endpoint.token))).toBe(true);
    expect(await first.named({ tag: "TCHK" })).toBe("ERR AUTH");
    expect(await second.named({ tag: "TCHK" })).toBe("ACTIVE");
  });
});

describe("a replaced token", () => {
  it.each([
    [DeviceTokens, "enroll", "before"],
    [DeviceTokens, "enroll", "after"],
    [Device, "handle", "after"],
  ] as const)("keeps its subscriptions when %o.%s fails %s it is done, and is replaced again", async (owner, name, when) => {
    const [phone, queue, sender] = await Promise.all([newPhone(), newQueue(), connect()]);
    await phone.activate();
    await phone.subscribe(await thisServer(), queue);
    const former = phone.endpoint;
    const moved = inbox.subscribe();
    breakCalls(owner, name, 1, when);
    expect(await phone.named({ tag: "TRPL", token: moved.token })).toContain(UNKNOWN);
    // Whoever registers the new device token meanwhile ends nothing that is not on it.
    if (name === "enroll") {
      const other = await newPhone(moved);
      await other.activate();
      expect(await phone.named({ tag: "TCHK" })).toBe("ACTIVE");
    }
    expect(await phone.named({ tag: "TRPL", token: moved.token })).toBe("OK");
    phone.endpoint = moved;
    await vi.waitFor(() => expect(moved.got.length).toBeGreaterThan(name === "enroll" ? 0 : 1), { timeout: 3000 });
    const last = (await phone.pushes(1)).at(-1);
    expect(last?.type === "verification" && await phone.named({ tag: "TVFY", code: last.code })).toBe("OK");
    await sendNotifying(sender, queue);
    expect(toldOf((await phone.pushes(1)).at(-1), [queue])).toEqual([0]);
    expect(former.got).toEqual([]);
  });

  it("whose former one could not be released does not end with it", async () => {
    const phone = await (await newPhone()).activate();
    const former = phone.endpoint;
    const moved = inbox.subscribe();
    breakCalls(DeviceTokens, "release", 1, "before");
    expect(await phone.named({ tag: "TRPL", token: moved.token })).toBe("OK");
    await (await newPhone(former)).activate();
    phone.endpoint = moved;
    expect(await phone.named({ tag: "TVFY", code: await phone.code() })).toBe("OK");
  });
});

describe("a queue", () => {
  it.each(["before", "after"] as const)("that fails %s it is followed is asked again later", async (when) => {
    const [phone, queue, sender] = await Promise.all([newPhone(), newQueue(), connect()]);
    await phone.activate();
    breakCalls(Queue, "followFor", 1, when);
    const subId = await phone.subscribe(await thisServer(), queue);
    await scheduler.wait(200);
    expect(await phone.status(subId)).toBe("NEW");
    const object = await deviceOf(phone.tokenId);
    expect(await alarmOf(object)).not.toBeNull();
    expect(await after(2 * MINUTE, object)).toBe(true);
    expect(await phone.status(subId)).toBe("ACTIVE");
    await sendNotifying(sender, queue);
    expect(toldOf((await phone.pushes(1))[0], [queue])).toEqual([0]);
  });

  it("that could not be unfollowed forgets the device when it has something to tell", async () => {
    const [phone, queue, sender] = await Promise.all([newPhone(), newQueue(), connect()]);
    await phone.activate();
    const subId = await phone.subscribe(await thisServer(), queue);
    await vi.waitFor(async () => expect(await phone.status(subId)).toBe("ACTIVE"));
    breakCalls(Queue, "unfollowFor", 1, "before");
    expect(await phone.named({ tag: "SDEL" }, subId)).toBe("OK");
    await scheduler.wait(100);
    await sendNotifying(sender, queue);
    await scheduler.wait(200);
    // What comes from now on waits for the next who follows.
    await sendNotifying(sender, queue);
    const again = await phone.subscribe(await thisServer(), queue);
    await vi.waitFor(async () => expect(await phone.status(again)).toBe("ACTIVE"));
    expect(toldOf((await phone.pushes(1))[0], [queue])).toEqual([0]);
  });

  it("that could not be unfollowed for a device that is gone is free for another", async () => {
    const [phone, queue] = await Promise.all([newPhone(), newQueue()]);
    await phone.activate();
    const subId = await phone.subscribe(await thisServer(), queue);
    await vi.waitFor(async () => expect(await phone.status(subId)).toBe("ACTIVE"));
    breakCalls(Queue, "unfollowFor", 1, "before");
    expect(await phone.named({ tag: "TDEL" })).toBe("OK");
    const second = await (await newPhone()).activate();
    const again = await second.subscribe(await thisServer(), queue);
    await vi.waitFor(async () => expect(await second.status(again)).toBe("ACTIVE"));
  });
});

describe("a device token that nobody has registered any more", () => {
  it("is forgotten when its attempts say nothing any more", async () => {
    const phone = await (await newPhone()).activate();
    const object = await tokensOf(phone.endpoint.token);
    expect(await phone.named({ tag: "TDEL" })).toBe("OK");
    const keys = (): Promise<number> =>
      runInDurableObject(object, (_, state) => [...state.storage.kv.list()].length);
    expect(await keys()).toBe(1);
    expect(await after(2 * MINUTE, object)).toBe(true);
    expect(await keys()).toBe(0);
    expect(await alarmOf(object)).toBeNull();
  });
});
