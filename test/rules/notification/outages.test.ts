import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hex } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import { messagesFit } from "#protocol/ntf/notification";
import { formatNtfQueue } from "#protocol/ntf/queue";
import { pauseAfter, REPAIR_RETRY, RETRY, waitFor } from "../../../src/relay/notification/limits.ts";
import type { Push } from "../../../src/relay/notification/ports.ts";
import { DeviceBench, tagOf } from "../../support/device-bench.ts";
import { DAY, FAILED, first, HOUR, listening, MINUTE, SECOND, told } from "../../support/device-listening.ts";

describe("a provider that does not answer", () => {
  it("for hours: attempts become rare, nothing is lost, and afterwards there is no storm", () => {
    const { bench, subs } = listening(3);
    const start = bench.now;
    let attempts = 0;
    while (bench.now < start + 5 * HOUR) {
      bench.hear(subs[attempts % 3] ?? first(subs));
      bench.wait();
      bench.deliver(FAILED);
      attempts++;
    }
    expect(attempts).toBeLessThan(25);
    const sent = bench.deliverAll(bench.now + DAY);
    expect(sent).toHaveLength(1);
    expect(told(bench, sent[0]?.push).toSorted((a, b) => a - b)).toStrictEqual([0, 1, 2]);
    bench.hear(first(subs));
    expect(bench.nextAt(), "and then it is as before").toBe(bench.limits.gather);
  });

  it("asks for a pause: it gets it, up to a limit", () => {
    const { bench, subs } = listening(1);
    for (const [after, pause] of [[90 * SECOND, 90 * SECOND], [5 * SECOND, 20 * SECOND], [365 * DAY, 6 * HOUR]] as const) {
      bench.hear(first(subs));
      bench.deliver({ ...FAILED, after });
      expect(bench.nextAt()).toBe(pause);
      bench.now += pause;
    }
  });

  it("for a week: the token has expired, its queues are left, and nothing is tried any more", () => {
    const { bench, subs } = listening(2);
    const start = bench.now;
    for (; bench.store.record()?.status === "ACTIVE" && bench.now < start + 8 * DAY; bench.deliver(FAILED)) {
      bench.hear(first(subs));
      bench.wait();
    }
    expect(bench.now - start).toBeGreaterThan(7 * DAY);
    expect(bench.now - start).toBeLessThan(7 * DAY + 2 * HOUR);
    expect(tagOf(bench.run({ tag: "TCHK" }))).toBe("EXPIRED");
    expect(bench.store.subscriptions().map(({ status }) => status)).toStrictEqual(["INACTIVE", "INACTIVE"]);
    expect(bench.hear(first(subs))).toBe(false);
    expect(bench.nextAt()).toBeNull();
    expect(bench.store.latest()).toStrictEqual([]);
  });

  it("because the operator has to repair something: no token is given up for it", () => {
    const { bench, subs } = listening(1);
    const start = bench.now;
    let attempts = 0;
    for (; bench.now < start + 30 * DAY; attempts++) {
      bench.hear(first(subs));
      bench.wait();
      bench.deliver({ type: "fix-configuration", why: "the key" });
    }
    expect(bench.store.record()?.status).toBe("ACTIVE");
    expect(attempts).toBeLessThan(30 * 24 + 10);
    bench.wait();
    bench.deliver(FAILED);
    expect(bench.store.record()?.status, "nor for one failure after that").toBe("ACTIVE");
  });

  it("a message of which nobody could be told for a day is not news any more", () => {
    const { bench, subs } = listening(2);
    bench.hear(first(subs));
    bench.deliver(FAILED);
    bench.now += DAY + 1;
    expect(bench.due()).toBeNull();
    expect(bench.nextAt()).toBeNull();
    bench.hear(subs[1] ?? first(subs));
    expect(told(bench, bench.due())).toStrictEqual([1]);
  });

  it("the verification push is tried until it arrives", () => {
    const bench = new DeviceBench();
    bench.register();
    for (let attempt = 0; attempt < 10; attempt++) {
      bench.wait();
      bench.deliver(FAILED);
    }
    expect(tagOf(bench.run({ tag: "TCHK" }))).toBe("REGISTERED");
    bench.register();
    expect(bench.nextAt(), "a device that asks again need not wait").toBe(0);
    expect(bench.deliver()).toMatchObject({ kind: "verification", code: bench.code });
    expect(tagOf(bench.run({ tag: "TCHK" }))).toBe("CONFIRMED");
  });
});

