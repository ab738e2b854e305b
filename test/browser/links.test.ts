import { readFileSync } from "node:fs";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { encode } from "uqr";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildLinkScript, LINK_SCRIPT_FILE } from "../../scripts/link-script.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../support/relay-process.ts";
import texts from "../vectors/data/link-texts.json" with { type: "json" };
import { findChromium } from "./support/chromium.ts";

const short = (type: string): { web: string; app: string } => {
  const found = texts.short.find(({ web }) => web.includes(`smp.example.com/${type}#`));
  if (!found) throw new Error(`the vectors have no link '${type}'`);
  return found;
};
const long = (path: string, ...marks: readonly string[]): { web: string; app: string } => {
  const web = texts.long.find((link) => link.includes(`/${path}#`) && marks.every((mark) => link.includes(mark)));
  if (web === undefined) throw new Error(`the vectors have no link '${path}' with ${marks.join()}`);
  return { web, app: web.replace(/^https:\/\/[^/]+\//, "simplex:/") };
};

const INVITATION = short("i");
const TOO_LONG = long("invitation", "kem_key");
const OF_OTHERS = long("invitation", "app.example.org:8443");
const SHOWN = [
  ["A one-time invitation to a private chat", "short", INVITATION],
  ["Somebody's contact address", "short", short("a")],
  ["A link to a group", "short", short("g")],
  ["A link to a channel", "short", short("c")],
  ["The address of a chat relay", "short", short("r")],
  ["A one-time invitation to a private chat", "long", OF_OTHERS],
  ["Somebody's contact address", "long", long("contact", "data%20%26%20more")],
  ["A link to a group", "long", long("contact", "groupLinkId")],
] as const;

let relay: RelayProcess;
let data: string;
let browser: Browser;
let context: BrowserContext;
/** What a page asked for, and what it complained of. */
let asked: string[];
let complaints: string[];

beforeAll(async () => {
  data = temporaryFolder();
  relay = await RelayProcess.start(data);
  // Contexts of its own, each with other settings, which a browser on a data folder does not have.
  browser = await chromium.launch({ executablePath: findChromium(), chromiumSandbox: process.getuid?.() !== 0 });
});
afterAll(async () => {
  await browser?.close();
  await relay?.stop();
  removeFolder(data);
});
beforeEach(() => {
  asked = [];
  complaints = [];
});
afterEach(async () => {
  expect(complaints).toEqual([]);
  await context?.close();
});

/** A browser in which the relay stands under every name, so that the links of the vectors lead to it. */
async function newPage(options: BrowserContextOptions = {}): Promise<Page> {
  context = await browser.newContext({ viewport: { width: 1100, height: 900 }, ...options });
  await context.route("**/*", async (route) => {
    const url = new URL(route.request().url());
    asked.push(url.href);
    const response = await relay.page(url.pathname);
    const headers = Object.fromEntries(response.headers);
    await route.fulfill({ status: response.status, headers, body: await response.text() });
  });
  const page = await context.newPage();
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  return page;
}

async function visit(link: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await newPage(options);
  await page.goto(link);
  return page;
}

/** The code as it is drawn: '#' for a dark module. */
async function drawn(page: Page): Promise<string> {
  const code = page.getByRole("img", { name: "QR code of the link" });
  const size = Number((await code.getAttribute("viewBox"))?.split(" ")[2]);
  const rows = Array.from({ length: size }, () => Array.from({ length: size }, () => "."));
  const path = await page.locator("#dark").getAttribute("d") ?? "";
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g)) {
    rows[Number(y)]?.fill("#", Number(x), Number(x) + Number(length));
  }
  expect(path.replaceAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g, "")).toBe("");
  return rows.map((row) => row.join("")).join("\n");
}

function codeOf(text: string): string {
  const { data: rows } = encode(text, { ecc: "L", boostEcc: true, border: 4 });
  return rows.map((row) => row.map((isDark) => isDark ? "#" : ".").join("")).join("\n");
}

const clipboard = (page: Page): Promise<string> => page.evaluate("navigator.clipboard.readText()");

