import { equal, fromUtf8 } from "#crypto/bytes";
import type { KemKeyPair } from "#crypto/sntrup761";
import { type Codec, decode, large } from "#protocol/codec";
import { struct } from "#protocol/combine";
import type { E2eKeys } from "../../ratchet/agree.ts";
import { messageKeyFromOfficial, ratchetFromOfficial, skippedKeyFromOfficial } from "../../ratchet/official-state.ts";
import { e2eKeysFromRecord } from "../../ratchet/snapshot.ts";
import type {
  OfficialConnection,
  OfficialPending,
  OfficialRatchetState,
  OfficialReceivedHash,
  OfficialUnacknowledged,
} from "./agent-types.ts";
import { keyPairIn, nameIn, nameOf, rawIn, timeIn, wordIn } from "./columns.ts";
import { attempt, readable, type RowFailure } from "./failures.ts";
import { type Queues, readQueues } from "./queues.ts";
import type { Database, Row } from "./sqlite/database.ts";

interface SkippedRow {
  readonly headerKey: Uint8Array;
  readonly number: number;
  readonly messageKey: Uint8Array;
}

async function readSkipped(db: Database): Promise<ReadonlyMap<string, SkippedRow[]>> {
  const out = new Map<string, SkippedRow[]>();
  for await (const row of db.rows("skipped_messages")) {
    const key = { headerKey: row.bytes("header_key"), number: row.int("msg_n"), messageKey: row.bytes("msg_key") };
    const id = nameIn(row, "conn_id");
    const list = out.get(id);
    if (list) list.push(key);
    else out.set(id, [key]);
  }
  return out;
}

function ratchetIn(row: Row, skipped: readonly SkippedRow[]): OfficialRatchetState | null {
  const json = row.maybeBytes("ratchet_state");
  if (json === null) return null;
  return row.parsed("ratchet_state", () => {
    const state = ratchetFromOfficial(JSON.parse(fromUtf8(json)));
    return { state, skipped: skipped.map((key) => skippedKeyFromOfficial(state, key)) };
  });
}

const kemKeyPair: Codec<KemKeyPair> = struct<KemKeyPair>({ publicKey: large, secretKey: large });
/** Of a proposal, which alone a link can hold. */
const PROPOSED = 0x50;

/** `P`, Large public key, Large secret key. */
function kemIn(row: Row): KemKeyPair | null {
  const bytes = row.maybeBytes("pq_priv_kem");
  if (bytes === null) return null;
  if (bytes[0] !== PROPOSED) throw new RangeError("is no proposal");
  return decode(kemKeyPair, bytes.subarray(1));
}

function linkKeysIn(row: Row): E2eKeys | null {
  if (row.value("x3dh_priv_key_1") === null || row.value("x3dh_priv_key_2") === null) return null;
  const [key1, key2] = [keyPairIn(row, "x3dh_priv_key_1", "X448"), keyPairIn(row, "x3dh_priv_key_2", "X448")];
  return row.parsed("pq_priv_kem", () => e2eKeysFromRecord({ key1, key2, kem: kemIn(row) }));
}

function connectionIn(
  row: Row,
  ratchet: Row | null,
  { receive, send }: Queues,
  skipped: ReadonlyMap<string, SkippedRow[]>,
): OfficialConnection {
  const id = nameIn(row, "conn_id");
  return {
    id,
    user: row.int("user_id"),
    kind: wordIn(row, "conn_mode", "INV", "CON") === "CON" ? "address" : "connection",
    agentVersion: row.int("smp_agent_version"),
    pq: row.flag("pq_support"),
    sync: wordIn(row, "ratchet_sync_state", "ok", "allowed", "required", "started", "agreed"),
    sent: { number: row.int("last_internal_snd_msg_id"), hash: row.bytes("last_snd_msg_hash") },
    received: { number: row.int("last_external_snd_msg_id"), hash: row.bytes("last_rcv_msg_hash") },
    lastItem: row.int("last_internal_msg_id"),
    ratchet: ratchet && ratchetIn(ratchet, skipped.get(id) ?? []),
    linkKeys: ratchet && linkKeysIn(ratchet),
    receive: receive.get(id) ?? [],
    send: send.get(id) ?? [],
    isDeleted: row.flag("deleted"),
  };
}

/** What a message that was encrypted is sent with. */
interface Encrypted extends Pick<OfficialPending, "sndMsgId" | "key" | "paddedLength"> {
  /** Null: it stands with the message. */
  readonly body: Uint8Array | null;
}

/** Which messages of which connection: their keys in the tables of messages. */
type Wanted<T> = Map<string, Map<number, T>>;

function want<T>(wanted: Wanted<T>, connection: string, item: number, value: T): void {
  const items = wanted.get(connection);
  if (items) items.set(item, value);
  else wanted.set(connection, new Map([[item, value]]));
}

/** The agent's database of an official program. Every method reads its tables anew, row by row. */
export class OfficialAgent {
  readonly #db: Database;
  readonly #failures: RowFailure[] = [];

  constructor(db: Database) {
    this.#db = db;
  }

  /** Rows that could not be used and were left out, of what was read until now. */
  get failures(): readonly RowFailure[] {
    return this.#failures;
  }

