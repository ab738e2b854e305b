import type { AuthAlgorithm, PublicKey } from "#crypto/keys";
import { decodeSecretKey, encodeSecretKey } from "#crypto/keys";
import { equal } from "#crypto/bytes";
import { AddressError, formatServerAddress } from "#protocol/address";
import type { AuthSecretKey } from "#protocol/authorize";
import { type Codec, decode, encode } from "#protocol/codec";
import { authKey } from "#protocol/key";
import { formatNtfQueue, type NtfQueue, parseNtfQueue } from "#protocol/ntf/queue";
import type { SubscriptionStatus, TokenStatus } from "#protocol/ntf/status";
import { formatDeviceToken, parseDeviceToken } from "#protocol/ntf/token";
import {
  type DeliveryState,
  type DeviceStore,
  type LatestNotification,
  NOTHING_DELIVERED,
  type Subscription,
  type TokenRecord,
} from "../relay/notification/ports.ts";
import { report } from "./log.ts";
import { meter } from "./meter.ts";

const verifyKey: Codec<PublicKey<AuthAlgorithm>> = authKey;

/** Made when first written, so that an id that leads nowhere stores nothing. */
const TABLES = {
  token: `CREATE TABLE token (
    k INTEGER PRIMARY KEY CHECK (k = 0), id BLOB, token TEXT, status TEXT, verify_key BLOB, dh_key BLOB,
    dh_secret BLOB, reg_code BLOB, cron_minutes INTEGER, cron_sent_at INTEGER, used_at INTEGER)`,
  delivery: "CREATE TABLE delivery (k INTEGER PRIMARY KEY CHECK (k = 0), state TEXT)",
  subscription: `CREATE TABLE subscription (
    id BLOB PRIMARY KEY, queue TEXT UNIQUE, notifier_key BLOB, status TEXT) WITHOUT ROWID`,
  latest: "CREATE TABLE latest (id BLOB PRIMARY KEY, ord INTEGER, at INTEGER, nonce BLOB, meta BLOB) WITHOUT ROWID",
  unfollowed: "CREATE TABLE unfollowed (k INTEGER PRIMARY KEY CHECK (k = 0), at INTEGER)",
} as const;
type Table = keyof typeof TABLES;

type Row = Record<string, SqlStorageValue>;

const bytes = (value: SqlStorageValue | undefined): Uint8Array => new Uint8Array(value as ArrayBuffer);
const blob = (value: Uint8Array): ArrayBuffer => value.slice().buffer as ArrayBuffer;

function toRecord(row: Row): TokenRecord {
  return {
    tokenId: bytes(row["id"]),
    token: parseDeviceToken(String(row["token"])),
    status: row["status"] as TokenStatus,
    verifyKey: decode(verifyKey, bytes(row["verify_key"])),
    dhKey: bytes(row["dh_key"]),
    dhSecret: bytes(row["dh_secret"]),
    regCode: bytes(row["reg_code"]),
    cronMinutes: Number(row["cron_minutes"]),
    cronSentAt: Number(row["cron_sent_at"]),
    usedAt: Number(row["used_at"]),
  };
}

/** Empty where the queue's text is not one: whatever it is that was stored, its device can be told and deleted. */
function toSubscription(row: Row): Subscription[] {
  try {
    return [{
      subId: bytes(row["id"]),
      queue: parseNtfQueue(String(row["queue"])),
      notifierKey: decodeSecretKey(bytes(row["notifier_key"])) as AuthSecretKey,
      status: row["status"] as SubscriptionStatus,
    }];
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    // Not with the error's own text, which names the host.
    report("a stored subscription is left out", "its queue has no address");
    return [];
  }
}

/** What every push needs, held in memory; undefined until it is read. */
interface Loaded {
  record?: TokenRecord | null;
  delivery?: DeliveryState;
  latest?: readonly LatestNotification[];
  count?: number;
  servers?: Set<string>;
  unfollowedAt?: number | null;
}