describe("a link in a browser", () => {
  test.each(SHOWN)("%s, %s: as text, as a code and in the app", async (heading, _, { web, app }) => {
    const page = await visit(web);
    await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
    expect(await page.getByRole("heading", { level: 1 }).count()).toBe(1);
    const text = page.getByRole("group", { name: "The link", exact: true });
    expect(await text.textContent()).toBe(web);
    expect(await drawn(page)).toBe(codeOf(web));
    expect(await page.getByRole("link", { name: "Open in the SimpleX app" }).getAttribute("href")).toBe(app);

    await page.getByRole("radio", { name: "App link" }).check();
    expect(await text.textContent()).toBe(app);
    expect(await drawn(page)).toBe(codeOf(app));
    await page.getByRole("radio", { name: "Web link" }).check();
    expect(await drawn(page)).toBe(codeOf(web));

    const [path = ""] = web.split("#");
    expect(asked).toEqual([path]);
  });

  test("is copied in the form that is shown", async () => {
    const page = await visit(INVITATION.web, { permissions: ["clipboard-read", "clipboard-write"] });
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    expect(await page.getByRole("status").textContent()).toBe("It is copied.");
    expect(await clipboard(page)).toBe(INVITATION.web);
    await page.getByRole("radio", { name: "App link" }).check();
    await page.locator("#copy").click();
    await expect.poll(() => clipboard(page)).toBe(INVITATION.app);
  });

  test("is selected where a page may not copy", async () => {
    const page = await newPage();
    await page.addInitScript("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
    await page.goto(INVITATION.web);
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByRole("button", { name: "Selected" }).waitFor();
    expect(await page.evaluate("String(getSelection())")).toBe(INVITATION.web);
  });

  test("says whose relay it leads to", async () => {
    const page = await visit(INVITATION.web);
    expect(await page.locator("#relay").textContent()).toMatch(/^smp\.example\.com, \w+\.onion \(this relay\)$/);
    await page.goto(OF_OTHERS.web);
    expect(await page.locator("#relay").textContent()).toMatch(/ \(another relay than this one\)$/);
  });

  test("with post-quantum keys is too long for a code, and is copied all the same", async () => {
    const page = await visit(TOO_LONG.web, { permissions: ["clipboard-read", "clipboard-write"] });
    expect(await page.locator("#code").innerText()).toBe(
      `Too long for a QR code that cameras can read: ${TOO_LONG.web.length} characters. `
        + "Copy the link instead, or open it on this device.",
    );
    expect(await page.getByRole("img", { name: "QR code" }).count()).toBe(0);
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    expect(await clipboard(page)).toBe(TOO_LONG.web);
  });

  test("works with the keyboard alone", async () => {
    const page = await visit(INVITATION.web, { permissions: ["clipboard-read", "clipboard-write"] });
    const visited: string[] = [];
    for (const key of ["Tab", "Tab", "Tab", "ArrowRight", "Tab", "Tab"]) {
      await page.keyboard.press(key);
      visited.push(await page.evaluate("document.activeElement.id"));
    }
    expect(visited).toEqual(["open", "here", "as-web", "as-app", "address", "copy"]);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Copied" }).waitFor();
    expect(await clipboard(page)).toBe(INVITATION.app);
  });
});

describe("a link that is none", () => {
  const hidden = async (page: Page): Promise<void> => {
    expect(await page.locator("#link, #code, #relay").filter({ visible: true }).count()).toBe(0);
  };

  test("without its secret part says so", async () => {
    const page = await visit("https://relay.example.org/i");
    expect(await page.getByRole("alert").innerText()).toMatch(/^The link is incomplete\. What stands after # in it/);
    await hidden(page);
  });

  test("that was cut off says what is missing", async () => {
    const page = await visit(INVITATION.web.slice(0, -20));
    expect(await page.getByRole("alert").innerText()).toMatch(
      /^The link is damaged\. Its relay's fingerprint \(c=\.\.\.\) has 23 characters, but 43 belong there\./,
    );
    await hidden(page);
  });

  test("that carries markup or a script runs nothing and is shown nowhere", async () => {
    const page = await newPage();
    for (const path of ["i", "a", "invitation", "contact"]) {
      for (const hash of ["javascript:alert(1)", "<img src=x onerror=alert(1)>", "/?v=1&smp=javascript:alert(1)"]) {
        await page.goto("about:blank");
        await page.goto(`https://relay.example.org/${path}#${hash}`);
        await page.getByText("The link is damaged.").waitFor();
        await hidden(page);
        expect(await page.locator("#open").getAttribute("href")).toBeNull();
        expect(await page.locator("main").innerHTML()).not.toContain("alert(1)");
      }
    }
  });

  test("gives way to the right one in the address bar, and comes back", async () => {
    const page = await visit(INVITATION.web.slice(0, -20));
    await page.goto(INVITATION.web);
    expect(await page.getByRole("alert").innerText()).toBe("");
    expect(await drawn(page)).toBe(codeOf(INVITATION.web));
    await page.goBack();
    await page.getByText("The link is damaged.").waitFor();
    await hidden(page);
    expect(asked).toHaveLength(1);
  });

  test("any link without scripts: says how to use it", async () => {
    const page = await visit(INVITATION.web, { javaScriptEnabled: false });
    expect(await page.locator("noscript").innerText()).toContain("Copy the whole address of this page");
    await hidden(page);
  });
});

describe("how it looks", () => {
  const BROKEN = ["https://relay.example.org/i", INVITATION.web.slice(0, -1)];
  const ALL = [...SHOWN.map(([, , { web }]) => web), TOO_LONG.web, ...BROKEN, "https://relay.example.org/"];
  const GROUNDS = [["light", "rgb(245, 246, 248)"], ["dark", "rgb(12, 16, 23)"]] as const;

  test.each(GROUNDS)("%s: no page is wider than 360 pixels, and codes are black on white", async (scheme, ground) => {
    const page = await newPage({ colorScheme: scheme, viewport: { width: 360, height: 740 } });
    for (const link of ALL) {
      await page.goto("about:blank");
      await page.goto(link);
      expect(await page.evaluate("document.documentElement.scrollWidth"), link).toBe(360);
      expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe(ground);
    }
    await page.goto(INVITATION.web);
    const fill = (selector: string): Promise<string> =>
      page.evaluate(`getComputedStyle(document.querySelector("${selector}")).fill`);
    expect(await fill("#modules rect")).toBe("rgb(255, 255, 255)");
    expect(await fill("#dark")).toBe("rgb(0, 0, 0)");
    const { width = 0 } = await page.locator("#modules").boundingBox() ?? {};
    expect(width).toBeGreaterThan(240);
  });
});

test("the script in the pages is the one that its sources make", async () => {
  expect(readFileSync(LINK_SCRIPT_FILE, "utf8")).toBe(await buildLinkScript());
});
