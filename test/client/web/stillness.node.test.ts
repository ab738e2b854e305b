import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Stillness } from "../../../client/web/worker/stillness.ts";

const TIMES = { calm: 1_000, longest: 10_000 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What came of the waiting so far. */
function watch(waiting: Promise<boolean>): { readonly result: boolean | null } {
  const seen: { result: boolean | null } = { result: null };
  void waiting.then((result) => (seen.result = result));
  return seen;
}

describe("waiting until nothing happens", () => {
  test("ends when it was calm for long enough, counted from the last thing that happened", async () => {
    const stillness = new Stillness();
    const seen = watch(stillness.wait(() => true, TIMES));
    for (let i = 0; i < 5; i++) {
      await vi.advanceTimersByTimeAsync(999);
      stillness.stir();
    }
    expect(seen.result).toBe(null);
    await vi.advanceTimersByTimeAsync(999);
    expect(seen.result).toBe(null);
    await vi.advanceTimersByTimeAsync(1);
    expect(seen.result).toBe(true);
  });

  test("does not take a relay that is not there yet for calm", async () => {
    let isConnected = false;
    const seen = watch(new Stillness().wait(() => isConnected, TIMES));
    await vi.advanceTimersByTimeAsync(3_500);
    isConnected = true;
    expect(seen.result).toBe(null);
    await vi.advanceTimersByTimeAsync(500);
    expect(seen.result).toBe(true);
  });

  test("gives up after its longest time, however much happens", async () => {
    const stillness = new Stillness();
    const seen = watch(stillness.wait(() => true, TIMES));
    for (let i = 0; i < 20; i++) {
      await vi.advanceTimersByTimeAsync(500);
      stillness.stir();
    }
    expect(seen.result).toBe(false);
  });

  test("ends at once for all who wait when the profile is closed, and leaves no timer behind", async () => {
    const stillness = new Stillness();
    const all = [watch(stillness.wait(() => true, TIMES)), watch(stillness.wait(() => false, TIMES))];
    stillness.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(all.map(({ result }) => result)).toEqual([false, false]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
