import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { RelayProcess, removeFolder, temporaryFolder } from "../../support/relay-process.ts";
import { named, WireClient, type WireOptions } from "../../support/wire-client.ts";
import { RawSocket } from "./raw-socket.ts";

/** A relay in a process of its own for the stories of one file, and what can be seen of it from outside. */
export class RelayBench {
  #folder = "";
  #relay: RelayProcess | null = null;

  /** To be called where stories are described: the relay runs as long as they do. */
  static use(env: Record<string, string> = {}): RelayBench {
    const bench = new RelayBench();
    beforeAll(async () => {
      bench.#folder = temporaryFolder();
      bench.#relay = await RelayProcess.start(bench.#folder, env);
    });
    afterAll(async () => {
      await bench.#relay?.stop();
      removeFolder(bench.#folder);
    });
    return bench;
  }

  get relay(): RelayProcess {
    if (!this.#relay) throw new Error("the relay does not run");
    return this.#relay;
  }

  connect(options?: WireOptions): Promise<WireClient> {
    return this.relay.connect(options);
  }

  raw(query = ""): Promise<RawSocket> {
    return RawSocket.open(this.relay.info.url, query);
  }

  /** A client whose socket can misbehave. */
  async connectRaw(options?: WireOptions): Promise<{ readonly client: WireClient; readonly socket: RawSocket }> {
    const sockets: RawSocket[] = [];
    const client = await WireClient.connect(async (query) => {
      const socket = await this.raw(query);
      sockets.push(socket);
      return socket;
    }, options);
    const [socket] = sockets;
    if (!socket) throw new Error("no socket was opened");
    return { client, socket };
  }

  /** Fails unless somebody who comes now is served. */
  async expectService(): Promise<void> {
    const client = await this.connect();
    const answer = named(await client.ask({ tag: "PING" }));
    client.close();
    if (answer !== "PONG") throw new Error(`PING was answered ${answer}`);
  }

  get #workerd(): string {
    return readFileSync(join(this.#folder, "workerd.pid"), "utf8").trim();
  }

  /** Memory of the process that serves, in MB; null where the system does not tell. */
  memory(): number | null {
    try {
      const status = readFileSync(`/proc/${this.#workerd}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
    } catch {
      return null;
    }
  }

  /** Open sockets and files of that process. */
  handles(): number | null {
    try {
      return readdirSync(`/proc/${this.#workerd}/fd`).length;
    } catch {
      return null;
    }
  }

  /** Files of all objects of a class, without SQLite's journals. */
  files(className: string): string[] {
    try {
      const folder = join(this.#folder, "do", `smp-edge-${className}`);
      return readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
    } catch {
      return [];
    }
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The promise's value, or the word when it takes too long. */
export function within<T, W extends string>(milliseconds: number, promise: Promise<T>, word: W): Promise<T | W> {
  return Promise.race([promise, pause(milliseconds).then(() => word)]);
}
