import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/node/main.ts", import.meta.url));
const START_TIMEOUT = 60_000;

/** A relay of one's own, in a process of its own, for as long as it is needed. */
export interface OwnRelay {
  readonly address: string;
  readonly url: string;
  /** Ends the process and deletes its data. */
  stop(): Promise<void>;
}

async function readAnnouncement(child: ChildProcess): Promise<{ address: string; url: string }> {
  if (!child.stdout) throw new Error("the relay's output is not connected");
  const lines = createInterface({ input: child.stdout });
  const deadline = AbortSignal.timeout(START_TIMEOUT);
  const [line] = await Promise.race([
    once(lines, "line", { signal: deadline }) as Promise<[string]>,
    once(child, "exit").then(() => {
      throw new Error("the relay ended before it was ready");
    }),
  ]);
  return JSON.parse(line) as { address: string; url: string };
}

/** Starts a relay with an empty data folder on a free port. */
export async function startOwnRelay(): Promise<OwnRelay> {
  const data = await mkdtemp(join(tmpdir(), "smp-edge-demo-"));
  const child = spawn(process.execPath, [MAIN, "start", "--port", "0", "--json", "--data", data], {
    stdio: ["ignore", "pipe", "inherit"],
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
