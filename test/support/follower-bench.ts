import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env as bindings, exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { hex } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import type { Server } from "#protocol/address";
import type { FollowedQueue, FollowerApi, Following, Notified } from "../../src/objects/api.ts";
import { Device } from "../../src/objects/device.ts";
import type { Env } from "../../src/objects/env.ts";
import type { FollowerState } from "../../src/objects/follower-store.ts";
import { followerAt } from "../../src/objects/locate.ts";
import { FOLLOWER } from "../../src/relay/notification/limits.ts";
import { notify, type NotifiedQueue } from "./ntf-phone.ts";
import { makeQueue } from "./queue-user.ts";
import { named, type WireClient } from "./wire-client.ts";
import { connect, thisServer } from "./workerd-relay.ts";

// Followers in the runtime of the tests. There is no network in it: every name leads to the relay itself, whose queues are
// followed from outside. Importing this puts stand-ins in the place of devices and of the network.

export const env = bindings as unknown as Env;

let relays = 0;
export const reached: string[] = [];
/** Ends of the follower's connections; to be used in its own context. */
const sockets: WebSocket[] = [];
export const relayItself = (url: string, init?: RequestInit): Promise<Response> => exports.default.fetch(new Request(url, init));
export const noRelay = (): Promise<Response> => Promise.reject(new TypeError("connection refused"));
/** How names are reached. */
export const network: { open: (url: string, init?: RequestInit) => Promise<Response> } = { open: relayItself };

/** What devices were told, one list for each call. */
export const notes: (readonly Following[])[] = [];
export const heard: (readonly Notified[])[] = [];
/** Subscriptions that devices do not have. */
export const unknown = new Set<string>();
export const allNotes = (): readonly string[] => notes.flat().map(({ event }) => event.type);
export const allHeard = (): readonly Notified[] => heard.flat();

beforeEach(() => {
  for (const list of [reached, sockets, notes, heard]) list.length = 0;
  unknown.clear();
  network.open = relayItself;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    reached.push(url.replace(/\?.*/, ""));
    const response = await network.open(url, init as RequestInit);
    if (response.webSocket) sockets.push(response.webSocket);
    return response;
  });
  vi.spyOn(Device.prototype, "note").mockImplementation(async (news) => void notes.push(news));
  vi.spyOn(Device.prototype, "hear").mockImplementation(async (news) => {
    heard.push(news);
    return news.map(({ subId }) => subId).filter((subId) => unknown.has(hex(subId)));
  });
});

/** What tests have made. Followers go on as long as anything is followed. */
const following: { readonly server: Server; readonly queue: FollowedQueue }[] = [];

afterEach(async () => {
  for (const { server, queue } of following.splice(0)) await followerAt(env, server).unfollow([queue]);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** The relay under a name that no other test has used. */
export async function nextRelay(change: Partial<Server> = {}): Promise<Server> {
  return { ...await thisServer(), hosts: [`followed${++relays}.test`], port: "443", ...change };
}

/** A follower of the relay and somebody who owns queues there. */
export async function bench(change: Partial<Server> = {}) {
  const [server, owner] = await Promise.all([nextRelay(change), connect()]);
  const follower: FollowerApi = followerAt(env, server);
  // A stub of an object that came to an end stays broken.
  const object = (): DurableObjectStub => followerAt(env, server) as unknown as DurableObjectStub;
  return {
    server,
    owner,
    follower,
    queues: async (count: number): Promise<readonly NotifiedQueue[]> => {
      const made: NotifiedQueue[] = [];
      for (let i = 0; i < count; i++) made.push(await notify(owner, await makeQueue(owner, { change: { subscribe: false } })));
      return made;
    },
    follow: (queues: readonly FollowedQueue[]) => {
      following.push(...queues.map((queue) => ({ server, queue })));
      return follower.follow(server, queues);
    },
    alarm: () => runDurableObjectAlarm(object()),
    alarmAt: () => runInDurableObject(object(), (_, state) => state.storage.getAlarm()),
    /** Ends the connection from the outside. */
    cut: () => runInDurableObject(object(), () => sockets.at(-1)?.close()),
    isOpen: () => runInDurableObject(object(), () => sockets.at(-1)?.readyState === WebSocket.OPEN),
    /** As a deployment or eviction does. */
    die: () => expect(runInDurableObject(object(), (_, state) => state.abort("gone"))).rejects.toThrow("gone"),
    tables: () =>
      runInDurableObject(object(), (_, state) =>
        state.storage.sql.exec("SELECT name FROM sqlite_master WHERE type = 'table'").toArray()
          .map((row) => String(row["name"])).filter((name) => !name.startsWith("_cf"))),
    outage: () => runInDurableObject(object(), (_, state) => state.storage.kv.get<FollowerState>("state")?.outage ?? null),
    rows: () =>
      runInDurableObject(object(), (_, state) => Number(state.storage.sql.exec("SELECT count(*) AS n FROM followed").one()["n"])),
  };
}
type Bench = Awaited<ReturnType<typeof bench>>;

export const followed = (
  { notifierId, notifierKey }: NotifiedQueue,
  device = randomBytes(16),
  subId = randomBytes(24),
): FollowedQueue => ({ device, subId, notifierId, notifierKey });

export async function send(sender: WireClient, queue: NotifiedQueue, text = "hello"): Promise<void> {
  const body = new TextEncoder().encode(text);
  expect(named(await sender.ask({ tag: "SEND", notification: true, body }, null, queue.ids.sndId))).toBe("OK");
}

/** Messages until one is heard of: those that come before the queue is subscribed again may get lost. */
export async function sendUntilHeard(sender: WireClient, queue: NotifiedQueue): Promise<void> {
  await until(async () => {
    await send(sender, queue);
    expect(heard.length).toBeGreaterThan(0);
  }, 100);
}

export const until = (isSo: () => void | Promise<void>, interval = 10): Promise<void> =>
  vi.waitFor(isSo, { timeout: 20_000, interval });
export const subscribed = (count = 1): Promise<void> =>
  until(() => expect(allNotes().filter((type) => type === "subscribed")).toHaveLength(count));

/** Lets time pass for what reads the clock; timers go on as they are. */
export const pass = (milliseconds: number): void => void vi.setSystemTime(Date.now() + milliseconds);

/** A queue that is followed over a connection that counts as good. */
export async function steady(): Promise<Bench & { readonly queue: NotifiedQueue; readonly target: FollowedQueue }> {
  const made = await bench();
  const [queue] = await made.queues(1);
  if (!queue) throw new Error("no queue");
  const target = followed(queue);
  await made.follow([target]);
  await subscribed();
  await until(async () => expect(await made.alarmAt()).not.toBeNull());
  pass(FOLLOWER.stable);
  await made.alarm();
  notes.length = 0;
  return { ...made, queue, target };
}
