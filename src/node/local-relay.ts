import { randomBytes } from "node:crypto";
import { accessSync, chmodSync, constants } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { Miniflare } from "miniflare";
import { readConfig, type Settings } from "../config.ts";
import { bundleWorker } from "./bundle.ts";
import { type DataFolder, takeDataFolder, WORKER } from "./data-folder.ts";
import { outsideNetwork } from "./outside.ts";
import { pushSender } from "./push-sender.ts";
import { serveWebFile } from "./web-client.ts";

const COMPATIBILITY_DATE = "2026-11-01";
// As in wrangler.toml.
const COMPATIBILITY_FLAGS = ["nodejs_compat", "no_web_socket_compression", "global_fetch_strictly_public"];
const CONNECTIONS = `${WORKER}-connections`;
const DESTINATIONS = `${WORKER}-destinations`;
const LAUNCHER = fileURLToPath(new URL("workerd.sh", import.meta.url));

export interface LocalRelayOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly data: string;
  readonly settings?: Settings;
}

/** What a running relay says of itself. */
export interface RelayInfo {
  /** `smp://<fingerprint>@host:port` */
  readonly address: string;
  /** Where clients connect. */
  readonly url: string;
  readonly fingerprint: string;
  /** The data folder. */
  readonly data: string;
}

export interface LocalRelay extends RelayInfo {
  /** Base of the relay's pages. */
  readonly pages: string;
  /** The web client. */
  readonly app: string;
  /** Opens /admin/gateway. */
  readonly gatewayToken: string;
  fetch(path: string, init?: { method?: string; headers?: Record<string, string>; body?: string }): Promise<Response>;
  stop(): Promise<void>;
}

/** Whoever runs the program need not own it: a change is tried only where it is needed. */
function makeRunnable(path: string): void {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    chmodSync(path, 0o755);
  }
}

function useLauncher(folder: DataFolder): void {
  const fromMiniflare = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  const { default: workerd } = fromMiniflare("workerd") as { default: string };
  if (process.platform === "win32") return;
  makeRunnable(LAUNCHER);
  process.env["SMP_EDGE_WORKERD"] = workerd;
  process.env["SMP_EDGE_WORKERD_PID"] = folder.workerdPid;
  process.env["MINIFLARE_WORKERD_PATH"] = LAUNCHER;
}

const objects = (...names: readonly string[]): Record<string, { type: "durable-object"; storage: "sqlite" }> =>
  Object.fromEntries(names.map((name) => [name, { type: "durable-object", storage: "sqlite" }]));

const binding = (worker: string, exportName: string): { type: "durable-object"; worker: string; exportName: string } => ({
  type: "durable-object",
  worker,
  exportName,
});

const texts = (settings: Settings): Record<string, { type: "text"; value: string }> =>
  Object.fromEntries(Object.entries(settings).map(([name, value]: [string, string]) => [name, { type: "text", value }]));

/**
 * Three Workers from one module. Connections and destinations keep nothing, so theirs have no storage and no client
 * leaves a file behind; on Cloudflare all are one (`wrangler.toml`).
 */
