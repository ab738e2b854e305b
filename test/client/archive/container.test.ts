import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, utf8 } from "#crypto/bytes";
import { sealAge } from "../../../client/archive/container/age.ts";
import { jsonBytes } from "../../../client/archive/container/manifest.ts";
import { openArchive, readArchiveHead } from "../../../client/archive/container/read.ts";
import { tarHead } from "../../../client/archive/container/tar.ts";
import { type PartInput, writeArchive } from "../../../client/archive/container/write.ts";
import { openAge } from "../../../client/archive/container/age.ts";
import { bytesSource, type Progress } from "../../../client/archive/source.ts";
import { mutated, mutations } from "../../support/mutate.ts";
import { fileOf, inputOf, LOCK, lineage, someParts, written } from "./support/archives.ts";
import { bytesOf, codeOf, listOf } from "./support/collect.ts";

const KEY = { passphrase: LOCK.passphrase };

async function sealed(plain: Uint8Array): Promise<Uint8Array> {
  return bytesOf(sealAge(LOCK, (async function* () { yield plain; })()));
}

async function plainOf(archive: Uint8Array): Promise<Uint8Array> {
  const plain = await openAge(bytesSource(archive), KEY);
  return plain.read(0, plain.size);
}

/** Opens it and takes out everything that is in it. */
async function readAll(archive: Uint8Array): Promise<{ records: unknown[]; files: Uint8Array[] }> {
  const opened = await openArchive(bytesSource(archive), KEY);
  const files: Uint8Array[] = [];
  for (const part of opened.manifest.parts) if (part.type === "file") files.push(await bytesOf(opened.file(part)));
  return { records: await listOf(opened.records()), files };
}

describe("an archive", () => {
  it("gives back what was put in, and tells of itself before it is read", async () => {
    const { bytes, manifest } = await written();
    const head = await readArchiveHead(bytesSource(bytes), KEY);
    expect(head).toMatchObject({ version: 1, program: "test 1.0", scope: "full", profiles: [{ id: "p1", name: "Alice" }], lineage });
    const { records, files } = await readAll(bytes);
    expect(records).toEqual([
      { table: "contacts", key: "a", value: utf8("Alice") },
      { table: "contacts", key: "b", value: new Uint8Array() },
      { table: "items", key: "1", value: utf8("hello") },
    ]);
    expect(files).toEqual([new Uint8Array(100_000).map((_, index) => index % 253)]);
    expect(manifest).toMatchObject({ counts: { contacts: 2, items: 1 }, failures: [] });
    expect(manifest?.parts.map(({ type, name }) => [type, name])).toEqual([
      ["records", "records/000001"],
      ["file", "files/000002"],
      ["records", "records/000003"],
    ]);
  });

  it("splits many records into parts, in their order", async () => {
    const entries = Array.from({ length: 5000 }, (_, index) => ({ key: index.toString().padStart(6, "0"), value: new Uint8Array(600) }));
    const { bytes, manifest } = await written([{ type: "records", table: "items", entries }]);
    expect(manifest?.parts.map(({ size }) => size <= 1024 * 1024)).toEqual([true, true, true]);
    const { records } = await readAll(bytes);
    expect(records).toEqual(entries.map((entry) => ({ table: "items", ...entry })));
  });

  it("is written and verified with progress, and can be given up at any moment", async () => {
    const seen: Progress[] = [];
    const onProgress = (progress: Progress): void => void seen.push(progress);
    const bytes = await bytesOf(writeArchive(inputOf(someParts), LOCK, { onProgress }));
    await openArchive(bytesSource(bytes), KEY, { onProgress });
    for (const step of ["write", "verify"] as const) {
      const done = seen.filter((progress) => progress.step === step).map((progress) => progress.done);
      expect(done.length).toBeGreaterThan(3);
      expect(done).toEqual([...done].sort((a, b) => a - b));
    }
    const signal = AbortSignal.abort();
    expect(await codeOf(() => bytesOf(writeArchive(inputOf(someParts), LOCK, { signal })))).toBe("ABORTED");
    expect(await codeOf(() => openArchive(bytesSource(bytes), KEY, { signal }))).toBe("ABORTED");
  });

  it("survives files that cannot be read, and lists them", async () => {
    const failing = (id: string, size: number, first: readonly Uint8Array[]): PartInput => ({
      type: "file",
      id,
      size,
      async *open() {
        yield* first;
        throw new Error("the disk is broken");
      },
    });
    const { bytes, manifest } = await written([
      failing("gone", 10, []),
      fileOf("good", utf8("hello")),
      failing("half", 100_000, [utf8("half of it")]),
      { ...fileOf("short", utf8("short")), size: 9 } as PartInput,
      { ...fileOf("long", utf8("long")), size: 3 } as PartInput,
      { ...fileOf("huge", utf8("huge")), size: 2 ** 40 } as PartInput,
      { type: "records", table: "items", entries: [{ key: "1", value: utf8("hello") }] },
    ]);
    expect(manifest?.failures.map(({ id }) => id)).toEqual(["gone", "half", "short", "long", "huge"]);
    expect(manifest?.failures[0]?.reason).toBe("the disk is broken");
    const parts = manifest?.parts.flatMap((part) => (part.type === "file" ? [[part.id, part.isComplete, part.size]] : []));
    expect(parts).toEqual([["good", true, 5], ["half", false, 100_000], ["short", false, 9]]);
    const { files, records } = await readAll(bytes);
    expect(files[0]).toEqual(utf8("hello"));
    expect(records).toHaveLength(1);
  });
});

