import { describe, expect, it } from "vitest";
import { generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { ErrorType } from "#protocol/errors";
import { encodeNtfAnswer } from "#protocol/ntf/commands";
import type { DeliveryResult } from "../../../src/relay/notification/ports.ts";
import { type FollowEvent, mayClaim, noteFollowing, toFollow } from "../../../src/relay/notification/subscriptions.ts";
import { DeviceBench, someQueue, tagOf } from "../../support/device-bench.ts";
import { otherKey } from "../../support/queue-bench.ts";

const notifierKey = generateKeyPair("Ed25519").secretKey;

describe("SNEW", () => {
  it("subscribes and has the queue followed", () => {
    const bench = new DeviceBench().activate();
    const queue = someQueue();
    const subId = bench.subscribe(queue, notifierKey);
    expect(subId).toHaveLength(24);
    expect(bench.effects).toStrictEqual([{ type: "follow", subscriptions: [{ subId, queue, notifierKey, status: "NEW" }] }]);
    expect(tagOf(bench.run({ tag: "SCHK" }, undefined, subId))).toBe("NEW");
  });

  it("that comes again has the same answer and does nothing", () => {
    const bench = new DeviceBench().activate();
    const queue = someQueue();
    const subId = bench.subscribe(queue, notifierKey);
    noteFollowing(bench.store, subId, notifierKey, { type: "subscribed" });
    const { writes } = bench.store;
    expect(bench.subscribe(queue, notifierKey)).toStrictEqual(subId);
    expect(bench.effects).toStrictEqual([]);
    expect(bench.store.writes).toBe(writes);
  });

  it("with another key for the same queue is AUTH, whatever became of the subscription", () => {
    const bench = new DeviceBench().activate();
    const [queue, newKey] = [someQueue(), generateKeyPair("X25519").secretKey];
    const subId = bench.subscribe(queue, notifierKey);
    const command = { tag: "SNEW", tokenId: bench.tokenId, queue, notifierKey: newKey } as const;
    expect(tagOf(bench.run(command))).toBe("AUTH");
    noteFollowing(bench.store, subId, notifierKey, { type: "deleted" });
    expect(tagOf(bench.run(command))).toBe("AUTH");
    expect(bench.effects).toStrictEqual([]);
    expect(bench.store.subscription(subId)).toMatchObject({ notifierKey, status: "DELETED" });
  });

  it("is AUTH with another key, for another token, and before the token is verified", () => {
    const bench = new DeviceBench();
    const command = { tag: "SNEW", tokenId: bench.tokenId, queue: someQueue(), notifierKey } as const;
    expect(tagOf(bench.run(command)), "no token").toBe("AUTH");
    bench.register();
    expect(tagOf(bench.run(command)), "registered").toBe("AUTH");
    bench.deliver();
    expect(tagOf(bench.run(command)), "confirmed").toBe("AUTH");
    bench.run({ tag: "TVFY", code: bench.code });
    expect(tagOf(bench.run(command, otherKey()))).toBe("AUTH");
    expect(tagOf(bench.run({ ...command, tokenId: randomBytes(24) }))).toBe("AUTH");
    expect(bench.store.subscriptionCount()).toBe(0);
    expect(tagOf(bench.run(command))).toBe("IDSUB");
  });

  it("is done for a dead token, but the queue is followed only once it is verified again", () => {
    const bench = new DeviceBench().activate();
    const first = bench.subscribe();
    bench.hear(first);
    bench.deliver({ type: "gone", reason: "EXPIRED" });
    expect(bench.effects).toMatchObject([{ type: "unfollow", subscriptions: [{ subId: first }] }]);
    const second = bench.subscribe();
    expect(bench.effects).toStrictEqual([]);
    expect(toFollow(bench.store)).toStrictEqual([]);
    bench.register();
    bench.run({ tag: "TVFY", code: bench.code });
    const [, follow] = bench.effects;
    expect(follow).toMatchObject({ type: "follow", subscriptions: [{ subId: first }, { subId: second }] });
  });

  it("ends where the operator's limit is", () => {
    const bench = new DeviceBench({ limits: { subscriptions: 2 } }).activate();
    const queue = someQueue();
    bench.subscribe(queue, notifierKey);
    bench.subscribe();
    const command = { tag: "SNEW", tokenId: bench.tokenId, queue: someQueue(), notifierKey } as const;
    expect(tagOf(bench.run(command))).toBe("QUOTA");
    expect(tagOf(bench.run({ ...command, queue })), "one that there is").toBe("IDSUB");
  });

  it("reaches a limited number of relays", () => {
    const bench = new DeviceBench({ limits: { servers: 2 } }).activate();
    bench.subscribe(someQueue("one.example.org"), notifierKey);
    const last = bench.subscribe(someQueue("two.example.org"), notifierKey);
    const command = { tag: "SNEW", tokenId: bench.tokenId, queue: someQueue("three.example.org"), notifierKey } as const;
    expect(tagOf(bench.run(command))).toBe("QUOTA");
    expect(tagOf(bench.run({ ...command, queue: someQueue("one.example.org") })), "a relay that it has").toBe("IDSUB");
    bench.run({ tag: "SDEL" }, undefined, last);
    expect(tagOf(bench.run(command)), "there is room again").toBe("IDSUB");
  });
});

describe("a queue that somebody follows already", () => {
  it("must be claimed before SNEW does anything, if it does", () => {
    const bench = new DeviceBench().activate();
    const command = { tag: "SNEW", tokenId: bench.tokenId, queue: someQueue(), notifierKey } as const;
    expect(bench.claimFor(command)).toBe(command.queue);
    expect(bench.claimFor(command, otherKey()), "not authorized").toBeNull();
    expect(bench.claimFor({ tag: "TCHK" })).toBeNull();
    bench.run(command);
    expect(bench.claimFor(command)).toBeNull();
    expect(bench.claimFor({ ...command, notifierKey: otherKey() }), "refused anyway").toBeNull();
  });

  it("is not claimed where the device has no room for it", () => {
    const bench = new DeviceBench({ limits: { subscriptions: 2, servers: 1 } }).activate();
    bench.subscribe(someQueue("one.example.org"));
    const command = { tag: "SNEW", tokenId: bench.tokenId, queue: someQueue("one.example.org"), notifierKey } as const;
    expect(bench.claimFor({ ...command, queue: someQueue("two.example.org") }), "another relay").toBeNull();
    expect(bench.claimFor(command)).toBe(command.queue);
    bench.subscribe(someQueue("one.example.org"));
    expect(bench.claimFor(command), "a third queue").toBeNull();
  });

  it("is nobody else's, with whichever key", () => {
    const [own, other] = [randomBytes(24), randomBytes(24)];
    expect(mayClaim(null, { subId: own, notifierKey })).toBe(true);
    expect(mayClaim({ subId: own, notifierKey }, { subId: own, notifierKey })).toBe(true);
    expect(mayClaim({ subId: other, notifierKey }, { subId: own, notifierKey })).toBe(false);
    expect(mayClaim({ subId: other, notifierKey: otherKey() }, { subId: own, notifierKey })).toBe(false);
  });
});

describe("SCHK and SDEL", () => {
  it("are AUTH with another key and for an id of nobody", () => {
    const bench = new DeviceBench().activate();
    const subId = bench.subscribe();
    for (const tag of ["SCHK", "SDEL"] as const) {
      expect(tagOf(bench.run({ tag }, otherKey(), subId))).toBe("AUTH");
      expect(tagOf(bench.run({ tag }, undefined, randomBytes(24)))).toBe("AUTH");
      expect(tagOf(bench.run({ tag }, undefined, bench.tokenId))).toBe("AUTH");
    }
    expect(bench.store.subscriptionCount()).toBe(1);
  });

  it("SDEL removes the subscription and what was heard of it", () => {
    const bench = new DeviceBench().activate();
    const subId = bench.subscribe();
    bench.hear(subId);
    expect(tagOf(bench.run({ tag: "SDEL" }, undefined, subId))).toBe("OK");
    expect(bench.effects).toMatchObject([{ type: "unfollow", subscriptions: [{ subId }] }]);
    expect(bench.due()).toBeNull();
    expect(bench.hear(subId)).toBe(false);
    expect(tagOf(bench.run({ tag: "SDEL" }, undefined, subId))).toBe("AUTH");
  });

  it("are AUTH while the token is to be verified again", () => {
    const bench = new DeviceBench().activate();
    const subId = bench.subscribe();
    bench.run({ tag: "TRPL", token: { provider: "apns_prod", token: "0123" } });
    expect(tagOf(bench.run({ tag: "SCHK" }, undefined, subId))).toBe("AUTH");
  });
});

describe("what is heard of a queue that is followed", () => {
  const refused = (error: ErrorType): FollowEvent => ({ type: "refused", error });
  const story: readonly (readonly [FollowEvent, string])[] = [
    [{ type: "subscribing" }, "PENDING"],
    [{ type: "subscribed" }, "ACTIVE"],
    [{ type: "lost" }, "INACTIVE"],
    [{ type: "subscribing" }, "PENDING"],
    [{ type: "subscribed" }, "ACTIVE"],
    [{ type: "ended" }, "END"],
    [{ type: "lost" }, "END"],
    [{ type: "subscribing" }, "END"],
    [{ type: "subscribed" }, "END"],
    [{ type: "deleted" }, "DELETED"],
    [refused({ type: "AUTH" }), "AUTH"],
    [refused({ type: "SERVICE" }), "SERVICE"],
    [refused({ type: "CMD", cmdErr: { type: "SYNTAX" } }), "ERR SMP error CMD SYNTAX"],
    [{ type: "impossible", why: "the host may not be reached" }, "ERR the host may not be reached"],
  ];

  it("becomes the status that SCHK answers", () => {
    const bench = new DeviceBench().activate();
    const subId = bench.subscribe(someQueue(), notifierKey);
    for (const [event, status] of story) {
      noteFollowing(bench.store, subId, notifierKey, event);
      expect(tagOf(bench.run({ tag: "SCHK" }, undefined, subId)), JSON.stringify(event)).toBe(status);
    }
  });

  it("writes nothing when nothing is new", () => {
    const bench = new DeviceBench().activate();
    const subId = bench.subscribe(someQueue(), notifierKey);
    noteFollowing(bench.store, subId, notifierKey, { type: "subscribed" });
    const { writes } = bench.store;
    noteFollowing(bench.store, subId, notifierKey, { type: "subscribed" });
    noteFollowing(bench.store, subId, otherKey(), { type: "deleted" });
    noteFollowing(bench.store, randomBytes(24), notifierKey, { type: "deleted" });
    expect(bench.store.writes).toBe(writes);
  });

  it("too late, when the token is dead, does not make it look followed", () => {
    const bench = new DeviceBench().activate();
    const subId = bench.subscribe(someQueue(), notifierKey);
    bench.hear(subId);
    bench.deliver({ type: "gone", reason: "EXPIRED" });
    for (const type of ["subscribing", "subscribed"] as const) {
      noteFollowing(bench.store, subId, notifierKey, { type });
      expect(bench.store.subscription(subId)?.status).toBe("INACTIVE");
    }
    noteFollowing(bench.store, subId, notifierKey, { type: "deleted" });
    expect(bench.store.subscription(subId)?.status).toBe("DELETED");
  });

  it("while a dead token is registered again does not keep its queues from being followed", () => {
    const bench = new DeviceBench().activate();
    const [queue, ended] = [bench.subscribe(someQueue(), notifierKey), bench.subscribe(someQueue(), notifierKey)];
    noteFollowing(bench.store, ended, notifierKey, { type: "ended" });
    bench.hear(queue);
    bench.deliver({ type: "gone", reason: "EXPIRED" });
    bench.register();
    noteFollowing(bench.store, queue, notifierKey, { type: "subscribed" });
    bench.deliver();
    bench.run({ tag: "TVFY", code: bench.code });
    expect(bench.effects).toMatchObject([{ type: "activated" }, { type: "follow", subscriptions: [{ subId: queue }] }]);
    bench.run({ tag: "TVFY", code: bench.code });
    expect(bench.effects, "once").toMatchObject([{ type: "activated" }]);
  });

  it("is cut where a relay's error is as long as a block", () => {
    const bench = new DeviceBench().activate();
    const subId = bench.subscribe(someQueue(), notifierKey);
    noteFollowing(bench.store, subId, notifierKey, refused({ type: "STORE", storeErr: "x".repeat(16_000) }));
    const { answer } = bench.run({ tag: "SCHK" }, undefined, subId);
    expect(encodeNtfAnswer(answer, 3).length).toBeLessThan(200);
  });

  it("after a restart or an import those are followed again that were", () => {
    const bench = new DeviceBench().activate();
    const events = ["subscribing", "subscribed", "lost", "ended", "deleted"] as const;
    const subIds = events.map((type) => {
      const subId = bench.subscribe(someQueue(), notifierKey);
      noteFollowing(bench.store, subId, notifierKey, { type });
      return subId;
    });
    const fresh = bench.subscribe();
    expect(toFollow(bench.store).map(({ subId }) => subId)).toStrictEqual([...subIds.slice(0, 3), fresh]);
    const dead: DeliveryResult = { type: "gone", reason: "BAD" };
    bench.hear(fresh);
    bench.deliver(dead);
    expect(toFollow(bench.store)).toStrictEqual([]);
  });
});
