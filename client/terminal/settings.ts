import { decodeRecord, encodeRecord, readRecord } from "../store/record.ts";
import type { Store } from "../store/store.ts";
import { HISTORY_LIMIT } from "./input/input.ts";
import { isProxyMode, type ProxyMode } from "./options.ts";

// What the terminal keeps stands in the store of the profile, so that its passphrase covers it: lines that were typed
// are messages.

const SETTINGS = "terminal.settings";
const HISTORY = "terminal.history";
const DIGITS = 12;

export interface Settings {
  readonly relays: readonly string[];
  readonly proxy: ProxyMode;
  readonly hasBell: boolean;
}

export const DEFAULT_SETTINGS: Settings = { relays: [], proxy: "unknown", hasBell: true };

function checkSettings(value: unknown): Settings {
  const { relays, proxy, hasBell } = value as Record<keyof Settings, unknown>;
  if (!Array.isArray(relays) || typeof proxy !== "string" || !isProxyMode(proxy) || typeof hasBell !== "boolean") {
    throw new TypeError("not the settings of a terminal");
  }
  return { relays: relays.map(String), proxy, hasBell };
}

export async function readSettings(store: Store): Promise<Settings> {
  return await readRecord(store, SETTINGS, "all", checkSettings) ?? DEFAULT_SETTINGS;
}

export async function writeSettings(store: Store, settings: Settings): Promise<void> {
  await store.write([{ table: SETTINGS, key: "all", value: encodeRecord({ ...settings }) }]);
}

const keyOf = (number: number): string => number.toString().padStart(DIGITS, "0");

/** Lines that were typed, the oldest first. */
export class LineHistory {
  readonly #store: () => Store;
  #next: number;
  readonly lines: readonly string[];

  private constructor(store: () => Store, lines: readonly string[], next: number) {
    this.#store = store;
    this.lines = lines;
    this.#next = next;
  }

  static async open(store: () => Store): Promise<LineHistory> {
    const entries = await store().list(HISTORY);
    const lines = entries.map(({ key, value }) => {
      return decodeRecord(value, (text) => String(text), { table: HISTORY, key });
    });
    return new LineHistory(store, lines.slice(-HISTORY_LIMIT), Number(entries.at(-1)?.key ?? "0") + 1);
  }

  async add(text: string): Promise<void> {
    const number = this.#next++;
    const changes = [{ table: HISTORY, key: keyOf(number), value: encodeRecord(text.toWellFormed()) }];
    const old = number - HISTORY_LIMIT;
    await this.#store().write(old > 0 ? [...changes, { table: HISTORY, key: keyOf(old), value: null }] : changes);
  }
}
