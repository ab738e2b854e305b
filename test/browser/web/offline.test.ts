import type { Page } from "playwright-core";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AppServer } from "./support/app-server.ts";
import { drive, driverScript } from "./support/driver.ts";
import { type Person, WebBrowser } from "./support/web-browser.ts";

/** Machines that do much else are slow. */
const PATIENT = { timeout: 20_000 };
let browser: WebBrowser;
let server: AppServer;
let person: Person;

beforeAll(async () => {
  browser = await WebBrowser.start();
  return () => browser.stop();
});

beforeEach(async () => {
  server = await AppServer.start(await driverScript());
  // Nobody answers for the relay here.
  person = await browser.person({ expected: /the server responded with a status of 404|Failed to fetch/ });
});

afterEach(async () => {
  await person.leave();
  await server.stop();
});

const version = (page: Page): Promise<string> => page.evaluate('document.querySelector("meta[name=version]").content');
const updates = (page: Page): Promise<string[]> => drive(page, "updatesSoFar");
const keptVersions = (page: Page): Promise<number> => page.evaluate("caches.keys().then((names) => names.length)");

/** The page with its service worker in charge. */
async function installed(): Promise<Page> {
  const page = await person.open(server.url);
  await drive(page, "installOffline");
  await page.evaluate("navigator.serviceWorker.ready");
  await expect.poll(() => page.evaluate("navigator.serviceWorker.controller !== null"), PATIENT).toBe(true);
  return page;
}

describe("without a network", () => {
  test("the page starts from what the browser kept, with everything that it needs", async () => {
    const page = await installed();
    expect(await drive(page, "open")).toBe("open");
    await drive(page, "call", "users", "create", { displayName: "Alice", fullName: "" });
    server.isAway = true;
    await page.reload();
    expect(await drive(page, "open")).toBe("open");
    const [user] = await drive<{ profile: { displayName: string } }[]>(page, "call", "users", "list");
    expect(user?.profile.displayName).toBe("Alice");
    // Any path below is the page; so are links into it.
    await page.goto(`${server.url}?from=home#/settings`);
    expect(await version(page)).toMatch(/^[0-9a-f]{16}$/);
  });

  test("what it keeps is answered with the headers of the relay", async () => {
    const page = await installed();
    server.isAway = true;
    const policy = await page.evaluate('fetch("/app/index.html").then(({ headers }) => headers.get("content-security-policy"))');
    expect(policy).toContain("default-src 'none'");
  });

  test("nothing is asked for twice", async () => {
    const page = await installed();
    server.asked.length = 0;
    await page.reload();
    await drive(page, "open");
    expect(server.asked.filter((path) => /\.(?:js|css|html|svg|png)$|\/app\/$/.test(path) && !path.includes("service-worker"))).toEqual([]);
  });
});

describe("a new version", () => {
  test("waits until somebody wants it, then takes the place of the old one", async () => {
    const page = await installed();
    const first = await version(page);
    expect(await updates(page)).toEqual(["none"]);
    server.release("0123456789abcdef");
    await drive(page, "checkForUpdate");
    await expect.poll(() => updates(page), PATIENT).toEqual(["none", "ready"]);
    // Nothing changes by itself, not even when the page is loaded anew.
    await page.reload();
    expect(await version(page)).toBe(first);
    await drive(page, "installOffline");
    await expect.poll(() => updates(page), PATIENT).toEqual(["none", "ready"]);
    expect(await keptVersions(page)).toBe(2);

    const loaded = page.waitForEvent("load");
    await drive(page, "applyUpdate");
    await loaded;
    expect(await version(page)).toBe("0123456789abcdef");
    await expect.poll(() => keptVersions(page), PATIENT).toBe(1);
  });

  test("is found by a page that stays open for hours", async () => {
    await person.context.clock.install();
    const page = await installed();
    server.release("0011223344556677");
    await page.clock.fastForward("01:00:01");
    await expect.poll(() => updates(page), PATIENT).toEqual(["none", "ready"]);
  });

  test("tells the other tabs, which follow when they are asked to", async () => {
    const [page, other] = [await installed(), await person.open(server.url)];
    await drive(other, "installOffline");
    server.release("fedcba9876543210");
    await drive(page, "checkForUpdate");
    await expect.poll(() => updates(page), PATIENT).toContain("ready");
    const loaded = page.waitForEvent("load");
    await drive(page, "applyUpdate");
    await loaded;
    await expect.poll(() => updates(other), PATIENT).toContain("stale");
    const followed = other.waitForEvent("load");
    await drive(other, "applyUpdate");
    await followed;
    expect(await version(other)).toBe("fedcba9876543210");
  });
});
