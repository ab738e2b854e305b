import { describe, expect, it } from "vitest";
import { equal, hex } from "#crypto/bytes";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { openNotification } from "#protocol/message";
import type { FollowedQueue } from "../../src/objects/api.ts";
import { meter } from "../../src/objects/meter.ts";
import { followerAt } from "../../src/objects/locate.ts";
import { FOLLOWER, FOLLOWING } from "../../src/relay/notification/limits.ts";
import {
  allHeard,
  allNotes,
  bench,
  env,
  followed,
  heard,
  network,
  noRelay,
  notes,
  pass,
  reached,
  send,
  steady,
  subscribed,
  unknown,
  until,
} from "../support/follower-bench.ts";
import { authSecret } from "../support/queue-bench.ts";
import { notify, type NotifiedQueue } from "../support/ntf-phone.ts";
import { named } from "../support/wire-client.ts";
import { connect } from "../support/workerd-relay.ts";

describe("queues of another relay", () => {
  it("are subscribed, and their devices told of it and of every message, in few calls", async () => {
    const { queues, follow, owner, tables } = await bench();
    const [made, devices] = [await queues(30), [randomBytes(16), randomBytes(16)]];
    const targets = made.map((queue, i) => followed(queue, devices[i % 2]));
    await follow(targets);
    await subscribed(30);
    expect(new Set(notes.flat().map(({ subId }) => hex(subId)))).toEqual(new Set(targets.map(({ subId }) => hex(subId))));
    expect(notes.length).toBeLessThanOrEqual(6);
    expect(reached).toHaveLength(1);
    for (const queue of made) await send(owner, queue);
    await until(() => expect(new Set(allHeard().map(({ subId }) => hex(subId))).size).toBe(30));
    expect(heard.length).toBeLessThan(15);
    for (const { subId, nonce, encMeta } of allHeard()) {
      const queue = made[targets.findIndex((target) => equal(target.subId, subId))];
      if (!queue) throw new Error("heard of no queue");
      expect(openNotification(queue.ntfSecret, nonce, encMeta).msgId).toHaveLength(24);
    }
    expect(await tables()).toEqual(["followed"]);
  });

  it("cost two rows each to follow, none for a message, and next to nothing while nothing happens", async () => {
    const { queues, follow, owner, alarm } = await bench();
    const made = await queues(12);
    await send(owner, made[0] as NotifiedQueue, "makes the queue's tables and alarm");
    const before = meter.rowsWritten;
    await follow(made.slice(1).map((queue) => followed(queue)));
    await subscribed(11);
    const [first] = made.slice(1);
    if (!first) throw new Error("no queue");
    await until(() => expect(meter.rowsWritten - before).toBeGreaterThanOrEqual(22));
    // Tables and the queues' own rows of who subscribed.
    expect(meter.rowsWritten - before).toBeLessThan(11 * 3 + 10);
    const after = meter.rowsWritten;
    await send(owner, first);
    await until(() => expect(allHeard()).toHaveLength(1));
    // Those of the message itself.
    expect(meter.rowsWritten - after).toBeLessThanOrEqual(3);
    await alarm();
    const read = meter.rowsRead;
    await alarm();
    expect(meter.rowsRead - read, "looking after the connection").toBeLessThan(5);
  });

  it("are told of to whoever asks again, also when nothing changed", async () => {
    const { follow, target } = await steady();
    await follow([target]);
    await subscribed();
    expect(reached).toHaveLength(1);
  });

  it("whose key is wrong, that end or are deleted are told of once, and kept no longer", async () => {
    const { queues, follow, owner, rows, tables, alarmAt } = await bench();
    const made = await queues(3);
    const [wrong, ended, deleted] = made.map((queue) => followed(queue));
    if (!wrong || !ended || !deleted) throw new Error("no queues");
    await follow([{ ...wrong, notifierKey: authSecret(generateKeyPair("Ed25519")) }, ended, deleted]);
    await until(() => expect(allNotes().toSorted()).toEqual(["refused", "subscribed", "subscribed"]));
    await until(async () => expect(await rows()).toBe(2));
    const other = await connect();
    expect(named(await other.ask({ tag: "NSUB" }, ended.notifierKey, ended.notifierId))).toBe("SOK");
    await until(() => expect(allNotes()).toContain("ended"));
    const last = made[2] as NotifiedQueue;
    expect(named(await owner.ask({ tag: "DEL" }, last.recipientKey, last.ids.rcvId))).toBe("OK");
    await until(() => expect(allNotes()).toContain("deleted"));
    await until(async () => expect(await tables()).toEqual([]));
    expect(await alarmAt()).toBeNull();
    expect(allNotes()).toHaveLength(5);
  });

  it("whose owner renews the key are followed anew, under their new id", async () => {
    const { queue, target, owner, follow } = await steady();
    const renewed = await notify(owner, queue);
    await until(() => expect(allNotes()).toEqual(["deleted"]));
    const again = followed(renewed, target.device);
    await follow([again]);
    await subscribed();
    await send(owner, renewed);
    await until(() => expect(allHeard()).toMatchObject([{ subId: again.subId }]));
    const [{ nonce, encMeta } = { nonce: randomBytes(24), encMeta: randomBytes(144) }] = allHeard();
    expect(openNotification(renewed.ntfSecret, nonce, encMeta).msgId).toHaveLength(24);
  });

  it("stay whose they are when somebody else comes with a wrong key", async () => {
    const { queue, target, owner, follow } = await steady();
    const stranger = { ...followed(queue), notifierKey: authSecret(generateKeyPair("Ed25519")) };
    await follow([stranger]);
    await until(() => expect(notes.flat()).toMatchObject([{ subId: stranger.subId, event: { type: "refused" } }]));
    await send(owner, queue);
    await until(() => expect(allHeard()).toMatchObject([{ subId: target.subId }]));
  });

  it("that are unfollowed leave nothing behind: no rows, no alarm, no connection", async () => {
    const { follower, target, tables, alarmAt, owner, queue, isOpen } = await steady();
    expect(await isOpen()).toBe(true);
    await follower.unfollow([target]);
    await until(async () => expect(await tables()).toEqual([]));
    expect(await alarmAt()).toBeNull();
    expect(await isOpen()).toBe(false);
    await send(owner, queue);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(heard).toEqual([]);
  });

  it("that a device has no subscription for any more are unfollowed with the next message", async () => {
    const { target, tables, owner, queue } = await steady();
    unknown.add(hex(target.subId));
    await send(owner, queue);
    await until(async () => expect(await tables()).toEqual([]));
  });
});

