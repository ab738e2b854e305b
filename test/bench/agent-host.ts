import { setTimeout as sleep } from "node:timers/promises";
import { randomBytes } from "#crypto/random";
import { parseServerAddress } from "#protocol/address";
import { Agent } from "../../client/agent/agent.ts";
import type { AgentEvent } from "../../client/agent/events.ts";
import { openSqliteStore } from "../../client/node/sqlite-store.ts";
import { MemoryFile, MemoryStore } from "../../client/store/memory.ts";
import type { BaseStore } from "../../client/store/store.ts";
import { serve } from "./task-process.ts";
import { acknowledgedCount, openCounted, quietFor, takeTraffic, type Traffic, watchCommands } from "./traffic.ts";

/** Connections that are being made at the same time. */
const AT_ONCE = 16;
/** Milliseconds without progress after which something is wrong. */
const PATIENCE = 180_000;
/** Milliseconds after which nothing more follows from what was done. */
const QUIET = 300;
/** Milliseconds between looks at what no event tells. */
const POLL = 5;
const BODY_LENGTH = 1000;
const NO_INFO = new Uint8Array();

export interface Place {
  readonly address: string;
  readonly url: string;
}

/** `memory`, or the path of an SQLite file. */
export type StoreKind = "memory" | { readonly sqlite: string };

/** What a task took. */
export interface Spent {
  readonly seconds: number;
  /** CPU time of the agent's process. */
  readonly cpu: number;
}

export interface Drained extends Spent {
  /** Seconds since the application had the first message. */
  readonly sinceFirst: number;
  /** How often the connection to the relay was lost. */
  readonly losses: number;
}

/** What happened to the agent since it was opened. */
interface Tally {
  connected: number;
  up: number;
  sent: number;
  acknowledged: number;
  losses: number;
  /** When the first message came. */
  firstAt: number;
}

const NOTHING: Readonly<Tally> = { connected: 0, up: 0, sent: 0, acknowledged: 0, losses: 0, firstAt: 0 };

const memory = new MemoryFile();
let store: BaseStore | null = null;
let agent: Agent | null = null;
let tally: Tally = { ...NOTHING };
let trouble: string[] = [];
let onEvent: () => void = () => undefined;
let lastEventAt = 0;

function opened(): Agent {
  if (!agent) throw new Error("the agent is not open");
  return agent;
}

/** Resolves once `isDone`, which is asked after each event and now and then. One waits at a time. */
function until(what: string, isDone: () => boolean): Promise<void> {
  lastEventAt = performance.now();
  return new Promise((resolve, reject) => {
    const watch = setInterval(() => {
      onEvent();
      if (performance.now() - lastEventAt < PATIENCE) return;
      clearInterval(watch);
      reject(new Error(`waited in vain for ${what}; ${JSON.stringify(tally)}; ${trouble.slice(-5).join("; ")}`));
    }, POLL);
    onEvent = () => {
      if (!isDone()) return;
      clearInterval(watch);
      onEvent = () => undefined;
      resolve();
    };
    onEvent();
  });
}

async function untilQuiet(): Promise<void> {
  while (quietFor() < QUIET) await sleep(QUIET / 10);
}

async function timed(work: () => Promise<void>): Promise<Spent> {
  const [started, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - started) / 1000, cpu: (user + system) / 1_000_000 };
}

/** As an application would: a message is handled before the next event is looked at. */
async function handle(host: Agent, event: AgentEvent): Promise<void> {
  switch (event.type) {
    case "confirmation":
      return host.allow(event.connection, event.confirmation, NO_INFO);
    case "connected":
      tally.connected++;
      return;
    case "message":
      tally.firstAt ||= performance.now();
      await host.acknowledge(event.connection, event.item);
      tally.acknowledged++;
      return;
    case "sent":
      tally.sent++;
      return;
    case "up":
      tally.up += event.connections.length;
      return;
    case "down":
      tally.losses++;
      trouble.push(event.error.message);
      return;
    case "error":
    case "delayed":
      trouble.push(event.error.message);
      return;
    default:
      return;
  }
}

