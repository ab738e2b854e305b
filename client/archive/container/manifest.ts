import * as v from "valibot";
import { fromUtf8, utf8 } from "#crypto/bytes";
import { ArchiveError, TAKE_AGAIN } from "../errors.ts";
import { lineageForm } from "../lineage.ts";

// What an archive says of itself. Inside the age file lies a tar file: first `archive.json`, then the parts in the order
// of the manifest, then `manifest.json`.

export const FORMAT = "smp-edge-archive";
/** Rises when older programs cannot read what is written. */
export const FORMAT_VERSION = 1;
export const HEAD_NAME = "archive.json";
export const MANIFEST_NAME = "manifest.json";
/** Of either JSON; nothing longer is looked at. */
export const MAX_JSON = 256 * 1024 * 1024;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const text = v.string();
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits"));

/** What of the profiles is in an archive. */
export const SCOPES = ["full", "noFiles", "contacts", "settings"] as const;
export type Scope = (typeof SCOPES)[number];

const head = v.object({
  format: v.literal(FORMAT),
  version: count,
  /** Name and version of the program that wrote it. */
  program: text,
  /** Milliseconds since 1970. */
  createdAt: count,
  scope: v.picklist(SCOPES),
  profiles: v.array(v.object({ id: text, name: text })),
  lineage: lineageForm,
});
/** Stands at the beginning, so that it can be shown at once. */
export type ArchiveHead = Readonly<v.InferOutput<typeof head>>;

const part = v.variant("type", [
  /** A CBOR sequence (RFC 8742) of [key, value] of one table of the store. */
  v.object({ type: v.literal("records"), name: text, table: text, records: count, size: count, sha256: digest }),
  /** A file; `id` is how records refer to it. Of one that could not be read to its end the rest is zeros. */
  v.object({ type: v.literal("file"), name: text, id: text, isComplete: v.boolean(), size: count, sha256: digest }),
]);
export type Part = Readonly<v.InferOutput<typeof part>>;
export type RecordsPart = Extract<Part, { readonly type: "records" }>;
export type FilePart = Extract<Part, { readonly type: "file" }>;

const manifest = v.object({
  /** Of `archive.json`. */
  head: digest,
  parts: v.array(part),
  /** Records by table. */
  counts: v.record(text, count),
  /** Files that could not be read when it was written, and why. */
  failures: v.array(v.object({ id: text, reason: text })),
});
export type Manifest = Readonly<v.InferOutput<typeof manifest>>;

function parse(what: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes)) as unknown;
  } catch (cause) {
    throw new ArchiveError("DAMAGED", `${what} of the archive is no JSON: ${TAKE_AGAIN}`, { cause });
  }
}

function checked<T>(what: string, schema: v.GenericSchema<unknown, T>, value: unknown): T {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue) ?? "the whole";
  throw new ArchiveError("DAMAGED", `${what} of the archive is damaged: ${where}: ${issue.message}; ${TAKE_AGAIN}`);
}

const versioned = v.object({ format: v.literal(FORMAT), version: count, program: v.optional(text, "another program") });

/** @throws ArchiveError NEWER, DAMAGED */
export function readHead(bytes: Uint8Array): ArchiveHead {
  const value = parse(HEAD_NAME, bytes);
  const { version, program } = checked(HEAD_NAME, versioned, value);
  if (version > FORMAT_VERSION) {
    const by = JSON.stringify(program.slice(0, 80));
    throw new ArchiveError(
      "NEWER",
      `the archive has format ${version}, written by ${by}; ${FORMAT_VERSION} is known: update this program`,
    );
  }
  return checked(HEAD_NAME, head as v.GenericSchema<unknown, ArchiveHead>, value);
}

/** @throws ArchiveError DAMAGED */
export function readManifest(bytes: Uint8Array): Manifest {
  return checked(MANIFEST_NAME, manifest as v.GenericSchema<unknown, Manifest>, parse(MANIFEST_NAME, bytes));
}

/** Indented: whoever opens the archive with other tools can read it. */
export function jsonBytes(value: ArchiveHead | Manifest): Uint8Array {
  return utf8(`${JSON.stringify(value, null, 1)}\n`);
}
