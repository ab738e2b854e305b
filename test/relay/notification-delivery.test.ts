import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { randomBytes } from "#crypto/random";
import type { Server } from "#protocol/address";
import type { DeviceApi } from "../../src/objects/api.ts";
import { meter } from "../../src/objects/meter.ts";
import { after, alarmOf, deviceOf } from "../support/ntf-device.ts";
import { type NotifiedQueue, notify, Phone, sendNotifying, toldOf } from "../support/ntf-phone.ts";
import { PushInbox } from "../support/push-inbox.ts";
import { makeQueue } from "../support/queue-user.ts";
import type { WireClient } from "../support/wire-client.ts";
import { connect, connectNtf, thisServer } from "../support/workerd-relay.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;
const inbox = new PushInbox();

beforeEach(() => void inbox.listen());
afterEach(() => vi.restoreAllMocks());

interface Scene {
  readonly phone: Phone;
  readonly queues: readonly NotifiedQueue[];
  readonly subs: readonly Uint8Array[];
  readonly server: Server;
  readonly sender: WireClient;
  readonly object: DurableObjectStub;
}

/** A verified device that follows so many queues of this relay. */
async function following(count: number): Promise<Scene> {
  const [client, owner, sender, server] = await Promise.all([connectNtf(), connect(), connect(), thisServer()]);
  const phone = await new Phone(client, inbox.subscribe()).activate();
  const queues: NotifiedQueue[] = [];
  const subs: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const queue = await notify(owner, await makeQueue(owner, { change: { subscribe: false } }));
    queues.push(queue);
    subs.push(await phone.subscribe(server, queue));
  }
  await vi.waitFor(async () => {
    for (const subId of subs) expect(await phone.status(subId)).toBe("ACTIVE");
  });
  return { phone, queues, subs, server, sender, object: await deviceOf(phone.tokenId) };
}

/** Time for what must not happen. */
const aWhile = (): Promise<void> => scheduler.wait(200);

const first = <T>([item]: readonly T[]): T => {
  if (item === undefined) throw new Error("there is none");
  return item;
};

describe("pushes", () => {
  it("tell at once of the first message after a pause, and of all that follow within seconds by one more", async () => {
    const { phone, queues, sender, object } = await following(3);
    for (const queue of queues) await sendNotifying(sender, queue);
    expect(toldOf(first(await phone.pushes(1)), queues)).toEqual([0]);
    await aWhile();
    expect(phone.endpoint.got).toEqual([]);
    await vi.waitFor(() => expect(phone.endpoint.got).toHaveLength(1), { timeout: 5000 });
    expect(toldOf(first(await phone.pushes(1)), queues)).toEqual([0, 1, 2]);
    await aWhile();
    // It wakes at most once more, for nothing.
    await runDurableObjectAlarm(object);
    expect(await alarmOf(object)).toBeNull();
    expect(phone.endpoint.got).toEqual([]);
  });

  it("carry what push services want to know, and nothing else", async () => {
    const { phone, queues, sender } = await following(1);
    await sendNotifying(sender, first(queues));
    const { headers } = first(await phone.endpoint.next(1));
    const names = [...headers.keys()].sort();
    expect(names).toEqual(["authorization", "content-encoding", "content-type", "ttl", "urgency"]);
  });

  it("cost a few rows each, and nothing while nothing happens", async () => {
    const { phone, queues, sender } = await following(2);
    const cost = async (): Promise<number> => {
      const before = meter.rowsWritten;
      await sendNotifying(sender, first(queues));
      await phone.pushes(1);
      await aWhile();
      return meter.rowsWritten - before;
    };
    await cost();
    await scheduler.wait(2100);
    // One in the queue for the message, one for its notification, one for what became of the push.
    expect(await cost()).toBe(3);
    const before = meter.rowsWritten;
    await aWhile();
    expect(meter.rowsWritten).toBe(before);
  });
});

