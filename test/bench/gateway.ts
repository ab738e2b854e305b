import { RelayProcess, removeFolder, temporaryFolder } from "../support/relay-process.ts";
import { GeneratorProcess } from "./generator-process.ts";
import { cpuOf, residentOf } from "./machine.ts";
import type { Plan } from "./plan.ts";
import { ADMIN_TOKEN, WatchedRelay } from "./relay.ts";
import { quantile, spreadOf } from "./stats.ts";
import type { Metric, Section } from "./table.ts";

const MANY = 16;
const TURNS = 4;
const MB = 1_000_000;

/** The same clients on both ways, each in a process of its own. */
interface Way {
  readonly generator: GeneratorProcess;
  readonly url: string;
}

/** What several short runs gave together. */
interface Total {
  messages: number;
  seconds: number;
  readonly latencies: number[];
}

interface Measured {
  readonly one: Total;
  readonly many: Total;
}

interface Round {
  readonly direct: Measured;
  readonly through: Measured;
  /** Microseconds of CPU that the gateway spent on a message, with many queues. */
  readonly cpu: number;
}

const nothing = (): Measured => ({
  one: { messages: 0, seconds: 0, latencies: [] },
  many: { messages: 0, seconds: 0, latencies: [] },
});

async function load({ generator }: Way, queues: number, milliseconds: number, total: Total): Promise<void> {
  // Queues that were evicted since their last run are loaded again before anything is counted.
  await generator.call("load", { queues, milliseconds: 0 });
  const { messages, seconds, latencies } = await generator.call("load", { queues, milliseconds });
  total.messages += messages;
  total.seconds += seconds;
  total.latencies.push(...latencies);
}

/** Both ways take turns, so that whatever else the machine does is shared fairly. */
async function measureRound(direct: Way, through: Way, gateway: RelayProcess, milliseconds: number): Promise<Round> {
  const [plain, secured] = [nothing(), nothing()];
  let cpu = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    await load(direct, 1, milliseconds / TURNS, plain.one);
    await load(through, 1, milliseconds / TURNS, secured.one);
    await load(direct, MANY, milliseconds / TURNS, plain.many);
    const before = cpuOf(gateway.pid);
    await load(through, MANY, milliseconds / TURNS, secured.many);
    cpu += cpuOf(gateway.pid) - before;
  }
  return { direct: plain, through: secured, cpu: cpu / secured.many.messages };
}

const latency = ({ one }: Measured): number => quantile(one.latencies, 0.5);
const throughput = ({ many }: Measured): number => many.messages / many.seconds;

function section(rounds: readonly Round[], idle: Metric): Section {
  const metric = (name: string, unit: string, of: (round: Round) => number): Metric =>
    ({ name, unit, value: spreadOf(rounds.map(of)) });
  return {
    title: "The gateway (TLS) against a WebSocket to the same relay",
    metrics: [
      metric("1 queue: SEND to MSG, p50, direct", "ms", ({ direct }) => latency(direct)),
      metric("1 queue: SEND to MSG, p50, gateway", "ms", ({ through }) => latency(through)),
      metric("added by the gateway", "ms", ({ direct, through }) => latency(through) - latency(direct)),
      metric("gateway / direct", "x", ({ direct, through }) => latency(through) / latency(direct)),
      metric(`${MANY} queues: messages, direct`, "/s", ({ direct }) => throughput(direct)),
      metric(`${MANY} queues: messages, gateway`, "/s", ({ through }) => throughput(through)),
      metric("gateway / direct", "x", ({ direct, through }) => throughput(through) / throughput(direct)),
      metric("gateway CPU", "us/message", ({ cpu }) => cpu),
      idle,
    ],
    notes: [
      "A message crosses the gateway 5 times in blocks of 16 KB: SEND, OK, MSG, ACK, OK. All share this machine's cores.",
    ],
  };
}

/** What official apps pay for coming through a gateway. */
export async function measureGateway(plan: Plan): Promise<Section[]> {
  const folder = temporaryFolder();
  const relay = await WatchedRelay.start(folder);
  const pages = relay.url.replace(/^ws/, "http");
  const args = ["gateway", "--relay", pages, "--listen", "127.0.0.1:0", "--json"];
  const gateway = await RelayProcess.run(args, { SMP_EDGE_ADMIN_TOKEN: ADMIN_TOKEN });
  const direct = { generator: new GeneratorProcess(), url: `lean+${relay.url}` };
  const through = { generator: new GeneratorProcess(), url: gateway.info.gateway ?? "" };
  try {
    const { pairs, rounds: count, run, warmUp, idleConnections } = plan;
    for (const { generator, url } of [direct, through]) await generator.call("openLoad", { url, queues: MANY, pairs });
    await measureRound(direct, through, gateway, warmUp);
    const rounds: Round[] = [];
    while (rounds.length < count) rounds.push(await measureRound(direct, through, gateway, run));
    const empty = residentOf(gateway.pid);
    await through.generator.call("connect", { url: through.url, count: idleConnections });
    const kilobytes = (residentOf(gateway.pid) - empty) / idleConnections / (MB / 1000);
    return [section(rounds, { name: "an idle connection in the gateway", unit: "KB", value: spreadOf([kilobytes]) })];
  } finally {
    for (const { generator } of [direct, through]) generator.stop();
    await gateway.stop();
    await relay.stop();
    removeFolder(folder);
  }
}