/** A registered token in the SQLite of its Durable Object. Of its subscriptions only those that are asked for are read. */
export class SqlDeviceStore implements DeviceStore {
  readonly #sql: SqlStorage;
  #tables: Set<string> | null = null;
  #loaded: Loaded = {};
  #erased = false;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Whether the token was deleted and its storage waits to be; asking clears it. */
  takeErased(): boolean {
    const erased = this.#erased;
    this.#erased = false;
    return erased;
  }

  /** Forgets what is held in memory, after a transaction was rolled back. */
  reload(): void {
    this.#tables = null;
    this.#loaded = {};
    this.#erased = false;
  }

  #exec(statement: string, ...bindings: readonly SqlStorageValue[]): Row[] {
    const cursor = this.#sql.exec(statement, ...bindings);
    const rows = cursor.toArray();
    meter.rowsWritten += cursor.rowsWritten;
    meter.rowsRead += cursor.rowsRead;
    return rows;
  }

  #read(table: Table, rest: string, ...bindings: readonly SqlStorageValue[]): Row[] {
    this.#tables ??= new Set(
      this.#exec("SELECT name FROM sqlite_master WHERE type = 'table'").map((row) => String(row["name"])),
    );
    return this.#tables.has(table) ? this.#exec(`SELECT ${rest}`, ...bindings) : [];
  }

  #write(table: Table, statement: string, ...bindings: readonly SqlStorageValue[]): void {
    this.#read(table, "1 WHERE false");
    if (!this.#tables?.has(table)) {
      this.#exec(TABLES[table]);
      this.#tables?.add(table);
    }
    this.#exec(statement, ...bindings);
  }

  record(): TokenRecord | null {
    if (this.#loaded.record === undefined) {
      const [row] = this.#read("token", "* FROM token");
      this.#loaded.record = row ? toRecord(row) : null;
    }
    return this.#loaded.record;
  }

  save(record: TokenRecord): void {
    this.#write(
      "token",
      "INSERT OR REPLACE INTO token VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      blob(record.tokenId),
      formatDeviceToken(record.token),
      record.status,
      blob(encode(verifyKey, record.verifyKey)),
      blob(record.dhKey),
      blob(record.dhSecret),
      blob(record.regCode),
      record.cronMinutes,
      record.cronSentAt,
      record.usedAt,
    );
    this.#loaded.record = record;
  }

  /** The owner of the storage deletes it whole once the transaction is over. */
  erase(): void {
    this.#tables = new Set();
    this.#loaded = {};
    this.#erased = true;
  }

  delivery(): DeliveryState {
    if (!this.#loaded.delivery) {
      const [row] = this.#read("delivery", "state FROM delivery");
      this.#loaded.delivery = row ? JSON.parse(String(row["state"])) as DeliveryState : NOTHING_DELIVERED;
    }
    return this.#loaded.delivery;
  }

  saveDelivery(state: DeliveryState): void {
    this.#write("delivery", "INSERT OR REPLACE INTO delivery VALUES (0, ?)", JSON.stringify(state));
    this.#loaded.delivery = state;
  }

  subscription(subId: Uint8Array): Subscription | null {
    const [row] = this.#read("subscription", "* FROM subscription WHERE id = ?", blob(subId));
    return row ? toSubscription(row)[0] ?? null : null;
  }

  subscriptionTo(queue: NtfQueue): Subscription | null {
    const [row] = this.#read("subscription", "* FROM subscription WHERE queue = ?", formatNtfQueue(queue));
    return row ? toSubscription(row)[0] ?? null : null;
  }

  subscriptions(): readonly Subscription[] {
    return this.#read("subscription", "* FROM subscription").flatMap(toSubscription);
  }

  subscriptionCount(): number {
    this.#loaded.count ??= Number(this.#read("subscription", "count(*) AS count FROM subscription")[0]?.["count"] ?? 0);
    return this.#loaded.count;
  }

  servers(): ReadonlySet<string> {
    this.#loaded.servers ??= new Set(
      // What stands before the notifier id.
      this.#read("subscription", "DISTINCT substr(queue, 1, 5 + instr(substr(queue, 7), '/')) AS server FROM subscription")
        .map((row) => String(row["server"])),
    );
    return this.#loaded.servers;
  }

  saveSubscription({ subId, queue, notifierKey, status }: Subscription): void {
    const former = this.subscription(subId);
    if (former && equal(former.notifierKey.secret, notifierKey.secret)) {
      this.#write("subscription", "UPDATE subscription SET status = ? WHERE id = ?", status, blob(subId));
      return;
    }
    const count = this.subscriptionCount();
    this.#write(
      "subscription",
      "INSERT OR REPLACE INTO subscription VALUES (?, ?, ?, ?)",
      blob(subId),
      formatNtfQueue(queue),
      blob(encodeSecretKey(notifierKey)),
      status,
    );
    if (!former) this.#loaded.count = count + 1;
    this.#loaded.servers?.add(formatServerAddress(queue.server));
  }

  removeSubscription(subId: Uint8Array): void {
    const count = this.subscriptionCount();
    const latest = this.latest();
    this.#write("subscription", "DELETE FROM subscription WHERE id = ?", blob(subId));
    this.#loaded.count = count - 1;
    // Whether it was the last of its server.
    delete this.#loaded.servers;
    if (!latest.some((one) => equal(one.subId, subId))) return;
    this.#write("latest", "DELETE FROM latest WHERE id = ?", blob(subId));
    this.#loaded.latest = latest.filter((one) => !equal(one.subId, subId));
  }

  latest(): readonly LatestNotification[] {
    this.#loaded.latest ??= this.#read("latest", "* FROM latest").map((row) => ({
      subId: bytes(row["id"]),
      order: Number(row["ord"]),
      at: Number(row["at"]),
      nonce: bytes(row["nonce"]),
      encMeta: bytes(row["meta"]),
    })).sort((a, b) => a.order - b.order);
    return this.#loaded.latest;
  }

  setLatest(notification: LatestNotification): void {
    const { subId, order, at, nonce, encMeta } = notification;
    const others = this.latest().filter((one) => !equal(one.subId, subId));
    this.#write(
      "latest",
      "INSERT OR REPLACE INTO latest VALUES (?, ?, ?, ?, ?)",
      blob(subId),
      order,
      at,
      blob(nonce),
      blob(encMeta),
    );
    this.#loaded.latest = [...others, notification].sort((a, b) => a.order - b.order);
  }

  dropLatestBelow(order: number): void {
    const latest = this.latest();
    if (!latest.some((one) => one.order < order)) return;
    this.#write("latest", "DELETE FROM latest WHERE ord < ?", order);
    this.#loaded.latest = latest.filter((one) => one.order >= order);
  }

  /** When queues that nobody follows yet (status NEW) are to be asked for again; null: there are none. */
  unfollowedAt(): number | null {
    if (this.#loaded.unfollowedAt === undefined) {
      const [row] = this.#read("unfollowed", "at FROM unfollowed");
      this.#loaded.unfollowedAt = row ? Number(row["at"]) : null;
    }
    return this.#loaded.unfollowedAt;
  }

  setUnfollowedAt(at: number | null): void {
    if (at === this.unfollowedAt()) return;
    if (at === null) this.#write("unfollowed", "DELETE FROM unfollowed");
    else this.#write("unfollowed", "INSERT OR REPLACE INTO unfollowed VALUES (0, ?)", at);
    this.#loaded.unfollowedAt = at;
  }

  /** Makes room: subscriptions to queues that have ended, which devices leave behind. */
  removeEnded(): void {
    this.#write("subscription", "DELETE FROM subscription WHERE status IN ('END', 'DELETED', 'AUTH')");
    delete this.#loaded.count;
    delete this.#loaded.servers;
    if (this.latest().length === 0) return;
    this.#write("latest", "DELETE FROM latest WHERE id NOT IN (SELECT id FROM subscription)");
    delete this.#loaded.latest;
  }

  /** Whose queues nobody follows yet. */
  unfollowed(): readonly Subscription[] {
    return this.#read("subscription", "* FROM subscription WHERE status = 'NEW'").flatMap(toSubscription);
  }
}
