import { hex } from "#crypto/bytes";
import type { Server } from "#protocol/address";
import type { Clock } from "../../clock.ts";
import type { KeptQueue } from "../../smp/kept.ts";
import { listRecords } from "../../store/record.ts";
import { StoreError, type Store } from "../../store/store.ts";
import { AgentError } from "../errors.ts";
import type { ConnectionEvent } from "../events.ts";
import { checkConnection, type Connection, type RcvQueue } from "../records.ts";
import { type Policy, Step } from "../step.ts";
import { leaveIfEmpty } from "../rules/leave.ts";
import { readConnection, TABLE } from "../tables.ts";
import type { Journal } from "./journal.ts";
import { Locks } from "./locks.ts";
import { type Relay, relayKey, type Relays } from "./relays.ts";
import type { Routes } from "./routes.ts";

/** Where a message for a queue of this profile belongs. */
export interface QueuePlace {
  readonly connection: string;
  readonly queue: number;
}

/** What a step sets going once it is on disk. */
export interface Workers {
  deliver(connection: string, queue: number, now: boolean): void;
  /** `now`: the first task waits no longer. */
  work(connection: string, now: boolean): void;
  /** `done`: called when the relay has taken it. */
  acknowledge(relay: Relay, queue: RcvQueue, msgId: Uint8Array, done: () => void): void;
  /** Has what was not acknowledged delivered again. */
  redeliver(relay: Relay, queue: RcvQueue): void;
  /** Hears what connections tell. */
  watch(connection: string, event: ConnectionEvent): void;
  /** Deletes queues whose connection is gone. */
  remove(): void;
  /** Sees how each connection is after a start and after every change. */
  look(connection: Connection, isGone: boolean): void;
}

const FLUSH_DELAY = 500;

function queueName(key: string, rcvId: Uint8Array): string {
  return `${key} ${hex(rcvId)}`;
}

/**
 * Runs the steps of connections: one at a time for each connection, each written as a whole before anybody hears of
 * it. Nothing of a connection is held in memory between steps, so that a write that fails leaves nothing behind.
 */
export class Core {
  readonly store: Store;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly relays: Relays;
  /** The ways to other people's relays. */
  readonly routes: Routes;
  readonly #policy: Policy;
  readonly #locks = new Locks();
  readonly #places = new Map<string, QueuePlace>();
  #workers: Workers | null = null;
  #isClosed = false;
  #cancelFlush: (() => void) | null = null;

