import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Agent } from "../agent/agent.ts";
import { Chat } from "../chat/chat.ts";
import { openSqliteStore } from "../node/sqlite-store.ts";
import { nodeZstd } from "../node/zstd.ts";
import { addPassphrase, changePassphrase, isSealed, openProfile, removePassphrase } from "../store/passphrase.ts";
import { type BaseStore, StoreError } from "../store/store.ts";
import { CommandLineError, type ProfileChoice, type ProxyMode } from "./options.ts";
import { givenPassphrase, TRIES } from "./passphrase.ts";
import { findRelay, formatRelay, NO_RELAY, parseRelay, type Relay, urlFinder } from "./relays.ts";
import { readSettings, type Settings, writeSettings } from "./settings.ts";

const FILE = "profile.sqlite";
const OWNER_ONLY = 0o700;

export interface ProfileOptions {
  readonly choice: ProfileChoice;
  /** Asks for a passphrase; null when nobody answers. */
  readonly ask: (question: string) => Promise<string | null>;
}

interface Running {
  /** As it lies on the disk. */
  readonly base: BaseStore;
  readonly store: BaseStore;
  readonly agent: Agent;
  readonly chat: Chat;
}

async function openBase(folder: string): Promise<BaseStore> {
  try {
    mkdirSync(folder, { recursive: true, mode: OWNER_ONLY });
    chmodSync(folder, OWNER_ONLY);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError("FAILED", `the folder ${folder} cannot be used (${why}): choose another one with --db`, { cause });
  }
  return openSqliteStore(join(folder, FILE));
}

/** @throws StoreError PASSPHRASE when no right one comes */
async function unlock(base: BaseStore, { choice, ask }: ProfileOptions): Promise<BaseStore> {
  const given = givenPassphrase(choice);
  if (!await isSealed(base)) {
    if (given === null) return base;
    if ((await base.tables()).length > 0) {
      throw new CommandLineError(`the profile in ${choice.folder} has no passphrase: leave it out, and set one with /db encrypt in smp-edge chat`);
    }
    await addPassphrase(base, given);
    return openProfile(base, given);
  }
  if (given !== null) return openProfile(base, given);
  for (let tries = 1; ; tries++) {
    const typed = await ask(tries === 1 ? "Passphrase: " : "This is not it. Passphrase: ");
    if (typed === null) {
      throw new StoreError("PASSPHRASE", "the profile has a passphrase: give it with --passphrase-file, --passphrase-fd or SMP_EDGE_PASSPHRASE");
    }
    try {
      return await openProfile(base, typed);
    } catch (error) {
      if (tries === TRIES || !(error instanceof StoreError && error.code === "PASSPHRASE")) throw error;
    }
  }
}

/** A profile on this machine, with its agent and its chat running. One process has it at a time. */
export class Profile {
  readonly folder: string;
  #running: Running | null;
  /** As they are kept. */
  #settings: Settings;
  /** For this time only; null: as it is kept. */
  #proxy: ProxyMode | null;
  #relays: readonly Relay[];

  private constructor(choice: ProfileChoice, running: Running, settings: Settings, relays: readonly Relay[]) {
    this.folder = choice.folder;
    this.#proxy = choice.proxy;
    this.#running = running;
    this.#settings = settings;
    this.#relays = relays;
  }

  /** @throws StoreError, CommandLineError, and what the agent and the chat throw when they are opened */
  static async open(options: ProfileOptions): Promise<Profile> {
    const base = await openBase(options.choice.folder);
    let store: BaseStore | null = null;
    try {
      store = await unlock(base, options);
      const [settings, relays] = await settingsOf(store, options.choice);
      const { choice } = options;
      const running = await start(base, store, choice.proxy ?? settings.proxy, relays);
      return new Profile(choice, running, settings, relays);
    } catch (error) {
      await (store ?? base).close();
      throw error;
    }
  }

  get chat(): Chat {
    return this.#now.chat;
  }

  get agent(): Agent {
    return this.#now.agent;
  }

