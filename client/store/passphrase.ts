import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { equal, utf8, wipe } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import { randomBytes } from "#crypto/random";
import { UsageError } from "../errors.ts";
import { decodeRecord, encodeRecord } from "./record.ts";
import { DATA_KEY_LENGTH, openValue, SEAL_TABLE, SealedStore, sealValue } from "./sealed.ts";
import { type BaseStore, type Change, StoreError } from "./store.ts";

/** Cost of scrypt (RFC 7914): 128 * r * 2^logN bytes of memory, p times the work. */
export interface ScryptCost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** 32 MiB three times over: what OWASP advises where memory is scarce, as in phones and Workers. */
export const SCRYPT_COST: ScryptCost = { logN: 15, r: 8, p: 3 };
/** Nothing cheaper is made or opened. */
export const SCRYPT_FLOOR: ScryptCost = { logN: 14, r: 8, p: 1 };
/** Nothing dearer is opened, so that a damaged seal cannot exhaust the machine. */
const SCRYPT_CEILING: ScryptCost = { logN: 18, r: 16, p: 16 };

const SEAL_KEY = "key";
const SEAL_FORMAT = 1;
const SALT_LENGTH = 32;
const NONCE_LENGTH = 24;
const WRAPPED_LENGTH = DATA_KEY_LENGTH + 16;

/** What opens the data key, stored in the clear. */
interface Seal {
  readonly format: number;
  readonly cost: ScryptCost;
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
  /** The data key under the passphrase key: XChaCha20-Poly1305 with the record of format, cost and salt as AAD. */
  readonly wrapped: Uint8Array;
  /** SHA-256 of the record without this field: tells damage from a wrong passphrase. */
  readonly check: Uint8Array;
}

function isBetween(cost: ScryptCost, floor: ScryptCost, ceiling: ScryptCost): boolean {
  return (["logN", "r", "p"] as const).every((name) => {
    return Number.isSafeInteger(cost[name]) && cost[name] >= floor[name] && cost[name] <= ceiling[name];
  });
}

function checkBytes(value: unknown, length: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length) throw new TypeError(`not ${length} bytes`);
  return value;
}

function checkCost(value: unknown): ScryptCost {
  const { logN, r, p } = value as Record<keyof ScryptCost, unknown>;
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) };
  if (!isBetween(cost, SCRYPT_FLOOR, SCRYPT_CEILING)) throw new TypeError("scrypt parameters that are never used");
  return cost;
}

function digestOf(seal: Omit<Seal, "check">): Uint8Array {
  return sha256(encodeRecord(seal));
}

function checkSeal(value: unknown): Seal {
  const fields = value as Record<keyof Seal, unknown>;
  if (typeof fields.format === "number" && fields.format > SEAL_FORMAT) {
    throw new StoreError("VERSION", "the passphrase of this profile was set by a newer program: update this program");
  }
  const content = {
    format: SEAL_FORMAT,
    cost: checkCost(fields.cost),
    salt: checkBytes(fields.salt, SALT_LENGTH),
    nonce: checkBytes(fields.nonce, NONCE_LENGTH),
    wrapped: checkBytes(fields.wrapped, WRAPPED_LENGTH),
  };
  const check = checkBytes(fields.check, 32);
  if (fields.format !== SEAL_FORMAT || !equal(check, digestOf(content))) throw new TypeError("its checksum is wrong");
  return { ...content, check };
}

async function readSeal(base: BaseStore): Promise<Seal | null> {
  const bytes = await base.read(SEAL_TABLE, SEAL_KEY);
  return bytes === null ? null : decodeRecord(bytes, checkSeal, { table: SEAL_TABLE, key: SEAL_KEY });
}

interface Priorities {
  readonly scheduler?: {
    readonly postTask?: <T>(work: () => Promise<T>, options: { readonly priority: "background" }) => Promise<T>;
  };
}

/** Runs work that yields now and then so that a page lives on meanwhile. */
function inBackground<T>(work: () => Promise<T>): Promise<T> {
  const { scheduler } = globalThis as Priorities;
  // Browsers put work that has yielded before timers and messages, unless it began in the background.
  return scheduler?.postTask?.(work, { priority: "background" }) ?? work();
}

/** The key that wraps the data key. */
async function passphraseKey(passphrase: string, salt: Uint8Array, { logN, r, p }: ScryptCost): Promise<Uint8Array> {
  // NFC, because keyboards differ in how they compose the same letter (RFC 8265, OpaqueString).
  const secret = utf8(passphrase.normalize("NFC"));
  return inBackground(() => scryptAsync(secret, salt, { N: 2 ** logN, r, p, dkLen: 32 }));
}

function wrappingAad({ format, cost, salt }: Pick<Seal, "format" | "cost" | "salt">): Uint8Array {
  return encodeRecord({ format, cost, salt });
}

