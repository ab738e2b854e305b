import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SessionStatus } from "../../../client/web/session/api.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { drive, withoutViews } from "./support/driver.ts";
import { meet, newTalker, otherTab, send, type Talker, texts } from "./support/talk.ts";
import { WebBrowser } from "./support/web-browser.ts";

const folder = temporaryFolder();
let relay: RelayProcess;
let browser: WebBrowser;

beforeAll(async () => {
  [relay, browser] = await Promise.all([RelayProcess.start(join(folder, "relay")), WebBrowser.start()]);
});

afterAll(async () => {
  await browser.stop();
  await relay.stop();
  removeFolder(folder);
});

const newcomer = (name: string, expected?: RegExp): Promise<Talker> => newTalker(browser, relay.info.app, name, expected);
const status = (page: Page): Promise<SessionStatus> => drive(page, "status");

/** Alice and Bob, who know each other. */
async function two(expected?: RegExp): Promise<{ alice: Talker; bob: Talker; toBob: string; toAlice: string }> {
  const [alice, bob] = [await newcomer("Alice", expected), await newcomer("Bob")];
  const [toBob, toAlice] = await meet(alice, bob);
  return { alice, bob, toBob, toAlice };
}

async function leave(...all: readonly Talker[]): Promise<void> {
  for (const { person } of all) await person.leave();
}

/** Until it is true; the test's own time limit ends it. */
async function until(page: Page, check: () => Promise<boolean>): Promise<void> {
  while (!await check()) await page.waitForTimeout(50);
}

describe("several tabs", () => {
  test("have one profile, of which one tab is in charge, and hear the same", async () => {
    const { alice, bob, toBob, toAlice } = await two();
    const second = await otherTab(alice, relay.info.app);
    expect([(await status(alice.page)).isLeader, (await status(second)).isLeader]).toEqual([true, false]);

    await send(second, toBob, "from the second tab");
    await drive(alice.page, "next", "item", 1);
    await until(bob.page, async () => (await texts(bob.page, toAlice)).length === 1);
    await send(bob.page, toAlice, "to both");
    await drive(second, "next", "item", 1);
    expect(await texts(second, toBob)).toEqual(["from the second tab", "to both"]);
    expect(await texts(alice.page, toBob)).toEqual(["from the second tab", "to both"]);
    await leave(alice, bob);
  });

  test("errors arrive as what they are", async () => {
    const { alice, bob } = await two();
    const second = await otherTab(alice, relay.info.app);
    expect(await drive(second, "classOf", "contacts", "get", "nobody")).toMatchObject({
      class: "ChatError", isError: true, code: "CHAT", refusal: "NOT_FOUND", message: "there is no contact 'nobody'",
    });
    expect(await drive(second, "classOf", "links", "look", alice.user.id, "https://example.org/")).toMatchObject({
      class: "LinkError", isError: true, failure: "SYNTAX",
    });
    expect(await drive(second, "attempt", "contacts", "constructor")).toBe("TypeError");
    expect(await drive(second, "attempt", "nothing", "list")).toBe("TypeError");
    expect(await drive(second, "attempt", "contacts", "hasOwnProperty", "x")).toBe("TypeError");
    await leave(alice, bob);
  });

  test("a file goes through the tab in charge, byte for byte, and is refused when it is too large", async () => {
    const { alice, bob, toBob } = await two();
    const second = await otherTab(alice, relay.info.app);
    expect(await drive(second, "sendFile", toBob, 50_000)).toBe(50_000);
    expect(await drive(second, "sendFile", toBob, 2 ** 27)).toBe("ChatError LARGE");
    await leave(alice, bob);
  });

  test("the other one takes over when the one in charge is closed", async () => {
    const { alice, bob, toBob, toAlice } = await two();
    const second = await otherTab(alice, relay.info.app);
    const { generation } = await status(second);
    await alice.page.close();
    await send(bob.page, toAlice, "are you there?");
    await until(second, async () => (await texts(second, toBob)).length === 1);
    const after = await status(second);
    expect([after.isLeader, after.phase]).toEqual([true, "open"]);
    expect(after.generation).toBeGreaterThan(generation);
    await send(second, toBob, "yes");
    await until(bob.page, async () => (await texts(bob.page, toAlice)).length === 2);
    await leave(alice, bob);
  });

  test("nothing that was promised is lost, and nothing is sent twice, when the one in charge dies while it sends", async () => {
    const { alice, bob, toBob, toAlice } = await two();
    for (let round = 0; round < 3; round++) {
      const leader = alice.person.context.pages()[0];
      const follower = await otherTab(alice, relay.info.app);
      await drive(follower, "keepCounting", toBob);
      await until(follower, async () => (await drive<{ promised: string[] }>(follower, "counted")).promised.length > 5);
      await leader?.close();
      await until(follower, async () => (await drive<{ refused: string[] }>(follower, "counted")).refused.length > 0);
      const { promised, refused } = await drive<{ promised: string[]; refused: string[] }>(follower, "counted");
      expect(refused).toEqual(["SessionError INTERRUPTED"]);
      await until(follower, async () => (await status(follower)).isLeader);

      const own = await texts(follower, toBob);
      // The one that was under way when the tab died is there or not.
      const last = own.length === promised.length ? promised : [...promised, `${promised.length}`];
      expect(own).toEqual(last);
      await until(bob.page, async () => (await texts(bob.page, toAlice)).length >= own.length);
      expect(await texts(bob.page, toAlice)).toEqual(own);
      await drive(follower, "call", "history", "clear", toBob);
      await drive(bob.page, "call", "history", "clear", toAlice);
    }
    await leave(alice, bob);
  });

  test("one that stands still is replaced, and writes nothing when it wakes up", async () => {
    const { alice, bob, toBob, toAlice } = await two(/taken over by another tab/);
    const second = await otherTab(alice, relay.info.app);
    await second.bringToFront();
    // As when the browser freezes a page. What the page was about to write it writes when it wakes up.
    await alice.page.workers()[0]?.evaluate((milliseconds) => {
      setTimeout(() => {
        const end = performance.now() + milliseconds;
        while (performance.now() < end);
      }, 200);
    }, 20_000);
    await alice.page.waitForTimeout(500);
    const late = drive(alice.page, "attempt", "messages", "send", toBob, "too late");
    await until(second, async () => (await status(second)).isLeader);
    await send(second, toBob, "from the one that took over");
    await until(bob.page, async () => (await texts(bob.page, toAlice)).length === 1);

    expect(await late).toBe("SessionError INTERRUPTED");
    // Its worker hears of it when it wakes up.
    await until(alice.page, async () => await alice.page.workers()[0]?.evaluate(() => true) ?? false);
    await until(alice.page, async () => !(await status(alice.page)).isLeader);
    await send(bob.page, toAlice, "to whoever is in charge");
    await until(alice.page, async () => (await texts(alice.page, toBob)).length === 2);
    expect([(await status(alice.page)).isLeader, (await status(second)).isLeader]).toEqual([false, true]);
    await send(alice.page, toBob, "awake again");
    await until(bob.page, async () => (await texts(bob.page, toAlice)).length === 3);
    const said = ["from the one that took over", "to whoever is in charge", "awake again"];
    expect(await texts(second, toBob)).toEqual(said);
    expect(await texts(bob.page, toAlice)).toEqual(said);
    await leave(alice, bob);
  });
});

