import { ChatError, translating } from "../errors.ts";
import type { Deliveries } from "../group-records.ts";
import type { Item, ItemStatus, Outgoing } from "../records.ts";
import type { Step } from "../step.ts";
import { outboxKey, prefixOf, sentKey, TABLE, waitingKey } from "../tables.ts";
import type { ChatMessage } from "../wire/message.ts";
import { packConnInfo, packMessages } from "../wire/pack.ts";
import { CHAT_VERSION } from "../wire/versions.ts";
import { noteDelivery } from "./group/deliveries.ts";
import { isMember, type Owner, ownerOf, takeNumber } from "./owners.ts";
import { changeItem, setFile } from "./records.ts";
import { isBetter } from "./statuses.ts";

/** A message for the handshake. @throws ChatError "LARGE" */
export function connInfo(step: Step, message: ChatMessage): Uint8Array {
  const carrier = { version: CHAT_VERSION.compressionAndPq, pq: true, group: false };
  return translating(() => packConnInfo(message, carrier, step.compression));
}

/** What a waiting message has to do with an item. */
export interface Concern {
  /** Whose status follows from it. */
  readonly item?: string | null;
  /** The item that it speaks of: when that goes, this is not sent any more. */
  readonly subject?: string | null;
}

/**
 * Puts a message into the outbox of a contact or a member; it goes to the agent once the connection is made.
 * @throws ChatError "LARGE" when it does not fit, "PROHIBITED" when it can never be sent
 */
export async function enqueue(
  step: Step,
  ownerId: string,
  message: ChatMessage,
  { item = null, subject = item }: Concern = {},
): Promise<void> {
  const { carrier } = await writable(step, ownerId);
  translating(() => packMessages([message], carrier, step.compression));
  await putOutgoing(step, ownerId, { message, chunk: null, item, subject, isDoubtful: false });
}

/** As {@link enqueue}, for a part of the file of an item. */
export async function enqueueChunk(
  step: Step,
  ownerId: string,
  subject: string,
  chunk: NonNullable<Outgoing["chunk"]>,
): Promise<void> {
  await writable(step, ownerId);
  await putOutgoing(step, ownerId, { message: null, chunk, item: null, subject, isDoubtful: false });
}

async function writable(step: Step, ownerId: string): Promise<Owner> {
  const owner = await ownerOf(step, ownerId);
  if (!owner) throw new ChatError("NOT_FOUND", `there is nobody '${ownerId}' to write to`);
  if (owner.isGone) throw new ChatError("PROHIBITED", `${owner.name} cannot be written to any more: the connection is gone`);
  return owner;
}

async function putOutgoing(step: Step, ownerId: string, outgoing: Outgoing): Promise<void> {
  const key = outboxKey(ownerId, await takeNumber(step, ownerId));
  step.put(TABLE.outbox, key, outgoing);
  if (outgoing.subject !== null) step.put(TABLE.waiting, waitingKey(outgoing.subject, key), { to: key });
  step.effect({ type: "send", contact: ownerId });
}

/** A message of the outbox, and where it stands there. */
export interface Waiting extends Outgoing {
  readonly key: string;
}

/** The first messages that wait. One that is damaged would stop all others, and is given up. */
export async function firstWaiting(step: Step, owner: string, most: number): Promise<Waiting[]> {
  const found: Waiting[] = [];
  for (;;) {
    const keys = await step.keys(TABLE.outbox, { prefix: prefixOf(owner), limit: most });
    for (const key of keys) {
      const outgoing = await step.readSound(TABLE.outbox, key);
      if (outgoing) found.push({ key, ...outgoing });
      else step.erase(TABLE.outbox, key);
    }
    if (found.length > 0 || keys.length === 0) return found;
  }
}

function eraseWaiting(step: Step, { key, subject }: Pick<Waiting, "key" | "subject">): void {
  step.erase(TABLE.outbox, key);
  if (subject !== null) step.erase(TABLE.waiting, waitingKey(subject, key));
}

/** Whether an item's own message was taken back from those for whom it waited; or from some it may have been too late. */
export type Withdrawal = "withdrawn" | "doubtful" | "tooLate";

/** Nothing that speaks of an item, or of any of a conversation, is sent any more. `prefix`: of their ids. */
export async function withdraw(step: Step, prefix: string): Promise<Withdrawal> {
  let isMessage = false;
  let isDoubtful = false;
  for (const key of await step.keys(TABLE.waiting, { prefix })) {
    const pointer = await step.readSound(TABLE.waiting, key);
    step.erase(TABLE.waiting, key);
    if (!pointer) continue;
    const outgoing = await step.readSound(TABLE.outbox, pointer.to);
    step.erase(TABLE.outbox, pointer.to);
    if (!outgoing || outgoing.item === null || outgoing.item !== outgoing.subject) continue;
    isMessage = true;
    isDoubtful ||= outgoing.isDoubtful;
  }
  if (!isMessage) return "tooLate";
  return isDoubtful ? "doubtful" : "withdrawn";
}

