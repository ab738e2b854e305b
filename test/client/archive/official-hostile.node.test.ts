import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, utf8 } from "#crypto/bytes";
import { memoryScratch, bytesSource, type Scratch } from "../../../client/archive/source.ts";
import { openOfficialArchive } from "../../../client/archive/official/archive.ts";
import { mutated, mutations } from "../../support/mutate.ts";
import { AGENT, altered, changedSample, CHAT, filesOf, openSample, PASSPHRASE, readEverything, sampleZip, select, zipFrom } from "./support/official.ts";
import { codeOf, listOf } from "./support/collect.ts";

const passphrase = PASSPHRASE;

async function messageOf(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt();
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
}

describe("the passphrase of an official archive", () => {
  const zip = sampleZip("encrypted");

  it("has to be given, and the right one", async () => {
    expect(await codeOf(() => openSample(zip))).toBe("PASSPHRASE");
    expect(await codeOf(() => openSample(zip, { passphrase: "" }))).toBe("PASSPHRASE");
    expect(await codeOf(() => openSample(zip, { passphrase: `${passphrase} ` }))).toBe("PASSPHRASE");
    expect(await messageOf(() => openSample(zip, { passphrase: "wrong" }))).toContain("at the time of the export");
  });

  it("is not in the way where none was set", async () => {
    expect(await codeOf(() => openSample(sampleZip("plain"), { passphrase: "whatever" }))).toBe("ok");
  });
});

/** Null when SQLite does not do it. */
function changedColumn(database: Uint8Array, table: string, column: string, value: string): Uint8Array | null {
  try {
    return altered(database, `UPDATE OR IGNORE "${table}" SET "${column}" = ${value};`);
  } catch {
    return null;
  }
}

