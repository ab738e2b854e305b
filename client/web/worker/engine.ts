import { base64url } from "#crypto/bytes";
import type { Server } from "#protocol/address";
import { Agent } from "../../agent/agent.ts";
import { Locks } from "../../agent/runtime/locks.ts";
import { Chat } from "../../chat/chat.ts";
import type { ChatHappening } from "../../chat/events.ts";
import { decodeZstd } from "../../chat/wire/zstd/decode.ts";
import { portableZstd } from "../../chat/wire/zstd/portable.ts";
import { UsageError } from "../../errors.ts";
import { deleteIndexedDbStore, openIndexedDbStore } from "../../store/indexeddb.ts";
import { addPassphrase, changePassphrase, isSealed, openProfile, removePassphrase } from "../../store/passphrase.ts";
import { type BaseStore, StoreError } from "../../store/store.ts";
import { type OwnRelay, SessionError, type SessionStatus, type Settings } from "../session/api.ts";
import { type LeaderState, PROFILE } from "../session/protocol.ts";
import { toPlain } from "../session/errors.ts";
import { Pushes } from "./pushes.ts";
import { RelayStates } from "./relay-states.ts";
import type { Running } from "./running.ts";
import { askOwnRelay, readOwnRelay, readSettings, serversOf, writeSettings } from "./settings.ts";

export interface EngineOptions {
  /** Of the page: where the relay is that serves it. */
  readonly origin: string;
  /** Whether the profile is taken from another tab. */
  readonly takeOver: boolean;
  /** Looks at the opened store before anything else does. Throws: it is not to be used. */
  readonly admit: (store: BaseStore) => Promise<void>;
  readonly tell: (happening: ChatHappening) => void;
  readonly changed: () => void;
  /** What opens the profile, as soon as it is known; null when there is none, or it is to be forgotten. */
  readonly remember: (passphrase: string | null) => void;
}

/** When the browser closes the profile again so soon, it is not opened anew. Milliseconds. */
const RECOVERY = 10_000;

