import { hex } from "#crypto/bytes";
import { decodeSecretKey, encodeSecretKey } from "#crypto/keys";
import type { AuthSecretKey } from "#protocol/authorize";
import type { Server } from "#protocol/address";
import type { FollowEvent } from "../relay/notification/subscriptions.ts";
import type { FollowedQueue } from "./api.ts";
import { meter } from "./meter.ts";

/** Attempts to reach the relay that failed since the last that did not. Milliseconds since 1970. */
export interface Outage {
  readonly count: number;
  readonly since: number;
  readonly retryAt: number;
}

/** What a follower knows beside the queues. Plain data. */
export interface FollowerState {
  readonly server: Server;
  /** Whether it was ever reached. */
  readonly wasReached: boolean;
  readonly outage: Outage | null;
  /** Counts up with each loss of the relay that devices were told of. */
  readonly era: number;
}

export interface StoredQueue extends FollowedQueue {
  /** In which era its device was told that it is subscribed; null: not since it is followed. */
  readonly told: number | null;
  /** What came of it for good, until its device has been told. */
  readonly fate: FollowEvent | null;
}

/** How many queues are followed: by the name of the device in hexadecimal, and all. */
interface Counts {
  readonly ofDevice: Map<string, number>;
  all: number;
}

const STATE = "state";

const TABLES = {
  followed: `CREATE TABLE followed (notifier_id BLOB, sub_id BLOB, device BLOB, notifier_key BLOB, told INTEGER,
    fate TEXT, PRIMARY KEY (notifier_id, sub_id)) WITHOUT ROWID`,
} as const;
type Table = keyof typeof TABLES;

type Row = Record<string, SqlStorageValue>;
type Target = Pick<FollowedQueue, "notifierId" | "subId">;

const bytes = (value: SqlStorageValue | undefined): Uint8Array => new Uint8Array(value as ArrayBuffer);
const blob = (value: Uint8Array): ArrayBuffer => value.slice().buffer as ArrayBuffer;

function toQueue(row: Row): FollowedQueue {
  return {
    notifierId: bytes(row["notifier_id"]),
    subId: bytes(row["sub_id"]),
    device: bytes(row["device"]),
    notifierKey: decodeSecretKey(bytes(row["notifier_key"])) as AuthSecretKey,
  };
}

function toStored(row: Row): StoredQueue {
  const { told, fate } = row;
  return {
    ...toQueue(row),
    told: typeof told === "number" ? told : null,
    fate: typeof fate === "string" ? JSON.parse(fate) as FollowEvent : null,
  };
}

/**
 * The queues of one other relay that are followed, in the SQLite of their Durable Object. One row for each, written
 * when it is followed, when its device has been told so, and when it ends; none for what is heard of it.
 */
export class FollowerStore {
  readonly #storage: DurableObjectStorage;
  #tables: Set<string> | null = null;
  #state: FollowerState | null = null;
  #counts: Counts | null = null;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  #exec(statement: string, ...bindings: readonly SqlStorageValue[]): Row[] {
    const cursor = this.#storage.sql.exec(statement, ...bindings);
    const rows = cursor.toArray();
    meter.rowsWritten += cursor.rowsWritten;
    meter.rowsRead += cursor.rowsRead;
    return rows;
  }

  #has(table: Table): boolean {
    this.#tables ??= new Set(
      this.#exec("SELECT name FROM sqlite_master WHERE type = 'table'").map((row) => String(row["name"])),
    );
    return this.#tables.has(table);
  }

  #require(table: Table): void {
    if (this.#has(table)) return;
    this.#exec(TABLES[table]);
    this.#tables?.add(table);
  }

  transaction<T>(change: () => T): T {
    try {
      return this.#storage.transactionSync(change);
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  /** What is held in memory, after a transaction was rolled back or everything deleted. */
  forget(): void {
    this.#tables = null;
    this.#state = null;
    this.#counts = null;
  }

  state(): FollowerState | null {
    return this.#state ??= this.#storage.kv.get<FollowerState>(STATE) ?? null;
  }

  saveState(state: FollowerState): void {
    this.#storage.kv.put(STATE, state);
    this.#state = state;
  }

  queues(): readonly StoredQueue[] {
    return this.#has("followed") ? this.#exec("SELECT * FROM followed").map(toStored) : [];
  }

  /** For whichever subscriptions. */
  queuesOf(notifierId: Uint8Array): readonly StoredQueue[] {
    if (!this.#has("followed")) return [];
    return this.#exec("SELECT * FROM followed WHERE notifier_id = ?", blob(notifierId)).map(toStored);
  }

  /** Those whose devices believe them subscribed. */
  toldIn(era: number): readonly StoredQueue[] {
    if (!this.#has("followed")) return [];
    return this.#exec("SELECT * FROM followed WHERE told = ? AND fate IS NULL", era).map(toStored);
  }

  /** Counted once while the object is in memory: the rows that are read for it are paid for. */
  #counted(): Counts {
    if (this.#counts) return this.#counts;
    const rows = this.#has("followed") ? this.#exec("SELECT device, count(*) AS n FROM followed GROUP BY device") : [];
    const ofDevice = new Map(rows.map((row) => [hex(bytes(row["device"])), Number(row["n"])]));
    return this.#counts = { ofDevice, all: [...ofDevice.values()].reduce((sum, count) => sum + count, 0) };
  }

  #count(device: Uint8Array, change: 1 | -1): void {
    const counts = this.#counted();
    const count = this.countOf(device) + change;
    if (count > 0) counts.ofDevice.set(hex(device), count);
    else counts.ofDevice.delete(hex(device));
    counts.all += change;
  }

  count(): number {
    return this.#counted().all;
  }

  /** For one device. */
  countOf(device: Uint8Array): number {
    return this.#counted().ofDevice.get(hex(device)) ?? 0;
  }

  follow({ notifierId, subId, device, notifierKey }: FollowedQueue): void {
    this.unfollow({ notifierId, subId });
    this.#counted();
    this.#require("followed");
    this.#exec(
      "INSERT INTO followed VALUES (?, ?, ?, ?, NULL, NULL)",
      blob(notifierId),
      blob(subId),
      blob(device),
      blob(encodeSecretKey(notifierKey)),
    );
    this.#count(device, 1);
  }

  unfollow({ notifierId, subId }: Target): void {
    if (!this.#has("followed")) return;
    this.#counted();
    const statement = "DELETE FROM followed WHERE notifier_id = ? AND sub_id = ? RETURNING device";
    for (const row of this.#exec(statement, blob(notifierId), blob(subId))) this.#count(bytes(row["device"]), -1);
  }

  setTold({ notifierId, subId }: Target, era: number | null): void {
    this.#exec("UPDATE followed SET told = ? WHERE notifier_id = ? AND sub_id = ?", era, blob(notifierId), blob(subId));
  }

  setFate({ notifierId, subId }: Target, fate: FollowEvent): void {
    const text = JSON.stringify(fate);
    this.#exec("UPDATE followed SET fate = ? WHERE notifier_id = ? AND sub_id = ?", text, blob(notifierId), blob(subId));
  }
}
