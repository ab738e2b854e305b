import type { Server } from "#protocol/address";
import type { Clock } from "../../clock.ts";
import * as smp from "../../smp/calls.ts";
import { AgentError } from "../errors.ts";
import type { Connection, Delivery, SndQueue } from "../records.ts";
import { delivered, refused } from "../rules/delivered.ts";
import { FAST_RETRY, nextDelay } from "../rules/retry.ts";
import { sealDelivery } from "../rules/seal.ts";
import { judgeFailure } from "../rules/send-failure.ts";
import { firstDelivery, outboxKey, readConnection, TABLE } from "../tables.ts";
import { type Core, isStoreTrouble } from "./core.ts";

interface Retry {
  readonly since: number;
  readonly delay: number | null;
}

/** Sends what waits for one queue, the oldest first, one at a time. */
class Delivering {
  readonly #core: Core;
  readonly #connection: string;
  readonly #queue: number;
  readonly #clock: Clock;
  #isRunning = false;
  #isWanted = false;
  /** Ends the wait for the next attempt. */
  #skipWait: (() => void) | null = null;
  #isHurried = false;
  #waitsForPeer = false;
  /** Of the relay to which the last attempt connected. */
  relayKey: string | null = null;

  constructor(core: Core, connection: string, queue: number) {
    this.#core = core;
    this.#connection = connection;
    this.#queue = queue;
    this.#clock = core.clock;
  }

  /** `now`: the wait for the next attempt ends, that for the peer too. */
  wake(now: boolean): void {
    this.#isWanted = true;
    if (now) {
      this.#isHurried = true;
      this.#skipWait?.();
    }
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  async run(): Promise<void> {
    this.#isRunning = true;
    try {
      let retry: Retry | null = null;
      while (!this.#core.isClosed) {
        this.#isWanted = false;
        const next = await this.#next();
        if (next === "later") {
          await this.#wait(FAST_RETRY.initial);
          continue;
        }
        if (next === null) {
          if (this.#isWanted) continue;
          return;
        }
        retry = await this.#attempt(next.connection, next.queue, next.delivery, retry);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** What to send next; null: nothing. `later`: the store does not tell now. */
  async #next(): Promise<{ connection: Connection; queue: SndQueue; delivery: Delivery } | "later" | null> {
    const { store } = this.#core;
    try {
      const connection = await readConnection(store, this.#connection);
      const queue = connection?.send.find(({ id }) => id === this.#queue);
      const delivery = await firstDelivery(store, this.#connection, this.#queue);
      return connection && queue && delivery ? { connection, queue, delivery } : null;
    } catch (error) {
      if (!isStoreTrouble(error)) throw error;
      this.#core.tellError(this.#connection, error);
      return "later";
    }
  }

  async #attempt(
    connection: Connection,
    queue: SndQueue,
    delivery: Delivery,
    retry: Retry | null,
  ): Promise<Retry | null> {
    const left = (delivery.wait?.until ?? 0) - this.#clock.now();
    if (left > 0 && !this.#isHurried) {
      this.#waitsForPeer = true;
      await this.#wait(left);
      this.#waitsForPeer = false;
    }
    const isHurried = this.#isHurried;
    this.#isHurried = false;
    if (this.#core.isClosed) return null;
    let proxy: Server | null;
    try {
      proxy = await this.#send(connection.profile, queue, delivery);
    } catch (error) {
      return this.#failed(delivery, error, retry, isHurried);
    }
    await this.#commit((step) => delivered(step, this.#queue, delivery, proxy !== null));
    return null;
  }

  /** The proxy that took it, if one did. */
  async #send(profile: string, queue: SndQueue, delivery: Delivery): Promise<Server | null> {
    const { body, key } = sealDelivery(queue, delivery);
    const { proxy } = await this.#core.routes.run(
      profile,
      queue.server,
      (relay) => smp.send(relay, queue.sndId, key, body, delivery.notification),
      (relayKey) => {
        this.relayKey = relayKey;
      },
    );
    return proxy;
  }

  async #failed(delivery: Delivery, error: unknown, retry: Retry | null, isHurried: boolean): Promise<Retry | null> {
    if (this.#core.isClosed) return null;
    const now = this.#clock.now();
    const verdict = judgeFailure(delivery, error, now, isHurried);
    const { journal } = this.#core;
    switch (verdict.type) {
      case "retry": {
        const since = retry?.since ?? now;
        const delay = nextDelay(FAST_RETRY, retry?.delay ?? null, now - since);
        if (verdict.isTold && retry === null) {
          const item = delivery.kind === "message" ? delivery.item : null;
          journal.pass({ type: "delayed", connection: this.#connection, item, error: verdict.error });
        }
        await this.#wait(delay);
        return { since, delay };
      }
      case "full": {
        const item = delivery.kind === "message" ? delivery.item : null;
        journal.pass({ type: "delayed", connection: this.#connection, item, error: verdict.error });
        const key = outboxKey(this.#connection, this.#queue, delivery.item);
        await this.#commit((step) => step.write(TABLE.outbox, key, { ...delivery, wait: verdict.wait }));
        return null;
      }
      case "drop":
        await this.#commit((step) => refused(step, this.#queue, delivery, verdict));
        return null;
    }
  }

  /** What a relay did cannot be undone, so what it means is written however long the store takes. */
  async #commit(action: Parameters<Core["step"]>[1]): Promise<void> {
    for (;;) {
      try {
        await this.#core.step(this.#connection, action);
        return;
      } catch (error) {
        // Deleted while the relay was asked.
        if (error instanceof AgentError && error.refusal === "NOT_FOUND") return;
        if (!isStoreTrouble(error) || this.#core.isClosed) throw error;
        this.#core.tellError(this.#connection, error);
        await this.#wait(FAST_RETRY.initial);
      }
    }
  }

  #wait(delay: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(delay, () => this.#skipWait?.());
      this.#skipWait = () => {
        cancel();
        this.#skipWait = null;
        resolve();
      };
    });
  }

  /** The relay can be reached again: a wait that the network caused ends. */
  retryNow(): void {
    if (!this.#waitsForPeer) this.#skipWait?.();
  }

  /** Ends any wait, to see that the agent was closed. */
  stop(): void {
    this.#skipWait?.();
  }
}

/** The workers of all queues that something waits for. */
export class Deliveries {
  readonly #core: Core;
  readonly #workers = new Map<string, Delivering>();

  constructor(core: Core) {
    this.#core = core;
  }

  wake(connection: string, queue: number, now: boolean): void {
    const name = `${connection}/${queue}`;
    const worker = this.#workers.get(name) ?? new Delivering(this.#core, connection, queue);
    this.#workers.set(name, worker);
    worker.wake(now);
    if (worker.isRunning) return;
    worker.run().then(
      () => this.#release(name, worker),
      (error: unknown) => {
        this.#release(name, worker);
        if (!this.#core.isClosed) this.#core.tellError(connection, error);
      },
    );
  }

  /** Unless it was woken again in the meantime. */
  #release(name: string, worker: Delivering): void {
    if (!worker.isRunning && this.#workers.get(name) === worker) this.#workers.delete(name);
  }

  /** A relay can be reached again. */
  retry(relayKey: string): void {
    for (const worker of this.#workers.values()) if (worker.relayKey === relayKey) worker.retryNow();
  }

  close(): void {
    for (const worker of this.#workers.values()) worker.stop();
  }
}