describe("what is no good archive is refused before anything comes out", () => {
  it("a wrong passphrase, another age file, a file of a newer program", async () => {
    const { bytes } = await written();
    expect(await codeOf(() => openArchive(bytesSource(bytes), { passphrase: "wrong" }))).toBe("PASSPHRASE");
    const letter = await sealed(concat(tarHead({ name: "letter", size: 0, time: 0 }), new Uint8Array(1024)));
    expect(await codeOf(() => openArchive(bytesSource(letter), KEY))).toBe("FORMAT");
    const head = utf8(JSON.stringify({ format: "smp-edge-archive", version: 2, news: true }));
    const newer = concat(tarHead({ name: "archive.json", size: head.length, time: 0 }), head, new Uint8Array(2048));
    const archive = await sealed(newer);
    expect(await codeOf(() => openArchive(bytesSource(archive), KEY))).toBe("NEWER");
    expect(await codeOf(() => readArchiveHead(bytesSource(archive), KEY))).toBe("NEWER");
  });

  it("a part that is not the one in the manifest, by whoever knows the passphrase", async () => {
    const { bytes, manifest } = await written();
    const plain = await plainOf(bytes);
    const at = plain.length - 1024;
    // Without its end, with something after it, with a part less.
    for (const changed of [plain.slice(0, at), concat(plain, new Uint8Array(512)), concat(plain.slice(0, 1024), plain.slice(at))]) {
      const archive = await sealed(changed);
      expect(["DAMAGED", "TRUNCATED"]).toContain(await codeOf(() => openArchive(bytesSource(archive), KEY)));
    }
    const lying = { ...manifest, counts: { contacts: 3, items: 1 } } as NonNullable<typeof manifest>;
    const text = jsonBytes(lying);
    const start = plain.length - 1024 - Math.ceil(text.length / 512) * 512 - 512;
    const padded = new Uint8Array(Math.ceil(text.length / 512) * 512);
    padded.set(text);
    const head = tarHead({ name: "manifest.json", size: text.length, time: Math.floor(1_795_406_309_908 / 1000) });
    const archive = await sealed(concat(plain.slice(0, start), head, padded, new Uint8Array(1024)));
    expect(await codeOf(() => openArchive(bytesSource(archive), KEY))).toBe("DAMAGED");
  });

  it("any damage at all to the file", async () => {
    const { bytes } = await written();
    await fc.assert(
      fc.asyncProperty(mutations, fc.nat(bytes.length), async (list, far) => {
        // Half of the damages near the beginning, half anywhere.
        const rotated = far % 2 === 0 ? list : list.map((mutation) => ({ ...mutation, at: (mutation.at + far) % bytes.length }));
        const changed = mutated(bytes, rotated);
        const isSame = changed.length === bytes.length && changed.every((byte, index) => byte === bytes[index]);
        expect((await codeOf(() => readAll(changed))) === "ok").toBe(isSame);
      }),
      { numRuns: 60 },
    );
  });

  it("any damage to what is inside, by whoever knows the passphrase", async () => {
    const { bytes } = await written();
    const [plain, original] = [await plainOf(bytes), await readAll(bytes)];
    await fc.assert(
      fc.asyncProperty(mutations, fc.nat(plain.length), async (list, far) => {
        const rotated = list.map((mutation) => ({ ...mutation, at: (mutation.at + far) % plain.length }));
        const changed = mutated(plain, rotated);
        const archive = await sealed(changed);
        // Blanks between the fields of the manifest may change; nothing that comes out does.
        const code = await codeOf(async () => expect(await readAll(archive)).toEqual(original));
        if (changed.length !== plain.length) expect(code).not.toBe("ok");
      }),
      { numRuns: 60 },
    );
  });
});
