import * as v from "valibot";
import { AddressError, parseServerAddress, type ServerAddress } from "#protocol/address";
import { DEFAULT_PROXY_POLICY } from "../../agent/rules/route.ts";
import { decodeRecord, encodeRecord } from "../../store/record.ts";
import type { Store } from "../../store/store.ts";
import type { OwnRelay, Settings } from "../session/api.ts";

const TABLE = "web.settings";
const SETTINGS = "settings";
const OWN_RELAY = "ownRelay";

const settingsForm = v.object({
  relays: v.array(v.string()),
  proxy: v.object({
    mode: v.picklist(["always", "unknown", "unprotected", "never"]),
    fallback: v.picklist(["allow", "allowProtected", "prohibit"]),
  }),
});

const ownRelayForm = v.object({
  address: v.string(),
  fingerprint: v.string(),
  newQueues: v.picklist(["open", "password", "off"]),
  // Relays from before there were pushes do not say.
  notifications: v.optional(v.nullable(v.object({ address: v.string(), vapid: v.string() })), null),
});

const DEFAULT: Settings = { relays: [], proxy: DEFAULT_PROXY_POLICY };

async function read<T>(store: Store, key: string, form: v.GenericSchema<unknown, T>): Promise<T | null> {
  const bytes = await store.read(TABLE, key);
  return bytes === null ? null : decodeRecord(bytes, (value) => v.parse(form, value), { table: TABLE, key });
}

const put = (store: Store, key: string, value: unknown): Promise<void> =>
  store.write([{ table: TABLE, key, value: encodeRecord(value) }]);

export async function readSettings(store: Store): Promise<Settings> {
  return await read(store, SETTINGS, settingsForm) ?? DEFAULT;
}

/** @throws AddressError for a relay that is none */
export async function writeSettings(store: Store, settings: Settings): Promise<Settings> {
  const checked = v.parse(settingsForm, settings);
  for (const relay of checked.relays) parseServerAddress(relay);
  await put(store, SETTINGS, checked);
  return checked;
}

export function readOwnRelay(store: Store): Promise<OwnRelay | null> {
  return read(store, OWN_RELAY, ownRelayForm);
}

/** Asks the relay that serves the page who it is; what it said last when it cannot be reached. */
export async function askOwnRelay(store: Store): Promise<OwnRelay | null> {
  const known = await readOwnRelay(store);
  let told: OwnRelay;
  try {
    const response = await fetch("/relay.json", { cache: "no-store" });
    if (!response.ok) return known;
    told = v.parse(ownRelayForm, await response.json());
    parseServerAddress(told.address);
  } catch (error) {
    // No network, or something in between that answers in place of the relay, as in hotels.
    const isElsewhere = error instanceof TypeError || error instanceof SyntaxError;
    if (isElsewhere || error instanceof v.ValiError || error instanceof AddressError) return known;
    throw error;
  }
  if (JSON.stringify(told) !== JSON.stringify(known)) await put(store, OWN_RELAY, told);
  return told;
}

/** The relays to receive at. */
export function serversOf({ relays }: Settings, own: OwnRelay | null): ServerAddress[] {
  if (relays.length > 0) return relays.map(parseServerAddress);
  return own === null ? [] : [parseServerAddress(own.address)];
}
