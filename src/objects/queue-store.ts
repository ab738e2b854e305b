import type { AuthAlgorithm, PublicKey } from "#crypto/keys";
import { type Codec, decode, encode } from "#protocol/codec";
import { nonEmpty } from "#protocol/combine";
import type { QueueMode } from "#protocol/commands/queue";
import { authKey } from "#protocol/key";
import { FETCHING_CONNECTIONS, PENDING_NOTIFICATIONS } from "../relay/limits.ts";
import type {
  NotifierSubscriber,
  PendingNotification,
  QueueRecord,
  QueueStatus,
  QueueStore,
  StoredMessage,
  Subscriber,
} from "../relay/ports.ts";
import { meter } from "./meter.ts";

type AuthKey = PublicKey<AuthAlgorithm>;
const authKeys: Codec<AuthKey[]> = nonEmpty(authKey);

/**
 * Tables are made when first written, so that an id that leads nowhere stores nothing and a queue without a link or
 * notifier pays for none. Messages are numbered without gaps from head to newest: their count needs no counter.
 */
const TABLES = {
  queue: `CREATE TABLE queue (
    k INTEGER PRIMARY KEY CHECK (k = 0), sender_id BLOB, recipient_id BLOB, notifier_id BLOB, recipient_keys BLOB,
    rcv_dh_secret BLOB, sender_key BLOB, mode TEXT, status TEXT, service_id BLOB,
    ntf_key BLOB, ntf_dh_secret BLOB, ntf_service_id BLOB, has_link INTEGER,
    sub_connection TEXT, sub_service_id BLOB, sub_delivered BLOB, nsub_connection TEXT, nsub_service_id BLOB)`,
  link: "CREATE TABLE link (k INTEGER PRIMARY KEY CHECK (k = 0), link_id BLOB, fixed_data BLOB, user_data BLOB)",
  message: "CREATE TABLE message (seq INTEGER PRIMARY KEY, id BLOB, ts INTEGER, kind INTEGER, body BLOB)",
  fetching: "CREATE TABLE fetching (seq INTEGER PRIMARY KEY, connection TEXT, delivered BLOB)",
  notification: "CREATE TABLE notification (seq INTEGER PRIMARY KEY, msg_id BLOB, ts INTEGER)",
} as const;
type Table = keyof typeof TABLES;

/**
 * `gone`: the last message left and nothing came after it. Its row stays with the id alone until the next message
 * takes the row: so the queue recognises a message that is sent again, at no more than the two rows of each message.
 */
const KIND = { quota: 0, silent: 1, notifying: 2, gone: 3 } as const;

type Row = Record<string, SqlStorageValue>;

const bytes = (value: SqlStorageValue | undefined): Uint8Array => new Uint8Array(value as ArrayBuffer);
const optionalBytes = (value: SqlStorageValue | undefined): Uint8Array | null => (value === null ? null : bytes(value));
const blob = (value: Uint8Array | null): ArrayBuffer | null => (value ? value.slice().buffer as ArrayBuffer : null);

interface Loaded {
  record: QueueRecord | null;
  subscriber: Subscriber | null;
  notifierSubscriber: NotifierSubscriber | null;
  /** Numbers of the head and of the next message. */
  first: number;
  next: number;
  endsWithQuota: boolean;
  /** Undefined until it is read. One message at most, while the object is in memory anyway. */
  head: StoredMessage | undefined;
}

/** A queue in the SQLite of its Durable Object, with what every command needs held in memory. */
export class SqlQueueStore implements QueueStore {
  readonly #sql: SqlStorage;
  #tables: Set<string> | null = null;
  #loaded: Loaded | null = null;

  #erased = false;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Whether the queue was deleted and its storage waits to be; asking clears it. */
  takeErased(): boolean {
    const erased = this.#erased;
    this.#erased = false;
    return erased;
  }

  /** Forgets what is held in memory, after a transaction was rolled back. */
  reload(): void {
    this.#tables = null;
    this.#loaded = null;
  }

  #exec(statement: string, ...bindings: readonly SqlStorageValue[]): Row[] {
    const cursor = this.#sql.exec(statement, ...bindings);
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

