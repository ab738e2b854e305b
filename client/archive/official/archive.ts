import { equal } from "#crypto/bytes";
import { ArchiveError, TAKE_AGAIN } from "../errors.ts";
import {
  type ByteSource,
  checkAborted,
  memoryScratch,
  readExactly,
  reading,
  type Scratch,
  type Watch,
} from "../source.ts";
import { OfficialAgent } from "./agent.ts";
import { OfficialChat } from "./chat.ts";
import type { FileKey } from "./chat-types.ts";
import { type Leftover, leftoversOf } from "./leftovers.ts";
import { checkSchema } from "./migrations.ts";
import { openSealedFile } from "./sealed-file.ts";
import { sealedPages } from "./sqlite/cipher.ts";
import { Database } from "./sqlite/database.ts";
import { cachedPages, MAGIC, type Pages, plainPages } from "./sqlite/pages.ts";
import { contentOf } from "./unzip.ts";
import { readDirectory, type ZipDirectory, type ZipEntry } from "./zip.ts";

// The zip that SimpleX Chat exports (archive specification, section 1).

const CHAT_DB = "simplex_v1_chat.db";
const AGENT_DB = "simplex_v1_agent.db";
const FILES = "simplex_v1_files/";
const WALLPAPERS = "simplex_v1_assets/wallpapers/";

export interface OfficialOptions extends Watch {
  /** Of the app's database at the time of the export. */
  readonly passphrase?: string;
  /** Where the two databases are unpacked to, still encrypted; memory unless given. Called twice. */
  readonly scratch?: () => Scratch;
  /** Reads databases of newer apps too; what is new in them is not seen. */
  readonly acceptNewer?: boolean;
}

/** A file in the archive. */
export interface ArchivedFile {
  /** Without its folder. */
  readonly name: string;
  /** Bytes, as it lies there. */
  readonly size: number;
}

/** An archive of SimpleX Chat, opened and verified. It is only read. */
export interface OfficialArchive {
  readonly chat: OfficialChat;
  readonly agent: OfficialAgent;
  /** The last change of each schema. */
  readonly migrations: { readonly chat: string; readonly agent: string };
  readonly isEncrypted: boolean;
  readonly files: readonly ArchivedFile[];
  readonly wallpapers: readonly ArchivedFile[];
  /** What cannot be carried. @throws ArchiveError DAMAGED, READ */
  leftovers(): Promise<Leftover[]>;
  /**
   * A file in pieces. Its check sum is known at the end only, so keep nothing of a file that ends with an error. One with
   * a key is verified before its first piece comes.
   * @throws ArchiveError MISSING, DAMAGED, HOSTILE, READ
   */
  file(name: string, key?: FileKey | null): AsyncGenerator<Uint8Array, void, undefined>;
  /** @throws ArchiveError as {@link OfficialArchive.file} */
  wallpaper(name: string): AsyncGenerator<Uint8Array, void, undefined>;
  /** Unpacks every file once, and tells which cannot be. @throws ArchiveError ABORTED */
  checkFiles(watch?: Watch): Promise<{ readonly name: string; readonly error: ArchiveError }[]>;
  /** Frees the databases. */
  close(): Promise<void>;
}

function checkName(name: string): void {
  const parts = name.split(/[/\\]/);
  const isTrap = name.startsWith("/") || /^[a-zA-Z]:/.test(name) || name.includes("\0") || parts.some((part) => part === "..");
  if (isTrap) {
    throw new ArchiveError(
      "HOSTILE",
      `the zip holds ${JSON.stringify(name.slice(0, 120))}, a path to other places: do not use it`,
    );
  }
}

interface Contents {
  readonly chat: ZipEntry;
  readonly agent: ZipEntry;
  readonly files: ReadonlyMap<string, ZipEntry>;
  readonly wallpapers: ReadonlyMap<string, ZipEntry>;
  readonly unknown: number;
}

function sorted(directory: ZipDirectory): Contents {
  const files = new Map<string, ZipEntry>();
  const wallpapers = new Map<string, ZipEntry>();
  const databases = new Map<string, ZipEntry>();
  let unknown = 0;
  for (const entry of directory.entries) {
    const { name } = entry;
    checkName(name);
    const folder = [FILES, WALLPAPERS].find((candidate) => name.startsWith(candidate)) ?? "";
    const plain = name.slice(folder.length);
    if (name.endsWith("/") && entry.size === 0) continue;
    if (plain.includes("/") || plain.includes("\\")) unknown++;
    else if (folder === FILES) files.set(plain, entry);
    else if (folder === WALLPAPERS) wallpapers.set(plain, entry);
    else if (name === CHAT_DB || name === AGENT_DB) databases.set(name, entry);
    else unknown++;
  }
  const [chat, agent] = [databases.get(CHAT_DB), databases.get(AGENT_DB)];
  if (chat !== undefined && agent !== undefined) return { chat, agent, files, wallpapers, unknown };
  if (databases.size === 0) {
    throw new ArchiveError(
      "FORMAT",
      "this zip is no archive of SimpleX Chat: choose the file that its database export made",
    );
  }
  throw new ArchiveError("MISSING", `the archive lacks ${chat === undefined ? CHAT_DB : AGENT_DB}: export it again`);
}

