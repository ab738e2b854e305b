import type { Conversation, Item, ItemBody, ItemEvent, ItemStatus } from "../records.ts";
import type { Step } from "../step.ts";
import { chatOf, expiringItem, expiryKey, itemId, prefixOf, sharedKey, TABLE } from "../tables.ts";
import type { Id } from "../wire/ids.ts";
import { tellFilesGone } from "./file-loss.ts";
import { eraseFetchings, eraseFiles } from "./files.ts";
import { withdraw, type Withdrawal } from "./outbox.ts";
import { changeItem, conversationOf } from "./records.ts";

/** Milliseconds. */
const SECOND = 1000;

export interface NewItem {
  readonly isOwn: boolean;
  /** The member of a group whose it is. */
  readonly member?: string | null;
  readonly body: ItemBody;
  readonly status: ItemStatus;
  readonly msgId?: Id | null;
  readonly sentAt?: number;
  readonly ttl?: number | null;
  readonly isEdited?: boolean;
  readonly file?: Item["file"];
}

function updateConversation(step: Step, conversation: Conversation, part: Partial<Conversation>): void {
  const changed = { ...conversation, ...part };
  step.put(TABLE.conversations, changed.id, changed);
  step.tell({ type: "conversation", conversation: changed });
}

export function beginConversation(step: Step, id: string, user: string, kind: Conversation["kind"]): void {
  updateConversation(step, {
    id,
    user,
    kind,
    lastAt: step.now,
    lastItem: null,
    nextItem: 1,
    unread: 0,
    isMarked: false,
    readUpTo: "",
    draft: "",
  }, {});
}

/** Own messages disappear after they are written, others after they are read. */
function startTimer(step: Step, item: Item): Item {
  if (item.ttl === null) return item;
  const deleteAt = step.now + item.ttl * SECOND;
  step.put(TABLE.expiry, expiryKey(deleteAt, item.id), { to: item.id });
  step.effect({ type: "expire" });
  return { ...item, deleteAt };
}

async function isLoud(step: Step, { id, kind }: Conversation): Promise<boolean> {
  if (kind === "notes") return false;
  const other = kind === "group" ? await step.read(TABLE.groups, id) : await step.read(TABLE.contacts, id);
  return other?.isMuted === false;
}

/** Puts an item at the end of a conversation. Reactions that came before it are with it. */
export async function addItem(step: Step, chat: string, { isOwn, body, status, ...part }: NewItem): Promise<Item> {
  const conversation = await conversationOf(step, chat);
  const { member = null, msgId = null, sentAt = step.now, ttl = null, isEdited = false, file = null } = part;
  const key = msgId === null ? null : sharedKey(chat, isOwn, msgId, member);
  const early = key === null ? null : await step.read(TABLE.earlyReactions, key);
  const added: Item = {
    id: itemId(chat, conversation.nextItem),
    chat,
    isOwn,
    member,
    at: step.now,
    sentAt,
    msgId,
    body,
    status,
    isEdited,
    editionCount: 0,
    deletedAt: null,
    deletedBy: null,
    reactions: [...(early?.reactions ?? [])],
    ttl,
    deleteAt: null,
    file,
  };
  const item = isOwn ? startTimer(step, added) : added;
  step.put(TABLE.items, item.id, item);
  if (key !== null) step.put(TABLE.shared, key, { to: item.id });
  if (key !== null && early) step.erase(TABLE.earlyReactions, key);
  const isUnread = status.type === "unread";
  step.tell({ type: "item", item, isLoud: isUnread && await isLoud(step, conversation) });
  updateConversation(step, conversation, {
    lastAt: step.now,
    lastItem: item.id,
    nextItem: conversation.nextItem + 1,
    unread: conversation.unread + (isUnread ? 1 : 0),
  });
  return item;
}

/** Something that happened to the conversation itself. */
export async function addEvent(
  step: Step,
  chat: string,
  event: ItemEvent,
  detail = "",
  member: string | null = null,
): Promise<void> {
  const body = { type: "event", event, detail: detail.toWellFormed() } as const;
  await addItem(step, chat, { isOwn: false, member, body, status: { type: "read" } });
}