describe("a token that its provider refuses", () => {
  it.each(["BAD", "TOPIC", "EXPIRED", "UNREGISTERED"] as const)("is INVALID,%s and costs nothing", (reason) => {
    const { bench, subs } = listening(1);
    bench.run({ tag: "TCRN", minutes: 20 });
    bench.hear(first(subs));
    bench.deliver({ type: "gone", reason });
    expect(tagOf(bench.run({ tag: "TCHK" }))).toBe(`INVALID,${reason}`);
    bench.now += DAY;
    const { writes } = bench.store;
    expect(bench.hear(first(subs))).toBe(false);
    expect(bench.nextAt()).toBeNull();
    expect(bench.store.writes).toBe(writes);
  });

  it("also when it is refused before it was ever verified", () => {
    const bench = new DeviceBench();
    bench.register();
    bench.deliver({ type: "gone", reason: "BAD" });
    expect(tagOf(bench.run({ tag: "TCHK" }))).toBe("INVALID,BAD");
    expect(bench.nextAt()).toBeNull();
  });
});

describe("whatever happens", () => {
  const kinds = ["hear", "hear", "urgent", "wait", "sent", "fail", "schk"] as const;
  type Step = { readonly kind: (typeof kinds)[number]; readonly n: number };
  const steps: fc.Arbitrary<readonly Step[]> = fc.array(
    fc.record({ kind: fc.constantFrom(...kinds), n: fc.nat(9) }, { noNullPrototype: true }),
    { maxLength: 60 },
  );

  it("every message that is heard is told of in the end, in a push that fits, and no minute has too many", () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { bench, subs } = listening(10);
        const heard = new Map<string, string>();
        const arrived = new Map<string, string>();
        const times: number[] = [];
        const note = (push: Push | undefined): void => {
          if (!push) return;
          times.push(bench.now);
          if (push.kind !== "messages") return;
          expect(messagesFit(push.messages)).toBe(true);
          expect(new Set(push.messages.map(({ queue }) => formatNtfQueue(queue))).size).toBe(push.messages.length);
          for (const { queue, nonce } of push.messages) arrived.set(formatNtfQueue(queue), hex(nonce));
        };
        for (const { kind, n } of list) {
          const subId = subs[n] ?? first(subs);
          const nonce = randomBytes(24);
          if (kind === "hear" || kind === "urgent") {
            bench.hear(subId, kind === "urgent", nonce);
            const queue = bench.store.subscription(subId)?.queue;
            if (queue) heard.set(formatNtfQueue(queue), hex(nonce));
          }
          if (kind === "wait") bench.now += n * n * 100;
          if (kind === "sent") note(bench.deliver());
          if (kind === "fail") bench.deliver(FAILED);
          if (kind === "schk") bench.run({ tag: "SCHK" }, undefined, subId);
        }
        for (const { push } of bench.deliverAll()) note(push);
        expect(arrived).toStrictEqual(heard);
        for (const [i, time] of times.entries()) {
          const inMinute = times.slice(i).filter((later) => later < time + MINUTE).length;
          expect(inMinute).toBeLessThanOrEqual(2 * bench.limits.pushesPerMinute);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe("pauses and waits", () => {
  it("double up to the longest, and spread", () => {
    expect([1, 2, 3, 4, 8, 9, 30, 1000].map((failures) => pauseAfter(failures, RETRY, 0) / SECOND)).toStrictEqual(
      [10, 20, 40, 80, 1280, 1800, 1800, 1800],
    );
    expect(pauseAfter(1, RETRY, 0.999)).toBeGreaterThan(11_900);
    expect(pauseAfter(20, REPAIR_RETRY, 0)).toBe(HOUR);
  });

  it("are as long as it takes until a bucket has what is wanted", () => {
    expect(waitFor(null, 20, 4, 0)).toBe(0);
    expect(waitFor({ tokens: 0, at: 0 }, 0, 4, 0), "no limit").toBe(0);
    expect(waitFor({ tokens: 0, at: 0 }, 20, 0, 0)).toBe(3 * SECOND);
    expect(waitFor({ tokens: 0, at: 0 }, 20, 4, 0)).toBe(15 * SECOND);
    expect(waitFor({ tokens: 0, at: 0 }, 20, 4, 10 * SECOND)).toBe(5 * SECOND);
    expect(waitFor({ tokens: 0, at: 0 }, 20, 4, 15 * SECOND)).toBe(0);
    expect(waitFor({ tokens: 2, at: 0 }, 2, 100, 0), "a reserve above what there can be").toBe(0);
    expect(waitFor({ tokens: 0, at: 100_000 }, 20, 0, 0), "a clock that was put back").toBe(3 * SECOND);
  });
});
