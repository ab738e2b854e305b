import { runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { openNotification } from "#protocol/message";
import type { FollowedQueue } from "../../src/objects/api.ts";
import { Device } from "../../src/objects/device.ts";
import { Queue } from "../../src/objects/queue.ts";
import { followerAt } from "../../src/objects/locate.ts";
import { FOLLOWER } from "../../src/relay/notification/limits.ts";
import { failCalls } from "../support/failing-objects.ts";
import {
  allHeard,
  allNotes,
  bench,
  env,
  followed,
  heard,
  network,
  nextRelay,
  noRelay,
  notes,
  pass,
  reached,
  relayItself,
  send,
  sendUntilHeard,
  steady,
  subscribed,
  until,
} from "../support/follower-bench.ts";
import { authSecret } from "../support/queue-bench.ts";
import { connect } from "../support/workerd-relay.ts";

describe("a connection that ends", () => {
  it("after it was good is mended soon, and no device is told", async () => {
    const { cut, alarm, alarmAt, owner, queue } = await steady();
    await cut();
    await until(async () => expect(await alarmAt()).toBeLessThanOrEqual(Date.now() + FOLLOWER.soon));
    pass(FOLLOWER.soon);
    await alarm();
    await until(() => expect(reached).toHaveLength(2));
    await sendUntilHeard(owner, queue);
    expect(notes).toEqual([]);
  });

  it("and cannot be made again is told of once, until it is there again", async () => {
    const { cut, alarm, alarmAt, outage, owner, queue, tables } = await steady();
    network.open = noRelay;
    await cut();
    const pauses: number[] = [];
    for (let i = 0; i < 12; i++) {
      await until(async () => expect((await outage())?.count).toBe(i));
      const { retryAt } = await outage() ?? { retryAt: 0 };
      pauses.push(retryAt - Date.now());
      vi.setSystemTime(retryAt);
      expect(await alarmAt()).toBeLessThanOrEqual(retryAt);
      await alarm();
    }
    expect(allNotes()).toEqual(["lost"]);
    expect(reached.length).toBeGreaterThan(11);
    expect(pauses.at(1)).toBeLessThan(10_000);
    expect(pauses.at(-1)).toBeGreaterThan(10 * 60_000);
    expect(Math.max(...pauses)).toBeLessThan(20 * 60_000);
    network.open = relayItself;
    await until(async () => expect((await outage())?.count).toBe(12));
    pass(20 * 60_000);
    await alarm();
    await subscribed();
    expect(allNotes()).toEqual(["lost", "subscribed"]);
    await send(owner, queue);
    await until(() => expect(allHeard()).toHaveLength(1));
    expect(await tables()).toEqual(["followed"]);
  });

  it("with the object itself is made again by the alarm", async () => {
    const { die, alarm, owner, queue, alarmAt } = await steady();
    expect(await alarmAt()).toBeLessThanOrEqual(Date.now() + FOLLOWER.watch);
    await die();
    await send(owner, queue, "meanwhile");
    await alarm();
    await until(() => expect(reached).toHaveLength(2));
    await sendUntilHeard(owner, queue);
    expect(notes).toEqual([]);
  });

  it("is noticed when the relay only stops to answer", async () => {
    const { alarm } = await steady();
    vi.spyOn(WebSocket.prototype, "send").mockImplementation(() => undefined);
    pass(60_000);
    await alarm();
    expect(reached).toHaveLength(1);
    pass(60_000);
    await alarm();
    vi.mocked(WebSocket.prototype.send).mockRestore();
    pass(FOLLOWER.soon);
    await alarm();
    await until(() => expect(reached).toHaveLength(2));
  });

  it("stays an end after a restart for a queue that somebody else took over", async () => {
    const { die, alarm, owner, queue, target, tables } = await steady();
    const note = vi.mocked(Device.prototype.note).mockRejectedValue(new Error("the device cannot be reached"));
    const trouble = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const other = await connect();
    await other.ask({ tag: "NSUB" }, target.notifierKey, target.notifierId);
    await until(() => expect(trouble).toHaveBeenCalled());
    await die();
    note.mockImplementation(async (news) => void notes.push(news));
    await alarm();
    await until(() => expect(allNotes()).toEqual(["ended"]));
    await until(async () => expect(await tables()).toEqual([]));
    await send(owner, queue);
    expect((await other.event(target.notifierId)).message.tag).toBe("NMSG");
  });
});

describe("a relay", () => {
  it.each(["127.0.0.1", "169.254.169.254", "localhost", "10.0.0.1"])("at %s is not reached, and nothing kept of it", async (host) => {
    const server = await nextRelay({ hosts: [host] });
    const follower = followerAt(env, server);
    const queue: FollowedQueue = {
      device: randomBytes(16),
      subId: randomBytes(24),
      notifierId: randomBytes(24),
      notifierKey: authSecret(generateKeyPair("Ed25519")),
    };
    expect(await follower.claim(server, queue.notifierId, queue)).toBe(true);
    await follower.follow(server, [queue]);
    await until(() => expect(notes.flat()).toMatchObject([{ subId: queue.subId, event: { type: "impossible" } }]));
    expect(reached).toEqual([]);
    expect(await runDurableObjectAlarm(follower as unknown as DurableObjectStub)).toBe(false);
  });

  it("that is another than its address says is not listened to", async () => {
    const { follow, outage, queues } = await bench({ keyHash: randomBytes(32) });
    await follow((await queues(1)).map((queue) => followed(queue)));
    await until(async () => expect((await outage())?.count).toBe(1));
    expect(reached).toHaveLength(1);
    expect(notes).toEqual([]);
  });

  it("that never answers is given up after some hours, and forgotten", async () => {
    const { queues, follow, alarm, tables, alarmAt, outage } = await bench();
    const [queue] = await queues(1);
    if (!queue) throw new Error("no queue");
    network.open = noRelay;
    await follow([followed(queue)]);
    await until(async () => expect((await outage())?.count).toBe(1));
    pass(FOLLOWER.neverReached + 60_000);
    await alarm();
    await until(() => expect(notes.flat()).toMatchObject([{ event: { type: "impossible" } }]));
    await until(async () => expect(await tables()).toEqual([]));
    expect(await alarmAt()).toBeNull();
  });

  it("that cannot say what becomes of a queue is asked again, and not for ever", async () => {
    const { queues, follow, alarm, tables } = await bench();
    const [queue] = await queues(1);
    if (!queue) throw new Error("no queue");
    failCalls("handle", FOLLOWER.attempts, {});
    const trouble = vi.spyOn(console, "error").mockImplementation(() => undefined);
    await follow([followed(queue)]);
    // Whether the answer has come is not seen from here: alarms go off until the next question is asked.
    const asked = (): number => vi.mocked(Queue.prototype.handle).mock.calls.length;
    await until(async () => {
      if (asked() < FOLLOWER.attempts) {
        expect(notes).toEqual([]);
        await alarm();
      }
      expect(asked()).toBe(FOLLOWER.attempts);
    }, 50);
    await until(() => expect(notes.flat()).toMatchObject([{ event: { type: "refused", error: { type: "STORE" } } }]));
    await until(async () => expect(await tables()).toEqual([]));
    expect(trouble).toHaveBeenCalled();
  });

  it("that floods costs few calls, and the newest message is told of", async () => {
    const { owner, queue } = await steady();
    for (let i = 0; i < 100; i++) await send(owner, queue, String(i));
    const started = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(heard.length).toBeLessThan(3 + (Date.now() - started) / 250);
    const ids = allHeard().map(({ nonce, encMeta }) => openNotification(queue.ntfSecret, nonce, encMeta).ts);
    expect(ids.length).toBeLessThan(100);
  });
});

describe("a device that cannot be reached", () => {
  it("is told a little later", async () => {
    const { owner, queue } = await steady();
    vi.mocked(Device.prototype.hear).mockRejectedValueOnce(new Error("moved")).mockRejectedValueOnce(new Error("moved"));
    await send(owner, queue);
    await until(() => expect(allHeard()).toHaveLength(1));
  });

  it("for longer is told with the next alarm, of each queue the newest", async () => {
    const { owner, queue, alarm } = await steady();
    const trouble = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const hear = vi.mocked(Device.prototype.hear).mockRejectedValue(new Error("the device cannot be reached"));
    await send(owner, queue, "one");
    await until(() => expect(trouble).toHaveBeenCalledTimes(1));
    await send(owner, queue, "two");
    hear.mockImplementation(async (news) => {
      heard.push(news);
      return [];
    });
    await alarm();
    await until(() => expect(allHeard()).toHaveLength(1));
  });
});