  constructor(store: Store, clock: Clock, journal: Journal, relays: Relays, routes: Routes, policy: Policy) {
    this.store = store;
    this.clock = clock;
    this.journal = journal;
    this.relays = relays;
    this.routes = routes;
    this.#policy = policy;
    journal.onHandled = () => this.flushSoon();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  employ(workers: Workers): void {
    this.#workers = workers;
  }

  /** The connection to the relay of an own queue. */
  relayOf({ profile }: { readonly profile: string }, { server }: { readonly server: Server }): Relay {
    return this.relays.of(profile, server);
  }

  placeOf(relay: Relay, rcvId: Uint8Array): QueuePlace | null {
    return this.#places.get(queueName(relay.key, rcvId)) ?? null;
  }

  /** Runs `action` on a connection and commits what it did. @throws AgentError when there is no such connection */
  step<T>(id: string, action: (step: Step) => Promise<T> | T): Promise<T> {
    return this.#locks.run(id, async () => {
      this.#checkOpen();
      const connection = await readConnection(this.store, id);
      if (!connection) throw new AgentError("NOT_FOUND", `there is no connection '${id}'`);
      const step = this.#newStep(connection);
      const result = await action(step);
      await this.#commit(connection, step);
      return result;
    });
  }

  /** Makes a connection; `action` goes on with it in the same write. */
  begin<T>(connection: Connection, action: (step: Step) => Promise<T> | T): Promise<T> {
    return this.#locks.run(connection.id, async () => {
      this.#checkOpen();
      const step = this.#newStep(connection);
      const result = await action(step);
      await this.#commit(null, step);
      return result;
    });
  }

  /** Knows where the messages of a stored connection belong; answers its queues by relay. */
  index(connection: Connection): { relay: Relay; queue: RcvQueue }[] {
    return connection.receive.map((queue) => {
      const relay = this.relayOf(connection, queue);
      this.#places.set(queueName(relay.key, queue.rcvId), { connection: connection.id, queue: queue.id });
      return { relay, queue };
    });
  }

  /** After a start: subscribes all queues, and goes on with what was under way. */
  async resume(): Promise<void> {
    const all = await listRecords(this.store, TABLE.connections, checkConnection);
    const kept = new Map<Relay, KeptQueue[]>();
    for (const { value } of all) {
      for (const { relay, queue } of this.index(value)) {
        const queues = kept.get(relay) ?? [];
        queues.push({ kind: "recipient", entityId: queue.rcvId, key: queue.authKey });
        kept.set(relay, queues);
      }
      this.#workers?.look(value, false);
      if (value.todo.length > 0) this.#workers?.work(value.id, false);
      for (const { id } of value.send) this.#workers?.deliver(value.id, id, false);
      if (value.status === "leaving") await this.step(value.id, leaveIfEmpty);
    }
    for (const [relay, queues] of kept) relay.connection.keep(queues);
  }

  tellError(connection: string | null, error: unknown): void {
    const known = error instanceof Error ? error : new Error("something that is no error was thrown", { cause: error });
    this.journal.pass({ type: "error", connection, error: known });
  }

  /** Writes soon what the application has handled. */
  flushSoon(): void {
    if (this.#cancelFlush !== null || this.#isClosed) return;
    this.#cancelFlush = this.clock.after(FLUSH_DELAY, () => {
      this.#cancelFlush = null;
      this.journal.flush().catch((error: unknown) => {
        this.tellError(null, error);
        if (isStoreTrouble(error)) this.flushSoon();
      });
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelFlush?.();
    await this.#locks.idle();
    try {
      await this.journal.flush();
    } finally {
      this.journal.end();
    }
  }

  #newStep(connection: Connection): Step {
    return new Step(connection, {
      store: this.store,
      now: this.clock.now(),
      policy: this.#policy,
      heldOf: (item) => this.journal.heldOf(connection.id, item),
    });
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new AgentError("CLOSED", "the agent was closed; open it again");
  }

  async #commit(before: Connection | null, step: Step): Promise<void> {
    const { connection } = step;
    const written = this.journal.prepare(connection.id, step.events);
    const handled = this.journal.takeHandled();
    const isSame = before === connection && step.changes.length === 0 && step.events.length === 0;
    if (!isSame) {
      try {
        await this.store.write([...step.allChanges(before), ...written.changes, ...handled]);
      } catch (error) {
        this.journal.putBack(handled);
        throw error;
      }
    } else this.journal.putBack(handled);
    this.#reindex(before, step);
    if (before !== connection || step.isGone) this.#workers?.look(connection, step.isGone);
    written.tell();
    for (const { event } of step.events) this.#workers?.watch(connection.id, event);
    for (const error of step.faults) this.journal.pass({ type: "error", connection: connection.id, error });
    this.#run(step);
  }

  #reindex(before: Connection | null, { connection, isGone }: Step): void {
    const kept = isGone ? [] : connection.receive;
    for (const queue of before?.receive ?? []) {
      if (kept.some(({ id }) => id === queue.id)) continue;
      const relay = this.relayOf(connection, queue);
      this.#places.delete(relayKey(connection.profile, queue.server) + ` ${hex(queue.rcvId)}`);
      relay.connection.forget(queue.rcvId);
    }
    if (!isGone && before?.receive !== connection.receive) this.index(connection);
  }

  #run(step: Step): void {
    const workers = this.#workers;
    if (!workers || this.#isClosed) return;
    const { connection } = step;
    for (const effect of step.effects) {
      switch (effect.type) {
        case "ack":
          this.#acknowledge(workers, connection, effect.queue, effect.msgId);
          break;
        case "again": {
          const queue = connection.receive.find(({ id }) => id === effect.queue);
          if (queue) workers.redeliver(this.relayOf(connection, queue), queue);
          break;
        }
        case "deliver":
          workers.deliver(connection.id, effect.queue, effect.now);
          break;
        case "work":
          workers.work(connection.id, true);
          break;
        case "remove":
          workers.remove();
          break;
      }
    }
  }

  #acknowledge(workers: Workers, connection: Connection, id: number, msgId: Uint8Array): void {
    const queue = connection.receive.find((one) => one.id === id);
    // A queue that was removed in the meantime needs no acknowledgement: its messages go with it.
    if (!queue) return;
    workers.acknowledge(this.relayOf(connection, queue), queue, msgId, () => {
      // If it is being replaced its removal waits until it is empty.
      if (queue.rotation !== null) workers.work(connection.id, true);
    });
  }
}

/** Whether the same step may succeed later. */
export function isStoreTrouble(error: unknown): error is StoreError {
  return error instanceof StoreError && error.code !== "CLOSED";
}
