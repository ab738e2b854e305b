import fc from "fast-check";
import { UsageError } from "../../../client/errors.ts";
import type { BaseStore, Change, Entry, Range } from "../../../client/store/store.ts";
import { type NewPlace, show } from "./support/contract.ts";

/** A store as one would say it: all records in one list, every question asked of each of them. */
class Model {
  #records: { readonly table: string; readonly key: string; readonly value: Uint8Array }[] = [];

  read(table: string, key: string): Uint8Array | null {
    if (!isName(table) || !isName(key)) throw new UsageError("no place");
    return this.#records.find((record) => record.table === table && record.key === key)?.value ?? null;
  }

  list(table: string, { prefix = "", after, limit, reverse = false }: Range): Entry[] {
    if (!isName(table) || (prefix !== "" && !isName(prefix)) || (after !== undefined && !isName(after))) {
      throw new UsageError("no range");
    }
    const ofTable = this.#records.filter((record) => record.table === table && record.key.startsWith(prefix));
    const ordered = ofTable.sort((a, b) => (a.key < b.key ? -1 : 1));
    if (reverse) ordered.reverse();
    const rest = ordered.filter(({ key }) => after === undefined || (reverse ? key < after : key > after));
    return rest.slice(0, limit ?? rest.length).map(({ key, value }) => ({ key, value }));
  }

  keys(table: string, range: Range): string[] {
    return this.list(table, range).map(({ key }) => key);
  }

  tables(): string[] {
    return [...new Set(this.#records.map(({ table }) => table))].sort();
  }

  write(changes: readonly Change[]): void {
    if (changes.some(({ table, key }) => !isName(table) || !isName(key))) throw new UsageError("no place");
    for (const { table, key, value } of changes) {
      this.#records = this.#records.filter((record) => record.table !== table || record.key !== key);
      if (value !== null) this.#records.push({ table, key, value });
    }
  }
}

function isName(name: string): boolean {
  return name !== "" && [...name].every((character) => character >= " " && character <= "~");
}

type Step =
  | { readonly type: "read"; readonly table: string; readonly key: string }
  | { readonly type: "list" | "keys"; readonly table: string; readonly range: Range }
  | { readonly type: "tables" }
  | { readonly type: "write"; readonly changes: readonly Change[] }
  | { readonly type: "reopen" };

// Few characters, so that keys meet; among them the least, the greatest and, rarely, one that is refused.
const name = fc.oneof(
  { weight: 30, arbitrary: fc.string({ unit: fc.constantFrom(" ", "a", "b", "/", "~"), minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom("", "é", "\x7f", "a\0") },
);
const table = fc.oneof({ weight: 30, arbitrary: fc.constantFrom("t", "u", "t/") }, { weight: 1, arbitrary: name });
const value = fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.constant(null));
const range: fc.Arbitrary<Range> = fc.record(
  { prefix: name, after: name, limit: fc.nat({ max: 4 }), reverse: fc.boolean() },
  { requiredKeys: [] },
);
const changes = fc.array(fc.record({ table, key: name, value }), { maxLength: 8 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant("read" as const), table, key: name }),
  fc.record({ type: fc.constant("list" as const), table, range }),
  fc.record({ type: fc.constant("list" as const), table, range }),
  fc.record({ type: fc.constant("keys" as const), table, range }),
  fc.record({ type: fc.constant("tables" as const) }),
  fc.record({ type: fc.constant("write" as const), changes }),
  fc.record({ type: fc.constant("reopen" as const) }),
);

async function outcomeOf(work: () => unknown): Promise<string> {
  try {
    return show((await work()) ?? null);
  } catch (error) {
    if (error instanceof UsageError) return "UsageError";
    throw error;
  }
}

function take(next: Exclude<Step, { type: "reopen" }>, store: BaseStore | Model): unknown {
  switch (next.type) {
    case "read":
      return store.read(next.table, next.key);
    case "list":
      return store.list(next.table, next.range);
    case "keys":
      return store.keys(next.table, next.range);
    case "tables":
      return store.tables();
    case "write":
      return store.write(next.changes);
  }
}

/** Random steps on the store and on the model: both answer the same, step by step. */
export async function neverDiffers(newPlace: NewPlace): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), async (steps) => {
      const place = await newPlace();
      const model = new Model();
      let store = await place.open();
      try {
        for (const [i, next] of steps.entries()) {
          if (next.type === "reopen") {
            await store.close();
            store = await place.open();
            continue;
          }
          const actual = await outcomeOf(() => take(next, store));
          const expected = await outcomeOf(() => take(next, model));
          if (actual !== expected) throw new Error(`step ${i}, ${show(next)}: got ${actual} instead of ${expected}`);
        }
      } finally {
        await store.close();
      }
    }),
    { numRuns: 60 },
  );
}