describe("a push service that fails", () => {
  it("gets one push when it is back, however many messages came meanwhile", async () => {
    const { phone, queues, sender, object } = await following(8);
    const { endpoint } = phone;
    endpoint.answer = () => new Response(null, { status: 503 });
    for (let round = 0; round < 4; round++) {
      for (const queue of queues) await sendNotifying(sender, queue);
    }
    await vi.waitFor(() => expect(endpoint.attempts).toBe(2));
    await aWhile();
    // The verification and the first message: the others wait.
    expect(endpoint.attempts).toBe(2);
    expect(await after(MINUTE, object)).toBe(true);
    expect(endpoint.attempts).toBe(3);
    endpoint.answer = () => new Response(null, { status: 201 });
    expect(await after(5 * MINUTE, object)).toBe(true);
    const pushes = await phone.pushes(1);
    expect(pushes).toHaveLength(1);
    // The oldest that fit; what is left follows by itself.
    const told = toldOf(first(pushes), queues);
    expect(told.length).toBeGreaterThan(1);
    expect(told).toEqual(queues.map((_, i) => i).slice(0, told.length));
    await after(6 * MINUTE, object);
    expect(toldOf(first(await phone.pushes(1)), queues).at(-1)).toBe(7);
    await after(7 * MINUTE, object);
    await aWhile();
    expect(endpoint.got).toEqual([]);
  });

  it("and never answers is given up, and asked again later", async () => {
    const { phone, queues, sender, object } = await following(1);
    phone.endpoint.answer = () => Promise.reject(new Error("connection refused"));
    await sendNotifying(sender, first(queues));
    await vi.waitFor(() => expect(phone.endpoint.attempts).toBe(2));
    phone.endpoint.answer = () => new Response(null, { status: 201 });
    expect(await after(MINUTE, object)).toBe(true);
    expect(toldOf(first(await phone.pushes(1)), queues)).toEqual([0]);
  });

  it("is not asked again for a token that is dead, until the device says that it lives", async () => {
    const { phone, queues, subs, sender, object } = await following(1);
    const { endpoint } = phone;
    endpoint.answer = () => new Response(null, { status: 410 });
    await sendNotifying(sender, first(queues));
    await vi.waitFor(async () => expect(await phone.named({ tag: "TCHK" })).toBe("INVALID,UNREGISTERED"));
    const { attempts } = endpoint;
    for (let i = 0; i < 3; i++) await sendNotifying(sender, first(queues));
    await aWhile();
    expect(endpoint.attempts).toBe(attempts);
    // Its queue keeps what comes for whoever follows next.
    endpoint.answer = () => new Response(null, { status: 201 });
    await phone.register();
    expect(await phone.named({ tag: "TVFY", code: await phone.code() })).toBe("OK");
    await vi.waitFor(async () => expect(await phone.status(first(subs))).toBe("ACTIVE"));
    expect(toldOf(first(await phone.pushes(1)), queues)).toEqual([0]);
    await phone.endpoint.next(0);
    // Nobody says so for a month: it is forgotten.
    endpoint.answer = () => new Response(null, { status: 410 });
    await scheduler.wait(2100);
    await sendNotifying(sender, first(queues));
    await vi.waitFor(async () => expect(await phone.named({ tag: "TCHK" })).toBe("INVALID,UNREGISTERED"));
    expect(await after(32 * DAY, object)).toBe(true);
    expect(await phone.named({ tag: "TCHK" })).toBe("ERR AUTH");
    expect(await alarmOf(object)).toBeNull();
  });
});

describe("periodic pushes", () => {
  it("come in the interval that the device set, until it ends them", async () => {
    const { phone, object } = await following(0);
    expect(await phone.named({ tag: "TCRN", minutes: 19 })).toBe("ERR QUOTA");
    expect(await phone.named({ tag: "TCRN", minutes: 20 })).toBe("OK");
    expect(await after(19 * MINUTE, object)).toBe(true);
    await aWhile();
    expect(phone.endpoint.got).toEqual([]);
    expect(await after(21 * MINUTE, object)).toBe(true);
    expect((await phone.pushes(1)).map(({ type }) => type)).toEqual(["check"]);
    expect(await after(42 * MINUTE, object)).toBe(true);
    expect((await phone.pushes(1)).map(({ type }) => type)).toEqual(["check"]);
    expect(await phone.named({ tag: "TCRN", minutes: 0 })).toBe("OK");
    await after(90 * MINUTE, object);
    await aWhile();
    expect(phone.endpoint.got).toEqual([]);
    expect(await alarmOf(object)).toBeNull();
  });
});

describe("whoever follows queues for a device", () => {
  it("is told which subscriptions it does not have, and may tell twice", async () => {
    const { phone, queues, subs, object } = await following(1);
    const device = object as unknown as DeviceApi;
    const [nonce, encMeta, unknown] = [randomBytes(24), randomBytes(144), randomBytes(24)];
    const heard = [{ subId: first(subs), nonce, encMeta }, { subId: unknown, nonce, encMeta }];
    for (let i = 0; i < 2; i++) expect(await device.hear(heard)).toEqual([unknown]);
    expect((await phone.pushes(1)).map(({ type }) => type)).toEqual(["messages"]);
    await aWhile();
    expect(phone.endpoint.got).toEqual([]);
    const { notifierKey } = first(queues);
    await device.note([{ subId: first(subs), notifierKey, event: { type: "lost" } }]);
    expect(await phone.status(first(subs))).toBe("INACTIVE");
    await device.note([{ subId: unknown, notifierKey, event: { type: "lost" } }]);
    expect(await runDurableObjectAlarm(object)).toBe(false);
  });
});
