import type { Locator } from "playwright-core";
import { expect, test } from "vitest";
import { Somebody } from "./support/somebody.ts";
import { stage } from "./support/stage.ts";

const { relay, browser, somebody, add } = stage();

const isFocused = (place: Locator): Promise<boolean> => place.evaluate((element) => element === document.activeElement);

/** More presses than there are places. */
const MANY = 40;

/** Goes there by Tab, or back by Shift+Tab, as whoever has no mouse. */
async function tabTo({ page }: Somebody, place: Locator, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  await place.waitFor();
  for (let pressed = 0; pressed < MANY; pressed++) {
    if (await isFocused(place)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${key} does not lead to ${place.toString()}`);
}

test("somebody without a mouse makes a profile, a link, and talks", async () => {
  const kim = await Somebody.arrive(browser(), relay().info.app, "Kim");
  add(kim);
  const { keyboard } = kim.page;
  await tabTo(kim, kim.page.getByLabel("Your name"));
  await keyboard.type("Kim");
  await keyboard.press("Enter");
  await kim.page.locator(".panes").waitFor();

  await keyboard.press("Alt+n");
  const heading = kim.page.getByRole("main").getByRole("heading", { level: 1 });
  await expect.poll(() => isFocused(heading)).toBe(true);
  await tabTo(kim, kim.page.getByRole("main").getByRole("link", { name: /Invite someone/ }));
  await keyboard.press("Enter");
  await tabTo(kim, kim.button("Make a link"));
  await keyboard.press("Enter");
  const link = kim.page.getByRole("textbox", { name: "Link" });
  await tabTo(kim, link);

  const lee = await somebody("Lee");
  await lee.connect(await link.inputValue());
  await kim.sees("You are connected");
  await expect.poll(() => isFocused(kim.composer)).toBe(true);
  await keyboard.type("first");
  await keyboard.press("Shift+Enter");
  await keyboard.type("second line");
  await keyboard.press("Enter");
  await lee.sees("second line");
  await lee.say("I can read you");
  await kim.sees("I can read you");

  // From the message that is written to those above, and what can be done with one.
  await tabTo(kim, kim.message("I can read you"), "Shift+Tab");
  await keyboard.press("ArrowUp");
  expect(await isFocused(kim.message("second line"))).toBe(true);
  await keyboard.press("ArrowDown");
  await keyboard.press("Enter");
  await expect.poll(() => isFocused(kim.page.getByRole("menuitem", { name: "Reply" }))).toBe(true);
  await keyboard.press("End");
  expect(await isFocused(kim.page.getByRole("menuitem", { name: "Delete" }))).toBe(true);
  await tabTo(kim, kim.button("React with 😀"), "Shift+Tab");
  await keyboard.press("Enter");
  await lee.page.getByRole("button", { name: /😀, 1 person/ }).waitFor();
  expect(await isFocused(kim.message("I can read you"))).toBe(true);
  await keyboard.press("r");
  await keyboard.type("so can I");
  await keyboard.press("Enter");
  await lee.sees("so can I");
  await keyboard.press("ArrowUp");
  await expect.poll(() => kim.composer.inputValue()).toBe("so can I");
  await keyboard.press("Escape");
  expect(await kim.composer.inputValue()).toBe("");

  // Back to the list, and to somebody by their name.
  await keyboard.press("Escape");
  await expect.poll(() => isFocused(kim.line("Lee"))).toBe(true);
  await keyboard.press("ArrowDown");
  expect(await isFocused(kim.line("Notes to self"))).toBe(true);
  await keyboard.press("Control+k");
  await expect.poll(() => isFocused(kim.page.getByRole("searchbox"))).toBe(true);
  await keyboard.type("lee");
  await keyboard.press("ArrowDown");
  await expect.poll(() => isFocused(kim.line("Lee"))).toBe(true);
  await keyboard.press("Enter");
  await kim.sees("so can I");
  await keyboard.press("Escape");
  await keyboard.press("?");
  await kim.page.getByRole("heading", { name: "Keyboard" }).waitFor();
});

test("a question keeps the focus until it is answered, and gives it back", async () => {
  const kim = await somebody("Kim");
  const { keyboard } = kim.page;
  await kim.go("#/settings/data");
  await tabTo(kim, kim.button("Delete everything"));
  await keyboard.press("Enter");
  const question = kim.page.getByRole("dialog", { name: "Delete everything on this device?" });
  await question.waitFor();
  for (let pressed = 0; pressed < 8; pressed++) {
    await keyboard.press("Tab");
    // The browser's own controls are part of the round; nothing else of the page is.
    const isInside = await kim.page.evaluate(() => {
      const { activeElement, body } = document;
      return activeElement === body || activeElement?.closest("dialog") !== null;
    });
    expect(isInside).toBe(true);
  }
  await keyboard.press("Escape");
  await question.waitFor({ state: "detached" });
  expect(await isFocused(kim.button("Delete everything"))).toBe(true);
});
