import type { Order, Report } from "./protocol.ts";
import type { Remote } from "./remote.ts";
import { SessionError } from "./api.ts";
import { scriptUrl } from "./trusted.ts";

/** How often a page that is seen looks whether the leader lives, in milliseconds. */
const PULSE = 2000;
/** Pulses without an answer until another one takes over. */
const PATIENCE = 4;

function meta(name: string): string {
  const found = document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content;
  if (found === undefined) throw new SessionError("UNSUPPORTED", `the page does not tell its ${name}`);
  return found;
}

/** Which build of the page this is. */
export function pageVersion(): string {
  return meta("version");
}

/** Where the script of the chat is. */
export function chatScript(): string {
  return meta("chat-worker");
}

/**
 * This tab's worker, which waits to have the chat. As long as the page is not kept by the browser for going back: then
 * it holds nothing, so that another tab can take over.
 */
export class Candidate {
  readonly #remote: Remote;
  readonly #changed: () => void;
  #worker: Worker | null = null;
  #ownLeader: string | null = null;
  #failure: SessionError | null = null;
  #secret: string | null = null;
  #silent = 0;
  #pulsedAt = 0;
  /** The leader of an older version that was last told to go. */
  #replaced: string | null = null;

  constructor(remote: Remote, changed: () => void) {
    this.#remote = remote;
    this.#changed = changed;
    this.#start();
    remote.onChange(() => this.#compare());
    addEventListener("pagehide", () => {
      // It does not hear when the profile is locked meanwhile.
      this.#secret = null;
      this.#stop();
    });
    addEventListener("pageshow", ({ persisted }) => {
      if (!persisted) return;
      this.#start();
      remote.missed();
      remote.inherit();
    });
    // Chrome freezes pages in the background of phones.
    document.addEventListener("resume", () => remote.missed());
    setInterval(() => this.#pulse(), PULSE);
  }

  /** Whether it is this tab's worker that has the chat. */
  get isLeader(): boolean {
    return this.#ownLeader !== null && this.#ownLeader === this.#remote.leader;
  }

  /** Why this tab's worker does not run. */
  get failure(): Error | null {
    return this.#failure;
  }

  /** What opens the profile, in case that the worker comes to have it. */
  learn(passphrase: string | null): void {
    this.#secret = passphrase;
    this.#order({ type: "secret", passphrase });
  }

  /** Tries again after it failed. */
  restart(): void {
    if (!this.#failure || this.#remote.isClosed) return;
    this.#failure = null;
    this.#stop();
    this.#start();
  }

  #start(): void {
    if (this.#worker || this.#remote.isClosed) return;
    const worker = new Worker(scriptUrl(chatScript()), { type: "module", name: "chat" });
    worker.addEventListener("message", ({ data }: MessageEvent<Report>) => {
      this.#ownLeader = data.leader;
      this.#changed();
    });
    worker.addEventListener("error", (event) => {
      // Without a message it was not even loaded.
      const why = event.message === undefined ? "it cannot be loaded" : event.message;
      this.#failure = new SessionError("OUTDATED", `the chat does not start (${why}): load this page anew`);
      this.#changed();
    });
    this.#worker = worker;
    this.#order({ type: "secret", passphrase: this.#secret });
    this.#order({ type: "start", version: pageVersion(), begunAt: performance.timeOrigin, origin: location.origin });
  }

  #stop(): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.#ownLeader = null;
  }

  #order(order: Order): void {
    this.#worker?.postMessage(order);
  }

  /** Of two versions only the newer one may have the profile, and they need not understand each other. */
  #compare(): void {
    const { leader, build } = this.#remote;
    if (leader === null || build === null || build.version === pageVersion()) return;
    if (performance.timeOrigin <= build.begunAt) {
      this.#stop();
      this.#failure = new SessionError("OUTDATED", "another tab runs a newer version of this page: load this one anew");
      this.#remote.close(this.#failure);
    } else if (leader !== this.#replaced) {
      this.#replaced = leader;
      this.#order({ type: "takeOver" });
    }
  }

  /** A leader in a tab that the browser froze holds the profile and does nothing: another one has to take it. */
  #pulse(): void {
    const now = performance.now();
    const wasAsleep = now - this.#pulsedAt > 2 * PULSE;
    const isSilent = this.#remote.heardAt < this.#pulsedAt;
    this.#silent = wasAsleep || !isSilent ? 0 : this.#silent + 1;
    this.#pulsedAt = now;
    if (document.visibilityState !== "visible") {
      this.#silent = 0;
      return;
    }
    if (this.#silent >= PATIENCE) {
      this.#silent = 0;
      this.#order({ type: "takeOver" });
    }
    this.#remote.ask();
  }
}
