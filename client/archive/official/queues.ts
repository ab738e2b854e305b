import { decodePublicKey, keyPairOf } from "#crypto/keys";
import { ArchiveError } from "../errors.ts";
import type { OfficialQueueStatus, OfficialRcvQueue, OfficialShortLink, OfficialSndQueue } from "./agent-types.ts";
import {
  keyHashIn,
  keyPairIn,
  maybeRawIn,
  maybeWordIn,
  nameIn,
  rawIn,
  secretKeyIn,
  serverIn,
  wordIn,
} from "./columns.ts";
import { readable, type RowFailure } from "./failures.ts";
import type { Database, Row } from "./sqlite/database.ts";

/** By connection, the primary one first. */
export interface Queues {
  readonly receive: ReadonlyMap<string, OfficialRcvQueue[]>;
  readonly send: ReadonlyMap<string, OfficialSndQueue[]>;
}

const SECRET_LENGTH = 32;
const STATUSES: readonly OfficialQueueStatus[] = ["new", "confirmed", "secured", "active", "disabled"];
const AUTH = ["Ed25519", "Ed448", "X25519"] as const;

const serverKey = (row: Row): string => JSON.stringify([row.text("host"), row.text("port")]);

async function readKeyHashes(db: Database): Promise<ReadonlyMap<string, Uint8Array>> {
  const out = new Map<string, Uint8Array>();
  for await (const row of db.rows("servers")) out.set(serverKey(row), keyHashIn(row, "key_hash"));
  return out;
}

function hashOf(row: Row, hashes: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const hash = row.value("server_key_hash") === null ? hashes.get(serverKey(row)) : keyHashIn(row, "server_key_hash");
  if (hash !== undefined) return hash;
  throw new ArchiveError(
    "DAMAGED",
    `the relay ${row.text("host").slice(0, 80)} of a queue is not in the database: export again`,
  );
}

const modeOf = (row: Row): OfficialRcvQueue["mode"] => {
  const mode = maybeWordIn(row, "queue_mode", "M", "C");
  return mode === null ? null : mode === "M" ? "messaging" : "contact";
};

function linkOf(row: Row): OfficialShortLink | null {
  const columns = ["link_id", "link_key", "link_priv_sig_key", "link_enc_fixed_data"];
  if (columns.some((column) => row.value(column) === null)) return null;
  return {
    linkId: row.bytes("link_id"),
    linkKey: row.bytes("link_key"),
    rootKey: keyPairIn(row, "link_priv_sig_key", "Ed25519"),
    fixedData: row.bytes("link_enc_fixed_data"),
  };
}

function rcvQueueIn(row: Row, hashes: ReadonlyMap<string, Uint8Array>): OfficialRcvQueue {
  return {
    id: row.int("rcv_queue_id"),
    isPrimary: row.flag("rcv_primary"),
    server: serverIn(row, hashOf(row, hashes)),
    rcvId: row.bytes("rcv_id"),
    sndId: row.bytes("snd_id"),
    authKey: secretKeyIn(row, "rcv_private_key", ...AUTH),
    rcvDhSecret: rawIn(row, "rcv_dh_secret", SECRET_LENGTH),
    dhKeys: keyPairIn(row, "e2e_priv_key", "X25519"),
    e2eSecret: maybeRawIn(row, "e2e_dh_secret", SECRET_LENGTH),
    clientVersion: row.maybeInt("smp_client_version") ?? 1,
    mode: modeOf(row),
    status: wordIn(row, "status", ...STATUSES),
    replaces: row.maybeInt("replace_rcv_queue_id"),
    rotation: maybeWordIn(row, "switch_status", "switch_started", "sending_qadd", "sending_quse", "received_message"),
    link: linkOf(row),
    hasNotifications: row.value("ntf_id") !== null,
  };
}

function sndQueueIn(row: Row, hashes: ReadonlyMap<string, Uint8Array>): OfficialSndQueue {
  const dh = row.maybeBytes("e2e_pub_key");
  return {
    id: row.int("snd_queue_id"),
    isPrimary: row.flag("snd_primary"),
    server: serverIn(row, hashOf(row, hashes)),
    sndId: row.bytes("snd_id"),
    authKeys: row.parsed("snd_private_key", () => keyPairOf(secretKeyIn(row, "snd_private_key", ...AUTH))),
    dhPublicKey: dh && row.parsed("e2e_pub_key", () => decodePublicKey(dh, "X25519")),
    e2eSecret: rawIn(row, "e2e_dh_secret", SECRET_LENGTH),
    clientVersion: row.int("smp_client_version"),
    mode: modeOf(row),
    status: wordIn(row, "status", ...STATUSES),
    replaces: row.maybeInt("replace_snd_queue_id"),
    rotation: maybeWordIn(row, "switch_status", "sending_qkey", "sending_qtest"),
  };
}

async function grouped<Q extends { readonly isPrimary: boolean }>(
  queues: AsyncIterable<readonly [connection: string, queue: Q | null]>,
): Promise<ReadonlyMap<string, Q[]>> {
  const out = new Map<string, Q[]>();
  for await (const [connection, queue] of queues) {
    if (queue === null) continue;
    const list = out.get(connection) ?? [];
    out.set(connection, [...list, queue].sort((a, b) => Number(b.isPrimary) - Number(a.isPrimary)));
  }
  return out;
}

/** @throws ArchiveError DAMAGED, READ */
export async function readQueues(db: Database, failures: RowFailure[]): Promise<Queues> {
  const hashes = await readKeyHashes(db);
  const read = <Q>(table: string, queueIn: (row: Row, hashes: ReadonlyMap<string, Uint8Array>) => Q) =>
    readable(table, db.rows(table), failures, (row): readonly [string, Q | null] => [
      nameIn(row, "conn_id"),
      row.flag("deleted") ? null : queueIn(row, hashes),
    ]);
  return {
    receive: await grouped(read("rcv_queues", rcvQueueIn)),
    send: await grouped(read("snd_queues", sndQueueIn)),
  };
}
