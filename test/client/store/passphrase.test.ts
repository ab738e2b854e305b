import { describe, expect, test } from "vitest";
import { sha256 } from "#crypto/hash";
import { MemoryFile, MemoryStore } from "../../../client/store/memory.ts";
import {
  addPassphrase,
  changePassphrase,
  isSealed,
  openProfile,
  removePassphrase,
  SCRYPT_COST,
  SCRYPT_FLOOR,
} from "../../../client/store/passphrase.ts";
import { decodeRecord, encodeRecord, readRecord } from "../../../client/store/record.ts";
import type { BaseStore, Entry } from "../../../client/store/store.ts";
import { counted, hasCode, put, show, throwsUsage } from "./support/contract.ts";

const PASSPHRASE = "correct horse battery staple";
const records = [put("messages", "1", 1, 2, 3), put("messages", "2"), put("queues", "a", 4)];

interface Profile {
  readonly file: MemoryFile;
  /** Opens the file anew, as after a restart of the program. */
  restart(): Promise<MemoryStore>;
}

async function profile(): Promise<Profile> {
  const file = new MemoryFile();
  let store = new MemoryStore(file);
  await store.write(records);
  return {
    file,
    restart: async () => {
      await store.close();
      store = new MemoryStore(file);
      return store;
    },
  };
}

async function everything(store: BaseStore): Promise<Record<string, Entry[]>> {
  const tables = await store.tables();
  const entries = await Promise.all(tables.map(async (table) => [table, await store.list(table)] as const));
  return Object.fromEntries(entries);
}

describe("a passphrase", () => {
  test("is added, asked for, changed and removed, each in one write, and the records stay the same", async () => {
    const { restart } = await profile();
    const plain = await everything(await restart());

    const base = counted(await restart());
    await addPassphrase(base, PASSPHRASE, SCRYPT_FLOOR);
    expect(base.writes).toBe(1);
    expect(await isSealed(base)).toBe(true);
    expect(show(await base.list("messages"))).not.toBe(show(plain["messages"]));
    expect(await everything(await openProfile(await restart(), PASSPHRASE))).toEqual(plain);

    const changed = counted(await restart());
    const before = await changed.list("messages");
    await changePassphrase(changed, PASSPHRASE, "another one", SCRYPT_FLOOR);
    expect(changed.writes).toBe(1);
    expect(await changed.list("messages")).toEqual(before);
    await hasCode(openProfile(await restart(), PASSPHRASE), "PASSPHRASE");
    expect(await everything(await openProfile(await restart(), "another one"))).toEqual(plain);

    const removed = counted(await restart());
    await removePassphrase(removed, "another one");
    expect(removed.writes).toBe(1);
    expect(await isSealed(removed)).toBe(false);
    expect(await everything(await openProfile(await restart(), null))).toEqual(plain);
  });

  test("is kept from the start by a new profile", async () => {
    const file = new MemoryFile();
    const base = new MemoryStore(file);
    await addPassphrase(base, PASSPHRASE, SCRYPT_FLOOR);
    const store = await openProfile(base, PASSPHRASE);
    await store.write(records);
    await store.close();
    const again = await openProfile(new MemoryStore(file), PASSPHRASE);
    expect(await again.read("messages", "1")).toEqual(Uint8Array.of(1, 2, 3));
    await again.close();
    expect(show(await new MemoryStore(file).read("messages", "1"))).not.toContain("010203");
  });

  test("that is wrong or missing opens nothing and changes nothing", async () => {
    const { restart } = await profile();
    const base = await restart();
    await addPassphrase(base, PASSPHRASE, SCRYPT_FLOOR);
    const before = await everything(base);
    await hasCode(openProfile(base, null), "PASSPHRASE");
    for (const wrong of ["", "correct horse battery stapl", `${PASSPHRASE} `]) {
      await hasCode(openProfile(base, wrong), "PASSPHRASE");
    }
    await hasCode(changePassphrase(base, "wrong", "new", SCRYPT_FLOOR), "PASSPHRASE");
    await hasCode(removePassphrase(base, "wrong"), "PASSPHRASE");
    expect(await everything(base)).toEqual(before);
  });

  test("may be typed on any keyboard: composed and decomposed letters are the same", async () => {
    const base = new MemoryStore();
    await addPassphrase(base, "caf\u00e9", SCRYPT_FLOOR);
    expect(await (await openProfile(base, "cafe\u0301")).tables()).toEqual([]);
    await hasCode(openProfile(base, "cafe"), "PASSPHRASE");
  });

  test("is not asked of a profile that has none: a stranger's profile would pass for one's own", async () => {
    const base = await (await profile()).restart();
    await throwsUsage(openProfile(base, PASSPHRASE));
    await throwsUsage(changePassphrase(base, PASSPHRASE, "new", SCRYPT_FLOOR));
    await throwsUsage(removePassphrase(base, PASSPHRASE));
    expect(await openProfile(base, null)).toBe(base);
  });

  test("cannot be empty, weaker than the floor, or added twice", async () => {
    const base = await (await profile()).restart();
    await throwsUsage(addPassphrase(base, ""));
    for (const weaker of [{ logN: 13 }, { r: 7 }, { p: 0 }, { logN: 14.5 }, { logN: 40 }]) {
      await throwsUsage(addPassphrase(base, PASSPHRASE, { ...SCRYPT_FLOOR, ...weaker }));
    }
    expect(await isSealed(base)).toBe(false);
    await addPassphrase(base, PASSPHRASE, SCRYPT_FLOOR);
    await throwsUsage(addPassphrase(base, PASSPHRASE, SCRYPT_FLOOR));
    await throwsUsage(changePassphrase(base, PASSPHRASE, "", SCRYPT_FLOOR));
    expect(await (await openProfile(base, PASSPHRASE)).read("queues", "a")).toEqual(Uint8Array.of(4));
  });

  test("costs what OWASP advises unless told otherwise, and the cost is stored", async () => {
    const base = new MemoryStore();
    await addPassphrase(base, PASSPHRASE);
    const seal = await readRecord(base, "seal", "key", (value) => value as { cost: unknown });
    expect(seal?.cost).toEqual(SCRYPT_COST);
    expect(SCRYPT_COST).toEqual({ logN: 15, r: 8, p: 3 });
    await openProfile(base, PASSPHRASE);
  });
});

