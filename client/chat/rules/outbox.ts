import { ChatError, translating } from "../errors.ts";
import type { Contact, ItemStatus } from "../records.ts";
import type { Step } from "../step.ts";
import { outboxKey, prefixOf, sentKey, TABLE } from "../tables.ts";
import type { ChatMessage } from "../wire/message.ts";
import { type Carrier, packConnInfo, packMessages } from "../wire/pack.ts";
import { CHAT_VERSION } from "../wire/versions.ts";
import { changeItem } from "./items.ts";
import { contactOf } from "./records.ts";

/** Connections to contacts may always become post-quantum, so there is never more room than that leaves. */
export function carrierOf({ version }: Pick<Contact, "version">): Carrier {
  return { version, pq: true, group: false };
}

/** A message for the handshake. @throws ChatError "LARGE" */
export function connInfo(step: Step, message: ChatMessage): Uint8Array {
  const carrier = { version: CHAT_VERSION.compressionAndPq, pq: true, group: false };
  return translating(() => packConnInfo(message, carrier, step.compression));
}

/**
 * Puts a message into the outbox of a contact; it goes to the agent once the contact is connected.
 * @throws ChatError "LARGE" when it does not fit, "PROHIBITED" when the contact can never get it
 */
export async function enqueue(
  step: Step,
  contactId: string,
  message: ChatMessage,
  item: string | null = null,
): Promise<void> {
  const contact = await contactOf(step, contactId);
  if (contact.status === "left" || contact.status === "failed" || contact.status === "leaving") {
    throw new ChatError("PROHIBITED", `${contact.name} cannot be written to any more: the connection is gone`);
  }
  translating(() => packMessages([message], carrierOf(contact), step.compression));
  step.put(TABLE.outbox, outboxKey(contact.id, contact.nextOut), { message, item });
  step.put(TABLE.contacts, contact.id, { ...contact, nextOut: contact.nextOut + 1 });
  step.effect({ type: "send", contact: contact.id });
}

/** A better status never goes back to a worse one. */
const RANK: Readonly<Record<ItemStatus["type"], number>> = {
  unread: 9,
  read: 9,
  new: 0,
  sending: 1,
  sent: 2,
  error: 2,
  delivered: 3,
};

export async function setStatus(step: Step, items: readonly string[], status: ItemStatus): Promise<void> {
  for (const id of items) {
    const item = await step.read(TABLE.items, id);
    if (item && RANK[status.type] > RANK[item.status.type]) changeItem(step, item, { status });
  }
}

/** The agent has taken these messages as one of its own. */
export async function handedOver(
  step: Step,
  contact: string,
  keys: readonly string[],
  items: readonly string[],
  agentItem: number,
): Promise<void> {
  for (const key of keys) step.erase(TABLE.outbox, key);
  if (items.length === 0) return;
  step.put(TABLE.sent, sentKey(contact, agentItem), { items });
  await setStatus(step, items, { type: "sending" });
}

/** The agent will never take these messages. */
export async function refused(
  step: Step,
  keys: readonly string[],
  items: readonly string[],
  detail: string,
): Promise<void> {
  for (const key of keys) step.erase(TABLE.outbox, key);
  await setStatus(step, items, { type: "error", reason: "REFUSED", detail: detail.toWellFormed() });
}

/** The contact is gone: what waits for it will not be sent any more. */
export async function dropOutbox(step: Step, contact: string, detail: string): Promise<void> {
  for (const key of await step.keys(TABLE.outbox, { prefix: prefixOf(contact) })) {
    const outgoing = await step.read(TABLE.outbox, key);
    step.erase(TABLE.outbox, key);
    if (outgoing?.item) await setStatus(step, [outgoing.item], { type: "error", reason: "NOT_AVAILABLE", detail });
  }
}

/** What became of a message of the agent. `isFinal`: nothing more is told of it. */
export async function fateOf(
  step: Step,
  contact: string,
  agentItem: number,
  status: ItemStatus,
  isFinal: boolean,
): Promise<void> {
  const key = sentKey(contact, agentItem);
  const sent = await step.read(TABLE.sent, key);
  if (!sent) return;
  await setStatus(step, sent.items, status);
  if (isFinal) step.erase(TABLE.sent, key);
}

