import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { barriers } from "./support/axe.ts";
import { pictureFile } from "./support/pictures.ts";
import { DESKTOP, meet, PHONE, SMALL_PHONE, Somebody } from "./support/somebody.ts";
import { WebBrowser } from "./support/web-browser.ts";

// Each test looks at many views, five times each.
vi.setConfig({ testTimeout: 180_000 });

/** Where pictures of all views are put; none are kept unless it is set. */
const SCREENSHOTS = process.env["SCREENSHOTS"];

const folder = temporaryFolder();
let relay: RelayProcess;
let browser: WebBrowser;
let nora: Somebody;
let others: readonly Somebody[];
/** Fragments of the address of conversations. */
let chat: string;
let group: string;

/** On the smallest phone: what stands out of the screen, and what fingers do not hit. */
function narrow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const FINGER = 44;
    const open = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
    const all = [...open.querySelectorAll<HTMLElement>("button, a, input, textarea, [role=switch]")];
    const shown = all.filter((one) => one.checkVisibility({ opacityProperty: true }) && !one.matches(".unseen, .skip"));
    const told = (one: HTMLElement, what: string): string => `small phone: ${what}: ${one.outerHTML.slice(0, 160)}`;
    const outside = shown.filter((one) => {
      const { left, right } = one.getBoundingClientRect();
      // What can be scrolled sideways is reached by that.
      return (left < -1 || right > innerWidth + 1) && !one.closest(".filters");
    });
    const small = shown.filter((one) => {
      // Words of a text, ticks with a label around them, and what is made larger for fingers by an invisible rim.
      if (one.closest(".text, .reactions, .filters, .deleted") || one.closest("label")) return false;
      const { width, height } = (one.closest<HTMLElement>(".switch, .voice") ?? one).getBoundingClientRect();
      return width < FINGER - 0.5 && height < FINGER - 0.5 || height < FINGER - 12;
    });
    const excess = document.documentElement.scrollWidth - innerWidth;
    return [
      ...(excess > 0 ? [`small phone: ${excess} pixels wider than the screen`] : []),
      ...outside.map((one) => told(one, "outside")),
      ...small.map((one) => told(one, "too small")),
    ];
  });
}

/** Both sizes and both schemes once; the other pairs share layout with one and colours with the other. */
const LOOKS = [
  { name: "desktop-light", viewport: DESKTOP.viewport, colorScheme: "light" },
  { name: "phone-dark", viewport: PHONE.viewport, colorScheme: "dark" },
] as const;

/** Shows the view at both sizes, light and dark: nothing may stand in anybody's way, nor overflow. */
async function look({ page }: Somebody, name: string): Promise<void> {
  const found: string[] = [];
  for (const one of LOOKS) {
    await page.setViewportSize(one.viewport);
    await page.emulateMedia({ colorScheme: one.colorScheme, reducedMotion: "reduce" });
    await page.waitForTimeout(80);
    if (SCREENSHOTS !== undefined) await page.screenshot({ path: join(SCREENSHOTS, `${name}-${one.name}.png`) });
    found.push(...(await barriers(page)).map((barrier) => `${one.name}: ${barrier}`));
  }
  await page.setViewportSize(SMALL_PHONE.viewport);
  await page.waitForTimeout(50);
  found.push(...await narrow(page));
  await page.setViewportSize(DESKTOP.viewport);
  expect(found).toEqual([]);
}

async function talkALittle(ben: Somebody): Promise<void> {
  await ben.say("Good morning! Did you get home all right?");
  await nora.say("I did, thank you. The last train was almost empty 🚆");
  await nora.say("Here is what I saw from the bridge:");
  await nora.page.locator("input[type=file]").setInputFiles(await pictureFile(nora.page, 1200, 800));
  await nora.page.getByRole("group", { name: "Attachment" }).waitFor();
  await nora.say("the hills at six in the evening");
  await ben.sees("the hills at six");
  await ben.choose("the hills at six", /React with ❤/);
  await ben.choose("the hills at six", "Reply");
  await ben.say("Beautiful. *Next Sunday* we go there together?");
  await nora.sees("Next Sunday");
  await nora.say("Yes! The path starts at https://example.org/hills");
  await nora.composer.press("ArrowUp");
  await nora.composer.fill("Yes! The path starts at https://example.org/hills/north");
  await nora.button("Save the change").click();
  await ben.say("👍");
  await nora.sees("👍");
}

