import { describe, expect, test } from "vitest";
import { hex, utf8 } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import { MemoryFile, MemoryStore } from "../../../client/store/memory.ts";
import { SealedStore } from "../../../client/store/sealed.ts";
import { hasCode, put, throwsUsage } from "./support/contract.ts";

interface SealedWorld {
  /** What a thief of the disk sees and can change. */
  readonly disk: MemoryStore;
  readonly store: SealedStore;
}

function world(): SealedWorld {
  const disk = new MemoryStore();
  return { disk, store: new SealedStore(disk, randomBytes(32)) };
}

/** The bytes under a key as they lie on the disk. */
async function onDisk(disk: MemoryStore, table: string, key: string): Promise<Uint8Array> {
  const value = await disk.read(table, key);
  if (value === null) throw new Error(`nothing at ${table}/${key}`);
  return value;
}

describe("a sealed store", () => {
  test("shows nothing of values on the disk but their length, not even that two are equal", async () => {
    const { disk, store } = world();
    const secret = utf8("the password is swordfish");
    await store.write([{ table: "t", key: "a", value: secret }, { table: "t", key: "b", value: secret }]);
    const [a, b] = [await onDisk(disk, "t", "a"), await onDisk(disk, "t", "b")];
    expect(a).toHaveLength(secret.length + 40);
    expect(hex(a)).not.toContain(hex(secret));
    expect(hex(a.subarray(24))).not.toBe(hex(b.subarray(24)));
    expect(await store.read("t", "a")).toEqual(secret);
  });

  test("notices every changed bit, and bytes that are missing", async () => {
    const { disk, store } = world();
    await store.write([put("t", "k", 1, 2, 3)]);
    const sealed = await onDisk(disk, "t", "k");
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = sealed.with(bit >> 3, (sealed[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
      await disk.write([{ table: "t", key: "k", value: changed }]);
      await hasCode(store.read("t", "k"), "DAMAGED");
    }
    for (let length = 0; length < sealed.length; length++) {
      await disk.write([{ table: "t", key: "k", value: sealed.subarray(0, length) }]);
      await hasCode(store.read("t", "k"), "DAMAGED");
    }
    await disk.write([{ table: "t", key: "k", value: sealed }]);
    expect(await store.read("t", "k")).toEqual(Uint8Array.of(1, 2, 3));
  });

  test("lists keys without opening what stands there", async () => {
    const { disk, store } = world();
    await store.write([put("t", "a", 1), put("t", "b", 2)]);
    await disk.write([put("t", "a", 0)]);
    await hasCode(store.list("t"), "DAMAGED");
    expect(await store.keys("t")).toEqual(["a", "b"]);
    await throwsUsage(store.keys("seal"));
  });

  test("notices a record that was moved to another key or table, and names it", async () => {
    const { disk, store } = world();
    await store.write([put("t", "k", 1), put("t", "l", 2)]);
    const value = await onDisk(disk, "t", "k");
    for (const [table, key] of [["t", "l"], ["u", "k"], ["t\u0020", "k"], ["t/k", "k"]] as const) {
      await disk.write([{ table, key, value }]);
      await expect(store.read(table, key)).rejects.toThrow(`the record ${table}/${key} is not what was written there`);
      await hasCode(store.list(table), "DAMAGED");
    }
    expect(await store.read("t", "k")).toEqual(Uint8Array.of(1));
  });

  test("opens with its own key only", async () => {
    const file = new MemoryFile();
    const store = new SealedStore(new MemoryStore(file), randomBytes(32));
    await store.write([put("t", "k", 1)]);
    await store.close();
    await hasCode(new SealedStore(new MemoryStore(file), randomBytes(32)).read("t", "k"), "DAMAGED");
  });

  test("neither shows nor takes the table of the seal", async () => {
    const { disk, store } = world();
    await disk.write([put("seal", "key", 1)]);
    await throwsUsage(store.read("seal", "key"));
    await throwsUsage(store.list("seal"));
    await throwsUsage(store.write([put("t", "k"), put("seal", "key")]));
    expect(await store.tables()).toEqual([]);
  });

  test("takes no key of another length", () => {
    expect(() => new SealedStore(new MemoryStore(), randomBytes(16))).toThrow("a data key has 32 bytes, not 16");
  });
});
