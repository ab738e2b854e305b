import { expect, it } from "vitest";
import { UNTOLD_KEPT } from "../../../src/relay/notification/limits.ts";
import { DeviceBench } from "../../support/device-bench.ts";
import { FAILED, listening, MINUTE } from "../../support/device-listening.ts";

it("a device whose provider is away is not remembered more and more queues, and the newest are", () => {
  const count = 2 * UNTOLD_KEPT + 20;
  const { bench, subs } = listening(count, new DeviceBench({ limits: { pushesPerMinute: 0 } }).activate());
  bench.deliver(FAILED);
  for (const subId of subs) bench.hear(subId);
  const kept = bench.store.latest();
  expect(kept.length).toBeLessThanOrEqual(2 * UNTOLD_KEPT);
  expect(kept.map(({ subId }) => subId)).toEqual(subs.slice(-kept.length));
  const pushes = bench.deliverAll(bench.now + 60 * MINUTE);
  expect(pushes.length).toBeGreaterThanOrEqual(Math.floor(UNTOLD_KEPT / 6));
  expect(bench.store.latest().length).toBeLessThanOrEqual(6);
});
