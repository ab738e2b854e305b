import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { CDPSession, Page } from "playwright-core";
import type { User } from "../../client/chat/records.ts";
import { bundleWeb } from "../../src/node/web-bundle.ts";
import { drive, withoutViews } from "../browser/web/support/driver.ts";
import { meet, Somebody } from "../browser/web/support/somebody.ts";
import { type Person, WebBrowser } from "../browser/web/support/web-browser.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../support/relay-process.ts";
import type { Plan } from "./plan.ts";
import { quantile, type Spread, spreadOf } from "./stats.ts";
import type { Metric, Section } from "./table.ts";

const KB = 1000;
const MB = 1_000_000;
const BURST = 60;

const milliseconds = (name: string, value: Spread): Metric => ({ name, unit: "ms", value });

/** Memory that the largest page of the browser takes, its worker included, and its share of what all use. Bytes. */
async function memoryOf(session: CDPSession): Promise<number> {
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const sizes = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => {
    const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, "latin1"))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  });
  return Math.max(...sizes);
}

/** Opens a conversation by its address; the time since the beginning at which one can read its end and write. */
async function open(person: Person, url: string, last: string): Promise<{ page: Page; usable: number }> {
  const page = await person.context.newPage();
  await page.goto(url);
  const usable = await page.waitForFunction((text) => {
    const composer = document.querySelector<HTMLTextAreaElement>("#composer");
    const items = [...document.querySelectorAll("[data-item]")];
    return composer && !composer.disabled && items.some((one) => one.textContent?.includes(text)) ? performance.now() : null;
  }, last, { polling: "raf" });
  return { page, usable: Number(await usable.jsonValue()) };
}

async function measureOpening({ stored, openings }: Plan, relay: RelayProcess): Promise<Section> {
  const browser = await WebBrowser.start();
  try {
    const session = await browser.browser.newBrowserCDPSession();
    const person = await browser.person();
    await withoutViews(person);
    const writing = await person.open(relay.info.app);
    await drive(writing, "open");
    const user = await drive<User>(writing, "call", "users", "create", { displayName: "Alice", fullName: "" });
    const chat = `notes-${user.id}`;
    const begun = performance.now();
    await drive(writing, "fill", chat, stored);
    const perWrite = (performance.now() - begun) / stored;
    await writing.close();
    await person.context.unroute(/\/app\/main-\w+\.js$/);

    const url = `${relay.info.app}#/chat/${encodeURIComponent(chat)}`;
    const last = `This is message ${stored - 1}.`;
    const [firsts, others, memories]: [number[], number[], number[]] = [[], [], []];
    for (let i = 0; i < openings; i++) {
      const first = await open(person, url, last);
      memories.push(await memoryOf(session));
      const second = await open(person, url, last);
      firsts.push(first.usable);
      others.push(second.usable);
      await second.page.close();
      await first.page.close();
    }
    await person.context.close();
    return {
      title: `Page: a conversation with ${stored} stored messages`,
      metrics: [
        milliseconds("opening the page until it can be read and written, only tab", spreadOf(firsts)),
        milliseconds("the same, beside a tab that is open", spreadOf(others)),
        { name: "memory of the tab with its worker (PSS)", unit: "MB", value: spreadOf(memories.map((bytes) => bytes / MB)) },
        milliseconds("storing an own message, 50 at a time", spreadOf([perWrite])),
      ],
    };
  } finally {
    await browser.stop();
  }
}

/** When a text appears in the page, by the clock of the machine. */
function seenAt(page: Page, text: string): Promise<number> {
  return page.evaluate((wanted) => new Promise<number>((resolve) => {
    const look = (): void => {
      const isThere = [...document.querySelectorAll("[data-item]")].some((one) => one.textContent?.includes(wanted));
      if (!isThere) return;
      observer.disconnect();
      // With the frame that shows it.
      requestAnimationFrame((time) => resolve(performance.timeOrigin + time));
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    look();
  }), text);
}

/** Sends what stands in the composer; when that was. */
function sendNow(page: Page): Promise<number> {
  return page.evaluate(() => {
    const now = performance.timeOrigin + performance.now();
    [...document.querySelectorAll("button")].find((one) => one.getAttribute("aria-label") === "Send")?.click();
    return now;
  });
}

/** The longest times for which a page's thread did nothing else, in milliseconds. */
async function longTasks(page: Page, work: () => Promise<unknown>): Promise<number[]> {
  const watching = await page.evaluateHandle(() => {
    const durations: number[] = [];
    new PerformanceObserver((list) => durations.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: "longtask" });
    return durations;
  });
  await work();
  return watching.jsonValue();
}

