import { expect, test } from "vitest";
import { fillNotes } from "./support/notes.ts";
import { stage } from "./support/stage.ts";

const COUNT = 1200;

const { relay, browser } = stage();

test("a long conversation is read back without jumps, and never drawn as a whole", async () => {
  const ida = await fillNotes(browser(), relay().info.app, COUNT);
  const { page } = ida;
  await ida.open("Notes to self");
  await ida.sees(`note ${COUNT - 1}.`);
  const drawn = (): Promise<number> => page.locator("[data-item]").count();
  expect(await drawn()).toBe(50);

  const view = page.getByTestId("messages");
  /** The first message that can be seen, and where it is. */
  const top = (): Promise<{ id: string; at: number }> => view.evaluate((element) => {
    const from = element.getBoundingClientRect().top;
    const first = [...element.querySelectorAll("[data-item]")].find((one) => one.getBoundingClientRect().bottom > from);
    return { id: first?.getAttribute("data-item") ?? "", at: (first?.getBoundingClientRect().top ?? 0) - from };
  });
  const placeOf = (id: string): Promise<number> => view.evaluate((element, wanted) => {
    const found = element.querySelector(`[data-item="${CSS.escape(wanted)}"]`);
    return (found?.getBoundingClientRect().top ?? Number.NaN) - element.getBoundingClientRect().top;
  }, id);
  for (let round = 0; round < 4; round++) {
    const before = await drawn();
    await view.evaluate((element) => (element.scrollTop = 200));
    const { id, at } = await top();
    await expect.poll(async () => (await drawn()) > before || before === 300).toBe(true);
    expect(Math.abs((await placeOf(id)) - at)).toBeLessThanOrEqual(2);
  }
  // To the very first one, which takes many pages.
  await expect.poll(async () => {
    await view.evaluate((element) => (element.scrollTop = 0));
    return ida.message("note 0.").count();
  }, { timeout: 40_000, interval: 20 }).toBe(1);
  expect(await drawn()).toBeLessThanOrEqual(300);

  await ida.button("Jump to the latest").click();
  await ida.sees(`note ${COUNT - 1}.`);
  await ida.say("a new one");
  await ida.sees("a new one");
  const fromEnd = await view.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
  expect(fromEnd).toBeLessThan(2);

  // A search leads far back, and shows the place.
  await ida.button("Search in this conversation").click();
  await page.getByRole("searchbox", { name: "Search in this conversation" }).fill("note 77.");
  await page.locator("[data-item].is-marked", { hasText: "note 77." }).waitFor();
  expect(await drawn()).toBeLessThanOrEqual(100);
  await ida.leave();
});