describe("a damaged official archive", () => {
  it("names the page that is damaged, wherever it is, and is not taken for a wrong passphrase", async () => {
    const files = await filesOf(sampleZip("encrypted"));
    const chat = files.get(CHAT) ?? new Uint8Array();
    for (const page of [1, 2, 100, chat.length / 4096]) {
      const broken = chat.map((byte, index) => (index === (page - 1) * 4096 + 2000 ? byte ^ 1 : byte));
      const zip = zipFrom(new Map([...files, [CHAT, broken]]));
      expect(await codeOf(() => openSample(zip, { passphrase }))).toBe("DAMAGED");
      expect(await messageOf(() => openSample(zip, { passphrase }))).toContain(`page ${page} is not what was written`);
    }
  });

  it("does not open when a page was exchanged with another one", async () => {
    const files = await filesOf(sampleZip("encrypted"));
    const chat = (files.get(CHAT) ?? new Uint8Array()).slice();
    chat.copyWithin(8 * 4096, 9 * 4096, 10 * 4096);
    const zip = zipFrom(new Map([...files, [CHAT, chat]]));
    expect(await codeOf(() => openSample(zip, { passphrase }))).toBe("DAMAGED");
  });

  it("is refused when a database is missing, cut or of another program", async () => {
    const files = await filesOf(sampleZip("plain"));
    const chat = files.get(CHAT) ?? new Uint8Array();
    const agent = files.get(AGENT) ?? new Uint8Array();
    const zip = (name: string, bytes: Uint8Array | null): Uint8Array =>
      zipFrom(new Map([...files].flatMap(([old, content]) => (old !== name ? [[old, content] as const] : bytes ? [[old, bytes] as const] : []))));
    expect(await codeOf(() => openSample(zip(AGENT, null)))).toBe("MISSING");
    expect(await codeOf(() => openSample(zipFrom(new Map([["holiday.jpg", utf8("x")]]))))).toBe("FORMAT");
    expect(await codeOf(() => openSample(zip(CHAT, chat.slice(0, 5000))))).toBe("TRUNCATED");
    expect(await codeOf(() => openSample(zip(CHAT, new Uint8Array())))).toBe("TRUNCATED");
    // Whole pages are missing at the end.
    const cut = zip(CHAT, chat.slice(0, 40 * 4096));
    expect(await codeOf(async () => readEverything(await openSample(cut)))).toBe("DAMAGED");
    const other = altered(new Uint8Array(), "CREATE TABLE places (url TEXT)");
    expect(await codeOf(() => openSample(zip(CHAT, other)))).toBe("FORMAT");
    // The two are exchanged.
    expect(await codeOf(() => openSample(zip(CHAT, agent)))).toBe("OLDER");
    for (const length of [0, 100, 31_700, 200_000, 382_600]) {
      expect(await codeOf(() => openSample(sampleZip("plain").slice(0, length)))).toBe("TRUNCATED");
    }
  });

  it("lists the files that cannot be unpacked and reads the rest", async () => {
    const zip = sampleZip("plain");
    const bytes = concat(zip.slice(0, 300_000), Uint8Array.of((zip[300_000] ?? 0) ^ 1), zip.slice(300_001));
    const archive = await openSample(bytes);
    expect((await archive.checkFiles()).map(({ name, error }) => [name, error.code])).toEqual([["data.bin", "DAMAGED"]]);
    expect(await archive.chat.users()).toHaveLength(1);
  });

  it("is read without the rows that are not understood, which are listed", async () => {
    const { chat, agent } = await openSample(await changedSample({
      chat: "UPDATE contacts SET contact_status = 'on the moon' WHERE contact_id = 2; UPDATE chat_items SET item_content = '{' WHERE chat_item_id = 8;",
      agent: "UPDATE snd_queues SET status = 'lost';",
    }));
    expect((await listOf(chat.contacts())).map(({ id }) => id)).toEqual([3, 4]);
    expect(await listOf(chat.items())).toHaveLength(9);
    expect(chat.failures.map(({ table }) => table)).toEqual(["contacts", "chat_items"]);
    expect(chat.failures[0]?.error.message).toContain("on the moon");
    const [connection] = await listOf(agent.connections());
    expect([connection?.receive.length, connection?.send.length]).toEqual([1, 0]);
    expect(agent.failures.map(({ table }) => table)).toEqual(["snd_queues"]);
  });

  it("never throws anything but its own errors, whatever happens to the zip", async () => {
    const zip = sampleZip("plain");
    const seen = new Set<string>();
    const place = fc.oneof(fc.nat(zip.length), fc.nat(300).map((back) => zip.length - back));
    await fc.assert(
      fc.asyncProperty(mutations, place, async (list, far) => {
        const changed = mutated(zip, list.map((mutation) => ({ ...mutation, at: (mutation.at + far) % zip.length })));
        seen.add(await codeOf(async () => readEverything(await openSample(changed))));
      }),
      { numRuns: 40 },
    );
    expect(seen).toContain("DAMAGED");
  }, 120_000);

  it("never throws anything but its own errors, whatever happens to the databases", async () => {
    const files = await filesOf(sampleZip("plain"));
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(CHAT, AGENT), mutations, fc.nat(100), fc.nat(4096), async (name, list, page, far) => {
        const database = files.get(name) ?? new Uint8Array();
        const flips = list.map((mutation) => ({ ...mutation, kind: mutation.kind === "most" ? ("most" as const) : ("flip" as const) }));
        const at = (page * 4096 + far) % database.length;
        const changed = mutated(database, flips.map((mutation) => ({ ...mutation, at: (mutation.at + at) % database.length })));
        const zip = zipFrom(new Map([...files, [name, changed]]));
        seen.add(await codeOf(async () => readEverything(await openSample(zip))));
      }),
      { numRuns: 40 },
    );
    // Chance may miss what must not be misread: here no page but the first is of any type.
    const database = Uint8Array.from(files.get(CHAT) ?? []);
    for (let page = 4096; page < database.length; page += 4096) database[page] = 0xee;
    seen.add(await codeOf(async () => readEverything(await openSample(zipFrom(new Map([...files, [CHAT, database]]))))));
    expect(seen).toContain("DAMAGED");
  }, 120_000);

  it("never throws anything but its own errors, whatever stands in the columns", async () => {
    const files = await filesOf(sampleZip("plain"));
    const sql = "SELECT m.name AS t, p.name AS c FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS p WHERE m.type = 'table'";
    const columns = [CHAT, AGENT].flatMap((name) =>
      select(files.get(name) ?? new Uint8Array(), sql).map(({ t, c }) => [name, String(t), String(c)] as const),
    );
    const strange = fc.constantFrom("NULL", "-1", "9223372036854775807", "1.5", "''", "'x'", "x''", "x'ff'", "zeroblob(40)", "'{'", "'null'", "'[]'", "'{\"type\":1}'");
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...columns), strange, async ([name, table, column], value) => {
        const changed = changedColumn(files.get(name) ?? new Uint8Array(), table, column, value);
        fc.pre(changed !== null);
        const zip = zipFrom(new Map([...files, [name, changed]]));
        await codeOf(async () => readEverything(await openSample(zip)));
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});

