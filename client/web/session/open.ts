import { StoreError } from "../../store/store.ts";
import type { PushApi } from "../push/api.ts";
import { closeOf } from "../push/notice.ts";
import {
  type ChatApi,
  type OwnRelay,
  type PassphraseApi,
  type Session,
  SessionError,
  type SessionStatus,
  type Settings,
} from "./api.ts";
import { Candidate } from "./candidate.ts";
import { fromPlain } from "./errors.ts";
import { Remote } from "./remote.ts";

/** Any group of methods, by their names. */
function facade(remote: Remote, name: string): object {
  return new Proxy({}, {
    get: (_, method) => {
      // A facade is no promise, though it has whatever method it is asked for.
      if (typeof method !== "string" || method === "then") return undefined;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        const result = await remote.call(name, method, args);
        if (name === "users" && method === "create") keepStorage();
        return result;
      };
    },
  });
}

function chatOf(remote: Remote): ChatApi {
  const known = new Map<string, object>();
  return new Proxy({} as ChatApi, {
    get: (_, name) => {
      if (typeof name !== "string" || name === "then") return undefined;
      const one = known.get(name) ?? facade(remote, name);
      known.set(name, one);
      return one;
    },
  });
}

/** Asks that the browser does not throw the profile away for want of room: now there is something to lose. */
function keepStorage(): void {
  // Some ask the user, who takes time. Whatever comes of it, the profile is used as it is.
  navigator.storage.persist().catch(() => undefined);
}

/** What the page keeps beside the profile. */
async function eraseAround(): Promise<void> {
  localStorage.clear();
  for (const name of await caches.keys()) await caches.delete(name);
  for (const one of await navigator.serviceWorker.getRegistrations()) {
    await closeOf(one, () => true);
    await one.unregister();
  }
}

/** After so long in the background connections are looked after, in milliseconds. */
const ABSENCE = 15_000;

class PageSession implements Session {
  readonly chat: ChatApi;
  readonly passphrase: PassphraseApi;
  readonly push: PushApi;
  readonly #remote: Remote;
  readonly #candidate: Candidate;
  readonly #listeners = new Set<(status: SessionStatus) => void>();
  #status: SessionStatus;

  constructor() {
    const remote = new Remote((passphrase) => this.#candidate.learn(passphrase));
    this.#remote = remote;
    this.#candidate = new Candidate(remote, () => this.#update());
    this.chat = chatOf(remote);
    this.push = facade(remote, "push") as PushApi;
    this.passphrase = {
      isSet: () => this.#do("isSealed"),
      set: (passphrase) => this.#do("setPassphrase", passphrase),
      change: (from, to) => this.#do("changePassphrase", from, to),
      remove: (passphrase) => this.#do("removePassphrase", passphrase),
    };
    this.#status = this.#current();
    remote.onChange(() => this.#update());
    addEventListener("online", () => this.#update());
    addEventListener("offline", () => this.#update());
    this.#watchAbsence();
  }

  get status(): SessionStatus {
    return this.#status;
  }

  notes(user: string): string {
    return `notes-${user}`;
  }

  subscribe(...[listener]: Parameters<Session["subscribe"]>): () => void {
    return this.#remote.onHappening(listener);
  }

  subscribeStatus(listener: (status: SessionStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  settings(): Promise<Settings> {
    return this.#do("settings");
  }

  setSettings(part: Partial<Settings>): Promise<Settings> {
    return this.#do("setSettings", part);
  }

  ownRelay(): Promise<OwnRelay | null> {
    return this.#do("ownRelay");
  }

  reconnect(): Promise<void> {
    return this.#do("reconnect");
  }

  lock(): Promise<void> {
    return this.#do("lock");
  }

  async deleteEverything(): Promise<void> {
    // First, because all pages are loaded anew as soon as the profile is gone.
    await eraseAround();
    await this.#do("deleteEverything");
  }

  unlock(passphrase: string): Promise<void> {
    return this.#do("unlock", passphrase);
  }

  async retry(): Promise<void> {
    if (this.#remote.state) return this.#do("retry");
    this.#candidate.restart();
    this.#update();
  }

  /** Resolves when the profile is neither being opened nor taken over. */
  settled(): Promise<SessionStatus> {
    if (this.#status.phase !== "opening") return Promise.resolve(this.#status);
    return new Promise((resolve) => {
      const stop = this.subscribeStatus((status) => {
        if (status.phase === "opening") return;
        stop();
        resolve(status);
      });
    });
  }

  async #do<T>(method: string, ...args: readonly unknown[]): Promise<T> {
    return await this.#remote.call("session", method, args) as T;
  }

  /** What it takes to see what came while nobody looked: sockets of pages in the background die silently. */
  #watchAbsence(): void {
    let hiddenAt = 0;
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") hiddenAt = performance.now();
      else if (performance.now() - hiddenAt > ABSENCE && this.#status.phase === "open") {
        // A profile that was closed meanwhile has nothing to connect.
        this.reconnect().catch(() => undefined);
      }
    });
  }

  #current(): SessionStatus {
    const { state, phase, generation } = this.#remote;
    // Without a leader nobody else has the profile either.
    const failure = state ? state.failure && fromPlain(state.failure) : this.#candidate.failure;
    return {
      phase: state || !failure ? phase : "failed",
      generation,
      isLeader: this.#candidate.isLeader,
      isOnline: navigator.onLine,
      relays: state?.relays ?? [],
      since: state?.since ?? Date.now(),
      failure,
      push: state?.push ?? null,
    };
  }

  #update(): void {
    this.#status = this.#current();
    for (const listener of this.#listeners) listener(this.#status);
  }
}

function checkBrowser(): void {
  const navigatorParts: Partial<Navigator> = navigator;
  const needs: readonly (readonly [string, unknown])[] = [
    ["a secure address (https, or this machine)", isSecureContext],
    ["locks between tabs (Web Locks)", navigatorParts.locks],
    ["messages between tabs (BroadcastChannel)", globalThis.BroadcastChannel],
    ["a database (IndexedDB)", globalThis.indexedDB],
    ["workers", globalThis.Worker],
  ];
  const missing = needs.filter(([, value]) => !value).map(([name]) => name);
  if (missing.length > 0) throw new SessionError("UNSUPPORTED", `this browser does not offer ${missing.join(", ")}`);
}

let session: PageSession | null = null;

/** Erases what is stored here though it cannot be opened, after `openSession` has failed. */
export async function eraseStored(): Promise<void> {
  checkBrowser();
  session ??= new PageSession();
  await session.settled();
  await session.deleteEverything();
}

/**
 * The profile of this browser. Resolves when it is open, in this tab or another one; may be called again after it failed
 * or was locked.
 * @throws StoreError "PASSPHRASE" when one is needed or it is the wrong one, and whatever else the profile cannot be
 * opened for; SessionError "UNSUPPORTED"
 */
export async function openSession({ passphrase }: { readonly passphrase?: string } = {}): Promise<Session> {
  checkBrowser();
  session ??= new PageSession();
  const before = await session.settled();
  if (before.phase === "locked") {
    if (passphrase === undefined) throw new StoreError("PASSPHRASE", "this profile has a passphrase: ask the user for it");
    await session.unlock(passphrase);
  } else if (before.phase === "failed" || before.phase === "deleted") {
    await session.retry();
  }
  const { phase, failure } = await session.settled();
  if (phase === "open") return session;
  throw failure ?? new SessionError("CLOSED", `the profile is ${phase}`);
}
