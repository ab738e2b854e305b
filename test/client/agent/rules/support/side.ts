import { hex } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import { sealReceivedMessage } from "#protocol/message";
import type { PeerError } from "../../../../../client/agent/errors.ts";
import type { ConnectionEvent } from "../../../../../client/agent/events.ts";
import type { Connection, Delivery } from "../../../../../client/agent/records.ts";
import { checkDelivery } from "../../../../../client/agent/records.ts";
import { acknowledge } from "../../../../../client/agent/rules/acknowledge.ts";
import { receive } from "../../../../../client/agent/rules/receive.ts";
import { type Effect, type Held, Step } from "../../../../../client/agent/step.ts";
import { queuePrefix, readConnection, TABLE } from "../../../../../client/agent/tables.ts";
import { MemoryFile, MemoryStore } from "../../../../../client/store/memory.ts";
import { listRecords } from "../../../../../client/store/record.ts";

/** What one step did. */
export interface Outcome {
  readonly events: readonly ConnectionEvent[];
  readonly faults: readonly PeerError[];
  readonly effects: readonly Effect[];
  /** Ids, in hexadecimal, of messages that the relay may delete. */
  readonly acked: readonly string[];
}

/** What is told of a step, short enough to be compared. */
export function gist({ events, faults }: Pick<Outcome, "events" | "faults">): string[] {
  return [...events.map(nameOf), ...faults.map(({ fault }) => fault)];
}

function nameOf(event: ConnectionEvent): string {
  switch (event.type) {
    case "message":
      return `message ${event.integrity.type}`;
    case "sync":
      return `sync ${event.state}`;
    case "rotation":
      return `${event.direction} ${event.phase}`;
    case "receipt":
      return `receipt ${event.status}`;
    default:
      return event.type;
  }
}

/** One side of a connection as it is on disk. Steps run here as in the agent, without relays and without time. */
export class Side {
  readonly id: string;
  readonly #file: MemoryFile;
  readonly #store: MemoryStore;
  readonly #held: Map<number, Held>;
  /** Everything that was told, in order. */
  readonly events: ConnectionEvent[] = [];
  readonly faults: PeerError[] = [];
  /** Milliseconds since 1970. */
  now = Date.UTC(2026, 10, 23);
  repairs = true;

  private constructor(id: string, file: MemoryFile, held: Map<number, Held>) {
    this.id = id;
    this.#file = file;
    this.#held = held;
    this.#store = new MemoryStore(file);
  }

  static async begin(connection: Connection): Promise<Side> {
    const side = new Side(connection.id, new MemoryFile(), new Map());
    const step = side.#newStep(connection);
    await side.#store.write(step.allChanges(null));
    return side;
  }

  /** Another one that goes on from here: tests that share a beginning do not disturb each other. */
  copy(): Side {
    const file = new MemoryFile();
    for (const [table, rows] of this.#file.tables) file.tables.set(table, new Map(rows));
    const copy = new Side(this.id, file, new Map(this.#held));
    copy.now = this.now;
    copy.repairs = this.repairs;
    return copy;
  }

  /** What is stored. @throws StoreError when that is damaged */
  async connection(): Promise<Connection> {
    const stored = await readConnection(this.#store, this.id);
    if (!stored) throw new Error("the connection is gone");
    return stored;
  }

  async isGone(): Promise<boolean> {
    return await readConnection(this.#store, this.id) === null;
  }

  /** Puts something else where the connection was. */
  async tamper(change: (connection: Connection) => Connection): Promise<void> {
    const step = this.#newStep(change(await this.connection()));
    await this.#store.write(step.allChanges(null));
  }

  /** Numbers of the messages that the application has not acknowledged. */
  get held(): number[] {
    return [...this.#held.keys()];
  }

  async rows(table: keyof typeof TABLE): Promise<number> {
    return (await this.#store.list(TABLE[table])).length;
  }

  /** Runs one step and writes what it did, as the agent does. A step that throws writes nothing. */
  async step(action: (step: Step) => unknown): Promise<Outcome> {
    const step = this.#newStep(await this.connection());
    await action(step);
    await this.#store.write(step.allChanges(null));
    for (const { event, held } of step.events) {
      this.events.push(event);
      if (event.type === "message" && held) this.#held.set(event.item, held);
    }
    this.faults.push(...step.faults);
    const acked = step.effects.flatMap((effect) => (effect.type === "ack" ? [hex(effect.msgId)] : []));
    // What was written can be read again, whatever a peer wrote into it.
    if (!step.isGone) await this.connection();
    return { events: step.events.map(({ event }) => event), faults: step.faults, effects: step.effects, acked };
  }

  /** A MSG comes from the relay with this body of somebody's SEND. */
  async receive(queue: number, body: Uint8Array, msgId = randomBytes(24)): Promise<Outcome & { readonly isAcked: boolean }> {
    return this.#receive(queue, msgId, { type: "message", ts: this.now / 1_000, notification: false, body });
  }

  /** The relay says that the queue was full. */
  receiveQuota(queue: number): Promise<Outcome & { readonly isAcked: boolean }> {
    return this.#receive(queue, randomBytes(24), { type: "quota", ts: this.now / 1_000 });
  }

  /** MSG with these encrypted bytes, whatever they are. */
  async receiveRaw(queue: number, encBody: Uint8Array, msgId = randomBytes(24)): Promise<Outcome & { readonly isAcked: boolean }> {
    const outcome = await this.step((step) => receive(step, queue, { msgId, encBody }));
    return { ...outcome, isAcked: outcome.acked.includes(hex(msgId)) };
  }

  async #receive(
    queue: number,
    msgId: Uint8Array,
    message: Parameters<typeof sealReceivedMessage>[2],
  ): Promise<Outcome & { readonly isAcked: boolean }> {
    const { receive: queues } = await this.connection();
    const found = queues.find(({ id }) => id === queue);
    if (!found) throw new Error(`there is no receive queue ${queue}`);
    return this.receiveRaw(queue, sealReceivedMessage(found.rcvDhSecret, msgId, message), msgId);
  }

  /** The application has stored a message. */
  async acknowledge(item: number, receipt: Uint8Array | null = null): Promise<Outcome> {
    const outcome = await this.step((step) => acknowledge(step, item, receipt));
    this.#held.delete(item);
    return outcome;
  }

  /** What waits to be sent to a queue, the oldest first. */
  async waiting(queue: number): Promise<Delivery[]> {
    const prefix = queuePrefix(this.id, queue);
    return (await listRecords(this.#store, TABLE.outbox, checkDelivery, { prefix })).map(({ value }) => value);
  }

  #newStep(connection: Connection): Step {
    return new Step(connection, {
      store: this.#store,
      now: this.now,
      policy: { repairs: this.repairs },
      heldOf: (item) => this.#held.get(item) ?? null,
    });
  }
}
