import { fromUtf8, utf8 } from "#crypto/bytes";
import { Agent, type AgentEvent, MemoryStore, parseServerAddress } from "../index.ts";
import { type OwnRelay, startOwnRelay } from "./local-relay.ts";

/** Each way. */
const MESSAGES = 10;
const PATIENCE = 60_000;
/** A proxy connects to this machine, and to any of its ports, only where that is asked for. */
const LOCAL_PROXY = { PROXY_PRIVATE: "on", PROXY_PORTS: "1-65535" };

const started = Date.now();
function say(line: string): void {
  process.stdout.write(`${((Date.now() - started) / 1000).toFixed(2).padStart(6)} s  ${line}\n`);
}

type EventOf<T extends AgentEvent["type"]> = Extract<AgentEvent, { readonly type: T }>;

/** Somebody with a relay of their own, at the address where others are told to find it. */
class Person {
  readonly name: string;
  readonly agent: Agent;
  readonly received: string[] = [];
  /** How many messages went through the own relay, and how many did not. */
  readonly ways = { proxied: 0, direct: 0 };
  /** Ports of this machine to which there were connections. */
  readonly ports: ReadonlySet<string>;
  readonly #seen: AgentEvent[] = [];
  #look: () => void = () => undefined;

  private constructor(name: string, agent: Agent, ports: ReadonlySet<string>) {
    this.name = name;
    this.agent = agent;
    this.ports = ports;
    void this.#listen();
  }

  static async open(name: string, relay: OwnRelay, address: string): Promise<Person> {
    const ports = new Set<string>();
    const agent = await Agent.open({
      store: new MemoryStore(),
      servers: [parseServerAddress(address)],
      proxy: { mode: "always", fallback: "prohibit" },
      // Only the own relay is known by its WebSocket.
      urlOf: ({ port }) => (port === parseServerAddress(address).port ? relay.url : undefined),
      openSocket: (url) => {
        ports.add(new URL(url).port);
        const socket = new WebSocket(url);
        socket.binaryType = "arraybuffer";
        return socket;
      },
    });
    return new Person(name, agent, ports);
  }

  async #listen(): Promise<void> {
    for await (const event of this.agent.events) {
      if (event.type === "sent") this.ways[event.isProxied ? "proxied" : "direct"]++;
      if (event.type === "error") say(`${this.name}: ${event.error.message}`);
      if (event.type === "message") {
        this.received.push(fromUtf8(event.body));
        await this.agent.acknowledge(event.connection, event.item);
      }
      this.#seen.push(event);
      this.#look();
    }
  }

  async until(isSo: () => boolean, what: string): Promise<void> {
    const deadline = AbortSignal.timeout(PATIENCE);
    while (!isSo()) {
      if (deadline.aborted) throw new Error(`${this.name} waited in vain for ${what}`);
      await new Promise<void>((resolve) => {
        this.#look = resolve;
        setTimeout(resolve, 100);
      });
    }
  }

  async next<T extends AgentEvent["type"]>(type: T): Promise<EventOf<T>> {
    const find = (): EventOf<T> | undefined => this.#seen.find((event): event is EventOf<T> => event.type === type);
    await this.until(() => find() !== undefined, type);
    return find() as EventOf<T>;
  }
}

async function talk(from: Person, connection: string, to: Person): Promise<void> {
  for (let i = 1; i <= MESSAGES; i++) await from.agent.send(connection, utf8(`${from.name} ${i}`));
  await to.until(() => to.received.length >= MESSAGES, "the messages");
  await from.until(() => from.ways.proxied + from.ways.direct >= MESSAGES, "the relay's word for them");
}

/** What went wrong with one of them; empty: nothing. */
function judge(person: Person, peer: Person, relay: OwnRelay): string[] {
  const expected = Array.from({ length: MESSAGES }, (_, i) => `${peer.name} ${i + 1}`);
  const own = new URL(relay.url).port;
  return [
    ...(String(person.received) === String(expected) ? [] : [`${person.name} received ${person.received.join(", ")}`]),
    ...(person.ways.direct === 0 ? [] : [`${person.ways.direct} messages of ${person.name} were not forwarded`]),
    ...([...person.ports].every((port) => port === own) ? [] : [`${person.name} connected to another relay`]),
  ];
}

async function run(one: OwnRelay, two: OwnRelay): Promise<boolean> {
  const alice = await Person.open("Alice", one, one.gateway ?? one.address);
  const bob = await Person.open("Bob", two, two.gateway ?? two.address);
  const { link, shortLink } = await bob.agent.invite();
  say(`Bob's link names his relay by its TLS address, ${two.gateway ?? ""}`);
  const a = await alice.agent.join(shortLink ?? link, utf8("Alice"));
  const { connection: b, confirmation } = await bob.next("confirmation");
  await bob.agent.allow(b, confirmation, utf8("Bob"));
  await Promise.all([alice.next("connected"), bob.next("connected")]);
  say("Alice opened it through her own relay; they are connected");
  await talk(alice, a, bob);
  await talk(bob, b, alice);
  say(`${MESSAGES} messages each way: client -> own relay -> TLS -> the other's gateway and relay -> client`);
  const faults = [...judge(alice, bob, one), ...judge(bob, alice, two)];
  for (const fault of faults) say(`WRONG: ${fault}`);
  await Promise.all([alice.agent.close(), bob.agent.close()]);
  if (faults.length === 0) say("all of them came, in order, and nobody connected to the other's relay");
  return faults.length === 0;
}

const relays: OwnRelay[] = [];
const stop = (): Promise<unknown> => Promise.all(relays.splice(0).map((relay) => relay.stop()));
process.once("SIGINT", () => void stop().finally(() => process.exit(130)));
try {
  for (const name of ["Alice", "Bob"]) {
    const relay = await startOwnRelay({ hasGateway: true, settings: LOCAL_PROXY });
    relays.push(relay);
    say(`${name}'s relay runs at ${relay.url}, with a gateway at ${new URL(`tls://${relay.gateway?.split("@")[1]}`).host}`);
  }
  const [one, two] = relays;
  process.exitCode = one && two && await run(one, two) ? 0 : 1;
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await stop();
}