/** No part of the file of an item is sent any more. */
export async function withdrawChunks(step: Step, item: string): Promise<void> {
  for (const key of await step.keys(TABLE.waiting, { prefix: prefixOf(item) })) {
    const pointer = await step.readSound(TABLE.waiting, key);
    const outgoing = pointer && await step.readSound(TABLE.outbox, pointer.to);
    if (pointer && outgoing?.chunk) eraseWaiting(step, { key: pointer.to, subject: item });
  }
}

/** Notes of what the agent is given first that the program which ended may have given it already. */
export async function doubt(step: Step, owner: string, most: number): Promise<void> {
  for (const { key, ...outgoing } of await firstWaiting(step, owner, most)) {
    if (!outgoing.isDoubtful) step.put(TABLE.outbox, key, { ...outgoing, isDoubtful: true });
  }
}

/** An item whose status follows from a message; of one in a group how far it is on its way to each member. */
interface Followed {
  readonly item: Item;
  readonly deliveries: Deliveries | null;
}

/** The items that are still there. */
async function itemsOf(step: Step, owner: string, ids: readonly string[]): Promise<Followed[]> {
  const found: Followed[] = [];
  for (const id of ids) {
    const item = await step.readSound(TABLE.items, id);
    if (item) found.push({ item, deliveries: isMember(owner) ? await step.readSound(TABLE.deliveries, id) : null });
  }
  return found;
}

function noteStatus(step: Step, owner: string, followed: readonly Followed[], status: ItemStatus): void {
  for (const { item, deliveries } of followed) {
    if (isMember(owner)) noteDelivery(step, item, deliveries, owner, status);
    else if (isBetter(status, item.status)) changeItem(step, item, { status });
  }
}

/** What became of what somebody was sent. */
export async function setStatus(step: Step, owner: string, items: readonly string[], status: ItemStatus): Promise<void> {
  noteStatus(step, owner, await itemsOf(step, owner, items), status);
}

const followers = (messages: readonly Waiting[]): string[] => messages.flatMap(({ item }) => (item === null ? [] : [item]));

/**
 * What is to be noted once the agent has taken these messages as one of its own. All that it takes is read before, so
 * that nothing can come between taking and noting.
 */
export async function handingOver(
  step: Step,
  owner: string,
  messages: readonly Waiting[],
): Promise<(agentItem: number) => void> {
  const ids = followers(messages);
  const items = await itemsOf(step, owner, ids);
  const [{ chunk = null, subject = null } = {}] = messages;
  return (agentItem) => {
    for (const message of messages) eraseWaiting(step, message);
    const part = chunk && subject !== null ? { item: subject, isLast: chunk.isLast } : null;
    if (ids.length === 0 && !part) return;
    step.put(TABLE.sent, sentKey(owner, agentItem), { items: ids, chunk: part });
    noteStatus(step, owner, items, { type: "sending" });
  };
}

/** An own file does not reach somebody. In a group the others can still have it. */
export async function loseFile(step: Step, owner: string, item: string): Promise<void> {
  if (!isMember(owner)) await setFile(step, item, "cancelled");
}

async function loseFiles(step: Step, owner: string, messages: readonly Waiting[]): Promise<void> {
  for (const { chunk, subject } of messages) if (chunk && subject !== null) await loseFile(step, owner, subject);
}

/** The agent will never take these messages. */
export async function refused(step: Step, owner: string, messages: readonly Waiting[], detail: string): Promise<void> {
  for (const message of messages) eraseWaiting(step, message);
  const status = { type: "error", reason: "REFUSED", detail: detail.toWellFormed() } as const;
  await setStatus(step, owner, followers(messages), status);
  await loseFiles(step, owner, messages);
}

/** The contact or member is gone: what waits for it will not be sent any more. */
export async function dropOutbox(step: Step, owner: string, detail: string): Promise<void> {
  const messages = await firstWaiting(step, owner, Number.POSITIVE_INFINITY);
  for (const message of messages) eraseWaiting(step, message);
  await setStatus(step, owner, followers(messages), { type: "error", reason: "NOT_AVAILABLE", detail });
  await loseFiles(step, owner, messages);
}

/** As {@link dropOutbox}, where nobody looks at the items any more. */
export async function eraseOutbox(step: Step, owner: string): Promise<void> {
  await step.eraseAll(TABLE.outbox, prefixOf(owner));
  await step.eraseAll(TABLE.waiting, prefixOf(owner));
  await step.eraseAll(TABLE.sent, prefixOf(owner));
}

/** What became of a message of the agent. `isFinal`: nothing more is told of it. */
export async function fateOf(
  step: Step,
  owner: string,
  agentItem: number,
  status: ItemStatus,
  isFinal: boolean,
): Promise<void> {
  const key = sentKey(owner, agentItem);
  const sent = await step.read(TABLE.sent, key);
  if (!sent) return;
  const { items, chunk } = sent;
  await setStatus(step, owner, items, status);
  if (chunk && status.type === "error") await loseFile(step, owner, chunk.item);
  else if (chunk?.isLast) await setFile(step, chunk.item, "sent");
  // Nobody gives a receipt for a part of a file.
  if (isFinal || chunk) step.erase(TABLE.sent, key);
}
