import { ChatError } from "../errors.ts";
import type { Contact, Conversation, Item, MessageItem, User } from "../records.ts";
import type { Step } from "../step.ts";
import { TABLE } from "../tables.ts";

// Records that have to be there.

/** @throws ChatError "NOT_FOUND" */
export async function userOf(step: Step, id: string): Promise<User> {
  const user = await step.read(TABLE.users, id);
  if (!user) throw new ChatError("NOT_FOUND", `there is no user '${id}'`);
  return user;
}

/** @throws ChatError "NOT_FOUND" */
export async function contactOf(step: Step, id: string): Promise<Contact> {
  const contact = await step.read(TABLE.contacts, id);
  if (!contact) throw new ChatError("NOT_FOUND", `there is no contact '${id}'`);
  return contact;
}

/** @throws ChatError "NOT_FOUND" */
export async function conversationOf(step: Step, id: string): Promise<Conversation> {
  const conversation = await step.read(TABLE.conversations, id);
  if (!conversation) throw new ChatError("NOT_FOUND", `there is no conversation '${id}'`);
  return conversation;
}

/** @throws ChatError "NOT_FOUND" */
export async function itemOf(step: Step, id: string): Promise<Item> {
  const item = await step.read(TABLE.items, id);
  if (!item) throw new ChatError("NOT_FOUND", `there is no item '${id}'; it may have been deleted`);
  return item;
}

export function isMessage(item: Item): item is MessageItem {
  return item.body.type === "message";
}

export function changeItem(step: Step, item: Item, part: Partial<Item>): Item {
  const changed = { ...item, ...part };
  step.put(TABLE.items, item.id, changed);
  step.tell({ type: "itemChanged", item: changed });
  return changed;
}

/** How far an own file is. What was sent to one stays sent, and what was cancelled is not sent. */
export async function setFile(step: Step, id: string, state: "sent" | "cancelled"): Promise<void> {
  const item = await step.readSound(TABLE.items, id);
  if (item?.file?.state === "sending") changeItem(step, item, { file: { ...item.file, state } });
}

/** Writes a contact, tells of it, and answers it. */
export function updateContact(step: Step, contact: Contact, part: Partial<Contact>): Contact {
  const changed = { ...contact, ...part };
  step.put(TABLE.contacts, changed.id, changed);
  step.tell({ type: "contact", contact: changed });
  return changed;
}
