import { utf8 } from "#crypto/bytes";
import type { Lock } from "../../../../client/archive/container/age.ts";
import type { Manifest } from "../../../../client/archive/container/manifest.ts";
import { type ArchiveInput, type PartInput, writeArchive } from "../../../../client/archive/container/write.ts";
import { bytesOf } from "./collect.ts";

/** As cheap as a passphrase can be: the tests are not about its cost. */
export const LOCK = { passphrase: "correct horse", workFactor: 4 } as const satisfies Lock;

export const lineage = { id: "0123456789abcdef".repeat(2), trail: [{ copy: "f".repeat(32), position: 17 }] };

export function inputOf(parts: ArchiveInput["parts"]): ArchiveInput {
  const profiles = [{ id: "p1", name: "Alice" }];
  return { head: { program: "test 1.0", createdAt: 1_795_406_309_908, scope: "full", profiles, lineage }, parts };
}

export function fileOf(id: string, bytes: Uint8Array): PartInput {
  return {
    type: "file",
    id,
    size: bytes.length,
    async *open() {
      for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
    },
  };
}

export const someParts: readonly PartInput[] = [
  { type: "records", table: "contacts", entries: [{ key: "a", value: utf8("Alice") }, { key: "b", value: new Uint8Array() }] },
  { type: "records", table: "empty", entries: [] },
  fileOf("picture", new Uint8Array(100_000).map((_, index) => index % 253)),
  { type: "records", table: "items", entries: [{ key: "1", value: utf8("hello") }] },
];

export interface Written {
  readonly bytes: Uint8Array;
  readonly manifest: Manifest | null;
}

export async function written(parts: ArchiveInput["parts"] = someParts, lock: Lock = LOCK): Promise<Written> {
  let manifest: Manifest | null = null;
  const bytes = await bytesOf(writeArchive(inputOf(parts), lock, { onManifest: (told) => (manifest = told) }));
  return { bytes, manifest };
}