beforeAll(async () => {
  if (SCREENSHOTS !== undefined) mkdirSync(SCREENSHOTS, { recursive: true });
  const limits = { NEW_QUEUES_PER_MINUTE: "0", MESSAGES_PER_MINUTE: "0" };
  [relay, browser] = await Promise.all([RelayProcess.start(join(folder, "relay"), limits), WebBrowser.start()]);
  nora = await Somebody.new(browser, relay.info.app, "Nora");
  others = await Promise.all(["Ben Okafor", "Lucía", "مريم"].map((name) => Somebody.new(browser, relay.info.app, name)));
  for (const other of others) await meet(nora, other);
  const [ben, lucia, maryam] = others;
  if (!ben || !lucia || !maryam) throw new Error("somebody is missing");
  await nora.open("مريم");
  await maryam.say("مرحبا نورا، كيف حالك؟");
  await nora.sees("مرحبا");
  await nora.open("Ben Okafor");
  await talkALittle(ben);
  chat = new URL(nora.page.url()).hash;
  await nora.go("#/newGroup");
  await nora.page.getByLabel("Name of the group").fill("Sunday walk");
  for (const name of ["Ben Okafor", "Lucía"]) await nora.page.getByRole("checkbox", { name }).check();
  await nora.button("Create group").click();
  for (const one of [ben, lucia]) {
    await one.open("Sunday walk");
    await one.button("Join").click();
    await one.composer.waitFor({ timeout: 30_000 });
  }
  await nora.sees("Lucía joined");
  await ben.say("Who brings the map?");
  await lucia.say("I do");
  await lucia.say("and a thermos of tea");
  await nora.sees("thermos");
  group = new URL(nora.page.url()).hash;
  await nora.open("Ben Okafor");
  await lucia.open("Nora");
  await lucia.say("Shall I bring cake as well?");
  await nora.line("Lucía").getByText("cake").waitFor();
}, 120_000);

afterAll(async () => {
  for (const one of [nora, ...others]) await one.leave();
  await browser.stop();
  await relay.stop();
  removeFolder(folder);
});