describe("a claim", () => {
  const claimOf = ({ device, subId, notifierKey }: FollowedQueue) => ({ device, subId, notifierKey });

  it("keeps a queue for one device", async () => {
    const { follower, server, follow } = await bench();
    const { notifierId } = { notifierId: randomBytes(24) };
    const key = authSecret(generateKeyPair("Ed25519"));
    const mine: FollowedQueue = { device: randomBytes(16), subId: randomBytes(24), notifierId, notifierKey: key };
    const ask = (change: Partial<FollowedQueue>): Promise<boolean> =>
      follower.claim(server, notifierId, claimOf({ ...mine, ...change }));
    const other = { device: randomBytes(16), subId: randomBytes(24) };
    expect(await ask({})).toBe(true);
    expect(await ask({}), "again").toBe(true);
    expect(await ask({ subId: randomBytes(24) }), "for another subscription").toBe(true);
    expect(await ask(other)).toBe(false);
    expect(await ask({ ...other, notifierKey: authSecret(generateKeyPair("Ed25519")) }), "with another key").toBe(false);
    network.open = noRelay;
    await follow([mine]);
    expect(await ask(other), "followed").toBe(false);
    await follow([{ ...mine, ...other }]);
    await until(() => expect(notes.flat()).toMatchObject([{ subId: other.subId, event: { type: "refused" } }]));
  });

  it("that nothing comes of is void after some minutes, and nothing is ever stored of it", async () => {
    const { follower, server, alarmAt, tables } = await bench();
    const notifierId = randomBytes(24);
    const claim = () => ({
      device: randomBytes(16),
      subId: randomBytes(24),
      notifierKey: { algorithm: "Ed25519", secret: new Uint8Array(32).fill(7) } as const,
    });
    expect(await follower.claim(server, notifierId, claim())).toBe(true);
    expect(await follower.claim(server, notifierId, claim())).toBe(false);
    const before = meter.rowsWritten;
    for (let i = 0; i < 50; i++) await follower.claim(server, randomBytes(24), claim());
    expect(meter.rowsWritten - before).toBe(0);
    expect(await tables()).toEqual([]);
    expect(await alarmAt()).toBeNull();
    pass(FOLLOWER.claim + 10);
    expect(await follower.claim(server, notifierId, claim())).toBe(true);
    expect(reached).toEqual([]);
  });
});

describe("a device", () => {
  it("has its share of what is followed of one relay, also when the follower begins anew, and leaves the rest to others", async () => {
    const { follower, server, rows, die } = await bench();
    network.open = noRelay;
    const notifierKey = authSecret(generateKeyPair("Ed25519"));
    const some = (count: number, device: Uint8Array): readonly FollowedQueue[] =>
      Array.from({ length: count }, () => ({ device, subId: randomBytes(24), notifierId: randomBytes(24), notifierKey }));
    const device = randomBytes(16);
    const share = some(FOLLOWING.queuesOfDevice, device);
    await follower.follow(server, share.slice(1));
    await die();
    const again = followerAt(env, server);
    const [one, over] = [share.slice(0, 1), some(1, device)];
    await again.follow(server, [...one, ...over]);
    await until(() => expect(notes.flat()).toMatchObject([{ subId: over[0]?.subId, event: { type: "impossible" } }]));
    const others = some(3, randomBytes(16));
    await again.follow(server, others);
    expect(await rows()).toBe(FOLLOWING.queuesOfDevice + 3);
    await again.unfollow(one);
    await again.follow(server, over);
    expect(await rows(), "a place that is free again").toBe(FOLLOWING.queuesOfDevice + 3);
    await again.unfollow([...share, ...over, ...others]);
  });
});
