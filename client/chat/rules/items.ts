import type { Conversation, Item, ItemBody, ItemEvent, ItemStatus } from "../records.ts";
import type { Step } from "../step.ts";
import { expiryKey, itemId, prefixOf, sharedKey, TABLE } from "../tables.ts";
import type { Id } from "../wire/ids.ts";
import { conversationOf, itemOf } from "./records.ts";

/** Milliseconds. */
const SECOND = 1000;

export interface NewItem {
  readonly isOwn: boolean;
  readonly body: ItemBody;
  readonly status: ItemStatus;
  readonly msgId?: Id | null;
  readonly sentAt?: number;
  readonly ttl?: number | null;
  readonly isEdited?: boolean;
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

/** Puts an item at the end of a conversation. Reactions that came before it are with it. */
export async function addItem(step: Step, chat: string, { isOwn, body, status, ...part }: NewItem): Promise<Item> {
  const conversation = await conversationOf(step, chat);
  const { msgId = null, sentAt = step.now, ttl = null, isEdited = false } = part;
  const key = msgId === null ? null : sharedKey(chat, isOwn, msgId);
  const early = key === null ? null : await step.read(TABLE.earlyReactions, key);
  const added: Item = {
    id: itemId(chat, conversation.nextItem),
    chat,
    isOwn,
    at: step.now,
    sentAt,
    msgId,
    body,
    status,
    isEdited,
    deletedAt: null,
    reactions: [...(early?.reactions ?? [])],
    ttl,
    deleteAt: null,
  };
  const item = isOwn ? startTimer(step, added) : added;
  step.put(TABLE.items, item.id, item);
  if (key !== null) step.put(TABLE.shared, key, { to: item.id });
  if (key !== null && early) step.erase(TABLE.earlyReactions, key);
  const isUnread = status.type === "unread";
  const contact = conversation.kind === "contact" ? await step.read(TABLE.contacts, chat) : null;
  step.tell({ type: "item", item, isLoud: isUnread && contact?.isMuted === false });
  updateConversation(step, conversation, {
    lastAt: step.now,
    lastItem: item.id,
    nextItem: conversation.nextItem + 1,
    unread: conversation.unread + (isUnread ? 1 : 0),
  });
  return item;
}

/** Something that happened to the conversation itself. */
export async function addEvent(step: Step, chat: string, event: ItemEvent, detail = ""): Promise<void> {
  const body = { type: "event", event, detail: detail.toWellFormed() } as const;
  await addItem(step, chat, { isOwn: false, body, status: { type: "read" } });
}

/** The item that a message of one side is known by; null when there is none. */
export async function sharedItem(step: Step, chat: string, isOwn: boolean, msgId: Id): Promise<Item | null> {
  const pointer = await step.read(TABLE.shared, sharedKey(chat, isOwn, msgId));
  return pointer && step.read(TABLE.items, pointer.to);
}

export function changeItem(step: Step, item: Item, part: Partial<Item>): Item {
  const changed = { ...item, ...part };
  step.put(TABLE.items, item.id, changed);
  step.tell({ type: "itemChanged", item: changed });
  return changed;
}

/** Nothing of the item remains. */
export async function removeItem(step: Step, item: Item): Promise<void> {
  const { id, chat, isOwn, msgId, deleteAt, status } = item;
  step.erase(TABLE.items, id);
  if (msgId !== null) step.erase(TABLE.shared, sharedKey(chat, isOwn, msgId));
  if (deleteAt !== null) step.erase(TABLE.expiry, expiryKey(deleteAt, id));
  await step.eraseAll(TABLE.editions, prefixOf(id));
  step.tell({ type: "itemGone", item: id, chat });
  const conversation = await step.read(TABLE.conversations, chat);
  if (!conversation) return;
  const isLast = conversation.lastItem === id;
  const last = isLast ? await step.before(TABLE.items, prefixOf(chat), id) : null;
  updateConversation(step, conversation, {
    unread: Math.max(0, conversation.unread - (status.type === "unread" ? 1 : 0)),
    ...(isLast ? { lastItem: last?.id ?? null } : {}),
  });
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
    const item = await itemOf(step, key);
    if (item.status.type !== "unread") continue;
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

/** The conversation stays, with nothing in it. */
export async function clearConversation(step: Step, chat: string): Promise<void> {
  const conversation = await conversationOf(step, chat);
  for (const item of await step.list(TABLE.items, { prefix: prefixOf(chat) })) {
    step.erase(TABLE.items, item.id);
    if (item.deleteAt !== null) step.erase(TABLE.expiry, expiryKey(item.deleteAt, item.id));
    step.tell({ type: "itemGone", item: item.id, chat });
  }
  for (const table of [TABLE.shared, TABLE.editions, TABLE.earlyReactions]) await step.eraseAll(table, prefixOf(chat));
  updateConversation(step, conversation, { unread: 0, isMarked: false, lastItem: null });
}
