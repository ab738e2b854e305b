import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { linkIn, stage as terminals } from "../../terminal/support/stage.ts";
import { hasTmux } from "../../terminal/support/tmux.ts";
import { pictureFile } from "./support/pictures.ts";
import { DESKTOP, meet, PHONE, Somebody } from "./support/somebody.ts";
import { WebBrowser } from "./support/web-browser.ts";

vi.setConfig({ testTimeout: 240_000 });

describe.skipIf(!hasTmux)("two browsers and a terminal", () => {
  const { relay, chat, db, tmux, restartRelay } = terminals();
  let browser: WebBrowser;
  const people: Somebody[] = [];
  beforeAll(async () => {
    browser = await WebBrowser.start();
  });
  afterEach(async () => {
    for (const one of people.splice(0)) await one.leave();
  });
  afterAll(() => browser.stop());

  test("chat together, with a picture, edits, reactions and a group, over a restart of the relay", async () => {
    const alice = await Somebody.new(browser, relay().info.app, "Alice", DESKTOP);
    const bob = await Somebody.new(browser, relay().info.app, "Bob", PHONE);
    people.push(alice, bob);
    await meet(alice, bob);
    const carol = await chat("carol", { columns: 110 });

    // A link of the page is followed in the terminal, and one of the terminal in the page.
    carol.enter(`/c ${await alice.invite()}`);
    await carol.shows("Alice: contact is connected");
    carol.enter("/c");
    await bob.connect(linkIn(await carol.shows("give this invitation")));
    await carol.shows("Bob: contact is connected");

    await alice.open("carol");
    await alice.say("hello from the page");
    await carol.shows(/Alice> hello from the page$/mu);
    carol.enter("> @Alice (hello) hello from the terminal");
    await alice.sees("hello from the terminal");
    carol.enter("! @Alice hello from my terminal");
    await alice.sees("hello from my terminal");
    await alice.choose("hello from my terminal", /React with ❤/);
    await carol.shows(/Alice> >+ hello from my terminal\n +\+ ❤/mu);
    await alice.say("who likes it?");
    await carol.shows(/Alice> who likes it\?$/mu);
    carol.enter("+1 @Alice who likes it?");
    await (await alice.sees("who likes it?")).getByText("👍").waitFor();

    await alice.page.locator("input[type=file]").setInputFiles(await pictureFile(alice.page, 900, 600));
    await alice.page.getByRole("group", { name: "Attachment" }).getByRole("img").waitFor();
    await alice.say("look at this");
    const shown = await carol.shows(/look at this[\s\S]*\/fr \d+/u);
    const saved = join(db("carol"), "seen.jpg");
    carol.enter(`/fr ${/\/fr (\d+)/u.exec(shown)?.[1] ?? ""} ${saved}`);
    await carol.shows(/saved/iu);

    await alice.go("#/newGroup");
    await alice.page.getByLabel("Name of the group").fill("The three");
    for (const name of ["Bob", "carol"]) await alice.page.getByRole("checkbox", { name }).check();
    await alice.button("Create group").click();
    await bob.open("The three");
    await bob.button("Join").click();
    await bob.composer.waitFor({ timeout: 30_000 });
    await carol.shows("The three': you are invited");
    carol.enter("/j #'The three'");
    await carol.shows("The three': you joined the group");
    carol.enter("#'The three' all of us");
    await Promise.all([alice, bob].map((one) => one.sees("all of us")));
    await bob.say("from the phone");
    await carol.shows(/Bob> from the phone$/mu);

    await restartRelay();
    await alice.say("after the restart");
    await Promise.all([bob.sees("after the restart"), carol.shows(/Alice> after the restart$/mu)]);
    carol.enter("#'The three' still here");
    await Promise.all([alice, bob].map((one) => one.sees("still here")));
    await alice.page.reload();
    await alice.sees("still here");
    expect(await alice.message("after the restart").count()).toBe(1);
    tmux().close("carol");
  });
});
