import { randomBytes } from "#crypto/random";
import { deleteIndexedDbStore, openIndexedDbStore } from "../../../client/store/indexeddb.ts";
import { addPassphrase, openProfile } from "../../../client/store/passphrase.ts";
import { SealedStore } from "../../../client/store/sealed.ts";
import { type BaseStore, StoreError } from "../../../client/store/store.ts";
import { ownershipContract, storeContract } from "../../client/store/contract.ts";
import { type NewPlace, put } from "../../client/store/support/contract.ts";

let names = 0;
const newName = (): string => `place ${names++} of ${performance.timeOrigin}`;

const indexedDb: NewPlace = async () => {
  const name = newName();
  return { open: () => openIndexedDbStore(name) };
};

const sealed: NewPlace = async () => {
  const name = newName();
  const dataKey = randomBytes(32);
  return { open: async () => new SealedStore(await openIndexedDbStore(name), dataKey) };
};

/** One case of the contract, by its name. */
export async function runCase(kind: "plain" | "sealed", name: string): Promise<void> {
  const found = [...storeContract, ...ownershipContract].find((one) => one.name === name);
  if (found === undefined) throw new Error(`no case with the name "${name}"`);
  await found.run(kind === "plain" ? indexedDb : sealed);
}

let store: BaseStore | undefined;

/** "open", or the code and message of the StoreError. */
export async function open(name: string): Promise<string> {
  return outcomeOf(async () => {
    store = await openIndexedDbStore(name);
    return "open";
  });
}

/** Takes the profile from whoever has it. */
export async function takeOver(name: string): Promise<string> {
  return outcomeOf(async () => {
    store = await openIndexedDbStore(name, { takeOver: true });
    return "open";
  });
}

/** Stands still for so long, as a page that the browser froze, and then writes before it hears of anything. */
export async function freezeAndWrite(milliseconds: number, key: string, value: number): Promise<string> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
  return write(key, value);
}

export async function close(): Promise<void> {
  await opened().close();
}

export async function remove(name: string): Promise<string> {
  return outcomeOf(async () => {
    await deleteIndexedDbStore(name);
    return "removed";
  });
}

/** Puts a number under a key. */
export async function write(key: string, value: number): Promise<string> {
  return outcomeOf(async () => {
    await opened().write([put("t", key, value)]);
    return "written";
  });
}

/** Puts so many random bytes, which no browser can compress, and a number, in one write. */
export async function fill(key: string, length: number): Promise<string> {
  return outcomeOf(async () => {
    const chunks = Array.from({ length: Math.ceil(length / 65_536) }, () => randomBytes(65_536));
    const changes = chunks.map((value, i) => ({ table: "bulk", key: `${key}/${i}`, value }));
    await opened().write([...changes, put("t", key, 1)]);
    return "written";
  });
}

/** All records of the table that `write` writes to. */
export async function records(): Promise<Record<string, number | undefined>> {
  return Object.fromEntries((await opened().list("t")).map(({ key, value }) => [key, value[0]]));
}

let round = 0;

/** Writes rounds until the page ends: each is one write that puts its number in 50 records. */
export function writeRounds(): void {
  void (async () => {
    const [last] = await rounds();
    for (round = last ?? 0; ; ) {
      const value = new Uint8Array(200);
      new DataView(value.buffer).setUint32(0, round + 1);
      await opened().write(Array.from({ length: 50 }, (_, i) => ({ table: "round", key: `${i}`, value })));
      round++;
    }
  })();
}

/** The last round that is known to be durable. */
export function lastRound(): number {
  return round;
}

/** The number in every record of the rounds. */
export async function rounds(): Promise<number[]> {
  return (await opened().list("round")).map(({ value }) => new DataView(value.buffer).getUint32(0));
}

/** Another program of this origin takes the database away. */
export async function deleteFromOutside(name: string): Promise<void> {
  await settled(indexedDB.deleteDatabase(name));
}

/** A newer program has been here. */
export async function makeNewer(name: string): Promise<void> {
  const request = indexedDB.open(name, 3);
  await settled(request);
  request.result.close();
}

/** A program from before profiles had owners has been here. */
export async function makeOlder(name: string): Promise<void> {
  const request = indexedDB.open(name, 1);
  request.addEventListener("upgradeneeded", () => {
    request.result.createObjectStore("records").put(Uint8Array.of(1), ["t", "before"]);
  });
  await settled(request);
  request.result.close();
}

export interface PassphraseTimes {
  readonly milliseconds: number;
  /** How many timers of 10 ms the page ran meanwhile. */
  readonly turns: number;
  /** What was read back. */
  readonly value: number | null;
}

/** Gives a new profile a passphrase of the usual cost, and opens it. */
export async function timePassphrase(name: string): Promise<PassphraseTimes> {
  const base = await openIndexedDbStore(name);
  await base.write([put("t", "k", 7)]);
  let turns = 0;
  const timer = setInterval(() => turns++, 10);
  const begin = performance.now();
  await addPassphrase(base, "correct horse battery staple");
  const profile = await openProfile(base, "correct horse battery staple");
  const milliseconds = performance.now() - begin;
  clearInterval(timer);
  const value = await profile.read("t", "k");
  await profile.close();
  return { milliseconds, turns, value: value?.[0] ?? null };
}

function opened(): BaseStore {
  if (store === undefined) throw new Error("no store was opened in this page");
  return store;
}

async function outcomeOf(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

function settled(request: IDBRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve());
    request.addEventListener("error", () => reject(request.error ?? new Error("no reason given")));
  });
}
