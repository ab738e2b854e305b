import { chmodSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Log, LogLevel, Miniflare } from "miniflare";
import { bundleForWorkerd } from "../../src/node/bundle.ts";
import { removeFolder, temporaryFolder } from "../support/relay-process.ts";
import type { GeneratorProcess } from "./generator-process.ts";
import { cpuOf } from "./machine.ts";

const ENTRY = fileURLToPath(new URL("floor-worker.ts", import.meta.url));
const LAUNCHER = fileURLToPath(new URL("../../src/node/workerd.sh", import.meta.url));
const NAME = "floors";

/** What no relay on workerd could do without: frames and cryptography. Runs in a workerd of its own. */
export class Floors {
  readonly #miniflare: Miniflare;
  readonly #folder: string;
  readonly #address: string;
  readonly #pid: number;
  readonly steps: readonly string[];

  private constructor(miniflare: Miniflare, folder: string, address: string, pid: number, steps: readonly string[]) {
    this.#miniflare = miniflare;
    this.#folder = folder;
    this.#address = address;
    this.#pid = pid;
    this.steps = steps;
  }

  static async start(): Promise<Floors> {
    const folder = temporaryFolder();
    const pidFile = join(folder, "workerd.pid");
    const fromMiniflare = createRequire(createRequire(import.meta.url).resolve("miniflare"));
    chmodSync(LAUNCHER, 0o755);
    process.env["SMP_EDGE_WORKERD"] = (fromMiniflare("workerd") as { default: string }).default;
    process.env["SMP_EDGE_WORKERD_PID"] = pidFile;
    process.env["MINIFLARE_WORKERD_PATH"] = LAUNCHER;
    const modules = { "worker.js": { type: "esm", contents: await bundleForWorkerd(ENTRY) } };
    const miniflare = new Miniflare({
      host: "127.0.0.1",
      port: 0,
      resourcePersistencePath: folder,
      cf: false,
      telemetry: { enabled: false },
      logRequests: false,
      log: new Log(LogLevel.WARN),
      workers: [{
        config: {
          name: NAME,
          compatibilityDate: "2026-11-01",
          compatibilityFlags: ["nodejs_compat"],
          manifest: { mainModule: "worker.js", modulesRoot: "/", modules },
          exports: { Echo: { type: "durable-object", storage: "sqlite" } },
          env: { ECHO: { type: "durable-object", worker: NAME, exportName: "Echo" } },
        },
        dev: { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }], unsafeEphemeralDurableObjects: true },
      }],
    } as ConstructorParameters<typeof Miniflare>[0]);
    await miniflare.ready;
    const { host } = await miniflare.unsafeGetDirectURL(NAME);
    const steps = await (await fetch(`http://${host}/`)).json() as string[];
    return new Floors(miniflare, folder, host, Number(readFileSync(pidFile, "utf8")), steps);
  }

  /** CPU microseconds of workerd for one frame in and the same frame out. */
  async echo(generator: GeneratorProcess, connections: number, milliseconds: number): Promise<number> {
    const before = cpuOf(this.#pid);
    const echoed = await generator.call("echo", { url: `ws://${this.#address}/`, connections, milliseconds });
    return (cpuOf(this.#pid) - before) / echoed;
  }

  /** CPU microseconds of workerd for one step of cryptography. */
  async step(name: string, times: number): Promise<number> {
    const before = cpuOf(this.#pid);
    await (await fetch(`http://${this.#address}/?times=${times}&step=${encodeURIComponent(name)}`)).text();
    return (cpuOf(this.#pid) - before) / times;
  }

  async stop(): Promise<void> {
    await this.#miniflare.dispose();
    removeFolder(this.#folder);
  }
}
