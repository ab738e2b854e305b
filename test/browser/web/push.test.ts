import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { PushService } from "../../support/push-service.ts";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { barriers } from "./support/axe.ts";
import { Pushing } from "./support/pushing.ts";
import { DESKTOP, meet, Somebody } from "./support/somebody.ts";
import { type PersonOptions, WebBrowser } from "./support/web-browser.ts";

vi.setConfig({ testTimeout: 120_000 });

const folder = temporaryFolder();
/** Machines that do much else are slow. */
const PATIENT = { timeout: 30_000 };
let service: PushService;
let relay: RelayProcess;
let browser: WebBrowser;
const people: Somebody[] = [];

beforeAll(async () => {
  service = await PushService.start();
  const env = {
    PUSH_PRIVATE: "on",
    NODE_EXTRA_CA_CERTS: service.caFile,
    NEW_QUEUES_PER_MINUTE: "0",
    MESSAGES_PER_MINUTE: "0",
  };
  [relay, browser] = await Promise.all([RelayProcess.start(join(folder, "relay"), env), WebBrowser.start()]);
});
afterAll(async () => {
  await browser.stop();
  await relay.stop();
  await service.stop();
  removeFolder(folder);
});
// A page that complained of anything fails its story.
afterEach(async () => {
  for (const one of people.splice(0)) await one.leave();
});

/** Until the relay follows the queues: nobody is told, so that it is waited for. */
const followed = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2_000));

/** Alice looks at something else, or back. A browser without a screen has the focus in all of its pages. */
async function look({ page }: Somebody, isLooking: boolean): Promise<void> {
  await page.evaluate(`document.hasFocus = () => ${isLooking}; dispatchEvent(new Event("${isLooking ? "focus" : "blur"}"))`);
}

async function somebody(name: string, options: PersonOptions = DESKTOP): Promise<Somebody> {
  const one = await Somebody.new(browser, relay.info.app, name, options);
  people.push(one);
  return one;
}

interface Friends {
  readonly alice: Somebody;
  readonly bob: Somebody;
  readonly pushing: Pushing;
}

/** Alice, who has just turned notifications on, and Bob who is her contact. */
async function notified(mode: "At once" | "Every 20 minutes" = "At once"): Promise<Friends> {
  const [alice, bob] = [await somebody("Alice"), await somebody("Bob")];
  await meet(alice, bob);
  const pushing = await Pushing.into(alice.person, relay.info.app, service);
  await alice.page.reload();
  await alice.go("#/settings/notifications");
  await alice.page.getByRole("radio", { name: mode }).click();
  await expect.poll(() => pushing.subscriber !== null, PATIENT).toBe(true);
  await pushing.carry();
  await alice.page.getByText("It works").waitFor();
  if (mode === "At once") await followed();
  return { alice, bob, pushing };
}

/** Opens what a notification leads to. */
async function press({ alice, pushing }: Friends): Promise<Page> {
  const [shown] = await pushing.shown();
  const address = await pushing.press(shown?.tag ?? "");
  return alice.person.open(new URL(address ?? "", relay.info.app).href);
}

