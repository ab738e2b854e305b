import { describe, expect, it } from "vitest";
import { randomBytes } from "#crypto/random";
import { messagesFit } from "#protocol/ntf/notification";
import { wakeAt, wantsToHear } from "../../../src/relay/notification/delivery.ts";
import { APNS, DeviceBench, OTHER_APNS, someQueue } from "../../support/device-bench.ts";
import { DAY, FAILED, first, HOUR, listening, MINUTE, SECOND, told } from "../../support/device-listening.ts";

describe("a message", () => {
  it("after a pause is told of at once, with two writes for it and its push", () => {
    const { bench, subs } = listening(1);
    const nonce = randomBytes(24);
    expect(bench.hear(first(subs), false, nonce)).toBe(true);
    expect(bench.nextAt()).toBe(0);
    const push = bench.deliver();
    const queue = bench.store.subscriptions()[0]?.queue;
    const message = { queue, ts: Math.floor(bench.now / 1000), nonce, encMeta: new Uint8Array(144).fill(3) };
    expect(push).toMatchObject({ kind: "messages", token: APNS, messages: [message] });
    expect(bench.store.writes).toBe(2);
    expect(bench.due()).toBeNull();
    expect(wakeAt(bench.store, bench.limits, bench.now), "nothing is left to wake for").toBeNull();
  });

  it("of an unverified token, of another subscription or of a deleted token is dropped", () => {
    const bench = new DeviceBench();
    expect(bench.hear(randomBytes(24))).toBe(false);
    bench.activate();
    expect(bench.hear(randomBytes(24))).toBe(false);
    const subId = bench.subscribe();
    bench.run({ tag: "TRPL", token: OTHER_APNS });
    expect(bench.hear(subId)).toBe(false);
    expect(bench.store.latest()).toStrictEqual([]);
  });

  it("is not to be brought to a dead token any more, but to one that is verified anew", () => {
    const { bench, subs } = listening(1);
    expect(wantsToHear(bench.store, first(subs))).toBe(true);
    expect(wantsToHear(bench.store, randomBytes(24))).toBe(false);
    bench.run({ tag: "TRPL", token: OTHER_APNS });
    expect(wantsToHear(bench.store, first(subs))).toBe(true);
    bench.deliver({ type: "gone", reason: "BAD" });
    expect(wantsToHear(bench.store, first(subs))).toBe(false);
    expect(wantsToHear(new DeviceBench().store, first(subs))).toBe(false);
  });

  it("that is brought twice is told of once", () => {
    const { bench, subs } = listening(1);
    const nonce = randomBytes(24);
    bench.hear(first(subs), false, nonce);
    bench.deliver();
    const { writes } = bench.store;
    expect(bench.hear(first(subs), false, nonce)).toBe(true);
    expect([bench.store.writes, bench.nextAt()]).toStrictEqual([writes, null]);
  });

  it("that comes while a push is under way is told of, though the last one in that push is of no subscription any more", () => {
    const { bench, subs } = listening(2);
    const [a, b] = subs;
    if (!a || !b) throw new Error("two");
    bench.hear(b);
    const push = bench.due();
    bench.run({ tag: "SDEL" }, undefined, b);
    bench.now += 1;
    bench.hear(a);
    if (push) bench.report(push, { type: "sent" });
    expect(bench.deliverAll().map((one) => told(bench, one.push))).toStrictEqual([[0]]);
  });

  it("is told of again if the server stopped before it knew what became of the push", () => {
    const { bench, subs } = listening(1);
    bench.hear(first(subs));
    const push = bench.due();
    expect(bench.due()).toStrictEqual(push);
    expect(bench.store.writes).toBe(1);
  });
});