describe("an official archive that is a trap", () => {
  it.each(["../../etc/passwd", "/etc/passwd", "simplex_v1_files/../../x", "C:\\x", "simplex_v1_files\\..\\x", "a\0b"])("with a file %j is refused", async (name) => {
    expect(await codeOf(async () => openSample(await changedSample({}, new Map([[name, utf8("x")]]))))).toBe("HOSTILE");
  });

  it("with files of other programs is read without them", async () => {
    const archive = await openSample(await changedSample({}, new Map([["__MACOSX/._x", utf8("x")], ["simplex_v1_files/sub/x", utf8("x")]])));
    expect(archive.files.map(({ name }) => name)).toEqual(["data.bin"]);
    expect(await archive.leftovers()).toContainEqual(expect.objectContaining({ kind: "files of another program in the zip", count: 2 }));
  });
});

describe("an archive of another version of the app", () => {
  const later = "INSERT INTO migrations (name, ts) VALUES ('20991231_everything_new', '2099-12-31');";

  it("that is newer is refused, and read without what is new if that is wanted", async () => {
    const zip = await changedSample({ chat: `${later} ALTER TABLE contacts ADD COLUMN novelty TEXT; ALTER TABLE contacts RENAME COLUMN chat_deleted TO something;` });
    expect(await codeOf(() => openSample(zip))).toBe("NEWER");
    expect(await messageOf(() => openSample(zip))).toContain("update this program");
    const archive = await openSample(zip, { acceptNewer: true });
    expect(archive.migrations.chat).toBe("20991231_everything_new");
    expect(await codeOf(() => readEverything(archive))).toBe("ok");
  });

  it("whose tables the latest agent made strict is read", async () => {
    const agent = `INSERT INTO migrations (name, ts) VALUES ('m20260411_service_certs', '2026');
      PRAGMA writable_schema = 1;
      UPDATE sqlite_master SET sql = CASE WHEN sql LIKE '%WITHOUT ROWID' THEN sql || ', STRICT' WHEN sql LIKE '%)' THEN sql || ' STRICT' ELSE sql END WHERE type = 'table' AND name <> 'sqlite_sequence';`;
    const archive = await openSample(await changedSample({ agent }));
    const everything = await readEverything(archive);
    expect(everything["connections"]).toHaveLength(1);
  });

  it("that is too old is refused, with the way out", async () => {
    const zip = await changedSample({ agent: "ALTER TABLE connections DROP COLUMN pq_support;" });
    expect(await codeOf(() => openSample(zip))).toBe("OLDER");
    expect(await messageOf(() => openSample(zip))).toContain("export it there again");
  });
});

describe("the place where databases are unpacked to", () => {
  it("is freed when the archive does not open, and when it is closed", async () => {
    let open = 0;
    const scratch = (): Scratch => {
      open++;
      const place = memoryScratch();
      return { ...place, discard: () => { open--; return place.discard(); } };
    };
    const source = bytesSource(sampleZip("encrypted"));
    expect(await codeOf(() => openOfficialArchive(source, { scratch, passphrase: "wrong" }))).toBe("PASSPHRASE");
    expect(open).toBe(0);
    const archive = await openOfficialArchive(source, { scratch, passphrase });
    expect(open).toBe(2);
    await archive.close();
    expect(open).toBe(0);
  });

  it("may be full", async () => {
    const scratch = (): Scratch => ({ ...memoryScratch(), append: () => Promise.reject(new Error("no space left")) });
    const source = bytesSource(sampleZip("plain"));
    expect(await codeOf(() => openOfficialArchive(source, { scratch }))).toBe("READ");
    expect(await messageOf(() => openOfficialArchive(source, { scratch }))).toContain("no space left");
  });

  it("is never more memory than was meant for it", async () => {
    const source = bytesSource(sampleZip("plain"));
    expect(await codeOf(() => openOfficialArchive(source, { scratch: () => memoryScratch(500_000) }))).toBe("SPACE");
  });

  it("is left at once when the user gives up", async () => {
    const source = bytesSource(sampleZip("plain"));
    const giveUp = new AbortController();
    const onProgress = (): void => giveUp.abort();
    expect(await codeOf(() => openOfficialArchive(source, { signal: giveUp.signal, onProgress }))).toBe("ABORTED");
  });
});
