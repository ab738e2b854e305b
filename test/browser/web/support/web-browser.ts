import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { findChromium } from "../../support/chromium.ts";

/** What Chromium says when a page ends a WebSocket that is still connecting, as a client does that is closed then. */
const GIVEN_UP = /^WebSocket connection to '[^']+' failed: WebSocket is closed before the connection is established\.$/;
/** What it says of its own when there is no network, as a test wants it. */
const OFFLINE = /net::ERR_(?:INTERNET_DISCONNECTED|CONNECTION_REFUSED|CONNECTION_RESET|FAILED|NETWORK_CHANGED)/;

export interface PersonOptions extends BrowserContextOptions {
  /** Complaints of the browser that belong to the story. */
  readonly expected?: RegExp;
}

/** One person's browser: its storage is its own. Whatever the browser complains of is an error in the end. */
export class Person {
  readonly context: BrowserContext;
  readonly #expected: RegExp | undefined;
  readonly #complaints: string[] = [];

  constructor(context: BrowserContext, expected: RegExp | undefined) {
    this.context = context;
    this.#expected = expected;
    context.on("page", (page) => this.#watch(page));
    context.on("serviceworker", (worker) => worker.on("console", (message) => this.#hear(message.type(), message.text())));
  }

  /** A new tab, when the page and its script are loaded. */
  async open(url: string): Promise<Page> {
    const page = await this.context.newPage();
    const response = await page.goto(url);
    if (response?.ok() === false) throw new Error(`${url} was answered with ${response.status()}: ${await response.text()}`);
    return page;
  }

  /** @throws Error when a page failed, complained, or wanted what its Content-Security-Policy forbids */
  async leave(): Promise<void> {
    await this.context.close();
    if (this.#complaints.length > 0) throw new Error(`in the pages: ${this.#complaints.join("; ")}`);
  }

  #watch(page: Page): void {
    page.on("pageerror", (error) => this.#complaints.push(error.stack ?? error.message));
    page.on("console", (message) => this.#hear(message.type(), message.text()));
    page.on("worker", (worker) => worker.on("console", (message) => this.#hear(message.type(), message.text())));
  }

  #hear(type: string, text: string): void {
    const isComplaint = type === "error" || type === "warning";
    if (!isComplaint || GIVEN_UP.test(text) || OFFLINE.test(text) || this.#expected?.test(text)) return;
    this.#complaints.push(text);
  }
}

/** A real Chromium with several people in it. */
export class WebBrowser {
  readonly browser: Browser;

  private constructor(browser: Browser) {
    this.browser = browser;
  }

  /** Camera and microphone are made up by the browser. @param args further ones of the command line */
  static async start(args: readonly string[] = []): Promise<WebBrowser> {
    const browser = await chromium.launch({
      executablePath: findChromium(),
      // Its sandbox refuses to run as root, as in containers.
      chromiumSandbox: process.getuid?.() !== 0,
      args: ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--mute-audio", ...args],
    });
    return new WebBrowser(browser);
  }

  async person({ expected, ...options }: PersonOptions = {}): Promise<Person> {
    return new Person(await this.browser.newContext(options), expected);
  }

  async stop(): Promise<void> {
    await this.browser.close();
  }
}