describe("several messages", () => {
  it("that come shortly after a push gather for one", () => {
    const { bench, subs } = listening(5);
    bench.hear(first(subs));
    bench.deliver();
    bench.now += 100;
    for (const subId of subs.slice(1)) bench.hear(subId);
    expect(bench.nextAt()).toBe(bench.limits.gather - 100);
    const sent = bench.deliverAll();
    expect(sent.map(({ push }) => told(bench, push))).toStrictEqual([[0, 1, 2, 3, 4]]);
  });

  it("of one queue: the newest counts, and stands last", () => {
    const { bench, subs } = listening(3);
    const [a, b, c] = subs;
    if (!a || !b || !c) throw new Error("three");
    bench.hear(a);
    bench.deliver();
    const nonce = randomBytes(24);
    for (const [subId, own] of [[a, randomBytes(24)], [b, randomBytes(24)], [c, randomBytes(24)], [a, nonce]] as const) {
      bench.hear(subId, false, own);
    }
    const [one, ...more] = bench.deliverAll();
    expect(more).toStrictEqual([]);
    expect(told(bench, one?.push)).toStrictEqual([1, 2, 0]);
    expect(one?.push).toMatchObject({ messages: [{}, {}, { nonce }] });
  });

  it("of more than six queues need more pushes, and each queue is told of; later pushes repeat the latest", () => {
    const { bench, subs } = listening(20);
    for (const subId of subs) bench.hear(subId);
    const sent = bench.deliverAll();
    expect(sent.map(({ push }) => told(bench, push))).toStrictEqual([
      [0, 1, 2, 3, 4, 5],
      [6, 7, 8, 9, 10, 11],
      [12, 13, 14, 15, 16, 17],
      [14, 15, 16, 17, 18, 19],
    ]);
    bench.now += HOUR;
    bench.hear(first(subs));
    expect(told(bench, bench.deliver())).toStrictEqual([15, 16, 17, 18, 19, 0]);
    expect(bench.store.latest(), "older ones are not kept").toHaveLength(6);
  });

  it("of queues with long addresses: as many as fit, none is lost", () => {
    const bench = new DeviceBench().activate();
    const host = `${"long.".repeat(45)}example.org`;
    const subs = Array.from({ length: 9 }, () => bench.subscribe(someQueue(host)));
    for (const subId of subs) bench.hear(subId);
    const sent = bench.deliverAll().map(({ push }) => push);
    for (const push of sent) expect(push.kind === "messages" && messagesFit(push.messages)).toBe(true);
    expect(new Set(sent.flatMap((push) => told(bench, push)))).toStrictEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8]));
    expect(sent.length).toBeLessThanOrEqual(3);
  });

  it("an urgent one does not wait for the others, and takes them along", () => {
    const { bench, subs } = listening(2);
    const [a, b] = subs;
    if (!a || !b) throw new Error("two");
    bench.hear(a);
    bench.deliver();
    bench.hear(a);
    expect(bench.nextAt()).toBe(bench.limits.gather);
    bench.hear(b, true);
    expect(bench.nextAt()).toBe(0);
    expect(told(bench, bench.deliver())).toStrictEqual([0, 1]);
    expect(bench.nextAt()).toBeNull();
  });

  it("an urgent one that comes while a push is under way goes right after it", () => {
    const { bench, subs } = listening(2);
    const [a, b] = subs;
    if (!a || !b) throw new Error("two");
    bench.hear(a);
    const push = bench.due();
    bench.hear(b, true);
    if (push) bench.report(push, { type: "sent" });
    expect(bench.nextAt()).toBe(0);
    expect(told(bench, bench.deliver())).toStrictEqual([0, 1]);
  });

  it("are at most so many pushes a minute, and some of them are for what is urgent", () => {
    const { bench, subs } = listening(1, new DeviceBench({ limits: { gather: 0 } }).activate());
    const start = bench.now;
    let pushes = 0;
    for (; bench.now < start + 10 * MINUTE; bench.now += 50) {
      bench.hear(first(subs));
      if (bench.deliver()) pushes++;
    }
    const { pushesPerMinute, reserved } = bench.limits;
    expect(pushes).toBeLessThanOrEqual(11 * pushesPerMinute);
    expect(pushes).toBeGreaterThan(9 * pushesPerMinute);
    let urgent = 0;
    for (; bench.hear(first(subs), true) && bench.deliver() && urgent < 100;) urgent++;
    expect(urgent).toBeGreaterThanOrEqual(reserved - 1);
    expect(urgent).toBeLessThanOrEqual(reserved + 1);
  });
});

describe("periodic notifications", () => {
  it("come every so many minutes from when they are switched on, and once after a long outage", () => {
    const { bench } = listening(0);
    bench.run({ tag: "TCRN", minutes: 20 });
    const start = bench.now;
    expect(bench.deliverAll(start + HOUR).map(({ at, push }) => [push.kind, at - start])).toStrictEqual([
      ["check", 20 * MINUTE],
      ["check", 40 * MINUTE],
      ["check", 60 * MINUTE],
    ]);
    bench.now += 10 * HOUR;
    expect(bench.deliverAll(bench.now + 19 * MINUTE)).toHaveLength(1);
  });

  it("are not put off by an app that sets the same interval at each start", () => {
    const { bench } = listening(0);
    bench.run({ tag: "TCRN", minutes: 20 });
    const start = bench.now;
    for (let minute = 0; minute < 20; minute++) {
      bench.run({ tag: "TCRN", minutes: 20 });
      expect(bench.due()).toBeNull();
      bench.now += MINUTE;
    }
    expect(bench.now - start).toBe(20 * MINUTE);
    expect(bench.due()?.kind).toBe("check");
  });

  it("change with their interval, and end with 0", () => {
    const { bench } = listening(0);
    bench.run({ tag: "TCRN", minutes: 20 });
    bench.now += 5 * MINUTE;
    bench.run({ tag: "TCRN", minutes: 60 });
    expect(bench.nextAt(), "counted from the last one").toBe(55 * MINUTE);
    bench.run({ tag: "TCRN", minutes: 0 });
    expect(bench.nextAt()).toBeNull();
    bench.now += DAY;
    bench.run({ tag: "TCRN", minutes: 30 });
    expect(bench.nextAt(), "nothing is made up for").toBe(30 * MINUTE);
  });

  it("wait until the token is verified", () => {
    const bench = new DeviceBench();
    bench.register();
    bench.deliver();
    bench.run({ tag: "TCRN", minutes: 20 });
    bench.now += DAY;
    expect(bench.due()).toBeNull();
    bench.run({ tag: "TVFY", code: bench.code });
    expect(bench.due()?.kind).toBe("check");
  });

  it("that fail are tried again", () => {
    const { bench } = listening(0);
    bench.run({ tag: "TCRN", minutes: 20 });
    bench.now += 20 * MINUTE;
    bench.deliver(FAILED);
    expect(bench.nextAt()).toBe(10 * SECOND);
    bench.now += 10 * SECOND;
    expect(bench.deliver()?.kind).toBe("check");
    expect(bench.nextAt()).toBe(20 * MINUTE);
  });
});