/** The change that lets the data key be opened with this passphrase and no other. */
async function sealChange(dataKey: Uint8Array, passphrase: string, cost: ScryptCost): Promise<Change> {
  if (passphrase === "") throw new UsageError("a passphrase cannot be empty: use removePassphrase to have none");
  if (!isBetween(cost, SCRYPT_FLOOR, SCRYPT_CEILING)) {
    const [floor, ceiling] = [JSON.stringify(SCRYPT_FLOOR), JSON.stringify(SCRYPT_CEILING)];
    throw new UsageError(`${JSON.stringify(cost)} is no cost for a passphrase: use ${floor} to ${ceiling}`);
  }
  const { logN, r, p } = cost;
  const content = { format: SEAL_FORMAT, cost: { logN, r, p }, salt: randomBytes(SALT_LENGTH) };
  const nonce = randomBytes(NONCE_LENGTH);
  const wrappingKey = await passphraseKey(passphrase, content.salt, cost);
  const wrapped = xchacha20poly1305(wrappingKey, nonce, wrappingAad(content)).encrypt(dataKey);
  wipe(wrappingKey);
  const seal = { ...content, nonce, wrapped };
  return { table: SEAL_TABLE, key: SEAL_KEY, value: encodeRecord({ ...seal, check: digestOf(seal) }) };
}

async function unwrap(seal: Seal, passphrase: string): Promise<Uint8Array> {
  const wrappingKey = await passphraseKey(passphrase, seal.salt, seal.cost);
  try {
    return xchacha20poly1305(wrappingKey, seal.nonce, wrappingAad(seal)).decrypt(seal.wrapped);
  } catch (cause) {
    throw new StoreError("PASSPHRASE", "this is not the passphrase of the profile: try again", { cause });
  } finally {
    wipe(wrappingKey);
  }
}

async function sealedKey(base: BaseStore, passphrase: string): Promise<Uint8Array> {
  const seal = await readSeal(base);
  if (seal === null) throw new UsageError("this profile has no passphrase: open it without one, or add one first");
  return unwrap(seal, passphrase);
}

/** Every record of the base but the seal, with its value changed. */
async function rewrite(
  base: BaseStore,
  change: (table: string, key: string, value: Uint8Array) => Uint8Array,
): Promise<Change[]> {
  const changes: Change[] = [];
  for (const table of await base.tables()) {
    if (table === SEAL_TABLE) continue;
    for (const { key, value } of await base.list(table)) changes.push({ table, key, value: change(table, key, value) });
  }
  return changes;
}

/** Whether the profile needs a passphrase. */
export async function isSealed(base: BaseStore): Promise<boolean> {
  return (await base.read(SEAL_TABLE, SEAL_KEY)) !== null;
}

/**
 * The way into a profile. Without a passphrase it is the base itself.
 * @throws StoreError PASSPHRASE when it is wrong, or null where one is needed; DAMAGED or VERSION when the seal cannot
 * be read. UsageError when the profile has no passphrase: one that had must not be replaced by a stranger's unnoticed.
 */
export async function openProfile(base: BaseStore, passphrase: string | null): Promise<BaseStore> {
  if (passphrase === null) {
    if (await isSealed(base)) throw new StoreError("PASSPHRASE", "this profile has a passphrase: ask the user for it");
    return base;
  }
  const dataKey = await sealedKey(base, passphrase);
  try {
    return new SealedStore(base, dataKey);
  } finally {
    wipe(dataKey);
  }
}

/**
 * Encrypts a new or a plain profile under a fresh data key, all of it in one write; open it with `openProfile` then.
 * Nothing else may use the base meanwhile. What the disk keeps of overwritten data is out of reach.
 * @throws UsageError when it has a passphrase already, or the cost is below the floor.
 */
export async function addPassphrase(base: BaseStore, passphrase: string, cost = SCRYPT_COST): Promise<void> {
  if (await isSealed(base)) throw new UsageError("this profile has a passphrase already: use changePassphrase");
  const dataKey = randomBytes(DATA_KEY_LENGTH);
  try {
    const seal = await sealChange(dataKey, passphrase, cost);
    await base.write([seal, ...(await rewrite(base, (table, key, value) => sealValue(dataKey, table, key, value)))]);
  } finally {
    wipe(dataKey);
  }
}

/**
 * Wraps the data key anew; the records stay as they are. Who has an old copy of the seal and the old passphrase can
 * still read the profile: remove the passphrase and add the new one where that matters.
 * @throws StoreError PASSPHRASE, with nothing changed, when `from` is wrong.
 */
export async function changePassphrase(base: BaseStore, from: string, to: string, cost = SCRYPT_COST): Promise<void> {
  const dataKey = await sealedKey(base, from);
  try {
    await base.write([await sealChange(dataKey, to, cost)]);
  } finally {
    wipe(dataKey);
  }
}

/**
 * Decrypts all of the profile in one write. Nothing else may use the base meanwhile.
 * @throws StoreError PASSPHRASE or DAMAGED, with nothing changed.
 */
export async function removePassphrase(base: BaseStore, passphrase: string): Promise<void> {
  const dataKey = await sealedKey(base, passphrase);
  try {
    const opened = await rewrite(base, (table, key, value) => openValue(dataKey, table, key, value));
    await base.write([{ table: SEAL_TABLE, key: SEAL_KEY, value: null }, ...opened]);
  } finally {
    wipe(dataKey);
  }
}
