import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { utf8 } from "#crypto/bytes";
import { randomBytes, randomFraction } from "#crypto/random";
import { openSqliteStore } from "../../../client/node/sqlite-store.ts";
import { addPassphrase, openProfile, SCRYPT_FLOOR } from "../../../client/store/passphrase.ts";
import { SealedStore } from "../../../client/store/sealed.ts";
import type { Change } from "../../../client/store/store.ts";
import { ownershipContract, storeContract } from "./contract.ts";
import { many, type NewPlace, put } from "./support/contract.ts";

const WRITER = fileURLToPath(new URL("support/sqlite-writer.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "smp-edge-store-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const newFile = (): string => join(folder, `profile-${files++}.db`);

const sqlite: NewPlace = async () => {
  const file = newFile();
  return { open: () => openSqliteStore(file) };
};

const sealed: NewPlace = async () => {
  const file = newFile();
  const dataKey = randomBytes(32);
  return { open: async () => new SealedStore(await openSqliteStore(file), dataKey) };
};

describe.each(Object.entries({ "an SQLite file": sqlite, "a sealed SQLite file": sealed }))("%s", (_, newPlace) => {
  test.each([...storeContract, ...ownershipContract])("$name", ({ run }) => run(newPlace));
});

/** A process that writes rounds of records without end (see support/sqlite-writer.ts). */
async function startWriter(file: string): Promise<{ child: ChildProcess; rounds: () => number }> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", WRITER, file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  let rounds = 0;
  lines.on("line", (line) => (rounds = Number(line)));
  await once(lines, "line");
  return { child, rounds: () => rounds };
}

async function kill(child: ChildProcess): Promise<void> {
  // "close" comes after the last of its output.
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
}

const errorOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => null, (error: unknown) => error);

