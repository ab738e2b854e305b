import { ArchiveError } from "../../errors.ts";
import { cellsOf } from "./btree.ts";
import { damaged, type Pages, textOf } from "./pages.ts";
import { readRecord, type SqlValue } from "./record.ts";
import { readTableShape, type TableShape } from "./schema.ts";

/** One row of a table. Columns that this version of the table lacks are null. */
export class Row {
  readonly #place: string;
  readonly #values: ReadonlyMap<string, SqlValue>;

  constructor(place: string, values: ReadonlyMap<string, SqlValue>) {
    this.#place = place;
    this.#values = values;
  }

  #wrong(column: string, what: string): ArchiveError {
    return damaged(this.#place, `${column} ${what}`);
  }

  value(column: string): SqlValue {
    return this.#values.get(column) ?? null;
  }

  /** @throws ArchiveError DAMAGED when it is of another type */
  maybeInt(column: string): number | null {
    const value = this.value(column);
    if (value === null || (typeof value === "number" && Number.isSafeInteger(value))) return value;
    throw this.#wrong(column, "is no whole number");
  }

  /** @throws ArchiveError DAMAGED when it is of another type, or negative */
  int(column: string): number {
    const value = this.maybeInt(column);
    if (value === null || value < 0) throw this.#wrong(column, "is no count");
    return value;
  }

  flag(column: string): boolean {
    return (this.maybeInt(column) ?? 0) !== 0;
  }

  maybeFlag(column: string): boolean | null {
    const value = this.maybeInt(column);
    return value === null ? null : value !== 0;
  }

  /** A text, or a blob that holds one. @throws ArchiveError DAMAGED */
  maybeText(column: string): string | null {
    const value = this.value(column);
    if (value === null || typeof value === "string") return value;
    if (value instanceof Uint8Array) return textOf(this.#place, value);
    throw this.#wrong(column, "is no text");
  }

  /** @throws ArchiveError DAMAGED */
  text(column: string): string {
    const value = this.maybeText(column);
    if (value === null) throw this.#wrong(column, "is missing");
    return value;
  }

  /** @throws ArchiveError DAMAGED */
  maybeBytes(column: string): Uint8Array | null {
    const value = this.value(column);
    if (value === null || value instanceof Uint8Array) return value;
    throw this.#wrong(column, "is no blob");
  }

  /** @throws ArchiveError DAMAGED */
  bytes(column: string): Uint8Array {
    const value = this.maybeBytes(column);
    if (value === null) throw this.#wrong(column, "is missing");
    return value;
  }

  /** Runs what reads a column further. @throws ArchiveError DAMAGED in place of anything else that `read` throws */
  parsed<T>(column: string, read: () => T): T {
    try {
      return read();
    } catch (cause) {
      if (cause instanceof ArchiveError) throw cause;
      const why = cause instanceof Error ? cause.message : "it cannot be read";
      throw damaged(this.#place, `${column}: ${why}`, { cause });
    }
  }
}

interface StoredTable extends TableShape {
  readonly root: number;
}

/** A database that is only read: tables from their first row to their last. */
export class Database {
  readonly name: string;
  readonly #pages: Pages;
  readonly #tables: ReadonlyMap<string, StoredTable>;

  private constructor(pages: Pages, tables: ReadonlyMap<string, StoredTable>) {
    this.name = pages.name;
    this.#pages = pages;
    this.#tables = tables;
  }

  /** @throws ArchiveError DAMAGED, READ */
  static async open(pages: Pages): Promise<Database> {
    const tables = new Map<string, StoredTable>();
    for await (const { payload } of cellsOf(pages, 1, true)) {
      const [type, name, , root, sql] = readRecord(pages.name, payload);
      if (type !== "table" || typeof name !== "string" || typeof root !== "number" || typeof sql !== "string") continue;
      const shape = readTableShape(sql);
      if (shape !== null) tables.set(name.toLowerCase(), { ...shape, root });
    }
    return new Database(pages, tables);
  }

  get tables(): readonly string[] {
    return [...this.#tables.keys()];
  }

  /** Columns of a table; empty when there is no such table. */
  columns(table: string): readonly string[] {
    return this.#tables.get(table)?.columns.map(({ name }) => name) ?? [];
  }

  /**
   * In the order of their ids, or keys. None when there is no such table.
   * @throws ArchiveError DAMAGED, READ
   */
  async *rows(table: string): AsyncGenerator<Row, void, undefined> {
    const stored = this.#tables.get(table);
    if (stored === undefined) return;
    const place = `${this.name}, table ${table}`;
    for await (const { rowid, payload } of cellsOf(this.#pages, stored.root, stored.hasRowid)) {
      const values = readRecord(place, payload);
      const row = new Map<string, SqlValue>();
      for (const [index, { name, fallback }] of stored.columns.entries()) {
        const value = index < values.length ? (values[index] ?? null) : fallback;
        row.set(name, name === stored.rowid ? rowid : value);
      }
      yield new Row(place, row);
    }
  }

  /** How many rows a table has. @throws ArchiveError DAMAGED, READ */
  async count(table: string): Promise<number> {
    const stored = this.#tables.get(table);
    let count = 0;
    if (stored === undefined) return count;
    const cells = cellsOf(this.#pages, stored.root, stored.hasRowid);
    while ((await cells.next()).done !== true) count++;
    return count;
  }
}
