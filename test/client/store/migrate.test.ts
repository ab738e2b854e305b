import { describe, expect, test } from "vitest";
import { MemoryFile, MemoryStore } from "../../../client/store/memory.ts";
import { migrate, type Migration, versionOf } from "../../../client/store/migrate.ts";
import { listRecords, recordChange } from "../../../client/store/record.ts";
import type { StoreReader } from "../../../client/store/store.ts";
import { counted, hasCode, throwsUsage } from "./support/contract.ts";

const anything = (value: unknown): unknown => value;
const people = (store: StoreReader): Promise<{ key: string; value: unknown }[]> => {
  return listRecords(store, "people", anything);
};

const begin: Migration = async () => [recordChange("people", "1", { name: "Ada Lovelace" })];
const splitNames: Migration = async (store) => {
  return (await people(store)).map(({ key, value }) => {
    const [first, last] = (value as { name: string }).name.split(" ");
    return recordChange("people", key, { first, last });
  });
};
const keyByLastName: Migration = async (store) => {
  return (await people(store)).flatMap(({ key, value }) => {
    return [{ table: "people", key, value: null }, recordChange("people", (value as { last: string }).last, value)];
  });
};
const migrations = [begin, splitNames, keyByLastName];
const ada = { key: "Lovelace", value: { first: "Ada", last: "Lovelace" } };

describe("a profile", () => {
  test("goes through every migration once, in order, each seeing what the one before left", async () => {
    const store = counted(new MemoryStore());
    expect(await versionOf(store)).toBe(0);
    await migrate(store, migrations);
    expect(await people(store)).toEqual([ada]);
    expect(await versionOf(store)).toBe(3);
    await migrate(store, migrations);
    expect(await people(store)).toEqual([ada]);
    // Records and version go together: one write for each migration, none when there is nothing to do.
    expect(store.writes).toBe(3);
  });

  test("is taken on from where an older program left it", async () => {
    const store = new MemoryStore();
    await migrate(store, [begin]);
    expect(await people(store)).toEqual([{ key: "1", value: { name: "Ada Lovelace" } }]);
    await migrate(store, migrations);
    expect(await people(store)).toEqual([ada]);
  });

  test("stays at the last version it reached when a migration fails, and goes on from there", async () => {
    const store = new MemoryStore();
    const fails: Migration = () => Promise.reject(new Error("no such luck"));
    await expect(migrate(store, [begin, splitNames, fails])).rejects.toThrow("no such luck");
    expect(await versionOf(store)).toBe(2);
    await migrate(store, migrations);
    expect(await people(store)).toEqual([ada]);
  });

  test("stays at the old version when the write is refused: records and version go together", async () => {
    const store = new MemoryStore();
    const nowhere = { table: "people", key: "", value: null };
    const impossible: Migration = async () => [recordChange("people", "2", { first: "Al" }), nowhere];
    await throwsUsage(migrate(store, [begin, impossible]));
    expect(await versionOf(store)).toBe(1);
    expect(await people(store)).toEqual([{ key: "1", value: { name: "Ada Lovelace" } }]);
  });

  test("stays at the last version when its store is closed in the middle", async () => {
    const file = new MemoryFile();
    const store = new MemoryStore(file);
    const interrupted: Migration = async (reader) => {
      const changes = await splitNames(reader);
      await store.close();
      return changes;
    };
    await hasCode(migrate(store, [begin, interrupted, keyByLastName]), "CLOSED");
    const again = new MemoryStore(file);
    expect(await versionOf(again)).toBe(1);
    await migrate(again, migrations);
    expect(await people(again)).toEqual([ada]);
  });

  test("of a newer program is left alone", async () => {
    const store = new MemoryStore();
    await migrate(store, migrations);
    await hasCode(migrate(store, [begin, splitNames]), "VERSION");
    await expect(migrate(store, [])).rejects.toThrow("version 3, this program knows versions up to 0): update");
    expect(await people(store)).toEqual([ada]);
  });

  test("with a version that makes no sense is DAMAGED", async () => {
    const store = new MemoryStore();
    for (const version of [-1, "3", null]) {
      await store.write([recordChange("schema", "version", version)]);
      await hasCode(migrate(store, migrations), "DAMAGED");
    }
  });

  test("cannot have its version changed by a migration", async () => {
    const store = new MemoryStore();
    await throwsUsage(migrate(store, [async () => [recordChange("schema", "version", 7)]]));
    expect(await versionOf(store)).toBe(0);
  });
});
