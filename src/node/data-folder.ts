import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** Why a relay cannot use its data folder; the message tells what to do. */
export class DataFolderError extends Error {
  override readonly name = "DataFolderError";
}

/** Objects whose ids strangers can make up: without data they must leave nothing. */
const CLASSES = ["Queue", "Link", "Service", "Device", "DeviceTokens", "Follower"] as const;

/** The worker's name: objects' files lie in folders named after it. */
export const WORKER = "smp-edge";

/** Where a relay on this machine keeps everything it must not lose. */
export interface DataFolder {
  readonly path: string;
  /** Folder of the files of one class of objects. */
  filesOf(className: string): string;
  /** Holds the process id of workerd, written by `workerd.sh`. */
  readonly workerdPid: string;
  release(): void;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  // A zombie answers signals but does nothing any more (Linux).
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !/^\d+ \(.*\) Z/.test(readFileSync(stat, "latin1"));
}

function readPid(file: string): number | null {
  if (!existsSync(file)) return null;
  const pid = Number(readFileSync(file, "utf8"));
  return Number.isInteger(pid) && pid > 1 ? pid : null;
}

/** A workerd whose launcher was killed goes on serving these files; two at once would destroy them. */
function endOrphan(pidFile: string): void {
  const pid = readPid(pidFile);
  if (pid === null || !isAlive(pid)) return;
  const command = `/proc/${pid}/cmdline`;
  if (existsSync(command) && !readFileSync(command, "latin1").includes("workerd")) return;
  process.kill(pid, "SIGKILL");
}

/** Whether any queue was ever kept in a folder. */
export function hasQueues(path: string): boolean {
  const folder = join(resolve(path), "do", `${WORKER}-Queue`);
  return existsSync(folder)
    && readdirSync(folder).some((name) => OBJECT_FILE.test(name) && !isEmptyObject(join(folder, name)));
}

const OBJECT_FILE = /^[0-9a-f]{64}\.sqlite$/;

/** An empty SQLite file: an object that was asked once and had nothing to keep. */
const EMPTY_SIZE = 4096;

function isEmptyObject(file: string): boolean {
  const journal = `${file}-wal`;
  return statSync(file).size <= EMPTY_SIZE && !(existsSync(journal) && statSync(journal).size > 0);
}

/**
 * Objects on this machine leave a file as soon as they are asked. Those that kept nothing are removed while no relay
 * runs, so that deleted queues do not pile up.
 */
function removeEmptyObjects(folder: string): void {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    if (!OBJECT_FILE.test(name) || !isEmptyObject(file)) continue;
    for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
  }
}

/**
 * Takes the folder for this process, making it if necessary (readable by its owner alone).
 * @throws DataFolderError when another relay runs on it or it cannot be written.
 */
export function takeDataFolder(path: string): DataFolder {
  const folder = resolve(path);
  const lock = join(folder, "relay.pid");
  const workerdPid = join(folder, "workerd.pid");
  const filesOf = (className: string): string => join(folder, "do", `${WORKER}-${className}`);
  try {
    for (const className of CLASSES) mkdirSync(filesOf(className), { recursive: true, mode: 0o700 });
    const owner = readPid(lock);
    if (owner !== null && owner !== process.pid && isAlive(owner)) {
      throw new DataFolderError(`another relay (process ${owner}) uses ${folder}; stop it or choose another --data`);
    }
    writeFileSync(lock, String(process.pid), { mode: 0o600 });
  } catch (error) {
    if (error instanceof DataFolderError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataFolderError(`cannot use ${folder} as data folder: ${reason}`, { cause: error });
  }
  endOrphan(workerdPid);
  for (const className of CLASSES) removeEmptyObjects(filesOf(className));
  return { path: folder, filesOf, workerdPid, release: () => rmSync(lock, { force: true }) };
}
