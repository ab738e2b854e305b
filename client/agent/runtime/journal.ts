import * as v from "valibot";
import { Mailbox } from "../../mailbox.ts";
import { decodeRecord, recordChange } from "../../store/record.ts";
import type { Change, Store } from "../../store/store.ts";
import type { AgentEvent, ConnectionEvent, PassingEvent } from "../events.ts";
import type { Held, Told } from "../step.ts";
import { ordinal, TABLE } from "../tables.ts";

const bytes: v.GenericSchema<unknown, Uint8Array> = v.instance(Uint8Array);
const stored = v.object({
  connection: v.string(),
  event: v.looseObject({ type: v.string() }),
  held: v.nullable(v.object({ queue: v.number(), msgId: bytes, sndMsgId: v.number(), hash: bytes })),
});

interface Stored extends Told {
  readonly connection: string;
}

interface Entry {
  readonly event: AgentEvent;
  /** Key of its row; null for events that are told once. */
  readonly key: string | null;
  readonly held: Held | null;
}

/** Events that were written and are to be told. */
export interface Written {
  readonly changes: readonly Change[];
  /** To be called once the changes are on disk. */
  tell(): void;
}

function checkStored(value: unknown): Stored {
  const { event, ...rest } = v.parse(stored, value);
  // Only this file writes these rows, so the rest of the event is as it was told.
  return { ...rest, event: event as unknown as ConnectionEvent };
}

function messageName(connection: string, item: number): string {
  return `${connection}/${item}`;
}

/**
 * The events of connections, kept on disk until the application has handled them: those of a program that was killed
 * come again when it starts. A message counts as handled when it is acknowledged, any other event when the next one is
 * asked for.
 */
export class Journal implements AsyncIterableIterator<AgentEvent, undefined> {
  readonly #store: Store;
  /** Called when there is something to write. */
  onHandled: (() => void) | null = null;
  readonly #mailbox = new Mailbox<Entry>();
  /** Rows of messages that wait for their acknowledgement. */
  readonly #messages = new Map<string, { readonly key: string; readonly held: Held | null }>();
  #next = 1;
  #last: Entry | null = null;
  #handled: Change[] = [];

  private constructor(store: Store) {
    this.#store = store;
  }

  /** Events from before come first. */
  static async open(store: Store): Promise<Journal> {
    const journal = new Journal(store);
    for (const { key, value } of await store.list(TABLE.events)) {
      const { connection, event, held } = decodeRecord(value, checkStored, { table: TABLE.events, key });
      journal.#next = Number(key) + 1;
      journal.#put({ event: { ...event, connection }, key, held });
    }
    return journal;
  }

  prepare(connection: string, told: readonly Told[]): Written {
    const rows = told.map(({ event, held }) => ({ event, held, key: ordinal(this.#next++) }));
    const changes = rows.map(({ event, held, key }) => recordChange(TABLE.events, key, { connection, event, held }));
    const entries = rows.map(({ event, held, key }): Entry => ({ event: { ...event, connection }, held, key }));
    return {
      changes,
      tell: () => {
        for (const entry of entries) this.#put(entry);
      },
    };
  }

  pass(event: PassingEvent): void {
    this.#mailbox.put({ event, key: null, held: null });
  }

  /** A message that waits for its acknowledgement. */
  heldOf(connection: string, item: number): Held | null {
    return this.#messages.get(messageName(connection, item))?.held ?? null;
  }

  /** The change that forgets a message that waits. */
  acknowledged(connection: string, item: number): Change[] {
    const key = this.#messages.get(messageName(connection, item))?.key;
    return key === undefined ? [] : [{ table: TABLE.events, key, value: null }];
  }

  /** The message was acknowledged, on disk too. */
  forget(connection: string, item: number): void {
    this.#messages.delete(messageName(connection, item));
  }

  /** The messages of a connection that wait. */
  waiting(connection: string): number[] {
    const prefix = `${connection}/`;
    return [...this.#messages.keys()].filter((name) => name.startsWith(prefix)).map((name) => Number(name.slice(prefix.length)));
  }

  /** Rows of events that were handled, to go with the next write. `putBack` when that fails. */
  takeHandled(): Change[] {
    return this.#handled.splice(0);
  }

  putBack(changes: readonly Change[]): void {
    this.#handled.push(...changes);
  }

  async flush(): Promise<void> {
    const changes = this.takeHandled();
    if (changes.length === 0) return;
    try {
      await this.#store.write(changes);
    } catch (error) {
      this.putBack(changes);
      throw error;
    }
  }

  end(): void {
    this.#mailbox.end();
  }

  async next(): Promise<IteratorResult<AgentEvent, undefined>> {
    const last = this.#last;
    this.#last = null;
    if (last !== null && last.key !== null && last.event.type !== "message") {
      this.#handled.push({ table: TABLE.events, key: last.key, value: null });
      this.onHandled?.();
    }
    const result = await this.#mailbox.next();
    if (result.done === true) return result;
    this.#last = result.value;
    return { done: false, value: result.value.event };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #put(entry: Entry): void {
    const { event, key, held } = entry;
    if (event.type === "message" && key !== null) {
      this.#messages.set(messageName(event.connection, event.item), { key, held });
    }
    this.#mailbox.put(entry);
  }
}
