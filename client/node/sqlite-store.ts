import { chmodSync, closeSync, openSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import {
  type BaseStore,
  boundsOf,
  type Change,
  checkChanges,
  checkPlace,
  type Entry,
  type Range,
  StoreError,
} from "../store/store.ts";

/** "smpe": tells our files from other SQLite databases. */
const APPLICATION_ID = 0x736d7065;
/** Of the tables below. */
const LAYOUT_VERSION = 1;
const PAGE_SIZE = 4096;
const OWNER_ONLY = 0o600;

export interface SqliteOptions {
  /** How large the file may grow, in bytes; a write beyond it is FULL. */
  readonly maxBytes?: number;
}

/** Result codes of SQLite: https://www.sqlite.org/rescode.html */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

/** SQLite's primary result code, null when the error is not from SQLite. */
function resultCodeOf(cause: unknown): number | null {
  const code = cause instanceof Error && "errcode" in cause ? cause.errcode : null;
  // The low byte is the primary code, the rest tells more about it.
  return typeof code === "number" ? code & 0xff : null;
}

function storeErrorOf(path: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  switch (resultCodeOf(cause)) {
    case SQLITE_BUSY:
      return new StoreError("BUSY", `${path} is open in another program: end that one first`, { cause });
    case SQLITE_FULL:
      return new StoreError("FULL", `no room is left for ${path}: free some, then try again`, { cause });
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new StoreError("DAMAGED", `${path} is damaged (${why}): restore it from a backup`, { cause });
    default:
      return new StoreError("FAILED", `${path} cannot be used (${why})`, { cause });
  }
}

function numberOf(database: DatabaseSync, pragma: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);
}

/** Whether the file is new. @throws StoreError when another program or a newer one made it. */
function recognize(database: DatabaseSync, path: string): boolean {
  const isFresh = numberOf(database, "schema_version") === 0;
  if (!isFresh && numberOf(database, "application_id") !== APPLICATION_ID) {
    throw new StoreError("FAILED", `${path} is a database of another program: choose another file`);
  }
  const layout = numberOf(database, "user_version");
  if (layout > LAYOUT_VERSION) {
    const versions = `layout ${layout}, this program knows ${LAYOUT_VERSION}`;
    throw new StoreError("VERSION", `${path} was written by a newer program (${versions}): update this program`);
  }
  return isFresh;
}

