import { fromUtf8, utf8 } from "#crypto/bytes";
import {
  Agent,
  type AgentEvent,
  type AgentOptions,
  type BaseStore,
  type Integrity,
  parseServerAddress,
  type SocketFactory,
  StoreError,
} from "../../../../client/index.ts";
import { expectSame } from "./check.ts";

export type EventOf<T extends AgentEvent["type"]> = Extract<AgentEvent, { readonly type: T }>;

export interface RelayPlace {
  readonly address: string;
  readonly url: string;
}

/** Where a story takes place. */
export interface World {
  /** People receive at the first unless a story says otherwise. They may be one relay under two names. */
  readonly relays: readonly [RelayPlace, RelayPlace];
  /** Opens the profile of this name: a new one the first time, from then on what was written before. */
  readonly openStore: (name: string) => Promise<BaseStore>;
  /** How to connect; the platform's WebSocket unless given. */
  readonly openSocket?: SocketFactory;
}

export type ActorOptions = Pick<AgentOptions, "repair">;

const PATIENCE = 20_000;

interface Waiting {
  readonly matches: (event: AgentEvent) => boolean;
  readonly resolve: (event: AgentEvent) => void;
}

function isClosedStore(error: unknown): boolean {
  return error instanceof StoreError && error.code === "CLOSED";
}

/** A person with a profile in a store of the world, who uses nothing but the public interface. */
export class Actor {
  readonly name: string;
  readonly #world: World;
  readonly #options: ActorOptions;
  #store: BaseStore | null = null;
  #agent: Agent | null = null;
  #reading: Promise<void> = Promise.resolve();
  /** Types of all events so far, over all restarts. */
  readonly #history: string[] = [];
  #unseen: AgentEvent[] = [];
  #waiting: Waiting[] = [];
  #errors: Error[] = [];

  /** @param name of the person and of the profile */
  constructor(world: World, name: string, options: ActorOptions = {}) {
    this.#world = world;
    this.name = name;
    this.#options = options;
  }

  get agent(): Agent {
    if (!this.#agent) throw new Error(`${this.name} is not running`);
    return this.#agent;
  }

  get store(): BaseStore {
    if (!this.#store) throw new Error(`${this.name} is not running`);
    return this.#store;
  }

  async start(): Promise<this> {
    const { relays, openStore, openSocket } = this.#world;
    this.#store = await openStore(this.name);
    const places = relays.map(({ address, url }) => ({ server: parseServerAddress(address), url }));
    const agent = await Agent.open({
      store: this.#store,
      servers: places.slice(0, 1).map(({ server }) => server),
      urlOf: ({ hosts, port }) => {
        return places.find(({ server }) => server.hosts[0] === hosts[0] && server.port === port)?.url;
      },
      ...(openSocket && { openSocket }),
      ...this.#options,
    });
    this.#agent = agent;
    this.#reading = this.#read(agent);
    return this;
  }

  /** Ends the program in an orderly way. */
  async stop(): Promise<void> {
    await this.#agent?.close();
    await this.#end();
    await this.#store?.close();
    this.#store = null;
  }

  /** Ends the program so that it cannot write anything more: from outside, as by a crash. */
  async crash(): Promise<void> {
    await this.#store?.close();
    this.#store = null;
    await this.#agent?.close().catch((error: unknown) => {
      if (!isClosedStore(error)) throw error;
    });
    await this.#end();
    this.#errors = this.#errors.filter((error) => !isClosedStore(error));
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async #end(): Promise<void> {
    await this.#reading;
    this.#agent = null;
    // What was not acknowledged comes again.
    this.#unseen = this.#unseen.filter(({ type }) => type !== "message");
  }

  async #read(agent: Agent): Promise<void> {
    for await (const event of agent.events) {
      this.#history.push(event.type);
      if (event.type === "error") this.#errors.push(event.error);
      const index = this.#waiting.findIndex(({ matches }) => matches(event));
      const [waiting] = index < 0 ? [] : this.#waiting.splice(index, 1);
      if (waiting) waiting.resolve(event);
      else this.#unseen.push(event);
    }
  }

  /** The first event of a type that was not looked at yet. */
  next<T extends AgentEvent["type"]>(
    type: T,
    isWanted: (event: EventOf<T>) => boolean = () => true,
  ): Promise<EventOf<T>> {
    const matches = (event: AgentEvent): event is EventOf<T> => {
      return event.type === type && isWanted(event as EventOf<T>);
    };
    const index = this.#unseen.findIndex(matches);
    if (index >= 0) return Promise.resolve(this.#unseen.splice(index, 1)[0] as EventOf<T>);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        matches,
        resolve: (event) => {
          clearTimeout(timer);
          resolve(event as EventOf<T>);
        },
      };
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting);
        const what = `${this.name} waited in vain for '${type}'; there were: ${this.#history.join(", ")}`;
        reject(new Error([what, ...this.#errors.map(String)].join("\n")));
      }, PATIENCE);
      this.#waiting.push(waiting);
    });
  }

  /** Whether there was such an event that nobody looked at. */
  hasUnseen(type: AgentEvent["type"]): boolean {
    return this.#unseen.some((event) => event.type === type);
  }

  /** The `error` events since the last call. */
  takeErrors(): Error[] {
    return this.#errors.splice(0);
  }

  send(connection: string, text: string): Promise<number> {
    return this.agent.send(connection, utf8(text));
  }

  /** The next message, which must follow the one before it, acknowledged. */
  async receive(receipt?: Uint8Array): Promise<string> {
    const { text, integrity } = await this.take(receipt);
    expectSame(integrity, { type: "ok" }, `the integrity of '${text}'`);
    return text;
  }

  /** The next message, whatever came before it, acknowledged. */
  async take(receipt?: Uint8Array): Promise<{ readonly text: string; readonly integrity: Integrity }> {
    const { connection, item, body, integrity } = await this.next("message");
    await this.agent.acknowledge(connection, item, receipt);
    return { text: fromUtf8(body), integrity };
  }
}