describe("every view can be used by everybody, at every size", () => {
  test("before there is a profile", async () => {
    const newcomer = await Somebody.arrive(browser, relay.info.app, "Zoë");
    await newcomer.page.getByLabel("Your name").waitFor();
    await look(newcomer, "welcome");
    await newcomer.makeProfile();
    await newcomer.go("#/");
    await look(newcomer, "first-list");
    await newcomer.leave();
  });

  test("a conversation, and what can be done in it", async () => {
    const { page } = nora;
    await nora.open("Ben Okafor");
    await nora.sees("👍");
    await look(nora, "conversation");
    await nora.choose("Next Sunday", "Reply");
    await look(nora, "reply");
    await nora.button("Do not reply").click();
    await nora.button("Insert an emoji").click();
    await look(nora, "emoji");
    await nora.button("Insert an emoji").click();
    const message = await nora.sees("the hills at six");
    await message.focus();
    await message.press("Enter");
    await look(nora, "message-menu");
    await page.getByRole("menuitem", { name: "Details" }).click();
    await look(nora, "message-details");
    await page.keyboard.press("Escape");
    await nora.choose("hills/north", "Earlier versions");
    await look(nora, "message-versions");
    await page.keyboard.press("Escape");
    await nora.choose("hills/north", "Delete");
    await look(nora, "delete-question");
    await nora.button("Cancel").click();
    await nora.button("Search in this conversation").click();
    await page.getByRole("searchbox", { name: "Search in this conversation" }).fill("sunday");
    await page.getByText("1 / 1").waitFor();
    await look(nora, "search-here");
    await page.keyboard.press("Escape");
    await nora.button("Open the picture").click();
    await nora.button("Save the picture").waitFor();
    await look(nora, "picture");
    await page.keyboard.press("Escape");
  });

  test("texts that run from right to left", async () => {
    await nora.open("مريم");
    await nora.sees("مرحبا");
    await look(nora, "right-to-left");
  });

  test("the list, with unread messages and found ones", async () => {
    const { page } = nora;
    await nora.go("#/");
    await look(nora, "list");
    await page.getByRole("searchbox", { name: "Search people and messages" }).fill("the");
    await page.getByRole("heading", { name: "Messages" }).waitFor();
    await look(nora, "search");
    await page.getByRole("button", { name: "Clear" }).click();
    await nora.line("Lucía").click({ button: "right" });
    await look(nora, "line-menu");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: /^Connection:/ }).click();
    await look(nora, "connection");
    await page.keyboard.press("Escape");
  });

  test("ways to meet somebody", async () => {
    const { page } = nora;
    for (const name of ["new", "invite", "connect", "newGroup", "address"]) {
      await nora.go(`#/${name}`);
      await page.getByRole("main").getByRole("heading", { level: 1 }).waitFor();
      await look(nora, name);
    }
    await nora.button("Create an address").click();
    await page.getByRole("img", { name: "QR code of your address" }).waitFor();
    await look(nora, "address-made");
    const address = await page.getByRole("textbox", { name: "Link" }).inputValue();
    const link = await nora.invite();
    await look(nora, "invite-made");
    const guest = await Somebody.new(browser, relay.info.app, "Guest");
    await guest.connect(address);
    await nora.line("Guest").click();
    await nora.button("Accept").waitFor();
    await look(nora, "request");
    await nora.button("Reject").click();
    await guest.go("#/connect");
    await guest.page.getByRole("textbox", { name: "Link" }).fill(link);
    await guest.button("Next").click();
    await guest.button("Look who it is").click();
    await guest.page.getByRole("heading", { name: "Nora" }).waitFor();
    await look(guest, "connect-look");
    await guest.leave();
  });

  test("a contact", async () => {
    for (const name of ["details", "code", "preferences"]) {
      await nora.open("Ben Okafor");
      await nora.go(`${chat}/${name}`);
      await nora.page.getByRole("main").getByRole("heading", { level: 1 }).waitFor();
      await nora.page.waitForTimeout(200);
      await look(nora, `contact-${name}`);
    }
  });

  test("a group", async () => {
    await nora.open("Sunday walk");
    await nora.sees("thermos");
    await look(nora, "group");
    for (const name of ["details", "members", "groupLink"]) {
      await nora.go(`${group}/${name}`);
      await nora.page.getByRole("main").getByRole("heading", { level: 1 }).waitFor();
      await look(nora, `group-${name}`);
    }
    await nora.go(`${group}/members`);
    await nora.page.getByRole("button", { name: /Ben Okafor/ }).click();
    await look(nora, "group-member");
    await nora.page.keyboard.press("Escape");
  });

  test("profiles and settings", async () => {
    const sections = ["relays", "passphrase", "notifications", "appearance", "privacy", "shortcuts", "data", "about"];
    for (const name of ["profiles", "profile", "settings", ...sections.map((one) => `settings/${one}`)]) {
      await nora.go(`#/${name}`);
      await nora.page.getByRole("main").getByRole("heading", { level: 1 }).waitFor();
      await nora.page.waitForTimeout(150);
      await look(nora, name.replace("/", "-"));
    }
  });
});

test("what is locked says so, and opens with the passphrase only", async () => {
  const otto = await Somebody.new(browser, relay.info.app, "Otto");
  const { page } = otto;
  await otto.go("#/settings/passphrase");
  await page.getByLabel("New passphrase").fill("correct horse battery");
  await page.getByLabel("The same again").fill("correct horse battery");
  await otto.button("Set passphrase").click();
  await page.getByText("Your conversations on this device are sealed").waitFor({ timeout: 30_000 });
  await page.reload();
  await page.getByRole("heading", { name: "Unlock" }).waitFor();
  await look(otto, "locked");
  const field = page.getByRole("textbox", { name: "Passphrase", exact: true });
  await field.fill("wrong");
  await otto.button("Unlock").click();
  await page.getByRole("alert").getByText("This is not the passphrase").waitFor({ timeout: 30_000 });
  await look(otto, "locked-wrong");
  await field.fill("correct horse battery");
  await otto.button("Unlock").click();
  await page.locator(".panes").waitFor({ timeout: 30_000 });
  await otto.go("#/settings");
  await otto.button(/^Lock now/).click();
  await field.fill("correct horse battery");
  await otto.button("Unlock").click();
  await page.locator(".panes").waitFor({ timeout: 30_000 });

  // Who has forgotten the passphrase can begin anew.
  await page.reload();
  await page.getByText("Forgotten?").click();
  await look(otto, "locked-forgotten");
  await otto.button("Delete everything").click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete everything" }).click();
  await page.getByLabel("Your name").waitFor({ timeout: 30_000 });
  await page.reload();
  await page.getByLabel("Your name").waitFor();
  await otto.leave();
});
