import type { User } from "../../../../client/chat/records.ts";
import { drive } from "./driver.ts";
import { Somebody } from "./somebody.ts";
import { newTalker } from "./talk.ts";
import type { WebBrowser } from "./web-browser.ts";

/** Somebody who wrote many notes to self, and now sees the page. */
export async function fillNotes(browser: WebBrowser, url: string, count: number): Promise<Somebody> {
  const { person, page, user } = await newTalker(browser, url, "Ida", /Service Worker registration blocked/);
  await writeNotes(page, user, count);
  await person.context.unrouteAll();
  await page.reload();
  await page.locator(".panes").waitFor();
  return Somebody.of("Ida", person, page, url);
}

async function writeNotes(page: Parameters<typeof drive>[0], { id }: User, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    await drive(page, "call", "messages", "send", `notes-${id}`, `note ${at}. ${"and so on ".repeat(at % 7)}`);
  }
}