async function read(host: Agent): Promise<void> {
  for await (const event of host.events) {
    try {
      await handle(host, event);
    } catch (error) {
      trouble.push(error instanceof Error ? error.message : String(error));
    }
    lastEventAt = performance.now();
    onEvent();
  }
}

async function openStore(kind: StoreKind): Promise<BaseStore> {
  return kind === "memory" ? new MemoryStore(memory) : openSqliteStore(kind.sqlite);
}

async function start(kind: StoreKind, at: Place): Promise<void> {
  store = await openStore(kind);
  tally = { ...NOTHING };
  trouble = [];
  const servers = [parseServerAddress(at.address)];
  agent = await Agent.open({ store, servers, urlOf: () => at.url, openSocket: openCounted });
  void read(agent);
}

async function stop(): Promise<void> {
  await agent?.close();
  await store?.close();
  agent = null;
  store = null;
}

async function joinAll(links: readonly string[], pq: boolean): Promise<void> {
  const goal = tally.connected + links.length;
  let next = 0;
  const before = tally.connected;
  for (const link of links) {
    // Joining is quick, what follows is not: the relay is not to be flooded.
    const most = ++next - AT_ONCE;
    await until("connections", () => tally.connected - before >= most);
    await opened().join(link, NO_INFO, { pq });
  }
  await until("connections", () => tally.connected >= goal);
}

/** What the parent process can ask for. */
const tasks = {
  open: ({ kind, at }: { kind: StoreKind; at: Place }) => start(kind, at),
  close: () => stop(),
  async invite({ count, pq, short }: { count: number; pq: boolean; short: boolean }): Promise<string[]> {
    const links: string[] = [];
    let left = count;
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) {
        const { link, shortLink } = await opened().invite({ pq, short, longKem: pq });
        links.push(shortLink ?? link);
      }
    }));
    return links;
  },
  join: ({ links, pq }: { links: readonly string[]; pq: boolean }) => joinAll(links, pq),
  connected: ({ count }: { count: number }) => until("connections", () => tally.connected >= count),
  /** What the relay was asked since the last time, when nothing more follows. */
  async traffic(): Promise<Traffic> {
    await untilQuiet();
    return takeTraffic();
  },
  /** `each` messages in each of the first `connections`, until the relay has all. */
  async send({ connections, each }: { connections: number; each: number }): Promise<Spent> {
    const all = await opened().connections();
    const goal = tally.sent + connections * each;
    return timed(async () => {
      for (const { id } of all.slice(0, connections)) {
        for (let i = 0; i < each; i++) await opened().send(id, randomBytes(BODY_LENGTH));
      }
      await until("messages to be sent", () => tally.sent >= goal);
    });
  },
  /** Opens the agent, until all of its connections can receive. */
  resubscribe: ({ kind, at, connections }: { kind: StoreKind; at: Place; connections: number }) =>
    timed(async () => {
      await start(kind, at);
      await until("subscriptions", () => tally.up >= connections);
    }),
  /** Opens the agent, until it has received and acknowledged what waits for it. */
  async drain({ kind, at, messages }: { kind: StoreKind; at: Place; messages: number }): Promise<Drained> {
    const goal = acknowledgedCount() + messages;
    const spent = await timed(async () => {
      await start(kind, at);
      await until("messages", () => tally.acknowledged >= messages && acknowledgedCount() >= goal);
    });
    return { ...spent, sinceFirst: (performance.now() - tally.firstAt) / 1000, losses: tally.losses };
  },
  /** Everything that is in one store into another, empty one. The agent is closed. */
  async copy({ from, to }: { from: StoreKind; to: StoreKind }): Promise<void> {
    const [source, target] = [await openStore(from), await openStore(to)];
    for (const table of await target.tables()) {
      await target.write((await target.list(table)).map(({ key }) => ({ table, key, value: null })));
    }
    for (const table of await source.tables()) {
      await target.write((await source.list(table)).map(({ key, value }) => ({ table, key, value })));
    }
    await source.close();
    await target.close();
  },
};

export type AgentTasks = typeof tasks;

watchCommands();
serve(tasks);
