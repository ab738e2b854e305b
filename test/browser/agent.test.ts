import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { stories } from "../scenario/agent/suite/all.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../support/relay-process.ts";
import { Chromium, temporaryData } from "./support/chromium.ts";
import { PageServer } from "./support/page-server.ts";
import type { Tab } from "./support/tab.ts";

const folder = temporaryFolder();
const data = temporaryData();
let relays: RelayProcess[];
let server: PageServer;
let browser: Chromium;

beforeAll(async () => {
  [relays, server, browser] = await Promise.all([
    Promise.all(["first", "second"].map((name) => RelayProcess.start(join(folder, name)))),
    PageServer.start("test/browser/page/agent.ts"),
    Chromium.start(data.path),
  ]);
});

afterAll(async () => {
  await browser.stop();
  await server.stop();
  data.remove();
  for (const relay of relays) await relay.stop();
  removeFolder(folder);
});

/** A page with a person in it. */
async function enter(profile: string, where = browser): Promise<Tab> {
  const tab = await where.open(server.url);
  expect(await tab.call("start", profile, relays[0]?.info)).toBe("started");
  return tab;
}

async function connect(alice: Tab, bob: Tab): Promise<{ readonly a: string; readonly b: string }> {
  const { connection: a, link } = await alice.call<{ connection: string; link: string }>("invite");
  const b = await bob.call<string>("join", link);
  await alice.call("allow");
  await Promise.all([alice.call("connected"), bob.call("connected")]);
  return { a, b };
}

async function leave(...tabs: readonly Tab[]): Promise<void> {
  for (const tab of tabs) {
    expect(await tab.call("complaints")).toEqual([]);
    await tab.call("stop");
    await tab.close();
  }
}

describe("two agents in one page, with IndexedDB", () => {
  let tab: Tab;
  beforeAll(async () => {
    tab = await browser.open(server.url);
  });
  afterAll(() => tab.close());

  test.each(stories)("$name", ({ name }) => tab.call("tell", name, relays.map(({ info }) => info)));
});

describe("two agents in two pages", () => {
  test("talk, and the profile of one opens in no other tab until it is closed there", async () => {
    const [alice, bob] = [await enter("Alice"), await enter("Bob")];
    const { a, b } = await connect(alice, bob);
    await alice.call("send", a, "hello Bob");
    expect(await bob.call("receive")).toBe("hello Bob");

    const second = await browser.open(server.url);
    expect(await second.call("start", "Bob", relays[0]?.info)).toBe("BUSY");
    await bob.call("send", b, "hello Alice");
    expect(await alice.call("receive")).toBe("hello Alice");
    await bob.close();
    expect(await second.call("start", "Bob", relays[0]?.info)).toBe("started");
    await alice.call("send", a, "hello other tab");
    expect(await second.call("receive")).toBe("hello other tab");
    await leave(alice, second);
  });

  test("one page reloads in the middle, again and again", async () => {
    const [alice, bob] = [await enter("Alice, patient"), await enter("Bob, impatient")];
    const { a } = await connect(alice, bob);
    for (let i = 0; i < 3; i++) {
      await alice.call("send", a, `${i}`);
      expect(await bob.call("look")).toBe(`${i}`);
      await bob.reload();
      expect(await bob.call("start", "Bob, impatient", relays[0]?.info)).toBe("started");
      expect(await bob.call("receive")).toBe(`${i}`);
    }
    await leave(alice, bob);
  });

  /** Bob's page ends while he sends, `end` answers in which browser he goes on. */
  async function interrupt(story: string, mine: Chromium, end: (page: Tab) => Promise<Chromium>): Promise<void> {
    const [alice, bob] = [await enter(`Alice, ${story}`), await enter(`Bob, ${story}`, mine)];
    const { a, b } = await connect(alice, bob);
    await alice.call("send", a, "remember me");
    expect(await bob.call("look")).toBe("remember me");
    await bob.call("count", b);
    await expect.poll(() => bob.call<number>("counted")).toBeGreaterThan(3);
    await sleep(100 * Math.random());
    const promised = await bob.call<number>("counted");

    const again = await enter(`Bob, ${story}`, await end(bob));
    expect(await again.call("receive")).toBe("remember me");
    await again.call("send", b, "done");
    const received: string[] = [];
    while (received.at(-1) !== "done") received.push(await alice.call<string>("receive"));
    const numbers = received.slice(0, -1);
    expect(numbers).toEqual(Array.from(numbers, (_, i) => `${i}`));
    expect(numbers.length).toBeGreaterThanOrEqual(promised);
    await leave(alice, again);
  }

  test("a tab that is closed while it sends: what was promised is sent, what was not acknowledged comes again", () =>
    interrupt("closed", browser, async (page) => {
      await page.close();
      return browser;
    }));

  test("the same when the whole browser is killed", async () => {
    const own = temporaryData();
    onTestFinished(own.remove);
    const victim = await Chromium.start(own.path);
    await interrupt("killed", victim, async () => {
      await victim.kill();
      const next = await Chromium.start(own.path);
      onTestFinished(() => next.stop());
      return next;
    });
  });
});