describe("a file of a profile", () => {
  test("survives kill -9 in the middle of writes: each is there wholly or not at all, and none is lost", async () => {
    const file = newFile();
    let before = 0;
    for (let crash = 0; crash < 8; crash++) {
      const { child, rounds } = await startWriter(file);
      await sleep(20 + 120 * randomFraction());
      await kill(child);
      const store = await openSqliteStore(file);
      const records = await store.list("round");
      const found = new Set(records.map(({ value }) => new DataView(value.buffer).getUint32(0)));
      expect(records).toHaveLength(50);
      expect(found.size).toBe(1);
      const [round = 0] = found;
      expect(round).toBeGreaterThanOrEqual(rounds());
      expect(rounds()).toBeGreaterThan(before);
      before = round;
      await store.close();
    }
  });

  test("is BUSY while another process has it, and free once that is killed", async () => {
    const file = newFile();
    const { child } = await startWriter(file);
    try {
      expect(await errorOf(openSqliteStore(file))).toMatchObject({
        name: "StoreError",
        code: "BUSY",
        message: `${file} is open in another program: end that one first`,
      });
    } finally {
      await kill(child);
    }
    await (await openSqliteStore(file)).close();
  });

  test("is readable by its owner only, as is what lies beside it", async () => {
    const file = newFile();
    writeFileSync(file, "");
    chmodSync(file, 0o644);
    const store = await openSqliteStore(file);
    await store.write([put("t", "k", 1)]);
    const modes = [file, `${file}-wal`].map((name) => statSync(name).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600]);
    await store.close();
  });

  test("keeps nothing of a record that was deleted", async () => {
    const file = newFile();
    const secret = "meet me at the old oak";
    const store = await openSqliteStore(file);
    await store.write([{ table: "t", key: "k", value: utf8(secret) }, ...many("t", 100)]);
    await store.close();
    expect(readFileSync(file).includes(secret)).toBe(true);
    const again = await openSqliteStore(file);
    await again.write([{ table: "t", key: "k", value: null }]);
    await again.close();
    expect(readFileSync(file).includes(secret)).toBe(false);
  });

  test("keeps nothing that can be read once it has a passphrase", async () => {
    const file = newFile();
    const secret = "meet me at the old oak";
    const store = await openSqliteStore(file);
    await store.write([{ table: "t", key: "k", value: utf8(secret) }, ...many("t", 100)]);
    await addPassphrase(store, "a long passphrase", SCRYPT_FLOOR);
    const profile = await openProfile(store, "a long passphrase");
    expect(await profile.read("t", "k")).toEqual(utf8(secret));
    await profile.close();
    expect(readFileSync(file).includes(secret)).toBe(false);
  });

  test("says FULL when no room is left, and what was there before is still there", async () => {
    const file = newFile();
    const store = await openSqliteStore(file, { maxBytes: 400_000 });
    await store.write(many("small", 1000));
    const message = (i: number): Change => ({ table: "messages", key: `${i}`, value: new Uint8Array(16_000).fill(i) });
    let written = 0;
    let refusal: unknown = null;
    while (refusal === null && written < 100) {
      refusal = await errorOf(store.write([message(written), put("state", "last", written)]));
      if (refusal === null) written++;
    }
    expect(refusal).toMatchObject({ code: "FULL", message: expect.stringContaining("free some") });
    expect(written).toBeGreaterThan(10);
    const expected = { messages: written, last: Uint8Array.of(written - 1) };
    const found = async (): Promise<object> => {
      return { messages: (await store.list("messages")).length, last: await store.read("state", "last") };
    };
    expect(await found()).toEqual(expected);
    // Setting a passphrase rewrites all of it at once; when that does not fit, the profile stays as it was.
    expect(await errorOf(addPassphrase(store, "a long passphrase", SCRYPT_FLOOR))).toMatchObject({ code: "FULL" });
    expect(await found()).toEqual(expected);
    expect(await openProfile(store, null)).toBe(store);
    // Deleting makes room.
    await store.write([{ table: "messages", key: "0", value: null }]);
    await store.write([message(500)]);
    await store.close();
  });

  test("is DAMAGED when it is cut off, overwritten or no database", async () => {
    const whole = newFile();
    const store = await openSqliteStore(whole);
    await store.write(many("t", 5000));
    await store.close();
    const { size } = statSync(whole);

    const cut = newFile();
    copyFileSync(whole, cut);
    truncateSync(cut, size - 4096);
    expect(await errorOf(openSqliteStore(cut).then((opened) => opened.list("t")))).toMatchObject({ code: "DAMAGED" });

    const overwritten = newFile();
    const content = readFileSync(whole);
    content.fill(0xaa, 2 * 4096, 4 * 4096);
    writeFileSync(overwritten, content);
    expect(await errorOf(openSqliteStore(overwritten).then((opened) => opened.list("t")))).toMatchObject({
      code: "DAMAGED",
      message: expect.stringContaining(overwritten),
    });

    const text = newFile();
    writeFileSync(text, "Dear diary, this is not a database at all. ".repeat(200));
    expect(await errorOf(openSqliteStore(text))).toMatchObject({
      code: "DAMAGED",
      message: expect.stringContaining("restore it from a backup"),
    });
  });

  test("of another program is left as it is", async () => {
    const file = newFile();
    const other = new DatabaseSync(file);
    other.exec("CREATE TABLE songs (name TEXT); INSERT INTO songs VALUES ('Blackbird')");
    other.close();
    const before = readFileSync(file);
    expect(await errorOf(openSqliteStore(file))).toMatchObject({
      code: "FAILED",
      message: expect.stringContaining("another program"),
    });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test("that a newer program wrote is left as it is", async () => {
    const file = newFile();
    await (await openSqliteStore(file)).close();
    const newer = new DatabaseSync(file);
    newer.exec("PRAGMA user_version = 2");
    newer.close();
    const before = readFileSync(file);
    expect(await errorOf(openSqliteStore(file))).toMatchObject({
      code: "VERSION",
      message: expect.stringContaining("update this program"),
    });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test("in a folder that is not there FAILED, with the path", async () => {
    const file = join(folder, "nowhere", "profile.db");
    expect(await errorOf(openSqliteStore(file))).toMatchObject({
      code: "FAILED",
      message: expect.stringContaining(file),
    });
  });
});
