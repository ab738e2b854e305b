import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, hex } from "#crypto/bytes";
import { deriveKeys, portableKey } from "../../../client/archive/official/sqlite/cipher.ts";
import { Database } from "../../../client/archive/official/sqlite/database.ts";
import { cachedPages, plainPages } from "../../../client/archive/official/sqlite/pages.ts";
import type { SqlValue } from "../../../client/archive/official/sqlite/record.ts";
import { readTableShape } from "../../../client/archive/official/sqlite/schema.ts";
import { bytesSource } from "../../../client/archive/source.ts";
import { utf8 } from "#crypto/bytes";
import { mutated, mutations } from "../../support/mutate.ts";
import { codeOf, listOf } from "./support/collect.ts";
import { altered } from "./support/official.ts";

async function open(bytes: Uint8Array): Promise<Database> {
  return Database.open(cachedPages(await plainPages("test.db", bytesSource(bytes)), 4));
}

const quoted = (value: SqlValue): string => {
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return `x'${hex(value)}'`;
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
};

/** Rows as the reader gives them. */
async function read(bytes: Uint8Array, table: string, columns: readonly string[]): Promise<SqlValue[][]> {
  const db = await open(bytes);
  return (await listOf(db.rows(table))).map((row) => columns.map((column) => row.value(column)));
}

const text = fc.string({ unit: "grapheme", maxLength: 40 }).filter((value) => !value.includes("\0") && value.isWellFormed());
const long = fc.tuple(fc.integer({ min: 300, max: 12_000 }), fc.nat(255)).map(([length, fill]) => new Uint8Array(length).fill(fill));
const value: fc.Arbitrary<SqlValue> = fc.oneof(
  fc.constant(null),
  fc.maxSafeInteger(),
  fc.integer({ min: -40_000, max: 40_000 }),
  // The real SQLite reads others from SQL with an error in the last digit.
  fc.integer().map((number) => (2 * number + 1) / 16),
  text,
  fc.uint8Array({ maxLength: 60 }),
  { arbitrary: long, weight: 2 },
);

