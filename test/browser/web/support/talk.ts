import type { Page } from "playwright-core";
import type { Contact, User } from "../../../../client/chat/records.ts";
import { drive, withoutViews } from "./driver.ts";
import type { Person, WebBrowser } from "./web-browser.ts";

/** Somebody with a profile, without views. */
export interface Talker {
  readonly person: Person;
  readonly page: Page;
  readonly user: User;
}

/** Opens the page for somebody new. @param expected complaints of the browser that belong to the story */
export async function newTalker(browser: WebBrowser, url: string, name: string, expected?: RegExp): Promise<Talker> {
  const person = await browser.person({ serviceWorkers: "block", ...(expected ? { expected } : {}) });
  await withoutViews(person);
  const page = await person.open(url);
  const phase = await drive<string>(page, "open");
  if (phase !== "open") throw new Error(`the profile of ${name} is ${phase}`);
  return { person, page, user: await drive<User>(page, "call", "users", "create", { displayName: name, fullName: "" }) };
}

/** Another tab of the same browser, with its session open. */
export async function otherTab({ person }: Talker, url: string): Promise<Page> {
  const page = await person.open(url);
  const phase = await drive<string>(page, "open");
  if (phase !== "open") throw new Error(`in the other tab the profile is ${phase}`);
  return page;
}

/** Makes them contacts. @returns the conversation of each with the other */
export async function meet(one: Talker, other: Talker): Promise<readonly [string, string]> {
  const invitation = await drive<{ contact: Contact; shortLink: string }>(one.page, "call", "links", "invite", one.user.id);
  const contact = await drive<Contact>(other.page, "call", "links", "connect", other.user.id, invitation.shortLink);
  await Promise.all([drive(one.page, "next", "connected"), drive(other.page, "next", "connected")]);
  return [invitation.contact.id, contact.id];
}

export async function send(page: Page, chat: string, text: string): Promise<void> {
  await drive(page, "call", "messages", "send", chat, text);
}

export function texts(page: Page, chat: string): Promise<string[]> {
  return drive(page, "texts", chat);
}