/** The profile with everything that runs on it. One thing is done to it as a whole at a time. */
export class Engine {
  readonly pushes: Pushes;
  readonly #options: EngineOptions;
  readonly #locks = new Locks();
  #relays = new RelayStates();
  #base: BaseStore | null = null;
  #running: Running | null = null;
  #ownRelay: OwnRelay | null = null;
  #phase: SessionStatus["phase"] = "opening";
  #failure: unknown = null;
  #since = Date.now();
  #isClosed = false;
  #passphrase: string | null = null;
  #lostAt = Number.NEGATIVE_INFINITY;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.pushes = new Pushes({ open: () => this.#open(), ownRelay: () => this.#ownRelay, changed: options.changed });
  }

  get state(): LeaderState {
    const failure = this.#failure === null ? null : toPlain(this.#failure);
    const relays = this.#running ? this.#relays.look(this.#running.agent) : [];
    return { phase: this.#phase, relays, since: this.#since, failure, push: this.pushes.state };
  }

  /** @throws SessionError "CLOSED" */
  get chat(): Chat {
    return this.#open().chat;
  }

  /** Opens the profile as far as it goes; `state` tells what came of it. */
  start(passphrase: string | null): Promise<void> {
    return this.#exclusive(() => this.#start(passphrase));
  }

  /** @throws StoreError "PASSPHRASE" when it is wrong */
  unlock(passphrase: string): Promise<void> {
    return this.#exclusive(async () => {
      if (this.#phase !== "locked" || !this.#base) return;
      const store = await openProfile(this.#base, passphrase);
      this.#remember(passphrase);
      await this.#run(store);
    });
  }

  /** Tries again to open a profile that could not be opened, or begins a new one after it was deleted. */
  retry(): Promise<void> {
    return this.#exclusive(async () => {
      if (this.#phase === "failed" || this.#phase === "deleted") await this.#start(null);
    });
  }

  /** @throws UsageError without a passphrase, for then it would keep nobody out */
  lock(): Promise<void> {
    return this.#exclusive(async () => {
      if (!await this.isSealed()) throw new UsageError("there is no passphrase that would open it again: set one first");
      await this.#stop();
      this.#remember(null);
      this.#set("locked");
    });
  }

  deleteEverything(): Promise<void> {
    return this.#exclusive(async () => {
      await this.#stop();
      await this.#closeBase();
      try {
        await deleteIndexedDbStore(PROFILE);
      } catch (error) {
        await this.#fail(error);
        throw error;
      }
      this.#remember(null);
      this.#ownRelay = null;
      this.#set("deleted");
    });
  }

  async isSealed(): Promise<boolean> {
    return this.#base !== null && await isSealed(this.#base);
  }

  setPassphrase(passphrase: string): Promise<void> {
    return this.#rewrite((base) => addPassphrase(base, passphrase), passphrase);
  }

  changePassphrase(from: string, to: string): Promise<void> {
    return this.#exclusive(async () => {
      this.#open();
      if (!this.#base) throw new SessionError("CLOSED", "the profile is closed");
      await changePassphrase(this.#base, from, to);
      this.#remember(to);
    });
  }

  removePassphrase(passphrase: string): Promise<void> {
    return this.#rewrite((base) => removePassphrase(base, passphrase), null);
  }

  async settings(): Promise<Settings> {
    return this.#open().settings;
  }

  setSettings(part: Partial<Settings>): Promise<Settings> {
    return this.#exclusive(async () => {
      const running = this.#open();
      const before = running.settings;
      const settings = await writeSettings(running.store, { ...before, ...part });
      running.settings = settings;
      if (JSON.stringify(before.proxy) === JSON.stringify(settings.proxy)) this.#useServers(running);
      else await this.#restart();
      return settings;
    });
  }

  async ownRelay(): Promise<OwnRelay | null> {
    const running = this.#open();
    this.#ownRelay = await askOwnRelay(running.store);
    this.#useServers(running);
    return this.#ownRelay;
  }

  async reconnect(): Promise<void> {
    this.online();
  }

  /** The network came back. */
  online(): void {
    this.#running?.agent.online();
  }

  /** For good. What is being written is written. */
  close(): Promise<void> {
    return this.#locks.run("engine", async () => {
      this.#isClosed = true;
      await this.#stop();
      await this.#closeBase();
    });
  }

  #open(): Running {
    if (!this.#running) throw new SessionError("CLOSED", "the profile is not open");
    return this.#running;
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#locks.run("engine", () => {
      if (this.#isClosed) throw new SessionError("CLOSED", "another tab has the profile now");
      return work();
    });
  }

  #set(phase: SessionStatus["phase"], failure: unknown = null): void {
    this.#phase = phase;
    this.#failure = failure;
    this.#since = Date.now();
    this.#options.changed();
  }

  async #fail(error: unknown): Promise<void> {
    await this.#stop();
    await this.#closeBase();
    this.#set("failed", error);
  }

  async #start(passphrase: string | null): Promise<void> {
    this.#set("opening");
    try {
      this.#base ??= await this.#openBase();
      const needsPassphrase = await isSealed(this.#base);
      if (needsPassphrase && passphrase === null) return this.#set("locked");
      const store = await openProfile(this.#base, needsPassphrase ? passphrase : null);
      this.#remember(needsPassphrase ? passphrase : null);
      await this.#run(store);
    } catch (error) {
      // One that was changed meanwhile, by a tab that did not tell.
      if (error instanceof StoreError && error.code === "PASSPHRASE") this.#set("locked");
      else await this.#fail(error);
    }
  }

  /** Starts everything on the opened store; `state` tells when that fails. */
  async #run(store: BaseStore): Promise<void> {
    this.#set("opening");
    this.#relays = new RelayStates();
    let agent: Agent | null = null;
    try {
      await this.#options.admit(store);
      const settings = await readSettings(store);
      // A relay that is known already is not waited for: it may not be reachable now.
      const known = await readOwnRelay(store);
      this.#ownRelay = known ?? await askOwnRelay(store);
      agent = await Agent.open({
        store,
        servers: serversOf(settings, this.#ownRelay),
        proxy: settings.proxy,
        urlOf: (server) => this.#urlOf(server),
      });
      const chat = await Chat.open({ agent, store, compression: portableZstd(decodeZstd) });
      const running: Running = { store, agent, chat, settings };
      await this.pushes.begin(running);
      this.#running = running;
      void this.#follow(running);
      this.#set("open");
      if (known) this.#refreshOwnRelay(running);
    } catch (error) {
      await agent?.close();
      await this.#fail(error);
    }
  }

  #refreshOwnRelay(running: Running): void {
    this.ownRelay().catch((error: unknown) => {
      if (this.#running !== running) return;
      const known = error instanceof Error ? error : new Error(String(error));
      this.#options.tell({ type: "error", contact: null, error: known });
    });
  }

  /** Tells what happens until the chat is closed. */
  async #follow({ chat }: Running): Promise<void> {
    for await (const happening of chat.events) {
      if (happening.type === "agent") {
        this.#relays.take(happening.event);
        this.#options.changed();
      }
      this.pushes.hear(happening);
      this.#options.tell(happening);
    }
  }

  async #stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    this.pushes.end();
    if (!running) return;
    try {
      await running.chat.close();
    } finally {
      await running.agent.close();
    }
  }

  async #openBase(): Promise<BaseStore> {
    let base: BaseStore | null = null;
    const onLost = (error: StoreError): void => void this.#locks.run("engine", () => this.#lost(base, error));
    base = await openIndexedDbStore(PROFILE, { takeOver: this.#options.takeOver, onLost });
    return base;
  }

  /** The browser closed the profile, as phones do for want of memory: it is opened again, unless another tab has it. */
  async #lost(base: BaseStore | null, error: StoreError): Promise<void> {
    if (base !== this.#base) return;
    const isAgain = performance.now() - this.#lostAt < RECOVERY;
    this.#lostAt = performance.now();
    try {
      await this.#stop();
    } catch (failure) {
      // What it was about to write.
      if (!(failure instanceof StoreError)) throw failure;
    }
    await this.#closeBase();
    if (error.code === "BUSY" || isAgain) this.#set("failed", error);
    else await this.#start(this.#passphrase);
  }

  #remember(passphrase: string | null): void {
    this.#passphrase = passphrase;
    this.#options.remember(passphrase);
  }

  async #closeBase(): Promise<void> {
    const base = this.#base;
    this.#base = null;
    await base?.close();
  }

  /** Nothing else may use the store while all of it is written anew. */
  #rewrite(work: (base: BaseStore) => Promise<void>, passphrase: string | null): Promise<void> {
    return this.#exclusive(async () => {
      const { store } = this.#open();
      const base = this.#base;
      if (!base) throw new SessionError("CLOSED", "the profile is closed");
      await this.#stop();
      this.#set("opening");
      try {
        await work(base);
      } catch (error) {
        await this.#run(store);
        throw error;
      }
      this.#remember(passphrase);
      await this.#run(await openProfile(base, passphrase));
    });
  }

  async #restart(): Promise<void> {
    const { store } = this.#open();
    await this.#stop();
    await this.#run(store);
  }

  #useServers({ agent, settings }: Running): void {
    agent.setServers(serversOf(settings, this.#ownRelay));
  }

  /** The relay that serves the page is reached where the page came from, whatever hosts its address names. */
  #urlOf({ keyHash }: Server): string | undefined {
    const own = this.#ownRelay;
    return own && base64url(keyHash) === own.fingerprint ? `${this.#options.origin.replace(/^http/, "ws")}/` : undefined;
  }
}
