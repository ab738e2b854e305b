import { ArchiveError } from "../errors.ts";
import type { Database } from "./sqlite/database.ts";

/** The latest change of each schema that this reader was written for. */
export const NEWEST_KNOWN = {
  chat: "20250802_chat_peer_type",
  agent: "m20260411_service_certs",
} as const;

/** Columns without which nothing can go on: with them come all others that are needed. */
const NEEDED: Readonly<Record<"chat" | "agent", readonly (readonly [table: string, column: string])[]>> = {
  chat: [
    ["users", "agent_user_id"],
    ["contacts", "contact_status"],
    ["contact_profiles", "preferences"],
    ["connections", "peer_chat_max_version"],
    ["chat_items", "item_content"],
    ["files", "protocol"],
    ["protocol_servers", "protocol"],
    ["group_members", "member_role"],
  ],
  agent: [
    ["connections", "pq_support"],
    ["connections", "ratchet_sync_state"],
    ["servers", "key_hash"],
    ["rcv_queues", "rcv_queue_id"],
    ["snd_queues", "snd_queue_id"],
    ["ratchets", "ratchet_state"],
    ["skipped_messages", "msg_key"],
    ["encrypted_rcv_message_hashes", "hash"],
  ],
};

/** The date in the name of a change, with its place among those of one day. */
const dateOf = (name: string): string => name.replace(/^[mM]/, "").slice(0, 8);

/**
 * Whether the schema is one that is understood.
 * @param acceptNewer read it all the same: what is new in it is not seen
 * @throws ArchiveError NEWER, OLDER, FORMAT
 */
export async function checkSchema(db: Database, kind: "chat" | "agent", acceptNewer: boolean): Promise<string> {
  if (!db.tables.includes("migrations")) {
    throw new ArchiveError(
      "FORMAT",
      `${db.name} is a database of another program: choose the zip that the app exported`,
    );
  }
  let last = "";
  for await (const row of db.rows("migrations")) {
    const name = row.text("name");
    if (dateOf(name) >= dateOf(last)) last = name;
  }
  if (!acceptNewer && dateOf(last) > dateOf(NEWEST_KNOWN[kind])) {
    const advice = "update this program, or import it without what is new in it";
    throw new ArchiveError(
      "NEWER",
      `${db.name} is of a newer app than is known here (${last.slice(0, 80)}): ${advice}`,
    );
  }
  const missing = NEEDED[kind].find(([table, column]) => !db.columns(table).includes(column));
  if (missing !== undefined) {
    const advice = "open it once in SimpleX Chat 6.4 and export it there again";
    throw new ArchiveError("OLDER", `${db.name} has no ${missing.join(".")}, its app is too old: ${advice}`);
  }
  return last;
}
