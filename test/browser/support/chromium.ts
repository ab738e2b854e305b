import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { Tab } from "./tab.ts";

const START_PATIENCE = 30_000;
const STOP_PATIENCE = 10_000;

/** Quiet, and without anything that reaches for the network. */
const FLAGS = [
  "--headless=new",
  "--remote-debugging-port=0",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-breakpad",
  "--password-store=basic",
  "--mute-audio",
];

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The browser named by CHROMIUM, or the one in PATH. @throws Error saying how to get one. */
export function findChromium(): string {
  const named = process.env["CHROMIUM"];
  const inPath = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "chromium"));
  const found = (named === undefined ? inPath : [named]).find(isProgram);
  if (found !== undefined) return found;
  const missing = named === undefined ? "no chromium in PATH" : `CHROMIUM is ${named}, which cannot be run`;
  throw new Error(`${missing}: install it (apt-get install chromium), or set CHROMIUM to the path of one`);
}

/** The address of the browser's debugging socket, which it prints when it is up. */
function debuggerOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const fail = (why: string): void => reject(new Error(`chromium ${why}; it said:\n${said.join("\n")}`));
    const timer = setTimeout(() => fail(`did not start within ${START_PATIENCE} ms`), START_PATIENCE);
    child.once("error", (error) => fail(`cannot be run (${error.message})`));
    child.once("exit", (code, signal) => fail(`ended with ${code ?? signal}`));
    if (child.stderr === null) throw new Error("started without a pipe to read from");
    // Read to the end, for a full pipe would stop the browser.
    createInterface({ input: child.stderr }).on("line", (line) => {
      said.push(line);
      const address = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    });
  });
}

/** A real Chromium without windows. Its data lie in a folder that a later one can be started on. */
export class Chromium {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #browser: Browser;
  readonly #context: BrowserContext;

  private constructor(child: ChildProcess, ended: Promise<unknown>, browser: Browser, context: BrowserContext) {
    this.#child = child;
    this.#ended = ended;
    this.#browser = browser;
    this.#context = context;
  }

  /** @param data the folder of its data (user-data-dir), see `temporaryData`. */
  static async start(data: string): Promise<Chromium> {
    // Its sandbox refuses to run as root, as in containers.
    const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    const child = spawn(findChromium(), [...FLAGS, ...sandbox, `--user-data-dir=${data}`, "about:blank"], {
      stdio: ["ignore", "ignore", "pipe"],
      // A process group of its own, so that `kill` reaches all of its processes.
      detached: true,
    });
    // After the last of its processes, for all of them write to the same pipe.
    const ended = once(child, "close");
    try {
      const browser = await chromium.connectOverCDP(await debuggerOf(child));
      const [context] = browser.contexts();
      if (context === undefined) throw new Error("chromium started without a context");
      return new Chromium(child, ended, browser, context);
    } catch (error) {
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      throw error;
    }
  }

  /** A new tab; all tabs share their storage. Resolves when the page and its script are loaded. */
  async open(url: string): Promise<Tab> {
    const page = await this.#context.newPage();
    const tab = new Tab(page);
    await page.goto(url);
    return tab;
  }

  /** Ends it as a user does; storage is written out. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const ended = await Promise.race([this.#ended.then(() => true), sleep(STOP_PATIENCE, false, { ref: false })]);
    if (!ended) return this.kill();
    await this.#browser.close();
  }

  /** Ends all of its processes at once, as a crash does. */
  async kill(): Promise<void> {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, "SIGKILL");
    await this.#ended;
    await this.#browser.close();
  }
}

/** An empty folder for the data of a browser, and how to remove it. */
export function temporaryData(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "smp-edge-chromium-"));
  return { path, remove: () => rmSync(path, { recursive: true }) };
}
