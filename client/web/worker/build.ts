import { decodeRecord, encodeRecord } from "../../store/record.ts";
import * as v from "valibot";
import type { Store } from "../../store/store.ts";
import { SessionError } from "../session/api.ts";

const PLACE = { table: "web.settings", key: "build" };
const form = v.object({ script: v.string() });

/** Names all of the code that works on the profile: the hash of its script is in it. */
const BUILD = new URL(import.meta.url).pathname;

async function lastBuild(store: Store): Promise<string | null> {
  const bytes = await store.read(PLACE.table, PLACE.key);
  return bytes && decodeRecord(bytes, (value) => v.parse(form, value), PLACE).script;
}

/** A page has the profile now, and brings it to its own version. */
export async function claim(store: Store, script = BUILD): Promise<void> {
  if (await lastBuild(store) !== script) await store.write([{ ...PLACE, value: encodeRecord({ script }) }]);
}

/**
 * What wakes for a push leaves the profile alone unless it is the very code that the page has: older code loses what it
 * does not know, and newer code would leave nothing that the page can open.
 * @throws SessionError "OUTDATED"
 */
export async function checkClaim(store: Store, script = BUILD): Promise<void> {
  if (await lastBuild(store) === script) return;
  throw new SessionError("OUTDATED", "the profile belongs to another version of the page: open that, then pushes work");
}
