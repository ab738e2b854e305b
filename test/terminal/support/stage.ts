import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll } from "vitest";
import { type Finished, RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { PROGRAM, Tmux, type Window } from "./tmux.ts";

/** Milliseconds for a test: it starts many programs, one after the other. */
export const PATIENT = 180_000;

const LIMITLESS = { NEW_QUEUES_PER_MINUTE: "0", MESSAGES_PER_MINUTE: "0" };

export interface Stage {
  readonly folder: string;
  readonly relay: () => RelayProcess;
  readonly tmux: () => Tmux;
  /** The folder of somebody's profile. */
  db(name: string): string;
  /** A terminal with the chat of somebody, who has a profile of this name from then on. */
  chat(name: string, options?: Parameters<Tmux["open"]>[2], args?: readonly string[]): Promise<Window>;
  /** Runs a command of a script to its end. */
  run(args: readonly string[], options?: { readonly input?: string; readonly env?: Readonly<Record<string, string>> }): Promise<Finished>;
  restartRelay(): Promise<void>;
}

/** A relay and terminals for all tests of a file. */
export function stage(): Stage {
  let relay: RelayProcess;
  let tmux = new Tmux();
  const folder = temporaryFolder();
  const data = join(folder, "relay");
  beforeAll(async () => {
    relay = await RelayProcess.start(data, LIMITLESS);
  });
  afterEach(() => {
    tmux.end();
    tmux = new Tmux();
  });
  afterAll(async () => {
    tmux.end();
    await relay.stop();
    removeFolder(folder);
  });
  const db = (name: string): string => join(folder, name);
  return {
    folder,
    relay: () => relay,
    tmux: () => tmux,
    db,
    async chat(name, options = {}, args = []) {
      const window = tmux.chat(name, ["--db", db(name), "--user", name, "--relay", relay.info.address, ...args], options);
      await window.shows("/help tells");
      return window;
    },
    async run(args, { input = "", env = {} } = {}) {
      const child = spawn(process.execPath, [PROGRAM, ...args], { env: { ...process.env, ...env } });
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (part: Buffer) => (stdout += part.toString()));
      child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
      child.stdin.end(input);
      const [code] = await once(child, "close") as [number | null];
      return { code, stdout, stderr };
    },
    async restartRelay() {
      const port = Number(new URL(relay.info.url).port);
      await relay.stop();
      relay = await RelayProcess.start(data, LIMITLESS, port);
    },
  };
}

/** The link that a terminal shows last. */
export function linkIn(text: string): string {
  const links = [...text.matchAll(/^(?:https:\/\/\S+#\S+|simplex:\/\S+)$/gmu)].map(([link]) => link);
  const link = links.findLast((one) => one.startsWith("https:")) ?? links.at(-1);
  if (link === undefined) throw new Error(`there is no link in:\n${text}`);
  return link;
}

/** Connects two people at their terminals. */
export async function meet(alice: Window, bob: Window, [a, b]: readonly [string, string]): Promise<void> {
  alice.enter("/c");
  bob.enter(`/c ${linkIn(await alice.shows("give this invitation"))}`);
  await Promise.all([alice.shows(`${b}: contact is connected`), bob.shows(`${a}: contact is connected`)]);
}