describe("the seal", () => {
  async function sealed(): Promise<{ base: MemoryStore; seal: Uint8Array; fields: Record<string, unknown> }> {
    const base = new MemoryStore();
    await addPassphrase(base, PASSPHRASE, SCRYPT_FLOOR);
    const seal = (await base.read("seal", "key")) ?? new Uint8Array();
    return { base, seal, fields: decodeRecord(seal, (value) => value as Record<string, unknown>) };
  }

  test("that was damaged is not taken for a wrong passphrase", async () => {
    const { base, seal } = await sealed();
    for (let i = 0; i < seal.length; i++) {
      await base.write([{ table: "seal", key: "key", value: seal.with(i, (seal[i] ?? 0) ^ 0x01) }]);
      await hasCode(openProfile(base, PASSPHRASE), "DAMAGED");
    }
    await base.write([{ table: "seal", key: "key", value: seal.subarray(0, -1) }]);
    await hasCode(openProfile(base, PASSPHRASE), "DAMAGED");
  });

  test("with a cost below the floor or beyond reason is not even tried", async () => {
    const { base, fields: { check: _, ...content } } = await sealed();
    for (const cost of [{ logN: 1, r: 8, p: 1 }, { logN: 30, r: 8, p: 1 }, { logN: 15, r: 8, p: 1000 }, null]) {
      // Somebody made it so, with a checksum that fits.
      const changed = { ...content, cost };
      const seal = encodeRecord({ ...changed, check: sha256(encodeRecord(changed)) });
      await base.write([{ table: "seal", key: "key", value: seal }]);
      await expect(openProfile(base, PASSPHRASE)).rejects.toMatchObject({ code: "DAMAGED" });
    }
  });

  test("of a newer program asks for that program", async () => {
    const { base, fields } = await sealed();
    await base.write([{ table: "seal", key: "key", value: encodeRecord({ ...fields, format: 2 }) }]);
    await hasCode(openProfile(base, PASSPHRASE), "VERSION");
  });

  test("of another profile opens none of the records of this one", async () => {
    const [own, other] = [await sealed(), await sealed()];
    await (await openProfile(own.base, PASSPHRASE)).write(records);
    await own.base.write([{ table: "seal", key: "key", value: other.seal }]);
    const mixed = await openProfile(own.base, PASSPHRASE);
    await hasCode(mixed.read("messages", "1"), "DAMAGED");
    // Nothing is lost by trying to take the passphrase off.
    await hasCode(removePassphrase(own.base, PASSPHRASE), "DAMAGED");
    await own.base.write([{ table: "seal", key: "key", value: own.seal }]);
    expect(await (await openProfile(own.base, PASSPHRASE)).read("messages", "1")).toEqual(Uint8Array.of(1, 2, 3));
  });
});
