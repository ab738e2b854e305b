import { fromUtf8, utf8 } from "#crypto/bytes";
import { Agent } from "../../../client/agent/agent.ts";
import { AgentError } from "../../../client/agent/errors.ts";
import type { AgentEvent } from "../../../client/agent/events.ts";
import type { AgentOptions } from "../../../client/agent/options.ts";
import { ConnectError, DisconnectedError, TimeoutError } from "../../../client/errors.ts";
import { MemoryFile, MemoryStore } from "../../../client/store/memory.ts";
import { type Store, StoreError } from "../../../client/store/store.ts";
import { fastClock, patientLimits } from "./fast-clock.ts";
import { type Death, Mortal } from "./mortal.ts";
import { type RelayPlace, urlsOf } from "./person.ts";

type Told<T extends AgentEvent["type"]> = Extract<AgentEvent, { readonly type: T }>;

const SPEED = 100;
/** Milliseconds of real time between looks at what is waited for, and between attempts with a store that fails. */
const POLL = 5;

export interface PlayerOptions {
  /** How a life ends, numbered from 1; null: it goes on until something else ends it. */
  readonly death?: (life: number) => Death | null;
  readonly wrapStore?: (store: Store) => Store;
  /** How it takes each message: after how many milliseconds, and whether its sender gets a receipt. At once, with one. */
  readonly reading?: () => { readonly after: number; readonly withReceipt: boolean };
  readonly excuses?: Excuse;
}

/** Which errors are no surprise, besides those of networks and stores. */
type Excuse = (error: Error) => boolean;
type Reading = NonNullable<PlayerOptions["reading"]>;

const AT_ONCE: Reading = () => ({ after: 0, withReceipt: true });

/** A message as its sender knows it. `item`: null when nobody knows whether it was sent, because a kill came first. */
interface SentMessage {
  readonly text: string;
  item: number | null;
}

interface ReceivedMessage {
  readonly connection: string;
  readonly item: number;
  readonly text: string;
  readonly integrity: string;
  isAcknowledged: boolean;
}

/**
 * An application that survives kills. What it knows lies here, beside the agent's file; after each kill its script runs
 * again from the start and passes over what was done.
 */
export class Player {
  readonly name: string;
  readonly file = new MemoryFile();
  /** What was told, over all lives. */
  readonly history: AgentEvent[] = [];
  readonly sent: SentMessage[] = [];
  readonly received: ReceivedMessage[] = [];
  /** What went wrong and no kill and no failing store excuses. */
  readonly complaints: string[] = [];
  lives = 0;
  writes = 0;
  readonly #relays: readonly RelayPlace[];
  readonly #options: PlayerOptions;
  readonly #done = new Map<string, unknown>();
  readonly #tries = new Map<string, number>();
  #life: Life | null = null;

  constructor(name: string, relays: readonly RelayPlace[], options: PlayerOptions = {}) {
    this.name = name;
    this.#relays = relays;
    this.#options = options;
  }

  /** Plays the script to its end, over as many lives as it takes, and on until nothing is left to be done. */
  async play(script: (life: Life) => Promise<void>): Promise<void> {
    for (;;) {
      const life = this.#begin();
      const end = life.play(script).then(() => true);
      const isDone = await Promise.race([end, life.mortal.died.then(() => false)]);
      this.writes += life.mortal.writes;
      if (isDone) return;
    }
  }

  excuses(error: Error): boolean {
    return isExcused(error) || this.#options.excuses?.(error) === true;
  }

  kill(): void {
    this.#life?.mortal.kill();
  }

