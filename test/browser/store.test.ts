import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { ownershipContract, storeContract } from "../client/store/contract.ts";
import { Chromium, temporaryData } from "./support/chromium.ts";
import { PageServer } from "./support/page-server.ts";
import type { Tab } from "./support/tab.ts";

let server: PageServer;
let browser: Chromium;
let data: ReturnType<typeof temporaryData>;

// Each hook gives back what ends it; they are ended in the opposite order, those that began.
beforeAll(() => {
  data = temporaryData();
  return data.remove;
});
beforeAll(async () => {
  server = await PageServer.start("test/browser/page/store.ts");
  return () => server.stop();
});
beforeAll(async () => {
  browser = await Chromium.start(data.path);
  return () => browser.stop();
});

const newTab = (): Promise<Tab> => browser.open(server.url);

describe.each(["plain", "sealed"])("a %s profile in Chromium's IndexedDB", (kind) => {
  let tab: Tab;
  beforeAll(async () => {
    tab = await newTab();
  });
  afterAll(() => tab.close());

  test.each([...storeContract, ...ownershipContract])("$name", ({ name }) => tab.call("runCase", kind, name));
});

describe("a profile in a browser", () => {
  test("is open in one tab at a time, and free when that tab closes", async () => {
    const [first, second] = [await newTab(), await newTab()];
    expect(await first.call("open", "shared")).toBe("open");
    expect(await second.call("open", "shared")).toBe(
      'BUSY: the profile "shared" is open in another tab or window of this browser: close it there first',
    );
    expect(await second.call("open", "another")).toBe("open");
    await first.call("write", "k", 1);
    await first.close();
    expect(await second.call("open", "shared")).toBe("open");
    expect(await second.call("records")).toEqual({ k: 1 });
    await second.close();
  });

  test("that was taken over takes no more writes, even before its tab has noticed", async () => {
    const [first, second] = [await newTab(), await newTab()];
    expect(await first.call("open", "taken")).toBe("open");
    await first.call("write", "k", 1);
    const late = first.call("freezeAndWrite", 1500, "k", 2);
    expect(await second.call("takeOver", "taken")).toBe("open");
    await second.call("write", "l", 3);
    expect(await late).toBe('BUSY: the profile "taken" was taken over by another tab of this browser');
    // Now it knows.
    expect(await first.call("write", "k", 4)).toMatch(/^CLOSED: /);
    expect(await second.call("records")).toEqual({ k: 1, l: 3 });
    await second.close();
    expect(await first.call("open", "taken")).toBe("open");
    await first.call("write", "k", 5);
    expect(await first.call("records")).toEqual({ k: 5, l: 3 });
    await first.close();
  });

  test("that was made before profiles had owners is kept", async () => {
    const tab = await newTab();
    await tab.call("makeOlder", "older");
    expect(await tab.call("open", "older")).toBe("open");
    await tab.call("write", "k", 2);
    expect(await tab.call("records")).toEqual({ before: 1, k: 2 });
    await tab.close();
  });

  test("is not BUSY for the tab that reloads", async () => {
    const tab = await newTab();
    for (let i = 0; i < 5; i++) {
      expect(await tab.call("open", "reloaded")).toBe("open");
      await tab.call("write", `${i}`, i);
      await tab.reload();
    }
    await tab.call("open", "reloaded");
    expect(await tab.call("records")).toEqual({ 0: 0, 1: 1, 2: 2, 3: 3, 4: 4 });
    await tab.close();
  });

  test("is removed only when no tab has it open", async () => {
    const [first, second] = [await newTab(), await newTab()];
    await first.call("open", "to be removed");
    await first.call("write", "k", 1);
    expect(await second.call("remove", "to be removed")).toMatch(/^BUSY: /);
    await first.call("close");
    expect(await second.call("remove", "to be removed")).toBe("removed");
    await first.call("open", "to be removed");
    expect(await first.call("records")).toEqual({});
    await Promise.all([first.close(), second.close()]);
  });

  test("is CLOSED when its database is taken away from outside, and can be opened anew", async () => {
    const tab = await newTab();
    await tab.call("open", "taken away");
    await tab.call("write", "k", 1);
    await tab.call("deleteFromOutside", "taken away");
    expect(await tab.call("write", "k", 2)).toMatch(/^CLOSED: .*open it again$/);
    expect(await tab.call("open", "taken away")).toBe("open");
    expect(await tab.call("records")).toEqual({});
    await tab.close();
  });

  test("of a newer program is left alone", async () => {
    const tab = await newTab();
    await tab.call("makeNewer", "newer");
    expect(await tab.call("open", "newer")).toMatch(/^VERSION: .*update this one$/);
    // The lock is given back, too.
    expect(await tab.call("open", "newer")).toMatch(/^VERSION: /);
    await tab.close();
  });

  test("says FULL when the browser gives no more room, and nothing of that write is done", async () => {
    // A server of its own is an origin of its own, whose room is limited for this test only.
    const own = await PageServer.start("test/browser/page/store.ts");
    onTestFinished(() => own.stop());
    const tab = await browser.open(own.url);
    await tab.limitStorage(5_000_000);
    await tab.call("open", "full");
    expect(await tab.call("fill", "fits", 1_000_000)).toBe("written");
    expect(await tab.call("fill", "too much", 8_000_000)).toMatch(/^FULL: .*free some space$/);
    expect(await tab.call("records")).toEqual({ fits: 1 });
    await tab.limitStorage(50_000_000);
    expect(await tab.call("fill", "fits now", 8_000_000)).toBe("written");
    await tab.close();
  });

  test("takes a passphrase of the usual cost without freezing the page", async () => {
    const tab = await newTab();
    const { milliseconds, turns, value } = await tab.call<{ milliseconds: number; turns: number; value: number }>(
      "timePassphrase",
      "with a passphrase",
    );
    expect(value).toBe(7);
    expect(turns, `turns of the page within ${milliseconds} ms`).toBeGreaterThan(5);
    await tab.close();
  });
});

describe("a profile outlives its browser", () => {
  test("that is restarted", async () => {
    const own = temporaryData();
    onTestFinished(own.remove);
    for (let start = 0; start < 2; start++) {
      const mine = await Chromium.start(own.path);
      const tab = await mine.open(server.url);
      expect(await tab.call("open", "kept")).toBe("open");
      expect(await tab.call("records")).toEqual(start === 0 ? {} : { k: 5 });
      await tab.call("write", "k", 5);
      await mine.stop();
    }
  });

  test("that is killed in the middle of writes: each is there wholly or not at all, and none is lost", async () => {
    const own = temporaryData();
    onTestFinished(own.remove);
    let before = 0;
    for (let crash = 0; crash < 3; crash++) {
      const victim = await Chromium.start(own.path);
      const tab = await victim.open(server.url);
      await tab.call("open", "crashing");
      await tab.call("writeRounds");
      await expect.poll(() => tab.call<number>("lastRound"), { timeout: 20_000 }).toBeGreaterThan(before);
      await sleep(300 * Math.random());
      const durable = await tab.call<number>("lastRound");
      await victim.kill();

      const next = await Chromium.start(own.path);
      const reader = await next.open(server.url);
      expect(await reader.call("open", "crashing")).toBe("open");
      const rounds = await reader.call<number[]>("rounds");
      expect(rounds).toHaveLength(50);
      expect(new Set(rounds).size).toBe(1);
      expect(rounds[0]).toBeGreaterThanOrEqual(durable);
      expect(durable).toBeGreaterThan(before);
      before = rounds[0] ?? 0;
      await next.stop();
    }
  });
});
