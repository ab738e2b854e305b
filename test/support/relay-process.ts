import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Socket, WireClient, type WireOptions } from "./wire-client.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MAIN = join(ROOT, "src/node/main.ts");

export interface Announced {
  readonly address: string;
  readonly url: string;
  readonly fingerprint: string;
  readonly data: string;
  /** Where official apps connect; null when there is no gateway. */
  readonly gateway: string | null;
  /** Where they find the notification server, at the same gateway. */
  readonly notifications: string | null;
  /** The web client. */
  readonly app: string;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "smp-edge-test-"));
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line to its end. */
export async function runCommand(args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
  child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
  const [code] = await once(child, "close") as [number | null];
  return { code, stdout, stderr };
}

/** A relay in a process of its own, as a user starts it. */
export class RelayProcess {
  readonly info: Announced;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  readonly #troubles: () => string;

  private constructor(child: ChildProcess, info: Announced, exited: Promise<unknown[]>, troubles: () => string) {
    this.#troubles = troubles;
    this.#child = child;
    this.info = info;
    this.#exited = exited;
  }

  /** `port`: 0 is any free one. Without a gateway unless `options` ask for one. */
  static start(
    data: string,
    env: Record<string, string> = {},
    port = 0,
    options: readonly string[] = ["--tls-port", "off"],
  ): Promise<RelayProcess> {
    return RelayProcess.run(["start", "--port", String(port), "--data", data, "--json", ...options], env);
  }

  /** Any command that runs until it is stopped and announces itself in one line. */
  static async run(args: readonly string[], env: Record<string, string> = {}): Promise<RelayProcess> {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let troubles = "";
    child.stderr.on("data", (data: Buffer) => {
      troubles += data.toString();
      process.stderr.write(data);
    });
    const exited = once(child, "exit");
    const lines = createInterface({ input: child.stdout });
    const first = once(lines, "line") as Promise<[string]>;
    const line = await Promise.race([first, exited.then(([code]) => Promise.reject(new Error(`the relay ended with ${String(code)}`)))]);
    return new RelayProcess(child, JSON.parse(line[0]) as Announced, exited, () => troubles);
  }

  /** What it has written to stderr. */
  get troubles(): string {
    return this.#troubles();
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  readonly open = async (query = ""): Promise<Socket> => {
    const socket = new WebSocket(this.info.url + query);
    socket.binaryType = "arraybuffer";
    return socket as Socket;
  };

  connect(options?: WireOptions): Promise<WireClient> {
    return WireClient.connect(this.open, options);
  }

  page(path: string): Promise<Response> {
    return fetch(this.info.url.replace(/^ws/, "http").replace(/\/$/, "") + path);
  }

  /** Ends it as a service manager does. The exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    const [code] = await this.#exited as [number | null];
    return code;
  }

  /** Ends it as a power cut does to a process. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

export function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}
