import { UsageError } from "../errors.ts";
import { readRecord, recordChange } from "./record.ts";
import { type Change, type Store, StoreError, type StoreReader } from "./store.ts";

/** Holds the version of the profile and nothing else. */
export const SCHEMA_TABLE = "schema";
const VERSION_KEY = "version";

/** Reads what is there and tells the changes that bring it to the next version. */
export type Migration = (store: StoreReader) => Promise<readonly Change[]>;

function checkVersion(value: unknown): number {
  if (typeof value !== "number" || value < 0) throw new TypeError("not a version");
  return value;
}

/** How many migrations the profile has been through; 0 for a new one. */
export async function versionOf(store: StoreReader): Promise<number> {
  return (await readRecord(store, SCHEMA_TABLE, VERSION_KEY, checkVersion)) ?? 0;
}

/**
 * Brings a profile to the version of this program, which is the number of migrations. They are never removed or put in
 * another order, only appended. Each is written together with its version in one write, so that a crash leaves the
 * profile at the last version that was reached. Nothing else may write to the store meanwhile.
 * @throws StoreError VERSION, with nothing changed, when a newer program wrote the profile.
 */
export async function migrate(store: Store, migrations: readonly Migration[]): Promise<void> {
  const found = await versionOf(store);
  if (found > migrations.length) {
    const versions = `version ${found}, this program knows versions up to ${migrations.length}`;
    throw new StoreError("VERSION", `the profile was written by a newer program (${versions}): update this program`);
  }
  for (const [index, migration] of migrations.entries()) {
    if (index < found) continue;
    const changes = await migration(store);
    if (changes.some(({ table }) => table === SCHEMA_TABLE)) {
      throw new UsageError(`migration ${index + 1} changes the table "${SCHEMA_TABLE}", which holds the version only`);
    }
    await store.write([...changes, recordChange(SCHEMA_TABLE, VERSION_KEY, index + 1)]);
  }
}
