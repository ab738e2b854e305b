import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { removeFolder, temporaryFolder } from "../support/relay-process.ts";
import { OLM, OlmPair } from "./olm-pair.ts";
import { OwnPair } from "./own-pair.ts";
import { type ForeignPackage, loadForeign } from "./packages.ts";
import { BODY, type Operation, type Pair } from "./pair.ts";
import type { Plan } from "./plan.ts";
import { SIGNAL, SignalPair } from "./signal-pair.ts";
import { spreadOf } from "./stats.ts";
import type { Metric, Section } from "./table.ts";

const OPERATIONS: readonly { readonly operation: Operation; readonly title: string }[] = [
  { operation: "within", title: "Ratchet: a message within a chain, encrypted and decrypted" },
  { operation: "reply", title: "Ratchet: a reply that moves it, encrypted and decrypted" },
  { operation: "begin", title: "Ratchet: fresh keys of both sides, X3DH, first message encrypted and decrypted" },
];

/** Milliseconds that one operation of one contender is repeated for before it is measured, and in each round. */
const WARM_UP = 300;
const BATCH = 15;

interface Contender {
  readonly name: string;
  readonly pair: Pair;
}

/** The times of one round: by operation and contender, in milliseconds. */
type Round = ReadonlyMap<Operation, ReadonlyMap<Contender, number>>;

interface Foreign {
  readonly contender: Contender | null;
  /** Why it is not there. */
  readonly skipped: string | null;
}

/** The ratchet as browsers get it, with noble for cryptography. */
async function bundledPair(folder: string): Promise<typeof OwnPair> {
  const outfile = join(folder, "own-pair.mjs");
  await esbuild.build({
    entryPoints: [fileURLToPath(new URL("own-pair.ts", import.meta.url))],
    outfile,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2024",
    logLevel: "warning",
  });
  const bundled = await import(pathToFileURL(outfile).href) as { readonly OwnPair: typeof OwnPair };
  return bundled.OwnPair;
}

async function foreign(
  folder: string,
  wanted: ForeignPackage,
  what: string,
  make: (module: unknown) => Promise<Pair>,
): Promise<Foreign> {
  const name = `${wanted.name.replace(/.*\//, "")} ${wanted.version}${what}`;
  try {
    return { contender: { name, pair: await make(await loadForeign(folder, wanted)) }, skipped: null };
  } catch (error) {
    const lines = (error instanceof Error ? error.message : String(error)).trim().split("\n");
    // npm's first line of trouble names the error; what went before is the command.
    const why = lines.find((line) => line.startsWith("npm error")) ?? lines[0] ?? "";
    return { contender: null, skipped: `${name} SKIPPED: it could not be installed or run here (${why})` };
  }
}

/** Milliseconds for one. */
async function batch(pair: Pair, operation: Operation, times: number): Promise<number> {
  const started = performance.now();
  for (let i = 0; i < times; i++) {
    const pending = pair[operation]();
    if (pending) await pending;
  }
  return (performance.now() - started) / times;
}

/** How many of the operation fill a batch, once it is compiled. */
async function warmUp(pair: Pair, operation: Operation, milliseconds: number): Promise<number> {
  const until = performance.now() + milliseconds;
  let last = await batch(pair, operation, 1);
  while (performance.now() < until) last = await batch(pair, operation, 1);
  return Math.max(1, Math.round(BATCH / last));
}

/** Contenders take turns in every round, so that what disturbs the machine disturbs all of them. */
async function measureRounds(contenders: readonly Contender[], rounds: number): Promise<Round[]> {
  const times = new Map<Contender, Map<Operation, number>>();
  for (const contender of contenders) {
    const counts = new Map<Operation, number>();
    for (const { operation } of OPERATIONS) counts.set(operation, await warmUp(contender.pair, operation, WARM_UP));
    times.set(contender, counts);
  }
  const measured: Round[] = [];
  for (let i = 0; i < rounds; i++) {
    const round = new Map<Operation, Map<Contender, number>>();
    for (const { operation } of OPERATIONS) {
      const results = new Map<Contender, number>();
      // Nobody always comes after the same one.
      const turn = i % contenders.length;
      for (const contender of [...contenders.slice(turn), ...contenders.slice(0, turn)]) {
        results.set(contender, await batch(contender.pair, operation, times.get(contender)?.get(operation) ?? 1));
      }
      round.set(operation, results);
    }
    measured.push(round);
  }
  return measured;
}