describe("with the page closed", () => {
  test("a message is shown without its names, and pressing it leads to the conversation", async () => {
    const friends = await notified();
    const { alice, bob, pushing } = friends;
    await alice.page.close();
    await bob.say("are you there?");
    await pushing.carry();
    await expect.poll(() => pushing.shown(), PATIENT).toMatchObject([{ title: "smp-edge", body: "New message" }]);
    await bob.say("hello?");
    await pushing.carry();
    await expect.poll(() => pushing.shown(), PATIENT).toMatchObject([{ title: "smp-edge", body: "2 new messages" }]);
    const page = await press(friends);
    for (const text of ["are you there?", "hello?"]) await page.locator("[data-item]", { hasText: text }).waitFor();
    // What is read is not to be read any more.
    await expect.poll(() => pushing.shown(), PATIENT).toEqual([]);
  });

  test("names and texts are shown to those who want it", async () => {
    const { alice, bob, pushing } = await notified();
    expect(await barriers(alice.page)).toEqual([]);
    const naming = alice.page.getByLabel("Show who wrote, and what");
    await naming.click();
    await expect.poll(() => naming.isChecked(), PATIENT).toBe(true);
    await alice.page.close();
    await bob.say("a word with you");
    await pushing.carry();
    await expect.poll(() => pushing.shown(), PATIENT).toMatchObject([{ title: "Bob", body: "a word with you" }]);
  });

  test("a profile with a passphrase stays sealed: it says only that something may have come", async () => {
    const friends = await notified();
    const { alice, bob, pushing } = friends;
    await alice.go("#/settings/passphrase");
    await alice.page.getByLabel("New passphrase").fill("open sesame");
    await alice.page.getByLabel("The same again").fill("open sesame");
    await alice.button("Set passphrase").click();
    await alice.page.getByText("are sealed.").waitFor();
    await alice.page.close();
    await bob.say("a secret");
    await pushing.carry();
    const body = "There may be new messages. They are sealed until you type the passphrase.";
    await expect.poll(() => pushing.shown(), PATIENT).toMatchObject([{ title: "smp-edge", body }]);
    // It was not received: it waits, and comes when the profile is opened.
    const page = await press(friends);
    await page.getByRole("textbox", { name: "Passphrase" }).fill("open sesame");
    await page.getByRole("button", { name: "Unlock", exact: true }).click();
    await page.getByText("a secret").first().waitFor();
    await expect.poll(() => pushing.shown(), PATIENT).toEqual([]);
  });

  test("two pushes at once are one notification for each conversation", async () => {
    const { alice, bob, pushing } = await notified();
    const carol = await somebody("Carol");
    await meet(alice, carol);
    await followed();
    await alice.page.close();
    await Promise.all([bob.say("from Bob"), carol.say("from Carol")]);
    const first = await pushing.subscriber?.next();
    await Promise.all([first, first].map((push) => pushing.bring(push?.text ?? "")));
    await expect.poll(() => pushing.shown(), PATIENT).toHaveLength(2);
    const shown = await pushing.shown();
    expect(shown.map(({ body }) => body)).toEqual(["New message", "New message"]);
    expect(new Set(shown.map(({ tag }) => tag)).size).toBe(2);
  });

  test("a page that opens meanwhile waits for nothing, and shows what came", async () => {
    const { alice, bob, pushing } = await notified();
    await alice.page.close();
    await bob.say("in between");
    await pushing.carry();
    const page = await alice.person.open(relay.info.app);
    await page.getByText("in between").first().waitFor();
    // The page is looked at: it tells by itself.
    await expect.poll(() => pushing.shown(), PATIENT).toEqual([]);
    await bob.say("and again");
    await page.getByText("and again").first().waitFor();
  });

  test("a look for messages that finds none says so, and the next message takes its place", async () => {
    const { alice, bob, pushing } = await notified("Every 20 minutes");
    await alice.page.close();
    await pushing.bring('{"checkMessages":true}');
    await expect.poll(() => pushing.shown(), PATIENT).toMatchObject([{ body: "No new messages." }]);
    await bob.say("now there is one");
    await pushing.bring('{"checkMessages":true}');
    await expect.poll(() => pushing.shown(), PATIENT).toMatchObject([{ body: "New message" }]);
  });

  test("what came to a page that nobody looked at is told by the next push", async () => {
    const { alice, bob, pushing } = await notified("Every 20 minutes");
    await look(alice, false);
    await bob.say("while you looked away");
    await alice.page.getByText("while you looked away").first().waitFor();
    await alice.page.close();
    await pushing.sleep();
    await pushing.bring('{"checkMessages":true}');
    await expect.poll(() => pushing.shown(), PATIENT).toMatchObject([{ body: "New message" }]);
  });

  test("what somebody saw come is not told again", async () => {
    const { alice, bob, pushing } = await notified("Every 20 minutes");
    await bob.say("as you see");
    await alice.page.getByText("as you see").first().waitFor();
    await alice.page.waitForTimeout(500);
    await alice.page.close();
    await pushing.bring('{"checkMessages":true}');
    await expect.poll(() => pushing.shown(), PATIENT).toMatchObject([{ body: "No new messages." }]);
  });

  test("muted conversations wake nobody", async () => {
    const { alice, bob, pushing } = await notified();
    await alice.open("Bob");
    await alice.go(`${await alice.page.evaluate("location.hash")}/details`);
    const muted = alice.page.getByLabel("Muted");
    await muted.click();
    await expect.poll(() => muted.isChecked(), PATIENT).toBe(true);
    await followed();
    await alice.page.close();
    const before = service.requests;
    await bob.say("psst");
    await bob.page.waitForTimeout(3_000);
    expect(service.requests).toBe(before);
    expect(await pushing.shown()).toEqual([]);
  });
});