  /** Ends the life in which the story ended; a death that was still to come may come while it does. */
  async leave(): Promise<void> {
    if (this.#life) await Promise.race([this.#life.close(), this.#life.mortal.died]);
  }

  /** What was done in this life or another one; null: it has to be done. */
  recall<T>(name: string): { readonly value: T } | null {
    return this.#done.has(name) ? { value: this.#done.get(name) as T } : null;
  }

  remember(name: string, value: unknown): void {
    this.#done.set(name, value);
  }

  /** How often something was begun, this time included. */
  nextTry(name: string): number {
    const tries = (this.#tries.get(name) ?? 0) + 1;
    this.#tries.set(name, tries);
    return tries;
  }

  /** Where it stands, for whoever has to find out why it does not go on. */
  describe(): string {
    const told = this.history.map((event) => {
      if (event.type === "error") return `error (${event.error.message})`;
      return "phase" in event ? `${event.direction} ${event.phase}` : "state" in event ? `sync ${event.state}` : event.type;
    });
    const rows = [...this.file.tables].map(([name, records]) => `${name} ${records.size}`);
    const wanted = [...this.#life?.waitsFor ?? []].join(" and ");
    return `${this.name} waits for ${wanted} after ${told.join(", ")}; stored: ${rows.join(", ")}`;
  }

  #begin(): Life {
    const { death = () => null, wrapStore = (store) => store, reading = AT_ONCE } = this.#options;
    const store = wrapStore(new MemoryStore(this.file));
    const mortal = new Mortal(fastClock(SPEED), store, death(++this.lives));
    const { clock, openSocket } = mortal;
    const options = { ...patientLimits(SPEED), ...urlsOf(this.#relays), store: mortal.store, clock, openSocket };
    this.#life = new Life(this, mortal, options, reading);
    return this.#life;
  }
}

/** One run of the program. */
export class Life {
  readonly player: Player;
  readonly mortal: Mortal;
  /** What its script waits for now. */
  readonly waitsFor = new Set<string>();
  readonly #options: AgentOptions;
  readonly #reading: Reading;
  #agent: Agent | null = null;

  constructor(player: Player, mortal: Mortal, options: AgentOptions, reading: Reading) {
    this.player = player;
    this.mortal = mortal;
    this.#options = options;
    this.#reading = reading;
  }

  get agent(): Agent {
    if (!this.#agent) throw new Error(`${this.player.name} is not running`);
    return this.#agent;
  }

  async play(script: (life: Life) => Promise<void>): Promise<void> {
    const agent = await insist(() => Agent.open(this.#options));
    this.#agent = agent;
    void this.#listen(agent);
    await script(this);
    await this.settled();
  }

  async close(): Promise<void> {
    await insist(async () => this.#agent?.close());
    await this.mortal.store.close();
  }

  /** Ends in an orderly way and begins anew. */
  async restart(): Promise<never> {
    await this.close();
    return this.die();
  }

  die(): Promise<never> {
    this.mortal.kill();
    return new Promise<never>(() => undefined);
  }

  /** Does something once over all lives; again when a kill came before its end. */
  async once<T>(name: string, action: (tries: number) => Promise<T>): Promise<T> {
    const known = this.player.recall<T>(name);
    if (known) return known.value;
    const value = await insist(() => action(this.player.nextTry(name)));
    this.player.remember(name, value);
    return value;
  }

  async until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    this.waitsFor.add(what);
    while (!await insist(async () => isSo())) await pause();
    this.waitsFor.delete(what);
  }

  /** An event of this life or another one. */
  async seen<T extends AgentEvent["type"]>(type: T, matches: (event: Told<T>) => boolean = () => true): Promise<Told<T>> {
    const isIt = (event: AgentEvent): event is Told<T> => event.type === type && matches(event as Told<T>);
    await this.until(type, () => this.player.history.some(isIt));
    return this.player.history.find(isIt) as Told<T>;
  }

  /** Sends a message, with another text for each try, since after a kill nobody knows what became of the last one. */
  send(connection: string, name: string): Promise<number> {
    const { sent } = this.player;
    return this.once(`send ${name}`, async (tries) => {
      const message: SentMessage = { text: `${name}.${tries}`, item: null };
      sent.push(message);
      try {
        message.item = await this.agent.send(connection, utf8(message.text));
        return message.item;
      } catch (error) {
        // What was refused must not arrive.
        sent.splice(sent.indexOf(message), 1);
        throw error;
      }
    });
  }

  /** Nothing is left to be sent, and all events were handled: messages among them by their acknowledgement. */
  async settled(): Promise<void> {
    const { tables } = this.player.file;
    await this.until("an empty outbox", () => !tables.has("outbox"));
    await this.until("all events handled", () => !tables.has("events"));
  }

  async #listen(agent: Agent): Promise<void> {
    for await (const event of agent.events) {
      if (this.mortal.isDead) return;
      this.player.history.push(event);
      if (event.type === "message") void this.#take(event);
      if (event.type === "error" && !this.player.excuses(event.error)) this.player.complaints.push(String(event.error));
    }
  }

  async #take({ connection, item, body, integrity }: Told<"message">): Promise<void> {
    const text = fromUtf8(body);
    const { received, complaints } = this.player;
    let message = received.find((known) => known.connection === connection && known.item === item);
    if (message?.isAcknowledged) complaints.push(`${text} came again after its acknowledgement`);
    if (!message) received.push(message = { connection, item, text, integrity: integrity.type, isAcknowledged: false });
    const { after, withReceipt } = this.#reading();
    if (after > 0) await new Promise((resolve) => setTimeout(resolve, after));
    if (this.mortal.isDead) return;
    try {
      await insist(() => this.agent.acknowledge(connection, item, withReceipt ? new Uint8Array() : undefined));
      message.isAcknowledged = true;
    } catch (error) {
      if (!(error instanceof AgentError && error.refusal === "CLOSED")) complaints.push(`acknowledging ${text}: ${String(error)}`);
    }
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL));
}

/** Asks again as long as the store fails: what failed has changed nothing. */
export async function insist<T>(action: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      await pause();
    }
  }
}

/** What a kill, a network or a store that fails may bring about. */
function isExcused(error: Error): boolean {
  return error instanceof DisconnectedError || error instanceof ConnectError || error instanceof TimeoutError ||
    error instanceof StoreError;
}
