import { UsageError } from "../errors.ts";
import { Gate } from "./gate.ts";
import type { BaseStore, Change, Entry, Range } from "./store.ts";

const SEPARATOR = "/";

class ScopedStore implements BaseStore {
  readonly #base: BaseStore;
  readonly #prefix: string;
  readonly #gate: Gate;

  constructor(base: BaseStore, scope: string) {
    this.#base = base;
    this.#prefix = scope + SEPARATOR;
    this.#gate = new Gate(`the store of "${scope}" was closed: open it again`);
  }

  read(table: string, key: string): Promise<Uint8Array | null> {
    return this.#gate.run(() => this.#base.read(this.#outside(table), key));
  }

  list(table: string, range?: Range): Promise<Entry[]> {
    return this.#gate.run(() => this.#base.list(this.#outside(table), range));
  }

  keys(table: string, range?: Range): Promise<string[]> {
    return this.#gate.run(() => this.#base.keys(this.#outside(table), range));
  }

  tables(): Promise<string[]> {
    return this.#gate.run(async () => {
      const all = await this.#base.tables();
      return all.filter((table) => table.startsWith(this.#prefix)).map((table) => table.slice(this.#prefix.length));
    });
  }

  write(changes: readonly Change[]): Promise<void> {
    return this.#gate.run(() => {
      return this.#base.write(changes.map((change) => ({ ...change, table: this.#outside(change.table) })));
    });
  }

  async close(): Promise<void> {
    await this.#gate.close();
  }

  #outside(table: string): string {
    // An empty name must not pass because of what stands before it.
    return table === "" ? "" : this.#prefix + table;
  }
}

/**
 * One of several profiles in one store: its table "x" is "scope/x" of the base. Closing it leaves the base open, which
 * the caller closes after the last of them.
 * @throws UsageError when the scope is empty or holds a slash.
 */
export function scoped(base: BaseStore, scope: string): BaseStore {
  if (scope === "" || scope.includes(SEPARATOR)) {
    throw new UsageError(`"${scope}" cannot name a part of a store: use 1 or more characters without "${SEPARATOR}"`);
  }
  return new ScopedStore(base, scope);
}
