import { listRecords, readRecord, recordChange } from "../../store/record.ts";
import type { Change, Store } from "../../store/store.ts";
import { newId } from "../rules/establish.ts";
import { Locks } from "../runtime/locks.ts";
import { queuePrefix, TABLE } from "../tables.ts";
import {
  checkDevice,
  checkFollowed,
  checkRetired,
  type Device,
  DEVICE_KEY,
  type Followed,
  isActive,
  type Retired,
} from "./records.ts";

/** A queue of a connection. */
export interface QueueName {
  readonly connection: string;
  readonly queue: number;
}

/** What becomes of a record. `from` undefined: there is none; null: none is kept. */
export interface FollowedChange {
  readonly name: QueueName;
  readonly change: (from: Followed | undefined) => Followed | null;
}

function keyOf({ connection, queue }: QueueName): string {
  return queuePrefix(connection, queue);
}

/** What is on disk about notifications, and the same in memory. */
export class Book {
  readonly #store: Store;
  readonly #locks = new Locks();
  readonly #retired = new Map<string, Retired>();
  /** By connection, then by queue. */
  readonly #followed = new Map<string, Map<number, Followed>>();
  #device: Device | null = null;

  private constructor(store: Store) {
    this.#store = store;
  }

  static async open(store: Store): Promise<Book> {
    const book = new Book(store);
    book.#device = await readRecord(store, TABLE.device, DEVICE_KEY, checkDevice);
    for (const { value } of await listRecords(store, TABLE.followed, checkFollowed)) book.#put(value, value);
    for (const { key, value } of await listRecords(store, TABLE.retired, checkRetired)) book.#retired.set(key, value);
    return book;
  }

  get device(): Device | null {
    return this.#device;
  }

  /** Whether there is nothing to do for any connection, now or later. */
  get isIdle(): boolean {
    return this.#device === null && this.#followed.size === 0;
  }

  get followed(): readonly Followed[] {
    return [...this.#followed.values()].flatMap((queues) => [...queues.values()]);
  }

  followedOf(connection: string): readonly Followed[] {
    return [...this.#followed.get(connection)?.values() ?? []];
  }

  /** Connections of which there are records. */
  get connections(): readonly string[] {
    return [...this.#followed.keys()];
  }

  /** Tokens that their servers are to forget. */
  get retired(): readonly { readonly key: string; readonly value: Retired }[] {
    return [...this.#retired].map(([key, value]) => ({ key, value }));
  }

  saveDevice(device: Device | null): Promise<void> {
    return this.#putDevice(device, []);
  }

  /** The present token goes, and its server is to forget it; `device` comes in its place. `now`: in milliseconds. */
  async retire(device: Device | null, now: number): Promise<void> {
    const old = this.#device;
    if (!old?.registration) return this.saveDevice(device);
    const { server, verifyKeys, registration: { tokenId } } = old;
    const retired: Retired = { server, tokenId, key: verifyKeys.secretKey, at: now };
    const key = newId();
    await this.#putDevice(device, [recordChange(TABLE.retired, key, retired)]);
    this.#retired.set(key, retired);
  }

  async dropRetired(key: string): Promise<void> {
    await this.#store.write([{ table: TABLE.retired, key, value: null }]);
    this.#retired.delete(key);
  }

  /** Changes records, all in one write; each change is made to what the record is then. */
  change(changes: readonly FollowedChange[]): Promise<void> {
    return this.#locks.run("change", async () => {
      const next = changes.map(({ name, change }) => {
        return { name, value: change(this.#followed.get(name.connection)?.get(name.queue)) };
      });
      if (next.length === 0) return;
      await this.#store.write(next.map(({ name, value }) => followedChange(name, value)));
      for (const { name, value } of next) this.#put(name, value);
    });
  }

  /** A token that is verified anew is tried with every queue: a refusal may have been the former one's. */
  #putDevice(device: Device | null, changes: readonly Change[]): Promise<void> {
    return this.#locks.run("change", async () => {
      const isAnew = isActive(device) && !isActive(this.#device);
      const waiting = isAnew ? this.followed.filter(({ notBefore }) => notBefore > 0) : [];
      const freed = waiting.map((one): Followed => ({ ...one, notBefore: 0 }));
      await this.#store.write([deviceChange(device), ...changes, ...freed.map((one) => followedChange(one, one))]);
      this.#device = device;
      for (const one of freed) this.#put(one, one);
    });
  }

  #put({ connection, queue }: QueueName, value: Followed | null): void {
    const queues = this.#followed.get(connection) ?? new Map<number, Followed>();
    if (value) queues.set(queue, value);
    else queues.delete(queue);
    if (queues.size > 0) this.#followed.set(connection, queues);
    else this.#followed.delete(connection);
  }
}

function deviceChange(device: Device | null): Change {
  return device ? recordChange(TABLE.device, DEVICE_KEY, device) : { table: TABLE.device, key: DEVICE_KEY, value: null };
}

export function followedChange(name: QueueName, value: Followed | null): Change {
  const key = keyOf(name);
  return value ? recordChange(TABLE.followed, key, value) : { table: TABLE.followed, key, value: null };
}
