import { makeQueue, type TestQueue } from "../support/queue-user.ts";
import { named, WireClient } from "../support/wire-client.ts";
import { dial, opener } from "./load.ts";

/** Handshakes at the same time. */
const AT_ONCE = 16;

/** Many connections and queues that do nothing. */
export class Crowd {
  readonly #idle: WireClient[] = [];
  readonly #queues: TestQueue[] = [];
  #subscriber: WireClient | null = null;

  async connect(url: string, count: number): Promise<void> {
    let left = count;
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) this.#idle.push(await dial(url));
    }));
  }

  /** Milliseconds until some of the idle connections answer a PING. */
  async ping(count: number): Promise<number[]> {
    const times: number[] = [];
    for (const client of this.#idle.slice(0, count)) {
      const started = performance.now();
      await client.ask({ tag: "PING" });
      times.push(performance.now() - started);
    }
    return times;
  }

  /** New queues, all subscribed on one connection. */
  async fill(url: string, count: number): Promise<void> {
    const client = this.#subscriber ??= await WireClient.connect(opener(url));
    for (let i = 0; i < count; i++) this.#queues.push(await makeQueue(client));
  }

  /** Seconds until a new connection is subscribed to all queues. The former one is gone by then. */
  async resubscribe(url: string): Promise<number> {
    this.#subscriber?.close();
    await this.#subscriber?.closed;
    const client = this.#subscriber = await WireClient.connect(opener(url));
    // Signing is the client's own work.
    const subs = this.#queues.map(({ ids, recipientKey }) => client.transmission({ tag: "SUB" }, recipientKey, ids.rcvId));
    const started = performance.now();
    client.sendAll(subs);
    for (let missing = subs.length; missing > 0;) {
      const { message } = await client.next(60_000);
      if (message.tag === "END") continue;
      if (message.tag !== "SOK") throw new Error(`not subscribed: ${named(message)}`);
      missing--;
    }
    return (performance.now() - started) / 1000;
  }

  async leave(): Promise<void> {
    const all = [...this.#idle.splice(0), ...(this.#subscriber ? [this.#subscriber] : [])];
    this.#subscriber = null;
    for (const client of all) client.close();
    await Promise.all(all.map((client) => client.closed));
  }
}
