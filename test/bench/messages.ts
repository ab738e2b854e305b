import { removeFolder, temporaryFolder } from "../support/relay-process.ts";
import { Floors } from "./floors.ts";
import type { GeneratorProcess } from "./generator-process.ts";
import type { Loaded } from "./generator.ts";
import { calibrate, busyTime } from "./machine.ts";
import type { Plan } from "./plan.ts";
import { type Meter, WatchedRelay } from "./relay.ts";
import { median, quantile, spreadOf } from "./stats.ts";
import type { Metric, Section } from "./table.ts";

/** Cores that others may keep busy in a round that counts. */
const QUIET = 0.25;
/** More than this share of one core means that the clients, not the relay, set the pace. */
const BUSY = 0.9;
const TARGET = { ratio: 2, rows: 2, requests: 3 } as const;

/** One run of one number of queues. */
interface Run {
  readonly loaded: Loaded;
  readonly cpu: number;
  readonly relayBusy: number;
  readonly othersBusy: number;
  readonly before: Meter;
  readonly after: Meter;
}

interface Round {
  readonly calibration: number;
  readonly echo: number;
  readonly steps: readonly number[];
  readonly runs: ReadonlyMap<number, Run>;
}

async function measure(relay: WatchedRelay, generator: GeneratorProcess, queues: number, milliseconds: number): Promise<Run> {
  // Queues that were evicted since their last run are loaded again before anything is counted.
  await generator.call("load", { queues, milliseconds: 0 });
  const before = await relay.meter();
  const [cpu, machine, started] = [relay.cpu(), busyTime(), performance.now()];
  const loaded = await generator.call("load", { queues, milliseconds });
  const spent = relay.cpu() - cpu;
  const elapsed = (performance.now() - started) * 1000;
  const busy = busyTime() - machine;
  const others = Math.max(0, busy - spent - loaded.cpu * 1_000_000);
  return { loaded, cpu: spent, relayBusy: spent / elapsed, othersBusy: others / elapsed, before, after: await relay.meter() };
}

async function measureRound(plan: Plan, floors: Floors, relay: WatchedRelay, generator: GeneratorProcess): Promise<Round> {
  const calibration = calibrate();
  const echo = await floors.echo(generator, plan.echoConnections, plan.run / 2);
  const steps: number[] = [];
  for (const name of floors.steps) steps.push(await floors.step(name, plan.stepTimes));
  const runs = new Map<number, Run>();
  for (const queues of plan.queues) runs.set(queues, await measure(relay, generator, queues, plan.run));
  return { calibration, echo, steps, runs };
}

const isQuiet = ({ runs }: Round): boolean => [...runs.values()].every(({ othersBusy }) => othersBusy < QUIET);
const framesOf = ({ loaded: { framesSent, framesReceived, messages } }: Run): number => (framesSent + framesReceived) / messages;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function floorOf(round: Round, run: Run): number {
  return round.echo * (framesOf(run) / 2) + sum(round.steps);
}

function perMessage(run: Run, count: (meter: Meter) => number): number {
  return (count(run.after) - count(run.before)) / run.loaded.messages;
}

function loadSection(queues: number, rounds: readonly Round[]): Section {
  const runs = rounds.flatMap((round) => {
    const run = round.runs.get(queues);
    return run ? [{ round, run }] : [];
  });
  const metric = (name: string, unit: string, of: (run: Run, round: Round) => number, target?: number): Metric => ({
    name,
    unit,
    value: spreadOf(runs.map(({ run, round }) => of(run, round))),
    ...(target === undefined ? {} : { target }),
  });
  const generator = median(runs.map(({ run: { loaded } }) => loaded.cpu / loaded.seconds));
  const relay = median(runs.map(({ run }) => run.relayBusy));
  return {
    title: `SEND, MSG, ACK on ${queues} queue${queues === 1 ? "" : "s"}, one message of each at a time`,
    metrics: [
      metric("messages", "/s", ({ loaded }) => loaded.messages / loaded.seconds),
      metric("SEND to MSG, p50", "ms", ({ loaded }) => quantile(loaded.latencies, 0.5)),
      metric("SEND to MSG, p99", "ms", ({ loaded }) => quantile(loaded.latencies, 0.99)),
      metric("relay CPU", "us/message", (run) => run.cpu / run.loaded.messages),
      metric("relay CPU / floor", "x", (run, round) => run.cpu / run.loaded.messages / floorOf(round, run), TARGET.ratio),
      metric("rows written", "/message", (run) => perMessage(run, (meter) => meter.rowsWritten), TARGET.rows),
      metric("rows read", "/message", (run) => perMessage(run, (meter) => meter.rowsRead)),
      metric("object requests", "/message", (run) => perMessage(run, (meter) => meter.queueRequests + meter.pushes), TARGET.requests),
      metric("blocks in", "/message", ({ loaded }) => loaded.framesSent / loaded.messages),
      metric("blocks out", "/message", ({ loaded }) => loaded.framesReceived / loaded.messages),
      metric("cores busy: relay", "", (run) => run.relayBusy),
      metric("cores busy: clients", "", ({ loaded }) => loaded.cpu / loaded.seconds),
      metric("cores busy: others", "", (run) => run.othersBusy),
    ],
    notes: generator > BUSY && generator > relay ? ["THE CLIENTS ARE THE BOTTLENECK here: messages/s and latency are theirs."] : [],
  };
}

function floorSection(floors: Floors, rounds: readonly Round[]): Section {
  const metric = (name: string, of: (round: Round) => number): Metric => ({
    name,
    unit: "us",
    value: spreadOf(rounds.map(of)),
  });
  return {
    title: "Floors: CPU of workerd for what cannot be avoided",
    metrics: [
      metric("echo: one block in and out", ({ echo }) => echo),
      ...floors.steps.map((name, i) => metric(name, ({ steps }) => steps[i] ?? Number.NaN)),
      metric("all cryptography of a message", ({ steps }) => sum(steps)),
    ],
    notes: ["floor of a message = echo x (blocks in + blocks out) / 2 + cryptography"],
  };
}

function machineSection(rounds: readonly Round[]): Section {
  const value = spreadOf(rounds.map(({ calibration }) => calibration));
  const disturbed = rounds.filter((round) => !isQuiet(round)).length;
  return {
    title: "Machine",
    metrics: [{ name: "a fixed computation", unit: "ms", value }],
    notes: disturbed === 0 ? [] : [`OTHERS KEPT THE MACHINE BUSY in ${disturbed} of ${rounds.length} rounds: see 'cores busy'.`],
  };
}

/** Messages under load, and in the same minutes the floors that they are compared with. */
export async function measureMessages(plan: Plan, generator: GeneratorProcess): Promise<Section[]> {
  const folder = temporaryFolder();
  const floors = await Floors.start();
  try {
    const relay = await WatchedRelay.start(folder);
    try {
      await generator.call("openLoad", { url: relay.url, queues: Math.max(...plan.queues), pairs: plan.pairs });
      // Nothing is optimized yet, and the optimizer needs its time too.
      await measureRound({ ...plan, run: plan.warmUp }, floors, relay, generator);
      const rounds: Round[] = [];
      for (let spare = plan.spareRounds; rounds.length < plan.rounds;) {
        const round = await measureRound(plan, floors, relay, generator);
        if (isQuiet(round) || spare-- <= 0) rounds.push(round);
      }
      await generator.call("closeLoad");
      return [...plan.queues.map((queues) => loadSection(queues, rounds)), floorSection(floors, rounds), machineSection(rounds)];
    } finally {
      await relay.stop();
    }
  } finally {
    await floors.stop();
    removeFolder(folder);
  }
}