  get #state(): Loaded {
    return this.#loaded ??= this.#load();
  }

  #load(): Loaded {
    const [row] = this.#has("queue") ? this.#exec("SELECT * FROM queue WHERE k = 0") : [];
    const [range] = this.#has("message") ? this.#exec("SELECT min(seq) AS first, max(seq) AS last FROM message") : [];
    const first = (range?.["first"] ?? null) as number | null;
    const last = (range?.["last"] ?? null) as number | null;
    const [newest] = last === null ? [] : this.#exec("SELECT kind FROM message WHERE seq = ?", last);
    return {
      record: row ? this.#toRecord(row) : null,
      subscriber: typeof row?.["sub_connection"] === "string"
        ? {
          connection: row["sub_connection"],
          serviceId: optionalBytes(row["sub_service_id"]),
          delivered: optionalBytes(row["sub_delivered"]),
        }
        : null,
      notifierSubscriber: typeof row?.["nsub_connection"] === "string"
        ? { connection: row["nsub_connection"], serviceId: optionalBytes(row["nsub_service_id"]) }
        : null,
      first: first ?? 1,
      next: last === null ? 1 : newest?.["kind"] === KIND.gone ? last : last + 1,
      endsWithQuota: newest?.["kind"] === KIND.quota,
      head: undefined,
    };
  }

  #toRecord(row: Row): QueueRecord {
    const ntfKey = optionalBytes(row["ntf_key"]);
    const senderKey = optionalBytes(row["sender_key"]);
    const [link] = row["has_link"] === 1 ? this.#exec("SELECT * FROM link WHERE k = 0") : [];
    return {
      senderId: bytes(row["sender_id"]),
      recipientId: bytes(row["recipient_id"]),
      notifierId: bytes(row["notifier_id"]),
      recipientKeys: decode(authKeys, bytes(row["recipient_keys"])),
      rcvDhSecret: bytes(row["rcv_dh_secret"]),
      senderKey: senderKey ? decode(authKey, senderKey) : null,
      mode: row["mode"] as QueueMode | null,
      link: link
        ? {
          linkId: bytes(link["link_id"]),
          data: { fixedData: bytes(link["fixed_data"]), userData: bytes(link["user_data"]) },
        }
        : null,
      notifier: ntfKey
        ? {
          key: decode(authKey, ntfKey),
          dhSecret: bytes(row["ntf_dh_secret"]),
          serviceId: optionalBytes(row["ntf_service_id"]),
        }
        : null,
      status: JSON.parse(String(row["status"])) as QueueStatus,
      serviceId: optionalBytes(row["service_id"]),
    };
  }

  record(): QueueRecord | null {
    return this.#state.record;
  }

  save(record: QueueRecord): void {
    this.#require("queue");
    this.#require("message");
    const { subscriber, notifierSubscriber, record: former } = this.#state;
    if (record.link !== (former?.link ?? null)) this.#saveLink(record.link);
    this.#exec(
      `INSERT OR REPLACE INTO queue VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      blob(record.senderId),
      blob(record.recipientId),
      blob(record.notifierId),
      blob(encode(authKeys, [...record.recipientKeys])),
      blob(record.rcvDhSecret),
      record.senderKey ? blob(encode(authKey, record.senderKey)) : null,
      record.mode,
      JSON.stringify(record.status),
      blob(record.serviceId),
      record.notifier ? blob(encode(authKey, record.notifier.key)) : null,
      blob(record.notifier?.dhSecret ?? null),
      blob(record.notifier?.serviceId ?? null),
      record.link ? 1 : 0,
      subscriber?.connection ?? null,
      blob(subscriber?.serviceId ?? null),
      blob(subscriber?.delivered ?? null),
      notifierSubscriber?.connection ?? null,
      blob(notifierSubscriber?.serviceId ?? null),
    );
    this.#state.record = record;
  }

  #saveLink(link: QueueRecord["link"]): void {
    if (!link) {
      if (this.#has("link")) this.#exec("DELETE FROM link");
      return;
    }
    this.#require("link");
    const { fixedData, userData } = link.data;
    this.#exec("INSERT OR REPLACE INTO link VALUES (0, ?, ?, ?)", blob(link.linkId), blob(fixedData), blob(userData));
  }

  /** The owner of the storage deletes it whole once the transaction is over. */
  erase(): void {
    this.#tables = new Set();
    this.#loaded = null;
    this.#erased = true;
  }

  subscriber(): Subscriber | null {
    return this.#state.subscriber;
  }

  setSubscriber(subscriber: Subscriber | null): void {
    this.#exec(
      "UPDATE queue SET sub_connection = ?, sub_service_id = ?, sub_delivered = ? WHERE k = 0",
      subscriber?.connection ?? null,
      blob(subscriber?.serviceId ?? null),
      blob(subscriber?.delivered ?? null),
    );
    this.#state.subscriber = subscriber;
  }

  fetched(connection: string): Uint8Array | null | undefined {
    if (!this.#has("fetching")) return undefined;
    const [row] = this.#exec("SELECT delivered FROM fetching WHERE connection = ?", connection);
    return row ? optionalBytes(row["delivered"]) : undefined;
  }

  setFetched(connection: string, msgId: Uint8Array | null): void {
    this.#require("fetching");
    const [row] = this.#exec("SELECT seq FROM fetching WHERE connection = ?", connection);
    if (row) {
      this.#exec("UPDATE fetching SET delivered = ? WHERE seq = ?", blob(msgId), row["seq"] ?? null);
      return;
    }
    this.#exec("INSERT INTO fetching (connection, delivered) VALUES (?, ?)", connection, blob(msgId));
    this.#exec(
      "DELETE FROM fetching WHERE seq <= (SELECT max(seq) FROM fetching) - ?",
      FETCHING_CONNECTIONS,
    );
  }

  size(): number {
    return this.#state.next - this.#state.first;
  }

  head(): StoredMessage | null {
    if (this.size() === 0) return null;
    return this.#state.head ??= this.#readHead();
  }

  #readHead(): StoredMessage {
    const [row] = this.#exec("SELECT * FROM message WHERE seq = ?", this.#state.first);
    if (!row) throw new Error("the head of the queue is missing");
    const id = bytes(row["id"]);
    const ts = Number(row["ts"]);
    if (row["kind"] === KIND.quota) return { type: "quota", id, ts };
    return { type: "message", id, ts, notification: row["kind"] === KIND.notifying, body: bytes(row["body"]) };
  }

  endsWithQuota(): boolean {
    return this.#state.endsWithQuota;
  }

  knows(msgId: Uint8Array): boolean {
    return this.#exec("SELECT 1 FROM message WHERE id = ? AND kind <> ?", blob(msgId), KIND.quota).length > 0;
  }

  append(message: StoredMessage): void {
    const isQuota = message.type === "quota";
    const kind = isQuota ? KIND.quota : message.notification ? KIND.notifying : KIND.silent;
    const body = isQuota ? null : blob(message.body);
    const state = this.#state;
    const isFirst = state.first === state.next;
    // Only the row of a message that is gone can be in the way.
    const insert = isFirst ? "INSERT OR REPLACE INTO" : "INSERT INTO";
    this.#exec(`${insert} message VALUES (?, ?, ?, ?, ?)`, state.next, blob(message.id), message.ts, kind, body);
    if (isFirst) state.head = message;
    state.next++;
    state.endsWithQuota = isQuota;
  }

  removeHead(): void {
    const state = this.#state;
    const head = this.head();
    if (!head) return;
    state.head = undefined;
    if (this.size() === 1 && head.type === "message") {
      this.#exec("UPDATE message SET ts = 0, kind = ?, body = NULL WHERE seq = ?", KIND.gone, state.first);
      state.next = state.first;
      return;
    }
    this.#exec("DELETE FROM message WHERE seq = ?", state.first);
    state.first++;
    if (state.first === state.next) state.endsWithQuota = false;
  }

  notifierSubscriber(): NotifierSubscriber | null {
    return this.#state.notifierSubscriber;
  }

  setNotifierSubscriber(subscriber: NotifierSubscriber | null): void {
    this.#exec(
      "UPDATE queue SET nsub_connection = ?, nsub_service_id = ? WHERE k = 0",
      subscriber?.connection ?? null,
      blob(subscriber?.serviceId ?? null),
    );
    this.#state.notifierSubscriber = subscriber;
  }

  pendingNotifications(): readonly PendingNotification[] {
    if (!this.#has("notification")) return [];
    return this.#exec("SELECT msg_id, ts FROM notification ORDER BY seq").map((row) => ({
      msgId: bytes(row["msg_id"]),
      ts: Number(row["ts"]),
    }));
  }

  addPendingNotification({ msgId, ts }: PendingNotification): void {
    this.#require("notification");
    this.#exec("INSERT INTO notification (msg_id, ts) VALUES (?, ?)", blob(msgId), ts);
    this.#exec("DELETE FROM notification WHERE seq <= (SELECT max(seq) FROM notification) - ?", PENDING_NOTIFICATIONS);
  }

  clearPendingNotifications(): void {
    if (this.#has("notification")) this.#exec("DELETE FROM notification");
  }
}
