import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RelayProcess } from "../support/relay-process.ts";
import { cpuOf, residentOf } from "./machine.ts";

export const ADMIN_TOKEN = "token of the benchmark";
const SETTINGS = { NEW_QUEUES_PER_MINUTE: "0", MESSAGES_PER_MINUTE: "0", ADMIN_TOKEN };

/** What objects have cost, as the relay itself counts. */
export interface Meter {
  readonly queueRequests: number;
  readonly pushes: number;
  readonly rowsWritten: number;
  readonly rowsRead: number;
}

/** A relay without limits whose process is watched. */
export class WatchedRelay {
  readonly #relay: RelayProcess;
  readonly #pid: number;

  private constructor(relay: RelayProcess) {
    this.#relay = relay;
    this.#pid = Number(readFileSync(join(relay.info.data, "workerd.pid"), "utf8"));
  }

  static async start(data: string): Promise<WatchedRelay> {
    return new WatchedRelay(await RelayProcess.start(data, SETTINGS));
  }

  get url(): string {
    return this.#relay.info.url;
  }

  get address(): string {
    return this.#relay.info.address;
  }

  /** CPU microseconds so far. */
  cpu(): number {
    return cpuOf(this.#pid);
  }

  resident(): number {
    return residentOf(this.#pid);
  }

  async meter(): Promise<Meter> {
    const base = this.url.replace(/^ws/, "http");
    const response = await fetch(`${base}admin/meter`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    return await response.json() as Meter;
  }

  async stop(): Promise<void> {
    await this.#relay.stop();
  }
}