async function measureTalking({ talks }: Plan, relay: RelayProcess): Promise<Section> {
  const [here, there] = await Promise.all([WebBrowser.start(), WebBrowser.start()]);
  try {
    const [alice, bob] = await Promise.all([
      Somebody.new(here, relay.info.app, "Alice"), Somebody.new(there, relay.info.app, "Bob"),
    ]);
    await meet(alice, bob);
    const [own, seen]: [number[], number[]] = [[], []];
    for (let i = 0; i < talks; i++) {
      // Taking turns is the dearest way to talk: every message has new keys.
      const [from, to] = i % 2 === 0 ? [alice, bob] : [bob, alice];
      const text = `turn ${i}.`;
      await from.composer.fill(text);
      const [shown, arrived] = [seenAt(from.page, text), seenAt(to.page, text)];
      const sent = await sendNow(from.page);
      own.push(await shown - sent);
      seen.push(await arrived - sent);
    }
    let burst = 0;
    const tasks = await longTasks(bob.page, async () => {
      const begun = performance.now();
      for (let i = 0; i < BURST; i++) {
        await alice.composer.fill(`burst ${i}.`);
        await sendNow(alice.page);
      }
      await seenAt(bob.page, `burst ${BURST - 1}.`);
      burst = performance.now() - begun;
    });
    await Promise.all([alice.leave(), bob.leave()]);
    return {
      title: "Page: two browsers that talk to each other",
      metrics: [
        milliseconds("an own message, from sending until it is shown", spreadOf(own)),
        milliseconds("from sending until the other one sees it, p50", spreadOf(seen)),
        milliseconds("the same, p95", spreadOf([quantile(seen, 0.95)])),
        milliseconds(`${BURST} messages in a row, for each`, spreadOf([burst / BURST])),
        milliseconds("longest time that the receiving page stood still meanwhile", spreadOf([Math.max(0, ...tasks)])),
      ],
    };
  } finally {
    await Promise.all([here.stop(), there.stop()]);
  }
}

async function measureBundle(): Promise<Section> {
  const files = [...await bundleWeb()];
  const sum = (pattern: RegExp): number =>
    files.reduce((total, [name, bytes]) => total + (pattern.test(name) ? gzipSync(bytes, { level: 9 }).length : 0), 0);
  const line = (name: string, pattern: RegExp, target?: number): Metric =>
    ({ name, unit: "kB", value: spreadOf([sum(pattern) / KB]), ...(target === undefined ? {} : { target }) });
  return {
    title: "Page: what a browser loads, gzip",
    metrics: [
      line("all that is loaded before one can chat", /^(?:(?:main|chat|chunk)-\w+\.js|[\w-]+\.css|index\.html)$/, 250),
      line("  of it the page", /^main-\w+\.js$/),
      line("  of it the chat, in a worker", /^chat-\w+\.js$/),
      line("  of it what both use", /^chunk-\w+\.js$/),
      line("  of it styles", /\.css$/),
      line("the reader of QR codes, when it is needed", /^decode-\w+\.js$/),
    ],
  };
}

/** The web client in real browsers, with a relay on this machine. */
export async function measureWeb(plan: Plan): Promise<Section[]> {
  const folder = temporaryFolder();
  const relay = await RelayProcess.start(join(folder, "relay"));
  try {
    return [await measureOpening(plan, relay), await measureTalking(plan, relay), await measureBundle()];
  } finally {
    await relay.stop();
    removeFolder(folder);
  }
}
