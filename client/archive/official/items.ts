import type { ItemStatus } from "../../chat/records.ts";
import type { MsgContainer, Quote } from "../../chat/wire/container.ts";
import { type MsgContent, msgContent } from "../../chat/wire/content.ts";
import { MessageError } from "../../chat/wire/errors.ts";
import { idFrom } from "../../chat/wire/ids.ts";
import { isObject, type Json } from "../../chat/wire/json.ts";
import { utcTimeOf } from "../../chat/wire/time.ts";
import type { FileKey, OfficialChatRef, OfficialItem, OfficialItemBody, OfficialItemFile } from "./chat-types.ts";
import { maybeTimeIn, rawIn, timeIn } from "./columns.ts";
import type { Row } from "./sqlite/database.ts";

/** @throws ArchiveError DAMAGED when it is no JSON */
export function jsonIn(row: Row, column: string): Json {
  const text = row.text(column);
  return row.parsed(column, () => JSON.parse(text) as Json);
}

/** Runs a reader of what peers and other programs wrote; null when it does not understand. */
export function understood<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof MessageError) return null;
    throw error;
  }
}

export function maybeId(row: Row, column: string): string | null {
  const bytes = row.maybeBytes(column);
  return bytes === null || bytes.length === 0 ? null : idFrom(bytes);
}

const MESSAGES = ["sndMsgContent", "rcvMsgContent"] as const;

/** `{"rcvMsgContent": {"msgContent": ...}}`, and the form with the tag in a field. */
function contentOf(json: Json): MsgContent | null {
  if (!isObject(json)) return null;
  for (const tag of MESSAGES) {
    const named = Object.hasOwn(json, tag) ? json[tag] : undefined;
    const fields = named ?? (json["type"] === tag ? json : undefined);
    const content = fields !== undefined && isObject(fields) ? fields["msgContent"] : undefined;
    if (content !== undefined) return understood(() => msgContent.read(content));
  }
  return null;
}

function tagOf(json: Json, stored: string | null): string {
  if (stored !== null) return stored;
  if (!isObject(json)) return "unknown";
  const { type } = json;
  return typeof type === "string" ? type : (Object.keys(json)[0] ?? "unknown");
}

function quoteOf(row: Row): Quote | null {
  if (row.value("quoted_content") === null) return null;
  const content = understood(() => msgContent.read(jsonIn(row, "quoted_content")));
  const sentAt = maybeTimeIn(row, "quoted_sent_at");
  if (content === null || sentAt === null) return null;
  const msgId = maybeId(row, "quoted_shared_msg_id");
  const memberId = maybeId(row, "quoted_member_id");
  // The column says whether the user wrote what is quoted, the reference whether its own sender did; in groups the
  // author is named besides.
  const isOwn = row.flag("item_sent");
  const isOfUser = row.flag("quoted_sent");
  const sent = row.value("group_id") === null ? isOfUser === isOwn : isOfUser && isOwn;
  const msgRef = { ...(msgId && { msgId }), sentAt: utcTimeOf(sentAt), sent, ...(memberId && { memberId }) };
  return { content, msgRef };
}

function bodyOf(row: Row, file: OfficialItemFile | null): OfficialItemBody {
  const json = jsonIn(row, "item_content");
  const content = contentOf(json);
  if (content === null) {
    return { type: "event", tag: tagOf(json, row.maybeText("item_content_tag")), json: row.text("item_content") };
  }
  const quote = quoteOf(row);
  const ttl = row.maybeInt("timed_ttl");
  const container: MsgContainer = {
    content,
    ...(file && { file: { fileName: file.name, fileSize: file.size } }),
    ...(ttl !== null && { ttl }),
    ...(row.flag("item_live") && { live: true }),
    ...(quote && { quote }),
    ...(row.value("fwd_from_tag") !== null && { forward: true as const }),
  };
  return { type: "message", container };
}

/** Words of a status: `snd_rcvd ok complete`. */
export function statusOf(text: string, isProxied: boolean): ItemStatus {
  const [word = "", second = ""] = text.split(" ");
  switch (word) {
    case "rcv_new":
      return { type: "unread" };
    case "snd_new":
      return { type: "new" };
    case "snd_sent":
      return { type: "sent", isProxied };
    case "snd_rcvd":
      return { type: "delivered", isIntact: second !== "badMsgHash" };
    case "snd_warning":
      return { type: "sending" };
    case "snd_error_auth":
      return { type: "error", reason: "auth", detail: "" };
    case "snd_error":
      return { type: "error", reason: "official", detail: text.slice(word.length + 1) };
    default:
      return { type: "read" };
  }
}

/** Null when it belongs to none that is known. */
export function chatIn(row: Row): OfficialChatRef | null {
  const [contact, group, notes] = ["contact_id", "group_id", "note_folder_id"].map((name) => row.maybeInt(name));
  if (typeof contact === "number") return { type: "contact", id: contact };
  if (typeof group === "number") return { type: "group", id: group };
  return typeof notes === "number" ? { type: "notes", id: notes } : null;
}

// 1 to 3; the last one is blocked for all, by a moderator.
const DELETIONS = ["deleted", "blocked", "blocked"] as const;

function deletionOf(row: Row): OfficialItem["deleted"] {
  const kind = row.maybeInt("item_deleted") ?? 0;
  if (kind === 0) return null;
  const by = row.maybeInt("item_deleted_by_group_member_id");
  const word = by === null ? (DELETIONS[kind - 1] ?? "deleted") : "moderated";
  return { at: maybeTimeIn(row, "item_deleted_ts"), kind: word, by };
}

/** Null when it belongs to no conversation. @throws ArchiveError DAMAGED */
export function itemIn(row: Row, file: OfficialItemFile | null): OfficialItem | null {
  const chat = chatIn(row);
  if (chat === null) return null;
  return {
    id: row.int("chat_item_id"),
    user: row.int("user_id"),
    chat,
    isOwn: row.flag("item_sent"),
    member: row.maybeInt("group_member_id"),
    sentAt: timeIn(row, "item_ts"),
    createdAt: timeIn(row, "created_at"),
    msgId: maybeId(row, "shared_msg_id"),
    body: bodyOf(row, file),
    text: row.text("item_text"),
    status: statusOf(row.text("item_status"), row.flag("via_proxy")),
    isEdited: row.flag("item_edited"),
    deleted: deletionOf(row),
    ttl: row.maybeInt("timed_ttl"),
    deleteAt: maybeTimeIn(row, "timed_delete_at"),
    file,
  };
}

function fileKeyIn(row: Row): FileKey | null {
  if (row.value("file_crypto_key") === null || row.value("file_crypto_nonce") === null) return null;
  return { key: rawIn(row, "file_crypto_key", 32), nonce: rawIn(row, "file_crypto_nonce", 24) };
}

/** @throws ArchiveError DAMAGED */
export function itemFileIn(row: Row): OfficialItemFile {
  return {
    id: row.int("file_id"),
    name: row.text("file_name"),
    size: row.int("file_size"),
    path: row.maybeText("file_path"),
    status: row.maybeText("ci_file_status") ?? "",
    crypto: fileKeyIn(row),
  };
}
