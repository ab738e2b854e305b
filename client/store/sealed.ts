import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { concat, utf8, wipe } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import { UsageError } from "../errors.ts";
import { Gate } from "./gate.ts";
import { type BaseStore, type Change, checkChanges, checkPlace, type Entry, type Range, StoreError } from "./store.ts";

export const DATA_KEY_LENGTH = 32;
const NONCE_LENGTH = 24;
const TAG_LENGTH = 16;

/** Holds what opens the data key (passphrase.ts); not to be seen through a sealed store. */
export const SEAL_TABLE = "seal";

/** Neither name can hold a zero byte, so that no two places give the same bytes. */
function placeBytes(table: string, key: string): Uint8Array {
  return utf8(`${table}\0${key}`);
}

/** XChaCha20-Poly1305 with the place as associated data: nonce (24), then ciphertext, then tag (16). */
export function sealValue(dataKey: Uint8Array, table: string, key: string, value: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_LENGTH);
  return concat(nonce, xchacha20poly1305(dataKey, nonce, placeBytes(table, key)).encrypt(value));
}

/** @throws StoreError DAMAGED when the bytes were not sealed with this key for this place. */
export function openValue(dataKey: Uint8Array, table: string, key: string, sealed: Uint8Array): Uint8Array {
  const damaged = (cause?: unknown): StoreError => {
    const what = `the record ${table}/${key} is not what was written there: it was changed or moved`;
    return new StoreError("DAMAGED", `${what}; restore the profile from a backup`, { cause });
  };
  if (sealed.length < NONCE_LENGTH + TAG_LENGTH) throw damaged();
  const nonce = sealed.subarray(0, NONCE_LENGTH);
  try {
    return xchacha20poly1305(dataKey, nonce, placeBytes(table, key)).decrypt(sealed.subarray(NONCE_LENGTH));
  } catch (cause) {
    throw damaged(cause);
  }
}

function checkTable(table: string): string {
  if (table !== SEAL_TABLE) return table;
  throw new UsageError(`the table "${SEAL_TABLE}" holds the seal of the profile: use another name`);
}

/**
 * A store whose values are encrypted under a data key. Tables, keys and the length of values stay visible to who reads
 * the base. Who can write to the base can delete records and put back older versions of them; that is not noticed.
 * The table "seal" cannot be used. Closing it wipes its copy of the data key and closes the base.
 */
export class SealedStore implements BaseStore {
  readonly #base: BaseStore;
  readonly #dataKey: Uint8Array;
  readonly #gate = new Gate("the profile was closed: open it again with its passphrase");

  /** @param dataKey 32 bytes; copied. */
  constructor(base: BaseStore, dataKey: Uint8Array) {
    if (dataKey.length !== DATA_KEY_LENGTH) {
      throw new UsageError(`a data key has ${DATA_KEY_LENGTH} bytes, not ${dataKey.length}`);
    }
    this.#base = base;
    this.#dataKey = new Uint8Array(dataKey);
  }

  read(table: string, key: string): Promise<Uint8Array | null> {
    return this.#gate.run(async () => {
      checkPlace(checkTable(table), key);
      const sealed = await this.#base.read(table, key);
      return sealed === null ? null : openValue(this.#dataKey, table, key, sealed);
    });
  }

  list(table: string, range?: Range): Promise<Entry[]> {
    return this.#gate.run(async () => {
      const entries = await this.#base.list(checkTable(table), range);
      return entries.map(({ key, value }) => ({ key, value: openValue(this.#dataKey, table, key, value) }));
    });
  }

  keys(table: string, range?: Range): Promise<string[]> {
    return this.#gate.run(async () => this.#base.keys(checkTable(table), range));
  }

  tables(): Promise<string[]> {
    return this.#gate.run(async () => {
      const all = await this.#base.tables();
      return all.filter((table) => table !== SEAL_TABLE);
    });
  }

  write(changes: readonly Change[]): Promise<void> {
    return this.#gate.run(async () => {
      checkChanges(changes);
      const sealed = changes.map(({ table, key, value }) => {
        checkTable(table);
        return { table, key, value: value === null ? null : sealValue(this.#dataKey, table, key, value) };
      });
      await this.#base.write(sealed);
    });
  }

  async close(): Promise<void> {
    await this.#gate.close();
    await this.#base.close();
    // Only now: what was asked before still had to be opened.
    wipe(this.#dataKey);
  }
}
