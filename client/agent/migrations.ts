import type { Migration } from "../store/migrate.ts";

/** What changes the stored records from one version to the next. The first version is empty: nothing to change. */
export const MIGRATIONS: readonly Migration[] = [() => Promise.resolve([])];
