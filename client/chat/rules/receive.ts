import type { Step } from "../step.ts";
import { TABLE } from "../tables.ts";
import { type BodyItem, decodeBody } from "../wire/body.ts";
import { hasDeliveryReceipt } from "../wire/event-flags.ts";
import type { ReceivedMessage } from "../wire/message.ts";
import { connectionVersion } from "../wire/versions.ts";
import { deletionReceived, messageReceived, reactionReceived, type Source, updateReceived } from "./content.ts";
import { invitationReceived } from "./group/invite.ts";
import { chunkReceived, endTransfers, fileAccepted, fileCancelled } from "./files.ts";
import { addEvent, addItem, sharedItem } from "./items.ts";
import { dropOutbox } from "./outbox.ts";
import { agreementOf } from "./preferences.ts";
import { noteProfile, takeProfile } from "./profile.ts";
import { contactOf, updateContact, userOf } from "./records.ts";

/** A message of the agent. */
export interface Received {
  readonly body: Uint8Array;
  /** When the relay got it. */
  readonly sentAt: number;
  /** Messages that are missing before it. */
  readonly lost: number;
}

/** Events that say nothing to who does not compare profiles. */
const IGNORED: ReadonlySet<string> = new Set(["x.ok", "x.info.probe", "x.info.probe.check", "x.info.probe.ok"]);

async function unknownReceived(step: Step, { contact, sentAt }: Source, message: ReceivedMessage): Promise<void> {
  const event = message.event.type === "unknown" ? message.event.event : message.event.type;
  await addItem(step, contact.id, {
    isOwn: false,
    body: { type: "unknown", event: event.slice(0, 100).toWellFormed(), json: JSON.stringify(message.json) },
    status: { type: "unread" },
    sentAt,
  });
}

/** The contact has deleted us: nothing can be sent or received any more; what was said stays. */
async function contactLeft(step: Step, { contact }: Source): Promise<void> {
  const { connection } = contact;
  updateContact(step, contact, { status: "left", connection: null });
  await dropOutbox(step, contact.id, "the contact has deleted the connection");
  await endTransfers(step, contact.id, contact.id);
  await addEvent(step, contact.id, "contactLeft");
  if (connection === null) return;
  step.erase(TABLE.bindings, connection);
  step.effect({ type: "drop", connection });
}

async function messageItem(step: Step, source: Source, message: ReceivedMessage): Promise<void> {
  const { user, contact, sentAt } = source;
  const { event, msgId = null } = message;
  const isFromBlocked = contact.isBlocked;
  switch (event.type) {
    case "x.msg.new":
      return isFromBlocked ? undefined : messageReceived(step, source, msgId, event.params);
    case "x.file": {
      const { file } = event.params;
      const container = { content: { type: "file", text: "" }, file } as const;
      return isFromBlocked ? undefined : messageReceived(step, source, msgId, container);
    }
    case "x.msg.update":
      return isFromBlocked ? undefined : updateReceived(step, source, event.params);
    case "x.msg.react":
      return isFromBlocked ? undefined : reactionReceived(step, source, event.params);
    case "x.msg.del":
      return deletionReceived(step, source, event.params.msgId);
    case "x.info":
      return takeProfile(step, contact.id, event.params.profile);
    case "x.grp.inv":
      return isFromBlocked ? undefined : invitationReceived(step, contact, event.params.groupInvitation, sentAt);
    case "x.file.acpt.inv": {
      const item = await sharedItem(step, contact.id, true, event.params.msgId);
      return isFromBlocked ? undefined : fileAccepted(step, item, { owner: contact.id, user: user.id }, event.params);
    }
    case "x.file.cancel":
      return fileCancelled(step, await sharedItem(step, contact.id, false, event.params.msgId));
    case "x.direct.del":
      return contactLeft(step, source);
    case "x.call.inv":
      if (isFromBlocked) return;
      // As official clients do, nothing is answered.
      if (!agreementOf(user, contact).effective.calls.forContact) return addEvent(step, contact.id, "callRefused");
      return step.tell({ type: "call", contact: contact.id, message, sentAt });
    case "x.call.offer":
    case "x.call.answer":
    case "x.call.extra":
    case "x.call.end":
      if (!isFromBlocked) step.tell({ type: "call", contact: contact.id, message, sentAt });
      return;
    case "unknown":
      return isFromBlocked ? undefined : unknownReceived(step, source, message);
    default:
      if (!IGNORED.has(event.type) && !isFromBlocked) step.tell({ type: "signal", contact: contact.id, message, sentAt });
  }
}

async function bodyItem(step: Step, contactId: string, sentAt: number, item: BodyItem): Promise<string | null> {
  if (item.type === "error") return item.error.message;
  const contact = await contactOf(step, contactId);
  if (item.type === "chunk") {
    if (contact.isBlocked) return null;
    const { msgId, part } = item.chunk;
    const announced = await sharedItem(step, contactId, false, msgId);
    if (announced) await chunkReceived(step, announced, part);
    else if (part?.number === 1) await addEvent(step, contactId, "filePart");
    return null;
  }
  const version = connectionVersion(item.message.versions, contact.version);
  const raised = version === contact.version ? contact : updateContact(step, contact, { version });
  await messageItem(step, { user: await userOf(step, contact.user), contact: raised, sentAt }, item.message);
  return null;
}

/** All that one message of the agent brings. What cannot be read is noted in the conversation, and the rest stands. */
export async function bodyReceived(step: Step, contactId: string, { body, sentAt, lost }: Received): Promise<void> {
  const before = await contactOf(step, contactId);
  if (lost > 0 && !before.isBlocked) await addEvent(step, contactId, "lost", String(lost));
  const problems: string[] = [];
  for (const item of decodeBody(body, step.compression)) {
    const problem = await bodyItem(step, contactId, sentAt, item);
    if (problem !== null) problems.push(problem);
  }
  // However often the name changed in between, it is said once.
  await noteProfile(step, await userOf(step, before.user), before);
  const [first] = problems;
  const { isBlocked } = await contactOf(step, contactId);
  if (first === undefined || isBlocked) return;
  const others = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  await addEvent(step, contactId, "unreadable", first.slice(0, 200).toWellFormed() + others);
}

/** Whether the sender of a body is to get a receipt. */
export async function wantsReceipt(step: Step, contactId: string, body: Uint8Array): Promise<boolean> {
  const { receipts, isBlocked, user } = await contactOf(step, contactId);
  if (isBlocked || !(receipts ?? (await userOf(step, user)).receipts)) return false;
  const items = decodeBody(body, step.compression);
  return items.some((item) => item.type === "message" && hasDeliveryReceipt(item.message.event));
}