/** The item that a message of one side is known by; null when there is none. */
export async function sharedItem(
  step: Step,
  chat: string,
  isOwn: boolean,
  msgId: Id,
  member: string | null = null,
): Promise<Item | null> {
  const pointer = await step.read(TABLE.shared, sharedKey(chat, isOwn, msgId, member));
  return pointer && step.read(TABLE.items, pointer.to);
}

/** Nothing of the item remains, and what waits to be sent of it is not sent. It need not be readable. */
export async function removeItem(step: Step, id: string): Promise<Withdrawal> {
  const chat = chatOf(id);
  const item = await step.readSound(TABLE.items, id);
  step.erase(TABLE.items, id);
  if (item && item.msgId !== null) step.erase(TABLE.shared, sharedKey(chat, item.isOwn, item.msgId, item.member));
  if (item && item.deleteAt !== null) step.erase(TABLE.expiry, expiryKey(item.deleteAt, id));
  await step.eraseAll(TABLE.editions, prefixOf(id));
  step.erase(TABLE.deliveries, id);
  await eraseFiles(step, prefixOf(id), item);
  const withdrawal = await withdraw(step, prefixOf(id));
  step.tell({ type: "itemGone", item: id, chat });
  const conversation = await step.readSound(TABLE.conversations, chat);
  if (!conversation) return withdrawal;
  const isLast = conversation.lastItem === id;
  updateConversation(step, conversation, {
    unread: Math.max(0, conversation.unread - (item?.status.type === "unread" ? 1 : 0)),
    ...(isLast && { lastItem: await step.keyBefore(TABLE.items, prefixOf(chat), id) }),
  });
  return withdrawal;
}

/** Everything up to this item was read; what disappears after reading does so from now on. */
export async function markRead(step: Step, chat: string, upTo: string | null): Promise<void> {
  const conversation = await conversationOf(step, chat);
  const after = conversation.readUpTo;
  const last = upTo ?? conversation.lastItem ?? "";
  const keys = await step.keys(TABLE.items, { prefix: prefixOf(chat), ...(after === "" ? {} : { after }) });
  let { unread } = conversation;
  for (const key of keys) {
    if (key > last) break;
    const item = await step.readSound(TABLE.items, key);
    if (item?.status.type !== "unread") continue;
    unread--;
    const read = startTimer(step, item);
    changeItem(step, read, { status: { type: "read" } });
  }
  const readUpTo = last > after ? last : after;
  updateConversation(step, conversation, { unread: Math.max(0, unread), isMarked: false, readUpTo });
}

export async function setConversation(
  step: Step,
  chat: string,
  part: Partial<Pick<Conversation, "isMarked" | "draft">>,
): Promise<void> {
  updateConversation(step, await conversationOf(step, chat), part);
}

/** Nothing that was said remains; what waits to be sent still is. Nothing is read, as it need not be readable. */
export async function eraseItems(step: Step, chat: string): Promise<void> {
  const prefix = prefixOf(chat);
  for (const item of await step.keys(TABLE.items, { prefix })) {
    step.erase(TABLE.items, item);
    step.tell({ type: "itemGone", item, chat });
  }
  for (const key of await step.keys(TABLE.expiry, {})) {
    if (expiringItem(key).startsWith(prefix)) step.erase(TABLE.expiry, key);
  }
  for (const table of [TABLE.shared, TABLE.editions, TABLE.earlyReactions, TABLE.deliveries]) await step.eraseAll(table, prefix);
  await eraseFiles(step, prefix, null);
  await eraseFetchings(step, chat);
}

/** The conversation stays, with nothing in it; what waited to be sent is not sent. */
export async function clearConversation(step: Step, chat: string): Promise<void> {
  const conversation = await conversationOf(step, chat);
  await tellFilesGone(step, prefixOf(chat));
  await eraseItems(step, chat);
  await withdraw(step, prefixOf(chat));
  updateConversation(step, conversation, { unread: 0, isMarked: false, lastItem: null });
}
