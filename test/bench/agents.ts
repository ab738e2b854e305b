import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeFolder, temporaryFolder } from "../support/relay-process.ts";
import type { AgentTasks, Drained, Place, Spent, StoreKind } from "./agent-host.ts";
import type { Plan } from "./plan.ts";
import { WatchedRelay } from "./relay.ts";
import { spreadOf } from "./stats.ts";
import type { Metric, Section } from "./table.ts";
import { TaskProcess } from "./task-process.ts";
import type { Traffic } from "./traffic.ts";

const HOST = fileURLToPath(new URL("agent-host.ts", import.meta.url));

type Host = TaskProcess<AgentTasks>;

function metric(name: string, unit: string, values: readonly number[]): Metric {
  return { name, unit, value: spreadOf(values) };
}

interface LinkKind {
  readonly name: string;
  readonly short: boolean;
  readonly pq: boolean;
}

const LINKS: readonly LinkKind[] = [
  { name: "short link, PQ", short: true, pq: true },
  { name: "long link, PQ", short: false, pq: true },
  { name: "long link, no PQ", short: false, pq: false },
];

interface Meeting {
  readonly milliseconds: number;
  readonly initiator: Traffic;
  readonly joiner: Traffic;
}

async function meet(initiator: Host, joiner: Host, { pq, short }: LinkKind, made: number): Promise<Meeting> {
  const started = performance.now();
  const links = await initiator.call("invite", { count: 1, pq, short });
  await Promise.all([joiner.call("join", { links, pq }), initiator.call("connected", { count: made + 1 })]);
  const milliseconds = performance.now() - started;
  const traffic = await Promise.all([initiator.call("traffic"), joiner.call("traffic")]);
  return { milliseconds, initiator: traffic[0], joiner: traffic[1] };
}