interface Comparison {
  readonly own: Contender;
  readonly other: Contender;
}

function sectionOf(
  { operation, title }: (typeof OPERATIONS)[number],
  contenders: readonly Contender[],
  comparisons: readonly Comparison[],
  rounds: readonly Round[],
): Section {
  const timeOf = (round: Round, contender: Contender): number => round.get(operation)?.get(contender) ?? Number.NaN;
  const times = contenders.map((contender): Metric => {
    return { name: contender.name, unit: "ms", value: spreadOf(rounds.map((round) => timeOf(round, contender))) };
  });
  const ratios = comparisons.map(({ own, other }): Metric => {
    const value = spreadOf(rounds.map((round) => timeOf(round, own) / timeOf(round, other)));
    return { name: `${own.name} / ${other.name.replace(/ .*/, "")}`, unit: "x", value };
  });
  return { title, metrics: [...times, ...ratios] };
}

const NOTES = [
  `Every message is a full one: ${BODY.classical} bytes of plaintext, ${BODY.pq} with post-quantum encryption.`,
  "Ours: X448, AES-256-GCM, encrypted headers, padding; PQ: sntrup761 whole in every reply (new keys, encapsulation,",
  "  decapsulation). node: its OpenSSL, sntrup761 in TypeScript. noble: pure TypeScript, as browsers run it.",
  "libolm: X25519, AES-256-CBC and HMAC, clear headers, no padding, nothing post-quantum; its text and base64 count.",
  "libsignal: X25519, AES-256-CBC and HMAC, clear headers, no padding; PQXDH with Kyber-1024 at the beginning, where",
  "  it signs too, and then ML-KEM-768 cut into 32 bytes a message: a reply does a part of a post-quantum step.",
  "Storing the states is measured for nobody; libsignal's calls to its store in memory are. Ratios: median of the",
  "  rounds' ratios. vodozemac in WebAssembly comes only inside a whole Matrix client (matrix-sdk-crypto-wasm).",
];

/** The double ratchet against those of others, in one process, in the same minute. */
export async function measureRatchet(plan: Plan): Promise<Section[]> {
  const folder = temporaryFolder();
  try {
    const Bundled = await bundledPair(folder);
    const node = { name: "node", pair: new OwnPair(false) };
    const noble = { name: "noble", pair: new Bundled(false) };
    const nodePq = { name: "node, PQ", pair: new OwnPair(true) };
    const noblePq = { name: "noble, PQ", pair: new Bundled(true) };
    const olm = await foreign(folder, OLM, " (WebAssembly)", (module) => OlmPair.make(module));
    const signal = await foreign(folder, SIGNAL, ", PQ (native)", (module) => SignalPair.make(module));
    const present = [olm, signal].flatMap(({ contender }) => contender ?? []);
    const contenders = [node, noble, nodePq, noblePq, ...present];
    const comparisons = [
      ...[node, noble].flatMap((own) => (olm.contender ? { own, other: olm.contender } : [])),
      ...[nodePq, noblePq].flatMap((own) => (signal.contender ? { own, other: signal.contender } : [])),
    ];
    const rounds = await measureRounds(contenders, plan.ratchetRounds);
    const sections = OPERATIONS.map((each) => sectionOf(each, contenders, comparisons, rounds));
    const notes = [...[olm, signal].flatMap(({ skipped }) => skipped ?? []), ...NOTES];
    return sections.map((section, i) => (i < sections.length - 1 ? section : { ...section, notes }));
  } finally {
    removeFolder(folder);
  }
}
