import { AgentError } from "../../agent/errors.ts";
import type { Agent } from "../../agent/agent.ts";
import { Locks } from "../../agent/runtime/locks.ts";
import { type Clock, systemClock } from "../../clock.ts";
import { Mailbox } from "../../mailbox.ts";
import { listRecords, readRecord } from "../../store/record.ts";
import { type Range, type Store, StoreError } from "../../store/store.ts";
import { asChatError, ChatError } from "../errors.ts";
import type { ChatHappening } from "../events.ts";
import type { Files } from "../files.ts";
import type { ChatOptions } from "../options.ts";
import { type Effect, Step } from "../step.ts";
import type { Table } from "../tables.ts";
import type { Compression } from "../wire/compression.ts";

/** What a step sets going once it is on disk. */
export interface Workers {
  send(contact: string): void;
  accept(contact: string): void;
  join(contact: string): void;
  expire(): void;
  publish(user: string): void;
  transfer(way: "fetching" | "sending", key: string): void;
  publishAll(): void;
  publishGroup(group: string): void;
  make(member: string): void;
}

/** Runs the steps of the chat: one at a time, each written as a whole before anybody hears of it. */
export class Core {
  readonly agent: Agent;
  readonly store: Store;
  readonly clock: Clock;
  readonly compression: Compression;
  readonly files: Files | null;
  /** By conversation: whether it is quiet is changed, and the agent told of it, by one at a time. */
  readonly quieting = new Locks();
  readonly happenings = new Mailbox<ChatHappening>();
  readonly #locks = new Locks();
  #workers: Workers | null = null;
  #isClosed = false;

  constructor({ agent, store, compression, files, clock = systemClock }: ChatOptions) {
    this.agent = agent;
    this.store = store;
    this.clock = clock;
    this.compression = compression;
    this.files = files ?? null;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  employ(workers: Workers): void {
    this.#workers = workers;
  }

  /** @throws ChatError, StoreError */
  step<T>(action: (step: Step) => Promise<T> | T): Promise<T> {
    return this.#locks.run("step", async () => {
      this.#checkOpen();
      const step = new Step(this.store, this.clock.now(), this.compression);
      try {
        const result = await action(step);
        if (step.changes.length > 0) await this.store.write(step.changes);
        this.#finish(step);
        return result;
      } catch (error) {
        throw asChatError(error);
      }
    });
  }

  /**
   * Makes a connection of the agent and writes whose it is. One at a time, so that at most one connection is without
   * an owner when the program ends in between.
   */
  making<T>(action: () => Promise<T>): Promise<T> {
    return this.#locks.run("making", () => {
      this.#checkOpen();
      return action();
    });
  }

  read<T>(table: Table<T>, key: string): Promise<T | null> {
    return readRecord(this.store, table.name, key, (value) => table.check(value));
  }

  async list<T>(table: Table<T>, range?: Range): Promise<T[]> {
    const all = await listRecords(this.store, table.name, (value) => table.check(value), range);
    return all.map(({ value }) => value);
  }

  /** As {@link read}; null also when the record is damaged, which is told. */
  async readSound<T>(table: Table<T>, key: string): Promise<T | null> {
    try {
      return await this.read(table, key);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.tellError(null, error);
      return null;
    }
  }

  /** As {@link list}, without records that are damaged, which is told; others come in their place. */
  async listSound<T>(table: Table<T>, range: Range = {}): Promise<T[]> {
    try {
      return await this.list(table, range);
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
    const { limit = Number.POSITIVE_INFINITY } = range;
    const sound: T[] = [];
    let place = range;
    for (;;) {
      const keys = await this.store.keys(table.name, place);
      for (const key of keys) {
        const value = await this.readSound(table, key);
        if (value !== null) sound.push(value);
        if (sound.length === limit) return sound;
      }
      const last = keys.at(-1);
      if (last === undefined || keys.length < limit) return sound;
      place = { ...range, after: last };
    }
  }

  /** A relay can be reached: what could not be put there before is tried again. */
  relayUp(): void {
    if (!this.#isClosed) this.#workers?.publishAll();
  }

  tell(event: ChatHappening): void {
    this.happenings.put(event);
  }

  tellError(contact: string | null, error: unknown): void {
    if (this.#isClosed) return;
    const known = error instanceof Error ? error : new Error("something that is no error was thrown", { cause: error });
    this.tell({ type: "error", contact, error: known });
  }

  /** Does something in the background; what it throws is told. */
  background(contact: string | null, work: () => Promise<unknown>): void {
    work().catch((error: unknown) => this.tellError(contact, error));
  }

  /** Waits; cut short by nothing, as those who wait look whether the chat was closed. */
  pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void this.clock.after(milliseconds, resolve));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#locks.idle();
    this.happenings.end();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new ChatError("CLOSED", "the chat was closed; open it again");
  }

  #finish(step: Step): void {
    for (const event of step.events) this.tell(event);
    for (const effect of step.effects) this.#run(effect);
  }

  #run(effect: Effect): void {
    if (this.#isClosed) return;
    switch (effect.type) {
      case "send":
        this.#workers?.send(effect.contact);
        break;
      case "accept":
        this.#workers?.accept(effect.contact);
        break;
      case "join":
        this.#workers?.join(effect.contact);
        break;
      case "expire":
        this.#workers?.expire();
        break;
      case "publish":
        this.#workers?.publish(effect.user);
        break;
      case "publishGroup":
        this.#workers?.publishGroup(effect.group);
        break;
      case "make":
        this.#workers?.make(effect.member);
        break;
      case "transfer":
        this.#workers?.transfer(effect.way, effect.key);
        break;
      case "reject":
        this.background(null, () => ignoringMissing(this.agent.reject(effect.request)));
        break;
      case "drop":
        this.background(null, () => ignoringMissing(this.agent.delete(effect.connection)));
        break;
    }
  }
}

/** What was to be done to something of the agent that is gone is done. */
export async function ignoringMissing(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof AgentError && error.refusal === "NOT_FOUND")) throw error;
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof StoreError && error.code === "DAMAGED";
}

/** What trying again does not mend. */
const PERMANENT: ReadonlySet<StoreError["code"]> = new Set<StoreError["code"]>(["CLOSED", "DAMAGED", "VERSION", "PASSPHRASE"]);

/** Whether the same step may succeed later. */
export function isStoreTrouble(error: unknown): boolean {
  return error instanceof StoreError && !PERMANENT.has(error.code);
}

