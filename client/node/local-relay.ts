import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/node/main.ts", import.meta.url));
const START_TIMEOUT = 60_000;

interface Announcement {
  readonly address: string;
  readonly url: string;
  /** The relay's address over TLS; null without a gateway. */
  readonly gateway: string | null;
}

/** A relay of one's own, in a process of its own, for as long as it is needed. */
export interface OwnRelay extends Announcement {
  /** Ends the process and deletes its data. */
  stop(): Promise<void>;
}

async function readAnnouncement(child: ChildProcess): Promise<Announcement> {
  if (!child.stdout) throw new Error("the relay's output is not connected");
  const lines = createInterface({ input: child.stdout });
  const deadline = AbortSignal.timeout(START_TIMEOUT);
  const [line] = await Promise.race([
    once(lines, "line", { signal: deadline }) as Promise<[string]>,
    once(child, "exit").then(() => {
      throw new Error("the relay ended before it was ready");
    }),
  ]);
  return JSON.parse(line) as Announcement;
}

export interface OwnRelayOptions {
  /** Whether it has a gateway, at a free port. */
  readonly hasGateway?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Starts a relay with an empty data folder on a free port. */
export async function startOwnRelay({ hasGateway = false, settings = {} }: OwnRelayOptions = {}): Promise<OwnRelay> {
  const data = await mkdtemp(join(tmpdir(), "smp-edge-demo-"));
  const tlsPort = hasGateway ? "0" : "off";
  const child = spawn(process.execPath, [MAIN, "start", "--port", "0", "--tls-port", tlsPort, "--json", "--data", data], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...settings },
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    await rm(data, { recursive: true, force: true });
  };
  try {
    return { ...await readAnnouncement(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