function workers(module: string, options: LocalRelayOptions, folder: DataFolder): object[] {
  const common = {
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: COMPATIBILITY_FLAGS,
    manifest: { mainModule: "worker.js", modulesRoot: "/", modules: { "worker.js": { type: "esm", contents: module } } },
  };
  const env = {
    CONNECTION: binding(CONNECTIONS, "Connection"),
    QUEUE: binding(WORKER, "Queue"),
    LINK: binding(WORKER, "Link"),
    SERVICE: binding(WORKER, "Service"),
    RELAY: binding(WORKER, "Relay"),
    NTF_CONNECTION: binding(CONNECTIONS, "NtfConnection"),
    DEVICE: binding(WORKER, "Device"),
    DEVICE_TOKENS: binding(WORKER, "DeviceTokens"),
    FOLLOWER: binding(WORKER, "Follower"),
    DESTINATION: binding(DESTINATIONS, "Destination"),
    ...texts(options.settings ?? {}),
  };
  const settings = options.settings ?? {};
  const web = { type: "node-handler", handler: serveWebFile };
  const pushes = { type: "node-handler", handler: pushSender(settings) };
  const files = (className: string): object => ({ type: "disk", path: folder.filesOf(className), writable: false });
  return [
    {
      config: {
        name: WORKER,
        ...common,
        exports: objects("Queue", "Link", "Service", "Relay", "Device", "DeviceTokens", "Follower"),
        env: {
          ...env,
          WEB: web,
          QUEUE_FILES: files("Queue"),
          PUSHES: pushes,
          OUTSIDE: outsideNetwork(settings, settings.PUSH_PRIVATE === "on"),
        },
      },
      // Clients reach the Worker without the simulator's proxy in between.
      dev: { unsafeDirectSockets: [{ host: options.host, port: options.port }] },
    },
    {
      config: {
        name: CONNECTIONS,
        ...common,
        exports: objects("Connection", "NtfConnection"),
        env: {
          ...env,
          QUEUE_FILES: files("Queue"),
          LINK_FILES: files("Link"),
          SERVICE_FILES: files("Service"),
          DEVICE_FILES: files("Device"),
        },
      },
      dev: { unsafeEphemeralDurableObjects: true },
    },
    {
      config: {
        name: DESTINATIONS,
        ...common,
        exports: objects("Destination"),
        env: { ...env, OUTSIDE: outsideNetwork(settings) },
      },
      dev: { unsafeEphemeralDurableObjects: true },
    },
  ];
}

/** The relay did not start; the message says why and what to do. */
export class StartError extends Error {
  override readonly name = "StartError";
}

function explain(error: unknown, { host, port }: LocalRelayOptions): unknown {
  const isTaken = error instanceof Error && "code" in error && error.code === "ERR_ADDRESS_IN_USE";
  if (!isTaken) return error;
  return new StartError(`port ${port} of ${host} is in use; choose another with --port`, { cause: error });
}

async function askInfo(pages: string): Promise<{ address: string; fingerprint: string }> {
  const response = await fetch(`${pages}/relay.json`);
  if (!response.ok) throw new StartError(`the relay does not answer: ${await response.text()}`);
  return await response.json() as { address: string; fingerprint: string };
}

/** Starts the relay on this machine's workerd. @throws ConfigError, IdentityError, DataFolderError, StartError */
export async function startLocalRelay(given: LocalRelayOptions): Promise<LocalRelay> {
  // The Worker reads them again; here mistakes are told before anything runs.
  readConfig(given.settings ?? {});
  // A gateway in this process needs no more than this process knows.
  const gatewayToken = given.settings?.GATEWAY_TOKEN ?? randomBytes(32).toString("hex");
  const options = { ...given, settings: { ...given.settings, GATEWAY_TOKEN: gatewayToken } };
  const folder = takeDataFolder(options.data);
  useLauncher(folder);
  // Only where a relay runs: it takes a second and much memory, and a gateway needs none of it.
  const { Log, LogLevel, Miniflare: Simulator } = await import("miniflare");
  const miniflare = new Simulator({
    host: "127.0.0.1",
    port: 0,
    resourcePersistencePath: folder.path,
    cf: false,
    telemetry: { enabled: false },
    logRequests: false,
    log: new Log(LogLevel.WARN),
    workers: workers(await bundleWorker(), options, folder),
  } as ConstructorParameters<typeof Miniflare>[0]);
  try {
    await miniflare.ready;
    const { port } = await miniflare.unsafeGetDirectURL(WORKER);
    const pages = `http://${options.host}:${port}`;
    const { address, fingerprint } = await askInfo(pages);
    return {
      address,
      fingerprint,
      url: `ws://${options.host}:${port}/`,
      data: folder.path,
      pages,
      app: `${pages}/app/`,
      gatewayToken,
      fetch: (path, init) => fetch(`${pages}${path}`, init),
      async stop() {
        await miniflare.dispose();
        folder.release();
      },
    };
  } catch (error) {
    // What did not start says so once more when it is disposed of.
    await miniflare.dispose().catch(() => undefined);
    folder.release();
    throw explain(error, options);
  }
}