/** Takes the file for this process and makes it what this program reads. */
function prepare(database: DatabaseSync, path: string, maxBytes: number | undefined): void {
  // Before anything is read: from then on SQLite keeps its lock and shares no memory with other processes.
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  database.exec(`PRAGMA page_size = ${PAGE_SIZE}`);
  // The journal is set only after the file is known to be ours, because that writes to it.
  database.exec("BEGIN EXCLUSIVE");
  const isFresh = recognize(database, path);
  database.exec("COMMIT");
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  database.exec("PRAGMA secure_delete = ON");
  if (maxBytes !== undefined) database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / PAGE_SIZE))}`);
  if (!isFresh) return;
  database.exec("BEGIN");
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  database.exec(`PRAGMA user_version = ${LAYOUT_VERSION}`);
  database.exec(
    `CREATE TABLE records ("table" TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY ("table", key))
     STRICT, WITHOUT ROWID`,
  );
  database.exec("COMMIT");
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new StoreError("DAMAGED", "a record is not bytes: restore the profile from a backup");
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw new StoreError("DAMAGED", "a name is not text: restore the profile from a backup");
}

class SqliteStore implements BaseStore {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #up: StatementSync;
  readonly #down: StatementSync;
  readonly #keysUp: StatementSync;
  readonly #keysDown: StatementSync;
  readonly #tables: StatementSync;
  #isOpen = true;

  constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
    const where = `FROM records WHERE "table" = ? AND key >= ? AND key < ?`;
    const [up, down] = ["ORDER BY key ASC LIMIT ?", "ORDER BY key DESC LIMIT ?"];
    this.#get = database.prepare(`SELECT value FROM records WHERE "table" = ? AND key = ?`);
    this.#put = database.prepare("INSERT OR REPLACE INTO records VALUES (?, ?, ?)");
    this.#delete = database.prepare(`DELETE FROM records WHERE "table" = ? AND key = ?`);
    this.#up = database.prepare(`SELECT key, value ${where} ${up}`);
    this.#down = database.prepare(`SELECT key, value ${where} ${down}`);
    this.#keysUp = database.prepare(`SELECT key ${where} ${up}`);
    this.#keysDown = database.prepare(`SELECT key ${where} ${down}`);
    this.#tables = database.prepare(
      `WITH RECURSIVE names (name) AS (
         SELECT min("table") FROM records
         UNION ALL SELECT (SELECT min("table") FROM records WHERE "table" > name) FROM names WHERE name IS NOT NULL
       ) SELECT name FROM names WHERE name IS NOT NULL`,
    );
  }

  async read(table: string, key: string): Promise<Uint8Array | null> {
    checkPlace(table, key);
    return this.#run(() => {
      const row = this.#get.get(table, key);
      return row === undefined ? null : bytesOf(row["value"]);
    });
  }

  async list(table: string, range: Range = {}): Promise<Entry[]> {
    const rows = this.#find(table, range, this.#up, this.#down);
    return rows.map(({ key, value }) => ({ key: textOf(key), value: bytesOf(value) }));
  }

  async keys(table: string, range: Range = {}): Promise<string[]> {
    return this.#find(table, range, this.#keysUp, this.#keysDown).map(({ key }) => textOf(key));
  }

  #find(table: string, range: Range, up: StatementSync, down: StatementSync): ReturnType<StatementSync["all"]> {
    const bounds = boundsOf(table, range);
    return this.#run(() => {
      if (bounds === null) return [];
      // SQLite takes a negative limit as none.
      const limit = bounds.limit === Number.POSITIVE_INFINITY ? -1 : bounds.limit;
      return (bounds.reverse ? down : up).all(table, bounds.from, bounds.to, limit);
    });
  }

  async tables(): Promise<string[]> {
    return this.#run(() => this.#tables.all().map(({ name }) => textOf(name)));
  }

  async write(changes: readonly Change[]): Promise<void> {
    checkChanges(changes);
    this.#run(() => {
      this.#database.exec("BEGIN");
      try {
        for (const { table, key, value } of changes) {
          if (value === null) this.#delete.run(table, key);
          else this.#put.run(table, key, value);
        }
        this.#database.exec("COMMIT");
      } finally {
        // After some failures SQLite has rolled back by itself.
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      }
    });
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#database.close();
  }

  #run<T>(work: () => T): T {
    if (!this.#isOpen) throw new StoreError("CLOSED", `${this.#path} was closed: open it again`);
    try {
      return work();
    } catch (cause) {
      throw storeErrorOf(this.#path, cause);
    }
  }
}

/**
 * A profile in an SQLite file, which only its owner may read (mode 600). One store has it open at a time, in all of the
 * machine's processes; a write resolves after it was flushed to the disk. While it is open, "path-wal" lies beside it.
 *
 * Node 22 prints an ExperimentalWarning when it loads `node:sqlite`. Who starts the program may
 * turn it off: `node --disable-warning=ExperimentalWarning`.
 * @throws StoreError BUSY, DAMAGED, VERSION, FULL, FAILED.
 */
export async function openSqliteStore(path: string, options: SqliteOptions = {}): Promise<BaseStore> {
  // SQLite gives some names a meaning, but no absolute path.
  const file = resolve(path);
  let database: DatabaseSync | undefined;
  try {
    closeSync(openSync(file, "a", OWNER_ONLY));
    chmodSync(file, OWNER_ONLY);
    database = new DatabaseSync(file);
    prepare(database, file, options.maxBytes);
    return new SqliteStore(file, database);
  } catch (cause) {
    database?.close();
    throw storeErrorOf(file, cause);
  }
}
