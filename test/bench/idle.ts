import { setTimeout } from "node:timers/promises";
import { removeFolder, temporaryFolder } from "../support/relay-process.ts";
import type { GeneratorProcess } from "./generator-process.ts";
import type { Plan } from "./plan.ts";
import { WatchedRelay } from "./relay.ts";
import { median, spreadOf } from "./stats.ts";
import type { Metric, Section } from "./table.ts";

const KB = 1024;
const MB = KB * KB;
/** Seconds in which a client should have all of its queues again. */
const RESUBSCRIBED = 1;
/** Milliseconds in which memory and timers come to rest. */
const SETTLE = 1000;
const PINGED = 20;

const one = (name: string, unit: string, value: number): Metric => ({ name, unit, value: spreadOf([value]) });

async function memory(plan: Plan, relay: WatchedRelay, generator: GeneratorProcess): Promise<Metric[]> {
  const { idleConnections: connections, idleQueues: queues, eviction } = plan;
  const { url } = relay;
  const resident = async (): Promise<number> => {
    await setTimeout(SETTLE);
    return relay.resident();
  };
  const metrics: Metric[] = [];
  // Code and first objects are there before anything is counted.
  await generator.call("connect", { url, count: 20 });
  await generator.call("fill", { url, count: 20 });
  const start = await resident();
  await generator.call("connect", { url, count: connections });
  const connected = await resident();
  metrics.push(one("idle connection", "KB", (connected - start) / connections / KB));
  if (eviction !== null) {
    await setTimeout(eviction);
    metrics.push(one("idle connection, hibernated", "KB", (await resident() - start) / connections / KB));
    const first = median(await generator.call("ping", { count: PINGED }));
    metrics.push(one("PING that wakes a connection", "ms", first));
    metrics.push(one("PING to an awake connection", "ms", median(await generator.call("ping", { count: PINGED }))));
    const before = await resident();
    await generator.call("connect", { url, count: connections });
    metrics.push(one("idle connection beside hibernated ones", "KB", (await resident() - before) / connections / KB));
  }
  const empty = await resident();
  await generator.call("fill", { url, count: queues });
  metrics.push(one("idle queue", "KB", (await resident() - empty) / queues / KB));
  if (eviction !== null) {
    await setTimeout(eviction);
    metrics.push(one("idle queue, evicted", "KB", (await resident() - empty) / queues / KB));
  }
  return [...metrics, one("workerd at the beginning", "MB", start / MB), one("workerd in the end", "MB", await resident() / MB)];
}

interface Resubscribed {
  readonly seconds: number;
  readonly cpu: number;
}

async function resubscribe(relay: WatchedRelay, generator: GeneratorProcess): Promise<Resubscribed> {
  const before = relay.cpu();
  const seconds = await generator.call("resubscribe", { url: relay.url });
  return { seconds, cpu: (relay.cpu() - before) / 1_000_000 };
}

function resubscribed(name: string, runs: readonly Resubscribed[]): Metric[] {
  return [
    { name, unit: "s", value: spreadOf(runs.map(({ seconds }) => seconds)), target: RESUBSCRIBED },
    { name: `${name}: relay CPU`, unit: "s", value: spreadOf(runs.map(({ cpu }) => cpu)) },
  ];
}

/** What clients that do nothing cost, and what it takes until they have their queues again. */
export async function measureIdle(plan: Plan, generator: GeneratorProcess): Promise<Section[]> {
  const folder = temporaryFolder();
  let relay = await WatchedRelay.start(folder);
  try {
    const kept = await memory(plan, relay, generator);
    const evicted = plan.eviction === null ? [] : [await resubscribe(relay, generator)];
    const warm: Resubscribed[] = [];
    for (let i = 0; i < plan.warmRuns; i++) warm.push(await resubscribe(relay, generator));
    const cold: Resubscribed[] = [];
    for (let i = 0; i < plan.coldRuns; i++) {
      await generator.call("leave");
      await relay.stop();
      relay = await WatchedRelay.start(folder);
      cold.push(await resubscribe(relay, generator));
    }
    await generator.call("leave");
    return [
      {
        title: "Resident memory of workerd by what idles",
        metrics: kept,
        notes: ["Garbage that was not yet collected counts."],
      },
      {
        title: `Resubscribing ${plan.idleQueues + 20} queues on a new connection`,
        metrics: [
          ...resubscribed("warm", warm),
          ...(evicted.length > 0 ? resubscribed("objects evicted", evicted) : []),
          ...resubscribed("after a restart of the relay", cold),
        ],
        notes: ["From the first block of SUBs to the last answer; signed before."],
      },
    ];
  } finally {
    await relay.stop();
    removeFolder(folder);
  }
}
