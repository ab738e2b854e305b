import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { RelayProcess } from "../../support/relay-process.ts";
import { pictureFile } from "./support/pictures.ts";
import { DESKTOP, meet, PHONE, Somebody } from "./support/somebody.ts";
import { stage } from "./support/stage.ts";
import type { PersonOptions } from "./support/web-browser.ts";

vi.setConfig({ testTimeout: 120_000 });

const { folder, relay, browser, somebody, add, leave } = stage({ NEW_QUEUES_PER_MINUTE: "0", MESSAGES_PER_MINUTE: "0" });

/** Alice at a desk and Bob with a phone, who know each other. */
async function friends(): Promise<[Somebody, Somebody]> {
  const pair: [Somebody, Somebody] = [await somebody("Alice"), await somebody("Bob", PHONE)];
  await meet(...pair);
  return pair;
}

describe("two people", () => {
  test("meet through a link and talk: text, answer, change, reaction, deletion", async () => {
    const [alice, bob] = await friends();
    await alice.say("hello Bob");
    await (await alice.sees("hello Bob")).getByRole("img", { name: "Delivered" }).waitFor();
    await bob.say("hello Alice");
    await alice.sees("hello Alice");

    await alice.choose("hello Alice", "Reply");
    await alice.say("how are you?");
    const answer = await bob.sees("how are you?");
    await answer.getByRole("button", { name: /You\s*hello Alice/ }).waitFor();

    await alice.composer.press("ArrowUp");
    await alice.composer.fill("how are you today?");
    await alice.button("Save the change").click();
    await (await bob.sees("how are you today?")).getByText("edited").waitFor();

    await bob.choose("how are you today?", /React with 🚀/);
    await (await alice.sees("how are you today?")).getByRole("button", { name: /🚀, 1 person/ }).waitFor();

    await alice.choose("hello Bob", "Delete");
    await alice.button("Delete for everyone").click();
    const deleted = await bob.sees("Deleted");
    await deleted.getByRole("button", { name: "Show what it said" }).click();
    await bob.sees("hello Bob");
  });

  test("send a picture, which opens whole on the other side", async () => {
    const [alice, bob] = await friends();
    await alice.page.locator("input[type=file]").setInputFiles(await pictureFile(alice.page, 1200, 900));
    await alice.page.getByRole("group", { name: "Attachment" }).getByRole("img").waitFor();
    await alice.say("look at this");
    const message = await bob.sees("look at this");
    await message.getByRole("button", { name: "Open the picture" }).click();
    const whole = bob.page.getByRole("dialog", { name: "Photo" });
    await whole.getByRole("button", { name: "Save the picture" }).waitFor({ timeout: 30_000 });
    const width = await whole.getByRole("img").evaluate(async (image: HTMLImageElement) => {
      await image.decode();
      return image.naturalWidth;
    });
    expect(width).toBeGreaterThan(600);
  });

  test("find everything again after a reload in the middle, with what was typed and not sent", async () => {
    const [alice, bob] = await friends();
    await alice.say("before the reload");
    await bob.sees("before the reload");
    await alice.composer.fill("not sent ye");
    await alice.composer.press("t");
    await alice.page.waitForTimeout(700);
    await alice.page.reload();
    await bob.say("while it loads");
    await alice.sees("while it loads");
    await alice.sees("before the reload");
    await expect.poll(() => alice.composer.inputValue()).toBe("not sent yet");
    expect(await alice.page.locator("[data-item]", { hasText: "while it loads" }).count()).toBe(1);
  });

  test("the link that is opened in the browser asks first, and leaves the address at once", async () => {
    const alice = await somebody("Alice");
    const link = await alice.invite();
    const bob = await Somebody.arrive(browser(), `${relay().info.app}#${link}`, "Bob", PHONE);
    add(bob);
    expect(bob.page.url()).not.toContain("simplex:");
    expect(bob.page.url()).not.toContain(link.slice(-20));
    await bob.makeProfile();
    await bob.page.getByText("This is an invitation for one person").waitFor();
    await bob.button("Connect").click();
    await Promise.all([alice, bob].map((one) => one.sees("You are connected")));
  });

  test("unread messages are counted, and the place where they begin is marked", async () => {
    const [alice, bob] = await friends();
    await bob.go("#/");
    for (const text of ["one", "two", "three"]) await alice.say(text);
    await bob.page.getByRole("link", { name: /Alice.*3 unread messages/s }).waitFor();
    await expect.poll(() => bob.page.title()).toMatch(/^\(3\)/);
    await bob.open("Alice");
    // The browser keeps titles in its history.
    expect(await bob.page.title()).not.toContain("Alice");
    await bob.page.getByText("New messages", { exact: true }).waitFor();
    await bob.go("#/");
    await expect.poll(() => bob.page.getByRole("link", { name: /unread/ }).count()).toBe(0);
  });
});

