import { ArchiveError } from "../errors.ts";
import type { Row } from "./sqlite/database.ts";

/** A row that cannot be used, and why. */
export interface RowFailure {
  readonly table: string;
  readonly error: ArchiveError;
}

/**
 * Runs what reads a row. One that is not understood must not keep all others from being read: it is noted and left out.
 * Null then.
 */
export function attempt<T extends object>(table: string, failures: RowFailure[], read: () => T | null): T | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    failures.push({ table, error });
    return null;
  }
}

/** What can be read of the rows of a table; those of which `read` makes null are left out too. */
export async function* readable<T extends object>(
  table: string,
  rows: AsyncIterable<Row>,
  failures: RowFailure[],
  read: (row: Row) => T | null,
): AsyncGenerator<T, void, undefined> {
  for await (const row of rows) {
    const value = attempt(table, failures, () => read(row));
    if (value !== null) yield value;
  }
}

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}
