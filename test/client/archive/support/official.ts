import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openOfficialArchive, type OfficialArchive, type OfficialOptions } from "../../../../client/archive/official/archive.ts";
import { contentOf } from "../../../../client/archive/official/unzip.ts";
import { readDirectory } from "../../../../client/archive/official/zip.ts";
import { bytesSource } from "../../../../client/archive/source.ts";
import { bytesOf, listOf } from "./collect.ts";
import { zipOf } from "./zip-writer.ts";

// Archives that the official program exported; the manifests beside them tell what is inside.

export const CHAT = "simplex_v1_chat.db";
export const AGENT = "simplex_v1_agent.db";
export const PASSPHRASE = "Correct-horse_battery9";

const data = (name: string): string => fileURLToPath(new URL(`../data/${name}`, import.meta.url));

export function sampleZip(kind: "plain" | "encrypted"): Uint8Array {
  return new Uint8Array(readFileSync(data(`simplex-archive-${kind}.zip`)));
}

export interface SampleManifest {
  readonly entries: readonly { readonly name: string; readonly size: number; readonly sha256: string }[];
  readonly user: readonly { readonly display_name: string; readonly full_name: string; readonly active_user: number }[];
  readonly contacts: readonly {
    readonly contact_id: number;
    readonly local_display_name: string;
    readonly display_name: string;
    readonly is_user: number;
    readonly contact_status: string;
  }[];
  readonly chatItems: readonly Readonly<Record<string, string | number | null>>[];
  readonly messageContents: readonly { readonly chat_item_id: number; readonly item_content: string }[];
  readonly files: readonly { readonly file_name: string; readonly file_path: string; readonly file_size: number; readonly ci_file_status: string }[];
  readonly agentRcvQueues: readonly { readonly n: number; readonly servers: string }[];
  readonly chatMigrations: readonly { readonly last: string }[];
  readonly agentMigrations: readonly { readonly last: string }[];
}

export function sampleManifest(kind: "plain" | "encrypted"): SampleManifest {
  return JSON.parse(readFileSync(data(`simplex-archive-${kind}.manifest.json`), "utf8")) as SampleManifest;
}

/** The files of a zip, by name. */
export async function filesOf(zip: Uint8Array): Promise<Map<string, Uint8Array>> {
  const source = bytesSource(zip);
  const directory = await readDirectory(source);
  const out = new Map<string, Uint8Array>();
  for (const entry of directory.entries) out.set(entry.name, await bytesOf(contentOf(source, directory, entry)));
  return out;
}

export function zipFrom(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return zipOf([...files].map(([name, bytes]) => ({ name, bytes })));
}

/** The sample without a passphrase after some SQL, and with more files. */
export async function changedSample(
  sql: { readonly chat?: string; readonly agent?: string },
  more: ReadonlyMap<string, Uint8Array> = new Map(),
): Promise<Uint8Array> {
  const files = await filesOf(sampleZip("plain"));
  for (const [name, text] of [[CHAT, sql.chat], [AGENT, sql.agent]] as const) {
    if (text !== undefined) files.set(name, altered(files.get(name) ?? new Uint8Array(), text));
  }
  return zipFrom(new Map([...files, ...more]));
}

/** A database after some SQL, by the real SQLite. */
export function altered(database: Uint8Array, sql: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "archive-sql-"));
  const path = join(folder, "a.db");
  try {
    if (database.length > 0) writeFileSync(path, database);
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; ${sql}`);
    db.close();
    return new Uint8Array(readFileSync(path));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the real SQLite reads. */
export function select(database: Uint8Array, sql: string): readonly Readonly<Record<string, unknown>>[] {
  const folder = mkdtempSync(join(tmpdir(), "archive-select-"));
  try {
    writeFileSync(join(folder, "a.db"), database);
    const db = new DatabaseSync(join(folder, "a.db"), { readOnly: true });
    const rows = db.prepare(sql).all();
    db.close();
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function openSample(zip: Uint8Array, options: OfficialOptions = {}): Promise<OfficialArchive> {
  return openOfficialArchive(bytesSource(zip), options);
}

/** Everything that an archive has to give. */
export async function readEverything(archive: OfficialArchive): Promise<Readonly<Record<string, unknown>>> {
  const { chat, agent } = archive;
  return {
    users: await chat.users(),
    contacts: await listOf(chat.contacts()),
    addresses: await chat.addresses(),
    groups: await listOf(chat.groups()),
    members: await listOf(chat.members()),
    notes: await chat.notes(),
    items: await listOf(chat.items()),
    editions: await listOf(chat.editions()),
    reactions: await listOf(chat.reactions()),
    servers: await chat.servers(),
    settings: await chat.appSettings(),
    connections: await listOf(agent.connections()),
    pending: await agent.pending(),
    hashes: await listOf(agent.receivedHashes()),
    keyHashes: await listOf(agent.ratchetKeyHashes()),
    unacknowledged: await agent.unacknowledged(),
    leftovers: await archive.leftovers(),
    files: await archive.checkFiles(),
  };
}