  /** In the order of their ids. @throws ArchiveError DAMAGED, READ */
  async *connections(): AsyncGenerator<OfficialConnection, void, undefined> {
    const queues = await readQueues(this.#db, this.#failures);
    const skipped = await readSkipped(this.#db);
    // Ratchets are large and lie in the same order, so that they are taken side by side.
    const ratchets = this.#db.rows("ratchets");
    let next = await ratchets.next();
    for await (const row of this.#db.rows("connections")) {
      const id = row.bytes("conn_id");
      while (next.done !== true && isBefore(next.value.bytes("conn_id"), id)) next = await ratchets.next();
      const ratchet = next.done !== true && equal(next.value.bytes("conn_id"), id) ? next.value : null;
      const read = (): OfficialConnection => connectionIn(row, ratchet, queues, skipped);
      const connection = attempt("connections", this.#failures, read);
      if (connection !== null) yield connection;
    }
  }

  /** What was on its way; to each queue in its order. @throws ArchiveError DAMAGED, READ */
  async pending(): Promise<OfficialPending[]> {
    const wanted: Wanted<number[]> = new Map();
    for await (const row of this.#db.rows("snd_message_deliveries")) {
      if (row.flag("failed")) continue;
      const [connection, item] = [nameIn(row, "conn_id"), row.int("internal_id")];
      const queues = wanted.get(connection)?.get(item) ?? [];
      want(wanted, connection, item, [...queues, row.int("snd_queue_id")]);
    }
    if (wanted.size === 0) return [];
    const encrypted = await this.#encrypted(wanted);
    const out: OfficialPending[] = [];
    for await (const row of this.#db.rows("messages")) {
      const connection = nameIn(row, "conn_id");
      const item = row.int("internal_id");
      const message = encrypted.get(connection)?.get(item);
      if (message === undefined) continue;
      const type = nameOf(row.bytes("msg_type"));
      const { body, ...others } = message;
      const plaintext = body ?? row.bytes("msg_body");
      const shared = { connection, item, type, at: timeIn(row, "internal_ts"), plaintext, ...others };
      for (const queue of wanted.get(connection)?.get(item) ?? []) out.push({ queue, ...shared });
    }
    return out;
  }

  /** Those that have their own key: messages of older versions were stored as ciphertexts. */
  async #encrypted(wanted: Wanted<unknown>): Promise<Wanted<Encrypted>> {
    const rows: { readonly row: Row; readonly body: number | null }[] = [];
    for await (const row of this.#db.rows("snd_messages")) {
      const isWanted = wanted.get(nameIn(row, "conn_id"))?.has(row.int("internal_id")) === true;
      if (isWanted && row.value("msg_encrypt_key") !== null) rows.push({ row, body: row.maybeInt("snd_message_body_id") });
    }
    const needed = new Set(rows.map(({ body }) => body));
    const bodies = new Map<number, Uint8Array>();
    for await (const row of this.#db.rows("snd_message_bodies")) {
      const id = row.int("snd_message_body_id");
      if (needed.has(id)) bodies.set(id, row.bytes("agent_msg"));
    }
    const out: Wanted<Encrypted> = new Map();
    for (const { row, body } of rows) {
      want(out, nameIn(row, "conn_id"), row.int("internal_id"), {
        sndMsgId: row.int("internal_snd_id"),
        key: row.parsed("msg_encrypt_key", () => messageKeyFromOfficial(row.bytes("msg_encrypt_key"))),
        paddedLength: row.int("padded_msg_len"),
        body: body === null ? null : (bodies.get(body) ?? null),
      });
    }
    return out;
  }

  /** @throws ArchiveError DAMAGED, READ */
  async *receivedHashes(): AsyncGenerator<OfficialReceivedHash, void, undefined> {
    yield* this.#hashes("encrypted_rcv_message_hashes");
  }

  /** Hashes of the peers' ratchet keys that were answered. @throws ArchiveError DAMAGED, READ */
  async *ratchetKeyHashes(): AsyncGenerator<OfficialReceivedHash, void, undefined> {
    yield* this.#hashes("processed_ratchet_key_hashes");
  }

  #hashes(table: string): AsyncGenerator<OfficialReceivedHash, void, undefined> {
    return readable(table, this.#db.rows(table), this.#failures, (row) => {
      return { connection: nameIn(row, "conn_id"), hash: rawIn(row, "hash", 32), at: timeIn(row, "created_at") };
    });
  }

  /** @throws ArchiveError DAMAGED, READ */
  async unacknowledged(): Promise<OfficialUnacknowledged[]> {
    const wanted: Wanted<true> = new Map();
    for await (const row of this.#db.rows("rcv_messages")) {
      if (!row.flag("user_ack")) want(wanted, nameIn(row, "conn_id"), row.int("internal_id"), true);
    }
    const out: OfficialUnacknowledged[] = [];
    if (wanted.size === 0) return out;
    for await (const row of this.#db.rows("messages")) {
      const [connection, item] = [nameIn(row, "conn_id"), row.int("internal_id")];
      if (wanted.get(connection)?.has(item) !== true) continue;
      out.push({ connection, item, at: timeIn(row, "internal_ts"), body: row.bytes("msg_body") });
    }
    return out;
  }
}

/** The order of blobs. */
function isBefore(a: Uint8Array, b: Uint8Array): boolean {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x = 0, y = 0] = [a[i], b[i]];
    if (x !== y) return x < y;
  }
  return a.length < b.length;
}