describe("the reader of SQLite files", () => {
  it.each([512, 1024, 4096, 65_536])("reads what the real SQLite wrote, in pages of %i bytes", async (pageSize) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(value, value), { maxLength: 60 }), async (rows) => {
        const inserts = rows.map(([b, c], index) => `INSERT INTO t VALUES (${3 * index + 1}, ${quoted(b)}, ${quoted(c)});`);
        const bytes = altered(new Uint8Array(), `PRAGMA page_size = ${pageSize}; CREATE TABLE t (a INTEGER PRIMARY KEY, b, c); ${inserts.join("\n")}`);
        expect(await read(bytes, "t", ["a", "b", "c"])).toEqual(rows.map(([b, c], index) => [3 * index + 1, b, c]));
        expect(await (await open(bytes)).count("t")).toBe(rows.length);
      }),
      { numRuns: 15 },
    );
  });

  it("reads tables without row ids, whose key comes first", async () => {
    const key = fc.uint8Array({ minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.tuple(key, value), { maxLength: 200, selector: ([id]) => hex(id) }), async (rows) => {
        const inserts = rows.map(([id, b]) => `INSERT INTO t VALUES (${quoted(b)}, ${quoted(id)}, 5);`);
        const sql = `CREATE TABLE t (b, "id" BLOB NOT NULL, c INTEGER, PRIMARY KEY (id)) WITHOUT ROWID; ${inserts.join("\n")}`;
        const sorted = [...rows].sort(([a], [b]) => Buffer.compare(a, b));
        expect(await read(altered(new Uint8Array(), sql), "t", ["id", "b", "c"])).toEqual(sorted.map(([id, b]) => [id, b, 5]));
      }),
      { numRuns: 25 },
    );
  });

  it("gives rows that are older than a column its default", async () => {
    const bytes = altered(
      new Uint8Array(),
      `CREATE TABLE t (a INTEGER PRIMARY KEY);
       INSERT INTO t VALUES (1);
       ALTER TABLE t ADD COLUMN b INTEGER NOT NULL DEFAULT 5;
       ALTER TABLE t ADD COLUMN c TEXT DEFAULT 'it''s' CHECK (c NOT NULL);
       ALTER TABLE t ADD COLUMN d BLOB NOT NULL DEFAULT x'0aff';
       ALTER TABLE t ADD COLUMN e INTEGER DEFAULT -3;
       ALTER TABLE t ADD COLUMN f INTEGER NULL;
       ALTER TABLE t ADD COLUMN g TEXT DEFAULT "q";
       INSERT INTO t (a, b) VALUES (2, 9);`,
    );
    const rest = ["it's", Uint8Array.of(10, 255), -3, null, "q"];
    expect(await read(bytes, "t", ["a", "b", "c", "d", "e", "f", "g"])).toEqual([[1, 5, ...rest], [2, 9, ...rest]]);
  });

  it("reads what remains after deletions, with pages that are free and pages that point to others", async () => {
    const rows = Array.from({ length: 400 }, (_, index) => `(${index}, x'${"ab".repeat(index * 5)}')`);
    const deletion = "DELETE FROM t WHERE a % 3 = 0;";
    for (const mode of ["NONE", "FULL", "INCREMENTAL"]) {
      const bytes = altered(new Uint8Array(), `PRAGMA auto_vacuum = ${mode}; CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB); INSERT INTO t VALUES ${rows.join()}; ${deletion}`);
      const expected = Array.from({ length: 400 }, (_, index) => index).filter((index) => index % 3 !== 0);
      expect((await read(bytes, "t", ["a", "b"])).map(([a, b]) => [a, (b as Uint8Array).length])).toEqual(expected.map((index) => [index, index * 5]));
    }
  });

  it("understands every table of the official schemas", () => {
    const sql = `CREATE TABLE IF NOT EXISTS "strange ""name""" ( -- a comment, with a comma
      a INTEGER PRIMARY KEY AUTOINCREMENT, /* (more */ [b c] TEXT NOT NULL DEFAULT (datetime('now')), \`d\` BLOB REFERENCES x ON DELETE CASCADE,
      e TEXT CHECK (e IN (',', ')')), UNIQUE (a, e) ON CONFLICT FAIL, FOREIGN KEY (a, e) REFERENCES y, CONSTRAINT z CHECK (a > 0)
    ) STRICT`;
    expect(readTableShape(sql)).toMatchObject({ rowid: "a", hasRowid: true });
    expect(readTableShape(sql)?.columns.map(({ name }) => name)).toEqual(["a", "b c", "d", "e"]);
    const keyed = readTableShape("CREATE TABLE t (x TEXT, y BLOB, z, PRIMARY KEY (z, X)) WITHOUT ROWID, STRICT");
    expect(keyed).toMatchObject({ rowid: null, hasRowid: false });
    expect(keyed?.columns.map(({ name }) => name)).toEqual(["z", "x", "y"]);
    expect(readTableShape("CREATE TABLE t (x INT PRIMARY KEY)")).toMatchObject({ rowid: null, hasRowid: true });
    expect(readTableShape("CREATE VIRTUAL TABLE t USING fts5")).toBeNull();
  });

  it("refuses what is in use, cut or something else, and says so", async () => {
    const bytes = altered(new Uint8Array(), "CREATE TABLE t (a); INSERT INTO t VALUES (1);");
    const changed = (at: number, byte: number): Uint8Array => bytes.map((old, index) => (index === at ? byte : old));
    expect(await codeOf(() => open(changed(18, 2)))).toBe("UNFINISHED");
    expect(await codeOf(() => open(changed(59, 2)))).toBe("FORMAT");
    expect(await codeOf(() => open(changed(0, 1)))).toBe("FORMAT");
    expect(await codeOf(() => open(bytes.slice(0, -1)))).toBe("TRUNCATED");
    expect(await codeOf(() => open(bytes.slice(0, 50)))).toBe("TRUNCATED");
  });

  it("ends on any damage, with an error that it knows", async () => {
    const rows = Array.from({ length: 300 }, (_, index) => `(${index}, 'text ${index}', x'${"cd".repeat((index % 7) * 400)}')`);
    const bytes = altered(
      new Uint8Array(),
      `PRAGMA page_size = 512; CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c BLOB); CREATE TABLE w (a INTEGER, b TEXT, c BLOB, PRIMARY KEY (a)) WITHOUT ROWID;
       INSERT INTO t VALUES ${rows.join()}; INSERT INTO w VALUES ${rows.join()};`,
    );
    const seen = new Set<string>();
    const at = fc.oneof(fc.nat(4096), fc.nat(bytes.length));
    await fc.assert(
      fc.asyncProperty(mutations, at, async (list, far) => {
        const flips = list.filter(({ kind }) => kind === "flip" || kind === "most");
        const changed = mutated(bytes, flips.map((mutation) => ({ ...mutation, at: (mutation.at + far) % bytes.length })));
        const readBoth = async (): Promise<void> => {
          const db = await open(changed);
          for (const table of ["t", "w"]) for await (const row of db.rows(table)) row.value("b");
        };
        seen.add(await codeOf(readBoth));
      }),
      { numRuns: 300 },
    );
    expect(seen).toContain("DAMAGED");
  }, 120_000);
});

describe("the keys of encrypted databases", () => {
  // Computed with OpenSSL from the defaults of SQLCipher 4.
  const salt = fromHex("000102030405060708090a0b0c0d0e0f");

  it("are those of SQLCipher", async () => {
    const { key, macKey } = await deriveKeys("passphrase", salt);
    expect(hex(key)).toBe("a3b461100cd38c9026bf3e875aec51e49651c017696a07da7c13749733d50c7b");
    expect(hex(macKey)).toBe("b840e7d361d49290e0b0c943387ae2e03f56cd8a96ce798bc7a50334793a320b");
  });

  it("are the same where the platform does not stretch passphrases", async () => {
    const { key } = await deriveKeys("passphrase", salt);
    expect(await portableKey(utf8("passphrase"), salt)).toEqual(key);
  });
});