/** The commands as they most often came. */
function listed(traffic: readonly Traffic[]): string {
  const counts = new Map<string, number>();
  for (const { commands } of traffic) counts.set(commands.join(" "), (counts.get(commands.join(" ")) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? "";
}

async function meetings(plan: Plan, place: Place): Promise<Section> {
  const initiator: Host = new TaskProcess("the initiator", HOST);
  const joiner: Host = new TaskProcess("the joiner", HOST);
  try {
    for (const host of [initiator, joiner]) await host.call("open", { kind: "memory", at: place });
    const all = new Map<LinkKind, Meeting[]>(LINKS.map((kind) => [kind, []]));
    let made = 0;
    // The first of each connects to the relay and compiles.
    for (let round = -1; round < plan.meetings; round++) {
      for (const kind of LINKS) {
        const meeting = await meet(initiator, joiner, kind, made++);
        if (round >= 0) all.get(kind)?.push(meeting);
      }
    }
    const metrics = LINKS.flatMap((kind) => {
      const of = (what: string, unit: string, value: (meeting: Meeting) => number): Metric =>
        metric(`${kind.name}${what}`, unit, (all.get(kind) ?? []).map(value));
      return [
        of("", "ms", ({ milliseconds }) => milliseconds),
        of(": commands of the initiator", "", (each) => each.initiator.commands.length),
        of(": commands of the joiner", "", (each) => each.joiner.commands.length),
        of(": blocks out, both", "", (each) => each.initiator.blocksSent + each.joiner.blocksSent),
        of(": blocks in, both", "", (each) => each.initiator.blocksReceived + each.joiner.blocksReceived),
      ];
    });
    return {
      title: `Agents: a connection, from the invitation until both are connected (${plan.meetings} of each)`,
      metrics,
      notes: [
        "Every command is a round trip of its side to the relay; those that come after 'connected' count too.",
        ...LINKS.flatMap((kind) => [
          `${kind.name}: initiator ${listed((all.get(kind) ?? []).map((each) => each.initiator))};`
          + ` joiner ${listed((all.get(kind) ?? []).map((each) => each.joiner))}`,
        ]),
        "Each side is a process of its own with its store in memory; one relay on this machine.",
      ],
    };
  } finally {
    initiator.stop();
    joiner.stop();
  }
}

interface CrowdRound {
  readonly up: Spent;
  readonly all: Drained;
  readonly traffic: Traffic;
  readonly one: Drained;
}

/** Many connections between two agents; one of them is away again and again. */
class AgentCrowd {
  readonly #plan: Plan;
  readonly #place: Place;
  readonly #away: Host = new TaskProcess("the agent", HOST);
  readonly #peer: Host = new TaskProcess("its peer", HOST);
  readonly #kinds: Readonly<Record<"memory" | "sqlite", StoreKind>>;
  readonly sent: Spent[] = [];

  constructor(plan: Plan, place: Place, folder: string) {
    this.#plan = plan;
    this.#place = place;
    this.#kinds = { memory: "memory", sqlite: { sqlite: join(folder, "profile.sqlite") } };
  }

  /** Seconds until all are connected. */
  async connect(): Promise<number> {
    const { crowd } = this.#plan;
    const started = performance.now();
    for (const host of [this.#away, this.#peer]) await host.call("open", { kind: "memory", at: this.#place });
    const links = await this.#peer.call("invite", { count: crowd, pq: false, short: false });
    await Promise.all([
      this.#away.call("join", { links, pq: false }),
      this.#peer.call("connected", { count: crowd }),
    ]);
    const seconds = (performance.now() - started) / 1000;
    await Promise.all([this.#away.call("traffic"), this.#peer.call("traffic")]);
    await this.#away.call("close");
    return seconds;
  }

  /** The profile lies in memory before and afterwards. */
  async round(store: "memory" | "sqlite"): Promise<CrowdRound> {
    const kind = this.#kinds[store];
    const at = this.#place;
    const { crowd, backlog } = this.#plan;
    if (store !== "memory") await this.#away.call("copy", { from: "memory", to: kind });
    const up = await this.#away.call("resubscribe", { kind, at, connections: crowd });
    await this.#away.call("close");
    this.sent.push(await this.#peer.call("send", { connections: crowd, each: 1 }));
    await this.#away.call("traffic");
    const all = await this.#away.call("drain", { kind, at, messages: crowd });
    const traffic = await this.#away.call("traffic");
    await this.#away.call("close");
    await this.#peer.call("send", { connections: 1, each: backlog });
    const one = await this.#away.call("drain", { kind, at, messages: backlog });
    await this.#away.call("traffic");
    await this.#away.call("close");
    if (store !== "memory") await this.#away.call("copy", { from: kind, to: "memory" });
    return { up, all, traffic, one };
  }

  stop(): void {
    this.#away.stop();
    this.#peer.stop();
  }
}

function crowdMetrics(name: string, { crowd, backlog }: Plan, rounds: readonly CrowdRound[]): Metric[] {
  const of = (what: string, unit: string, value: (round: CrowdRound) => number): Metric =>
    metric(`${name}: ${what}`, unit, rounds.map(value));
  return [
    of("restart until all are subscribed", "s", ({ up }) => up.seconds),
    of("restart: CPU", "s", ({ up }) => up.cpu),
    of(`${crowd} messages, one in each`, "s", ({ all }) => all.seconds),
    of("the same", "/s", ({ all }) => crowd / all.seconds),
    of("the same: CPU", "ms/message", ({ all }) => all.cpu * 1000 / crowd),
    of("the same: commands", "/message", ({ traffic }) => traffic.commands.length / crowd),
    of("the same: connections lost", "", ({ all }) => all.losses),
    of("the same: blocks out", "/message", ({ traffic }) => traffic.blocksSent / crowd),
    of("the same: blocks in", "/message", ({ traffic }) => traffic.blocksReceived / crowd),
    of(`${backlog} messages in one connection`, "ms/message", ({ one }) => one.sinceFirst * 1000 / (backlog - 1)),
    of("the same: connections lost", "", ({ one }) => one.losses),
  ];
}

async function crowds(plan: Plan, place: Place, folder: string): Promise<Section> {
  const crowd = new AgentCrowd(plan, place, folder);
  try {
    const setUp = await crowd.connect();
    const memory: CrowdRound[] = [];
    const sqlite: CrowdRound[] = [];
    for (let i = 0; i < plan.crowdRounds; i++) {
      memory.push(await crowd.round("memory"));
      sqlite.push(await crowd.round("sqlite"));
    }
    const { crowd: size } = plan;
    return {
      title: `Agents: ${size} connections of one agent, on one relay on this machine`,
      metrics: [
        metric(`making the ${size} connections`, "s", [setUp]),
        ...crowdMetrics("memory", plan, memory),
        ...crowdMetrics("SQLite", plan, sqlite),
        metric(`peer: sending ${size} messages, one in each`, "s", crowd.sent.map(({ seconds }) => seconds)),
        metric("peer: the same: CPU", "ms/message", crowd.sent.map(({ cpu }) => cpu * 1000 / size)),
      ],
      notes: [
        "Times begin with opening the profile and the connection to the relay, in one connection with the first",
        "  message; they end when the relay has answered the last ACK. The application acknowledges one message, of",
        "  1,000 bytes, before it looks at the next event. Within one connection the relay sends a message only",
        "  after the ACK of the one before. Agent, peer and relay are processes of their own. No post-quantum",
        "  encryption, so that making the connections takes no minutes.",
      ],
    };
  } finally {
    crowd.stop();
  }
}

/** Two agents on one relay: how they connect, and what many connections cost. */
export async function measureAgents(plan: Plan): Promise<Section[]> {
  const folder = temporaryFolder();
  try {
    const relay = await WatchedRelay.start(join(folder, "relay"));
    try {
      const place = { address: relay.address, url: relay.url };
      return [await meetings(plan, place), await crowds(plan, place, folder)];
    } finally {
      await relay.stop();
    }
  } finally {
    removeFolder(folder);
  }
}
