import type { Page } from "playwright-core";

/** What Chromium says when a page ends a WebSocket that is still connecting, as a client does that is closed then. */
const GIVEN_UP = /^WebSocket connection to '[^']+' failed: WebSocket is closed before the connection is established\.$/;

/** A tab with the exports of a page script (page-server.ts). */
export class Tab {
  readonly #page: Page;
  readonly #errors: Error[] = [];

  constructor(page: Page) {
    this.#page = page;
    page.on("pageerror", (error) => this.#errors.push(error));
    page.on("console", (message) => {
      const isComplaint = message.type() === "error" || message.type() === "warning";
      if (isComplaint && !GIVEN_UP.test(message.text())) this.#errors.push(new Error(message.text()));
    });
  }

  /** Calls an exported function in the page. Arguments and answer go as JSON. @throws what the function throws. */
  async call<T>(name: string, ...args: readonly unknown[]): Promise<T> {
    return (await this.#page.evaluate(`script.${name}(...${JSON.stringify(args)})`)) as T;
  }

  /** As the user does; resolves when the page is loaded anew. */
  async reload(): Promise<void> {
    await this.#page.reload();
  }

  /** How much the page's origin may store, in bytes. */
  async limitStorage(bytes: number): Promise<void> {
    const session = await this.#page.context().newCDPSession(this.#page);
    const { origin } = new URL(this.#page.url());
    await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: bytes });
  }

  /** As the user does, without a question. @throws Error when the page failed or complained on its console. */
  async close(): Promise<void> {
    await this.#page.close();
    if (this.#errors.length === 0) return;
    throw new AggregateError(this.#errors, `in the page: ${this.#errors.join("; ")}`);
  }
}
