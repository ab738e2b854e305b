import { isObject, type Json, type JsonCodec } from "../../chat/wire/json.ts";
import { groupPreferences, type Preferences, preferences } from "../../chat/wire/preferences.ts";
import { type GroupProfile, type MemberAdmission, type Profile } from "../../chat/wire/profile.ts";
import { collected, readable, type RowFailure } from "./failures.ts";
import { understood } from "./items.ts";
import type { Database, Row } from "./sqlite/database.ts";

/** Counts what later versions say that this one does not know. */
export type Unread = (kind: string) => void;

/** What a column holds as JSON; null when it is empty or not understood. @throws ArchiveError DAMAGED */
function jsonOf<T>(row: Row, column: string, codec: Pick<JsonCodec<T>, "read">, unread: Unread): T | null {
  const text = row.maybeText(column);
  if (text === null || text === "") return null;
  const json = row.parsed(column, () => JSON.parse(text) as Json);
  const value = understood(() => codec.read(json));
  if (value === null) unread(column);
  return value;
}

/** @throws ArchiveError DAMAGED */
export function preferencesIn(row: Row, column: string, unread: Unread): Preferences {
  return jsonOf(row, column, preferences, unread) ?? {};
}

/** A profile and what the user calls it. */
export interface NamedProfile {
  readonly profile: Profile;
  readonly alias: string;
}

function profileIn(row: Row, unread: Unread): NamedProfile {
  const [shortDescr, image, contactLink, peerType] = ["short_descr", "image", "contact_link", "chat_peer_type"].map(
    (column) => row.maybeText(column),
  );
  const wanted = jsonOf(row, "preferences", preferences, unread);
  const profile: Profile = {
    displayName: row.text("display_name"),
    fullName: row.text("full_name"),
    ...(typeof shortDescr === "string" && { shortDescr }),
    ...(typeof image === "string" && { image }),
    ...(typeof contactLink === "string" && { contactLink }),
    ...(wanted && { preferences: wanted }),
    ...(typeof peerType === "string" && { peerType }),
  };
  return { profile, alias: row.maybeText("local_alias") ?? "" };
}

/** By number. @throws ArchiveError DAMAGED, READ */
export async function readProfiles(
  db: Database,
  unread: Unread,
  failures: RowFailure[],
): Promise<ReadonlyMap<number, NamedProfile>> {
  const read = (row: Row): readonly [number, NamedProfile] => [row.int("contact_profile_id"), profileIn(row, unread)];
  return new Map(await collected(readable("contact_profiles", db.rows("contact_profiles"), failures, read)));
}

const admission: Pick<JsonCodec<MemberAdmission>, "read"> = {
  read: (json) => (isObject(json) && json["review"] === "all" ? { review: "all" } : {}),
};

function groupProfileIn(row: Row, unread: Unread): GroupProfile {
  const [shortDescr, description, image] = ["short_descr", "description", "image"].map((column) => row.maybeText(column));
  const wanted = jsonOf(row, "preferences", groupPreferences, unread);
  const admitted = jsonOf(row, "member_admission", admission, unread);
  return {
    displayName: row.text("display_name"),
    fullName: row.text("full_name"),
    ...(typeof shortDescr === "string" && { shortDescr }),
    ...(typeof description === "string" && { description }),
    ...(typeof image === "string" && { image }),
    ...(wanted && { groupPreferences: wanted }),
    ...(admitted && { memberAdmission: admitted }),
  };
}

/** By number. @throws ArchiveError DAMAGED, READ */
export async function readGroupProfiles(
  db: Database,
  unread: Unread,
  failures: RowFailure[],
): Promise<ReadonlyMap<number, GroupProfile>> {
  const read = (row: Row): readonly [number, GroupProfile] => [row.int("group_profile_id"), groupProfileIn(row, unread)];
  return new Map(await collected(readable("group_profiles", db.rows("group_profiles"), failures, read)));
}
