import type { Locator, Page } from "playwright-core";
import type { Person, PersonOptions, WebBrowser } from "./web-browser.ts";

/** Sizes of screens that stories are told on. */
export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;
export const SMALL_PHONE = { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true } as const;
export const DESKTOP = { viewport: { width: 1280, height: 800 } } as const;

/** Somebody who uses the page as it is seen: by names of buttons and fields, as people and screen readers do. */
export class Somebody {
  readonly name: string;
  readonly person: Person;
  readonly page: Page;
  readonly url: string;

  private constructor(name: string, person: Person, page: Page, url: string) {
    this.name = name;
    this.person = person;
    this.page = page;
    this.url = url;
  }

  /** Whose page is open already. */
  static of(name: string, person: Person, page: Page, url: string): Somebody {
    return new Somebody(name, person, page, url);
  }

  /** Opens the page for the first time. */
  static async arrive(
    browser: WebBrowser,
    url: string,
    name: string,
    options: PersonOptions = DESKTOP,
  ): Promise<Somebody> {
    const permissions = ["clipboard-read", "clipboard-write"];
    const person = await browser.person({ locale: "en-GB", permissions, ...options });
    return new Somebody(name, person, await person.open(url), url);
  }

  /** Opens the page and makes a profile. */
  static async new(...args: Parameters<typeof Somebody.arrive>): Promise<Somebody> {
    const one = await Somebody.arrive(...args);
    await one.makeProfile();
    return one;
  }

  async makeProfile(): Promise<void> {
    await this.page.getByLabel("Your name").fill(this.name);
    await this.button("Create profile").click();
    await this.page.getByRole("navigation").or(this.page.getByRole("main")).first().waitFor();
    await this.page.locator(".panes").waitFor();
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole("button", { name, ...(typeof name === "string" && { exact: true }) });
  }

  /** The line of a conversation in the list. */
  line(name: string): Locator {
    const named = this.page.locator(".name", { hasText: new RegExp(`^${name}$`) });
    return this.page.getByRole("navigation").getByRole("link").filter({ has: named });
  }

  /** A message that holds this text. */
  message(text: string): Locator {
    return this.page.locator("[data-item]", { hasText: text });
  }

  get composer(): Locator {
    return this.page.locator("#composer");
  }

  /** To a place of the page by its address. */
  async go(fragment: string): Promise<void> {
    await this.page.evaluate((hash) => (location.hash = hash), fragment);
  }

  /** Opens a conversation from the list. */
  async open(name: string): Promise<void> {
    if (!await this.line(name).isVisible()) await this.go("#/");
    await this.line(name).click();
    await this.page.getByRole("region", { name: "Conversation" }).waitFor();
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.button("Send").click();
  }

  /** Waits until a message is there, in the open conversation. */
  async sees(text: string): Promise<Locator> {
    const message = this.message(text).last();
    await message.waitFor();
    return message;
  }

  /** Opens the menu of a message and chooses from it. */
  async choose(text: string, what: string | RegExp): Promise<void> {
    const message = await this.sees(text);
    await message.focus();
    await message.press("Enter");
    const menu = this.page.getByRole("dialog", { name: "What to do with this message" });
    await menu.getByRole(typeof what === "string" ? "menuitem" : "button", { name: what }).click();
  }

  /** Makes a link for one person. */
  async invite(): Promise<string> {
    await this.go("#/invite");
    await this.button("Make a link").click();
    return this.page.getByRole("textbox", { name: "Link" }).inputValue();
  }

  /** Follows a link that leads to somebody. */
  async connect(link: string): Promise<void> {
    await this.go("#/connect");
    await this.page.getByRole("textbox", { name: "Link" }).fill(link);
    await this.button("Next").click();
    await this.button(/^(Connect|Join)$/).click();
    await this.page.getByRole("region", { name: "Conversation" }).waitFor();
  }

  async leave(): Promise<void> {
    await this.person.leave();
  }
}

/** Makes two people contacts, each with the other's conversation open. */
export async function meet(one: Somebody, other: Somebody): Promise<void> {
  await other.connect(await one.invite());
  await Promise.all([one, other].map((each) => each.sees("You are connected")));
}
