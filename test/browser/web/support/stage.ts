import { join } from "node:path";
import { afterAll, afterEach, beforeAll } from "vitest";
import { RelayProcess, removeFolder, temporaryFolder } from "../../../support/relay-process.ts";
import { DESKTOP, Somebody } from "./somebody.ts";
import { type PersonOptions, WebBrowser } from "./web-browser.ts";

/** A relay, a browser and the people in it, for all tests of a file. */
export interface Stage {
  readonly folder: string;
  readonly relay: () => RelayProcess;
  readonly browser: () => WebBrowser;
  /** Somebody with a new profile, who leaves at the end of the test. */
  somebody(name: string, options?: PersonOptions): Promise<Somebody>;
  /** Somebody who came in another way leaves at the end of the test as well. */
  add(one: Somebody): void;
  /** Everybody leaves now. */
  leave(): Promise<void>;
}

export function stage(limits: Readonly<Record<string, string>> = {}): Stage {
  const folder = temporaryFolder();
  const people: Somebody[] = [];
  let relay: RelayProcess;
  let browser: WebBrowser;
  beforeAll(async () => {
    [relay, browser] = await Promise.all([RelayProcess.start(join(folder, "relay"), limits), WebBrowser.start()]);
  });
  afterAll(async () => {
    await browser.stop();
    await relay.stop();
    removeFolder(folder);
  });
  const leave = async (): Promise<void> => {
    for (const one of people.splice(0)) await one.leave();
  };
  // A page that complained of anything fails its story.
  afterEach(leave);
  const add = (one: Somebody): void => void people.push(one);
  return {
    folder,
    relay: () => relay,
    browser: () => browser,
    add,
    leave,
    async somebody(name, options = DESKTOP) {
      const one = await Somebody.new(browser, relay.info.app, name, options);
      add(one);
      return one;
    },
  };
}
