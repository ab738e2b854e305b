import { fromUtf8, utf8 } from "#crypto/bytes";
import { parseServerAddress } from "#protocol/address";
import { Agent } from "../../../client/agent/agent.ts";
import type { AgentEvent } from "../../../client/agent/events.ts";
import type { AgentOptions } from "../../../client/agent/options.ts";
import { MemoryFile, MemoryStore } from "../../../client/store/memory.ts";
import { systemClock } from "../../../client/clock.ts";
import type { Store } from "../../../client/store/store.ts";
import { Mortal } from "./mortal.ts";

type EventOf<T extends AgentEvent["type"]> = Extract<AgentEvent, { readonly type: T }>;

export interface RelayPlace {
  readonly address: string;
  readonly url: string;
}

const PATIENCE = 20_000;

/** Relays as an agent is told of them: their addresses, and where they are on this machine. */
export function urlsOf(relays: readonly RelayPlace[]): Required<Pick<AgentOptions, "servers" | "urlOf">> {
  const places = relays.map(({ address, url }) => ({ server: parseServerAddress(address), url }));
  return {
    servers: places.map(({ server }) => server),
    urlOf: ({ port, hosts }) => places.find(({ server }) => port === server.port && hosts[0] === server.hosts[0])?.url,
  };
}

/** A person with a profile that outlives the program: restarted, killed and brought back. */
export class Person {
  readonly name: string;
  readonly file = new MemoryFile();
  readonly #relays: readonly RelayPlace[];
  readonly #options: Partial<AgentOptions>;
  readonly #openStore: (file: MemoryFile) => Store;
  /** Everything that happened, over all restarts. */
  readonly history: AgentEvent[] = [];
  #waiting: { matches: (event: AgentEvent) => boolean; resolve: (event: AgentEvent) => void }[] = [];
  #unseen: AgentEvent[] = [];
  #mortal: Mortal | null = null;
  #agent: Agent | null = null;
  #reading: Promise<void> = Promise.resolve();

  constructor(
    name: string,
    relays: readonly RelayPlace[],
    options: Partial<AgentOptions> = {},
    openStore: (file: MemoryFile) => Store = (file) => new MemoryStore(file),
  ) {
    this.name = name;
    this.#relays = relays;
    this.#options = options;
    this.#openStore = openStore;
  }

  get agent(): Agent {
    if (!this.#agent) throw new Error(`${this.name} is not running`);
    return this.#agent;
  }

  /** The program's store, time and network, to be disturbed. */
  get mortal(): Mortal {
    if (!this.#mortal) throw new Error(`${this.name} is not running`);
    return this.#mortal;
  }

  async start(options: Partial<AgentOptions> = {}): Promise<this> {
    const { clock = systemClock } = { ...this.#options, ...options };
    const mortal = new Mortal(clock, this.#openStore(this.file));
    this.#mortal = mortal;
    const agent = await Agent.open({
      ...urlsOf(this.#relays),
      openSocket: mortal.openSocket,
      backoff: { first: 50, cap: 500 },
      ...this.#options,
      ...options,
      store: mortal.store,
      clock: mortal.clock,
    });
    this.#agent = agent;
    this.#reading = this.#read(agent);
    return this;
  }

  async #read(agent: Agent): Promise<void> {
    const mortal = this.#mortal;
    for await (const event of agent.events) {
      if (mortal?.isDead) return;
      this.history.push(event);
      const index = this.#waiting.findIndex(({ matches }) => matches(event));
      const [waiting] = index < 0 ? [] : this.#waiting.splice(index, 1);
      if (waiting) waiting.resolve(event);
      else this.#unseen.push(event);
    }
  }

  /** The next event of a type that was not looked at yet. */
  next<T extends AgentEvent["type"]>(type: T, matches: (event: EventOf<T>) => boolean = () => true): Promise<EventOf<T>> {
    const isIt = (event: AgentEvent): event is EventOf<T> => event.type === type && matches(event as EventOf<T>);
    const index = this.#unseen.findIndex(isIt);
    if (index >= 0) return Promise.resolve(this.#unseen.splice(index, 1)[0] as EventOf<T>);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const seen = this.history.map((event) => (event.type === "error" ? `error(${event.error.message})` : event.type));
        reject(new Error(`${this.name} waited in vain for ${type}; there were: ${seen.join(", ")}`));
      }, PATIENCE);
      this.#waiting.push({
        matches: isIt,
        resolve: (event) => {
          clearTimeout(timer);
          resolve(event as EventOf<T>);
        },
      });
    });
  }

  /** The next message, acknowledged. */
  async receive(receipt?: Uint8Array): Promise<string> {
    const { connection, item, body } = await this.next("message");
    await this.agent.acknowledge(connection, item, receipt);
    return fromUtf8(body);
  }

  send(connection: string, text: string): Promise<number> {
    return this.agent.send(connection, utf8(text));
  }

  /** Ends the program in an orderly way. */
  async stop(): Promise<void> {
    await this.#agent?.close();
    await this.#reading;
    await this.#mortal?.store.close();
    this.#agent = null;
  }

  /** Ends the program in the middle of whatever it does. */
  kill(): void {
    this.mortal.kill();
    this.#agent = null;
  }

  async restart(options: Partial<AgentOptions> = {}): Promise<this> {
    await this.stop();
    return this.start(options);
  }
}

/** Two people who have just connected: the ids by which each knows the connection. */
export async function connectPeople(from: Person, to: Person): Promise<{ readonly a: string; readonly b: string }> {
  const { connection: a, link } = await from.agent.invite();
  const b = await to.agent.join(link, utf8(`I am ${to.name}`));
  const { confirmation } = await from.next("confirmation");
  await from.agent.allow(a, confirmation, utf8(`I am ${from.name}`));
  await Promise.all([from.next("connected"), to.next("connected")]);
  return { a, b };
}