describe("one tab", () => {
  test("goes on after it was loaded anew, again and again", async () => {
    const { alice, bob, toBob, toAlice } = await two();
    const said: string[] = [];
    for (let i = 0; i < 4; i++) {
      await send(bob.page, toAlice, `${i}`);
      said.push(`${i}`);
      await alice.page.reload();
      expect(await drive(alice.page, "open")).toBe("open");
      await until(alice.page, async () => (await texts(alice.page, toBob)).length === said.length);
      expect(await texts(alice.page, toBob)).toEqual(said);
    }
    await leave(alice, bob);
  });

  test("goes on after the relay was started anew", async () => {
    const own = await RelayProcess.start(join(folder, "restarted"));
    const port = Number(new URL(own.info.url).port);
    const [alice, bob] = [await newTalker(browser, own.info.app, "Alice"), await newTalker(browser, own.info.app, "Bob")];
    const [toBob, toAlice] = await meet(alice, bob);
    await own.stop();
    await until(alice.page, async () => (await status(alice.page)).relays.some(({ isUp }) => !isUp));
    await send(alice.page, toBob, "while it was away");
    const again = await RelayProcess.start(join(folder, "restarted"), {}, port);
    await drive(alice.page, "control", "reconnect");
    await drive(bob.page, "control", "reconnect");
    await until(bob.page, async () => (await texts(bob.page, toAlice)).length === 1);
    await until(alice.page, async () => (await status(alice.page)).relays.every(({ isUp }) => isUp));
    await leave(alice, bob);
    await again.stop();
  });

  test("is gone to another page and comes back with everything", async () => {
    const { alice, bob, toBob, toAlice } = await two();
    await alice.page.goto(`${relay.info.app}../`);
    await send(bob.page, toAlice, "meanwhile");
    await alice.page.goBack();
    expect(await drive(alice.page, "open")).toBe("open");
    await until(alice.page, async () => (await texts(alice.page, toBob)).length === 1);
    await leave(alice, bob);
  });

  test("begins anew when the browser closed what it had open", async () => {
    const alice = await newcomer("Alice");
    const { generation } = await status(alice.page);
    const browserItself = await alice.person.context.newCDPSession(alice.page);
    const { origin } = new URL(relay.info.app);
    await browserItself.send("Storage.clearDataForOrigin", { origin, storageTypes: "indexeddb" });
    await until(alice.page, async () => (await status(alice.page)).generation > generation);
    expect(await status(alice.page)).toMatchObject({ phase: "open" });
    expect(await drive(alice.page, "call", "users", "list")).toEqual([]);
    await leave(alice);
  });

  test("says so when its worker cannot be loaded, as when the relay has another version by now", async () => {
    const person = await browser.person({ serviceWorkers: "block", expected: /404|worker/i });
    await withoutViews(person);
    await person.context.route(/\/app\/chat-\w+\.js$/, (route) => route.fulfill({ status: 404 }));
    const page = await person.open(relay.info.app);
    expect(await drive(page, "open")).toBe("SessionError OUTDATED");
    await person.context.unroute(/\/app\/chat-\w+\.js$/);
    expect(await drive(page, "open")).toBe("open");
    await person.leave();
  });

  test("keeps its settings, and refuses relays that are none", async () => {
    const alice = await newcomer("Alice");
    const before = await drive<{ relays: string[] }>(alice.page, "control", "settings");
    expect(before).toEqual({ relays: [], proxy: { mode: "unknown", fallback: "allowProtected" } });
    expect(await drive(alice.page, "control", "setSettings", { relays: ["smp://nobody"] })).toBe("AddressError");
    const proxy = { mode: "never", fallback: "prohibit" };
    const changed = { relays: [relay.info.address], proxy };
    expect(await drive(alice.page, "control", "setSettings", changed)).toEqual(changed);
    await alice.page.reload();
    await drive(alice.page, "open");
    expect(await drive(alice.page, "control", "settings")).toEqual(changed);
    expect(await drive(alice.page, "control", "ownRelay")).toMatchObject({ address: relay.info.address, newQueues: "open" });
    await leave(alice);
  });
});