describe("with the page open", () => {
  test("nobody looks at it: there is one notification, which closes when the message is read", async () => {
    const { alice, bob, pushing } = await notified();
    await look(alice, false);
    await bob.say("over here");
    await pushing.carry();
    await expect.poll(() => pushing.shown(), PATIENT).toMatchObject([{ title: "smp-edge", body: "New message" }]);
    await look(alice, true);
    await alice.open("Bob");
    await alice.sees("over here");
    await expect.poll(() => pushing.shown(), PATIENT).toEqual([]);
  });

  test("nothing is left on the screen when names are not to be shown any more", async () => {
    const { alice, bob, pushing } = await notified();
    const naming = alice.page.getByLabel("Show who wrote, and what");
    await naming.click();
    await expect.poll(() => naming.isChecked(), PATIENT).toBe(true);
    await look(alice, false);
    await bob.say("between you and me");
    await pushing.carry();
    await expect.poll(() => pushing.shown(), PATIENT).toMatchObject([{ title: "Bob", body: "between you and me" }]);
    await naming.click();
    await expect.poll(() => pushing.shown(), PATIENT).toEqual([]);
  });

  test("a message that its writer takes back leaves the screen too", async () => {
    const { alice, bob, pushing } = await notified();
    await look(alice, false);
    await bob.say("not for you");
    await pushing.carry();
    await expect.poll(() => pushing.shown(), PATIENT).toHaveLength(1);
    await bob.choose("not for you", "Delete");
    await bob.button("Delete for everyone").click();
    await expect.poll(() => pushing.shown(), PATIENT).toEqual([]);
  });

  test("one that stands still is passed over", async () => {
    const { alice, bob, pushing } = await notified();
    await look(alice, false);
    // As when the browser freezes a page in the background.
    await alice.page.workers()[0]?.evaluate((milliseconds) => {
      setTimeout(() => {
        const end = performance.now() + milliseconds;
        while (performance.now() < end);
      }, 200);
    }, 20_000);
    await alice.page.waitForTimeout(500);
    await bob.say("are you frozen?");
    await pushing.carry();
    await expect.poll(() => pushing.shown(), PATIENT).toMatchObject([{ title: "smp-edge", body: "New message" }]);
    await alice.open("Bob");
    await alice.sees("are you frozen?");
  });
});

describe("the subscription", () => {
  test("is replaced when the browser replaces it", async () => {
    const { alice, bob, pushing } = await notified();
    await alice.page.close();
    const before = pushing.subscriber;
    await pushing.replace();
    // The relay makes sure that the new one is of this browser too.
    const verification = await pushing.carry();
    expect(verification.text).toContain("verification");
    await bob.page.waitForTimeout(3_000);
    await bob.say("to the new place");
    await pushing.carry();
    await expect.poll(() => pushing.shown(), PATIENT).toMatchObject([{ body: "New message" }]);
    expect(before?.received.filter(({ text }) => text.includes("message"))).toEqual([]);
  });

  test("ends when it is turned off, and nothing is left of it", async () => {
    const { alice, bob, pushing } = await notified();
    const { subscriber } = pushing;
    await alice.page.getByRole("radio", { name: "Off" }).click();
    await expect.poll(() => pushing.isInstalled, PATIENT).toBe(false);
    expect(subscriber?.isGone).toBe(true);
    await followed();
    const before = service.requests;
    await alice.page.close();
    await bob.say("nobody hears this");
    await bob.page.waitForTimeout(3_000);
    expect(service.requests).toBe(before);
  });

  test("is made anew when the browser has lost it", async () => {
    const { alice, bob, pushing } = await notified();
    pushing.lose();
    await alice.page.reload();
    await expect.poll(() => pushing.subscriber !== null, PATIENT).toBe(true);
    await pushing.carry();
    await followed();
    await alice.page.close();
    await bob.say("found again");
    await pushing.carry();
    await expect.poll(() => pushing.shown(), PATIENT).toMatchObject([{ body: "New message" }]);
  });
});