/** Unpacks to where it can be read anywhere. */
async function unpack(
  source: ByteSource,
  directory: ZipDirectory,
  entry: ZipEntry,
  scratch: Scratch,
  watch: Watch,
): Promise<ByteSource> {
  let done = 0;
  for await (const chunk of contentOf(source, directory, entry)) {
    checkAborted(watch.signal);
    await reading("the place for the database", () => scratch.append(chunk));
    done += chunk.length;
    watch.onProgress?.({ step: "unpack", done, total: entry.size });
  }
  return scratch.source();
}

async function isPlain(name: string, source: ByteSource): Promise<boolean> {
  if (source.size < MAGIC.length) throw new ArchiveError("TRUNCATED", `${name} is empty: ${TAKE_AGAIN}`);
  return equal(await readExactly(source, 0, MAGIC.length, name), MAGIC);
}

interface OpenedDatabase {
  readonly db: Database;
  readonly isEncrypted: boolean;
}

async function openDatabase(
  name: string,
  source: ByteSource,
  { passphrase = "", ...watch }: OfficialOptions,
): Promise<OpenedDatabase> {
  if (await isPlain(name, source)) {
    return { db: await Database.open(cachedPages(await plainPages(name, source))), isEncrypted: false };
  }
  if (passphrase === "") {
    throw new ArchiveError(
      "PASSPHRASE",
      `${name} is encrypted: give the passphrase of the app's database at the time of the export`,
    );
  }
  const pages = await sealedPages(name, source, passphrase);
  await verifyPages(pages, watch);
  return { db: await Database.open(cachedPages(pages)), isEncrypted: true };
}

const PROGRESS_PAGES = 64;

async function verifyPages(pages: Pages, watch: Watch): Promise<void> {
  for (let number = 1; number <= pages.count; number++) {
    await pages.verify(number);
    if (number % PROGRESS_PAGES !== 0 && number !== pages.count) continue;
    checkAborted(watch.signal);
    watch.onProgress?.({ step: "verify", done: number, total: pages.count });
  }
}

/**
 * Opens an archive of SimpleX Chat: both databases are unpacked and every encrypted page is verified; files are left
 * where they are until they are asked for.
 * @throws ArchiveError any but `ABORTED` without a signal; nothing else
 */
export async function openOfficialArchive(
  source: ByteSource,
  options: OfficialOptions = {},
): Promise<OfficialArchive> {
  const directory = await readDirectory(source);
  const contents = sorted(directory);
  const { scratch = memoryScratch, acceptNewer = false, ...others } = options;
  const places = [scratch(), scratch()] as const;
  const discard = async (): Promise<void> => {
    await Promise.all(places.map((place) => place.discard()));
  };
  try {
    const chatSource = await unpack(source, directory, contents.chat, places[0], others);
    const agentSource = await unpack(source, directory, contents.agent, places[1], others);
    const chat = await openDatabase(CHAT_DB, chatSource, others);
    const agent = await openDatabase(AGENT_DB, agentSource, others);
    const migrations = {
      chat: await checkSchema(chat.db, "chat", acceptNewer),
      agent: await checkSchema(agent.db, "agent", acceptNewer),
    };
    return handle(source, directory, contents, { chat, agent, migrations, discard });
  } catch (error) {
    await discard();
    throw error;
  }
}

interface Opened {
  readonly chat: OpenedDatabase;
  readonly agent: OpenedDatabase;
  readonly migrations: OfficialArchive["migrations"];
  readonly discard: () => Promise<void>;
}

function handle(
  source: ByteSource,
  directory: ZipDirectory,
  contents: Contents,
  { chat, agent, migrations, discard }: Opened,
): OfficialArchive {
  const listed = (entries: ReadonlyMap<string, ZipEntry>): ArchivedFile[] =>
    [...entries].map(([name, { size }]) => ({ name, size }));
  const open = (entries: ReadonlyMap<string, ZipEntry>, name: string): AsyncGenerator<Uint8Array, void, undefined> => {
    const entry = entries.get(name);
    if (entry !== undefined) return contentOf(source, directory, entry);
    throw new ArchiveError("MISSING", `the archive holds no file ${JSON.stringify(name.slice(0, 120))}`);
  };
  return {
    chat: new OfficialChat(chat.db),
    agent: new OfficialAgent(agent.db),
    migrations,
    isEncrypted: chat.isEncrypted,
    files: listed(contents.files),
    wallpapers: listed(contents.wallpapers),
    async leftovers() {
      const found = await leftoversOf(chat.db, agent.db);
      const { unknown } = contents;
      const consequence = "they are not read";
      return unknown === 0 ? found : [...found, { kind: "files of another program in the zip", count: unknown, consequence }];
    },
    async *file(name, key = null) {
      yield* key === null ? open(contents.files, name) : openSealedFile(name, key, () => open(contents.files, name));
    },
    async *wallpaper(name) {
      yield* open(contents.wallpapers, name);
    },
    async checkFiles(watch = {}) {
      const failed: { readonly name: string; readonly error: ArchiveError }[] = [];
      const entries = [...contents.files, ...contents.wallpapers];
      const total = entries.reduce((sum, [, { size }]) => sum + size, 0);
      let done = 0;
      for (const [name, entry] of entries) {
        try {
          for await (const chunk of contentOf(source, directory, entry)) {
            checkAborted(watch.signal);
            done += chunk.length;
            watch.onProgress?.({ step: "check", done, total });
          }
        } catch (error) {
          if (!(error instanceof ArchiveError) || error.code === "ABORTED") throw error;
          failed.push({ name, error });
        }
      }
      return failed;
    },
    close: discard,
  };
}
