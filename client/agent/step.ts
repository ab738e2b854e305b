import { recordChange } from "../store/record.ts";
import type { Change, StoreReader } from "../store/store.ts";
import { AgentError, type PeerError } from "./errors.ts";
import type { ConnectionEvent } from "./events.ts";
import type { Connection, RcvQueue, SndQueue, Task } from "./records.ts";
import { TABLE } from "./tables.ts";

/** What is to happen once the changes of a step are on disk. */
export type Effect =
  /** The relay may delete the message. */
  | { readonly type: "ack"; readonly queue: number; readonly msgId: Uint8Array }
  /** A message of this queue was left with the relay: it is to come again. */
  | { readonly type: "again"; readonly queue: number }
  /** Something waits to be sent to this queue. `now`: without regard to a wait for the peer. */
  | { readonly type: "deliver"; readonly queue: number; readonly now: boolean }
  /** There is something to do with a relay. */
  | { readonly type: "work" }
  /** Queues of connections that are gone are to be deleted. */
  | { readonly type: "remove" };

/** What acknowledging a message takes, besides the message. */
export interface Held {
  readonly queue: number;
  readonly msgId: Uint8Array;
  readonly sndMsgId: number;
  /** SHA-256 of the agent message, for a receipt. */
  readonly hash: Uint8Array;
}

/** An event with what is kept beside it. */
export interface Told {
  readonly event: ConnectionEvent;
  readonly held: Held | null;
}

export interface Policy {
  /** Whether the encryption of a connection is repaired without asking where that is safe. */
  readonly repairs: boolean;
}

export interface Surroundings {
  readonly store: StoreReader;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly policy: Policy;
  readonly heldOf: (item: number) => Held | null;
}

interface Saved {
  readonly connection: Connection;
  readonly changes: number;
  readonly events: number;
  readonly effects: number;
}

/**
 * One step of one connection: the rules change the connection and say what else is to be written, told and done; the
 * agent then writes all of it at once, and only then tells and does. A step that throws has changed nothing.
 */
export class Step {
  connection: Connection;
  readonly now: number;
  readonly store: StoreReader;
  readonly changes: Change[] = [];
  readonly events: Told[] = [];
  readonly faults: PeerError[] = [];
  readonly effects: Effect[] = [];
  /** Set when the connection is to be deleted; what belongs to it is among the changes. */
  isGone = false;

  readonly policy: Policy;
  readonly #heldOf: (item: number) => Held | null;

  constructor(connection: Connection, { store, now, policy, heldOf }: Surroundings) {
    this.store = store;
    this.connection = connection;
    this.now = now;
    this.policy = policy;
    this.#heldOf = heldOf;
  }

  /** A message that the application has not acknowledged. */
  held(item: number): Held | null {
    return this.#heldOf(item);
  }

  update(part: Partial<Connection>): void {
    this.connection = { ...this.connection, ...part };
  }

  write(table: string, key: string, value: object): void {
    this.changes.push(recordChange(table, key, value));
  }

  erase(table: string, key: string): void {
    this.changes.push({ table, key, value: null });
  }

  tell(event: ConnectionEvent, held: Held | null = null): void {
    this.events.push({ event, held });
  }

  effect(effect: Effect): void {
    this.effects.push(effect);
  }

  /** A number for the next item: messages in both directions and whatever else needs an order. */
  nextItem(): number {
    const item = this.connection.nextItem;
    this.update({ nextItem: item + 1 });
    return item;
  }

  nextQueue(): number {
    const queue = this.connection.nextQueue;
    this.update({ nextQueue: queue + 1 });
    return queue;
  }

  /** Removals come last, the oldest at the end: the relay of a queue that was left may be gone for ever. */
  addTasks(...tasks: readonly Task[]): void {
    const { todo } = this.connection;
    const isLast = ({ type }: Task): boolean => type === "remove";
    const first = [...todo, ...tasks].filter((task) => !isLast(task));
    this.update({ todo: [...first, ...tasks.filter(isLast), ...todo.filter(isLast)] });
    this.effect({ type: "work" });
  }

  /** Takes the first task away: it is done. */
  finishTask(): void {
    this.update({ todo: this.connection.todo.slice(1) });
  }

  rcvQueue(id: number): RcvQueue {
    const queue = this.connection.receive.find((one) => one.id === id);
    if (!queue) throw new AgentError("NOT_FOUND", `the connection has no receive queue ${id}`);
    return queue;
  }

  sndQueue(id: number): SndQueue {
    const queue = this.connection.send.find((one) => one.id === id);
    if (!queue) throw new AgentError("NOT_FOUND", `the connection has no send queue ${id}`);
    return queue;
  }

  updateRcvQueue(id: number, part: Partial<RcvQueue>): void {
    this.update({ receive: this.connection.receive.map((queue) => (queue.id === id ? { ...queue, ...part } : queue)) });
  }

  updateSndQueue(id: number, part: Partial<SndQueue>): void {
    this.update({ send: this.connection.send.map((queue) => (queue.id === id ? { ...queue, ...part } : queue)) });
  }

  /** The connection will never be: nothing more is tried for it. One that was deleted goes all the same. */
  fail(event: ConnectionEvent & { readonly type: "failed" }): void {
    if (this.connection.status === "leaving") return;
    this.update({ status: "failed", todo: [] });
    this.tell(event);
  }

  save(): Saved {
    const { connection, changes, events, effects } = this;
    return { connection, changes: changes.length, events: events.length, effects: effects.length };
  }

  /** Takes back everything since `save`. */
  restore(saved: Saved): void {
    this.connection = saved.connection;
    this.changes.length = saved.changes;
    this.events.length = saved.events;
    this.effects.length = saved.effects;
  }

  /** Everything to be written, the connection itself among it if it is not as it was before. */
  allChanges(before: Connection | null): Change[] {
    const { id } = this.connection;
    if (before === this.connection && !this.isGone) return this.changes;
    const own = this.isGone
      ? { table: TABLE.connections, key: id, value: null }
      : recordChange(TABLE.connections, id, this.connection);
    return [...this.changes, own];
  }
}