  get store(): BaseStore {
    return this.#now.store;
  }

  get relays(): readonly Relay[] {
    return this.#relays;
  }

  get settings(): Settings {
    return { ...this.#settings, proxy: this.#proxy ?? this.#settings.proxy };
  }

  async set(part: Partial<Settings>): Promise<void> {
    this.#settings = { ...this.#settings, ...part };
    if (part.proxy !== undefined) this.#proxy = null;
    await writeSettings(this.store, this.#settings);
  }

  /** Relays for new connections; those that exist stay where they are. */
  async setRelays(relays: readonly Relay[]): Promise<void> {
    await this.set({ relays: relays.map(formatRelay) });
    // The old ones are still reached where they are.
    const known = new Set(relays.map(({ server }) => server.hosts.join()));
    this.#relays = [...relays, ...this.#relays.filter(({ server }) => !known.has(server.hosts.join()))];
    this.agent.setServers(relays.map(({ server }) => server));
  }

  /** Starts agent and chat anew, with the settings of now. */
  async restart(): Promise<void> {
    const { base, store, chat, agent } = this.#now;
    await chat.close();
    await agent.close();
    this.#running = await start(base, store, this.settings.proxy, this.#relays);
  }

  isSealed(): Promise<boolean> {
    return isSealed(this.#now.base);
  }

  /** @throws StoreError "PASSPHRASE" with nothing changed */
  changePassphrase(from: string, to: string): Promise<void> {
    // The key of the data stays, so that all may go on.
    return changePassphrase(this.#now.base, from, to);
  }

  /** Encrypts the profile. */
  addPassphrase(passphrase: string): Promise<void> {
    return this.#rewrite((base) => addPassphrase(base, passphrase), passphrase);
  }

  /** Decrypts the profile. @throws StoreError "PASSPHRASE" with nothing changed */
  async removePassphrase(passphrase: string): Promise<void> {
    // While all goes on it is found out whether it is the right one.
    await openProfile(this.#now.base, passphrase);
    await this.#rewrite((base) => removePassphrase(base, passphrase), passphrase);
  }

  /** Ends the chat, rewrites the data on the disk, and starts the chat again, whatever came of it. */
  async #rewrite(action: (base: BaseStore) => Promise<void>, passphrase: string): Promise<void> {
    await this.close();
    const base = await openBase(this.folder);
    const outcome = await action(base).then(() => null, (error: unknown) => ({ error }));
    const store = await openProfile(base, await isSealed(base) ? passphrase : null);
    this.#running = await start(base, store, this.settings.proxy, this.#relays);
    if (outcome) throw outcome.error;
  }

  async close(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    if (!running) return;
    await running.chat.close();
    await running.agent.close();
    await running.store.close();
  }

  get #now(): Running {
    if (!this.#running) throw new StoreError("CLOSED", "the profile is closed");
    return this.#running;
  }
}

/** What was given counts for this time; the first relays that are given are kept. */
async function settingsOf(store: BaseStore, choice: ProfileChoice): Promise<[Settings, readonly Relay[]]> {
  const kept = await readSettings(store);
  const given = await Promise.all(choice.relays.map(findRelay));
  const relays = given.length > 0 ? given : kept.relays.map(parseRelay);
  if (relays.length === 0) throw new CommandLineError(NO_RELAY);
  const settings = kept.relays.length > 0 ? kept : { ...kept, relays: relays.map(formatRelay) };
  if (settings !== kept) await writeSettings(store, settings);
  return [settings, relays];
}

async function start(
  base: BaseStore,
  store: BaseStore,
  proxy: ProxyMode,
  relays: readonly Relay[],
): Promise<Running> {
  const agent = await Agent.open({
    store,
    servers: relays.map(({ server }) => server),
    urlOf: urlFinder(relays),
    proxy: { mode: proxy },
  });
  try {
    return { base, store, agent, chat: await Chat.open({ agent, store, compression: nodeZstd }) };
  } catch (error) {
    await agent.close();
    throw error;
  }
}