test("somebody asks through an address, is seen, accepted and greeted", async () => {
  const alice = await somebody("Alice");
  await alice.go("#/address");
  await alice.button("Create an address").click();
  await alice.page.getByLabel("Welcome text").fill("Welcome to my place");
  await alice.button("Save").click();
  await alice.page.getByText("Saved", { exact: true }).waitFor();
  const link = await alice.page.getByRole("textbox", { name: "Link" }).inputValue();
  const bob = await somebody("Bob", PHONE);
  await bob.go("#/connect");
  await bob.page.getByRole("textbox", { name: "Link" }).fill(link);
  await bob.button("Next").click();
  // An address shows whose it is before one connects.
  await bob.page.getByRole("heading", { name: "Alice" }).waitFor();
  await bob.page.getByLabel("First message (optional)").fill("It is me");
  await bob.button("Connect").click();
  await alice.line("Bob").click();
  await alice.page.getByText("It is me").waitFor();
  await alice.button("Accept").click();
  await bob.sees("Welcome to my place");
  await alice.sees("It is me");
});

test("three people make a group, talk in it, and one of them leaves", async () => {
  const alice = await somebody("Alice");
  const [bob, carol] = [await somebody("Bob", PHONE), await somebody("Carol")];
  await meet(alice, bob);
  await meet(alice, carol);
  await alice.go("#/newGroup");
  await alice.page.getByLabel("Name of the group").fill("The three");
  for (const name of ["Bob", "Carol"]) await alice.page.getByRole("checkbox", { name }).check();
  await alice.button("Create group").click();
  for (const one of [bob, carol]) {
    await one.open("The three");
    await one.button("Join").click();
    await one.composer.waitFor({ timeout: 30_000 });
  }
  await alice.say("welcome, both");
  await Promise.all([bob, carol].map((one) => one.sees("welcome, both")));
  await bob.say("thank you");
  const thanks = await carol.sees("thank you");
  await thanks.getByText("Bob", { exact: true }).first().waitFor();
  await alice.sees("thank you");
  await carol.go(`${new URL(carol.page.url()).hash}/details`);
  await carol.button("Leave the group").click();
  await carol.page.getByRole("dialog").getByRole("button", { name: "Leave the group" }).click();
  await alice.sees("Carol left");
});

test("nothing is lost while the relay is away, and the page says that it is", async () => {
  const place = join(folder, "mortal");
  const limits = { NEW_QUEUES_PER_MINUTE: "0" };
  const mortal = await RelayProcess.start(place, limits);
  const port = Number(new URL(mortal.info.url).port);
  const [alice, bob] = await Promise.all([["Alice", DESKTOP], ["Bob", PHONE]].map(async ([name, options]) => {
    const one = await Somebody.new(browser(), mortal.info.app, name as string, options as PersonOptions);
    add(one);
    return one;
  })) as [Somebody, Somebody];
  await meet(alice, bob);
  await mortal.stop();
  const status = alice.page.getByRole("button", { name: /^Connection:/ });
  await expect.poll(() => status.getAttribute("aria-label"), { timeout: 20_000 }).not.toBe("Connection: Connected");
  await alice.say("written while it is away");
  await (await alice.sees("written while")).getByRole("img", { name: "On its way to the relay" }).waitFor();
  const again = await RelayProcess.start(place, limits, port);
  await bob.sees("written while it is away");
  await (await alice.sees("written while")).getByRole("img", { name: "Delivered" }).waitFor();
  await expect.poll(() => status.getAttribute("aria-label")).toBe("Connection: Connected");
  await leave();
  await again.stop();
});

test("two windows of one person show the same", async () => {
  const [alice, bob] = await friends();
  const second = Somebody.of("Alice", alice.person, await alice.person.open(relay().info.app), relay().info.app);
  await second.open("Bob");
  await second.say("from the second window");
  await alice.sees("from the second window");
  await bob.say("to both");
  await Promise.all([alice, second].map((one) => one.sees("to both")));
  await alice.page.close();
  await bob.say("to the one that is left");
  await second.sees("to the one that is left");
});

test("what hostile people send is shown, and does nothing", async () => {
  const [alice, bob] = await friends();
  const nasty = "<img src=x onerror=alert(1)> \u202Egpj.exe https://exämple.com/ javascript:alert(1) http://a@b.example/";
  await alice.say(nasty);
  const message = await bob.sees("onerror");
  expect(await message.locator("img").count()).toBe(0);
  const links = await message.getByRole("link").evaluateAll((all: HTMLAnchorElement[]) =>
    all.map(({ href, textContent, rel }) => [href, textContent, rel]));
  expect(links).toEqual([["https://xn--exmple-cua.com/", "https://xn--exmple-cua.com/", "noopener noreferrer nofollow"]]);
  expect(await message.locator(".text").textContent()).not.toContain("\u202E");
});
