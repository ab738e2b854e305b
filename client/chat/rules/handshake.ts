import { ChatError } from "../errors.ts";
import type { Address, Contact, Request } from "../records.ts";
import type { Step } from "../step.ts";
import { TABLE } from "../tables.ts";
import { decodeConnInfo } from "../wire/body.ts";
import type { ContactRequest } from "../wire/event.ts";
import { newSharedId } from "../wire/ids.ts";
import { chatMessage, type ReceivedMessage } from "../wire/message.ts";
import type { Profile } from "../wire/profile.ts";
import { CHAT_VERSION, connectionVersion } from "../wire/versions.ts";
import { beginContact, bind, newId } from "./contacts.ts";
import { messageReceived } from "./content.ts";
import { addEvent, addItem } from "./items.ts";
import { randomProfile } from "./names.ts";
import { connInfo, dropOutbox, enqueue } from "./outbox.ts";
import { introduction, profileReceived } from "./profile.ts";
import { contactOf, updateContact, userOf } from "./records.ts";

/** What the other side's handshake says of it. @throws MessageError, ChatError "UNREADABLE" */
function profileIn(message: ReceivedMessage): Profile {
  const { event } = message;
  if (event.type === "x.info" || event.type === "x.contact") return event.params.profile;
  throw new ChatError("UNREADABLE", `the other side introduced itself with ${event.type}`);
}

async function introduced(step: Step, contact: Contact, message: ReceivedMessage): Promise<Contact> {
  const user = await userOf(step, contact.user);
  const known = await profileReceived(step, user, contact, profileIn(message));
  const version = connectionVersion(message.versions, CHAT_VERSION.initial);
  return updateContact(step, known, { version });
}

/** The user's own profile for the handshake with a contact, remembered as what the contact was told. */
export async function introduce(step: Step, contact: Contact): Promise<Uint8Array> {
  const user = await userOf(step, contact.user);
  const { profile, shown } = introduction(user, contact);
  updateContact(step, contact, { shown });
  return connInfo(step, chatMessage({ type: "x.info", params: { profile } }));
}

/** Somebody used the invitation, or the owner of an address accepted. @returns what to allow the connection with */
export async function confirmed(step: Step, contactId: string, info: Uint8Array): Promise<Uint8Array> {
  const contact = await contactOf(step, contactId);
  const known = await introduced(step, contact, decodeConnInfo(info, step.compression));
  const pending = known.status === "connected" ? known : updateContact(step, known, { status: "pending" });
  return introduce(step, pending);
}

/** What the initiator says of itself. */
export async function infoReceived(step: Step, contactId: string, info: Uint8Array): Promise<void> {
  const message = decodeConnInfo(info, step.compression);
  if (message.event.type === "x.ok") return;
  await introduced(step, await contactOf(step, contactId), message);
}

export async function connected(step: Step, contactId: string): Promise<void> {
  const contact = await contactOf(step, contactId);
  if (contact.status === "connected" || contact.status === "leaving") return;
  const now = updateContact(step, contact, { status: "connected", link: null });
  await addEvent(step, contactId, "connected");
  step.tell({ type: "connected", contact: now });
  step.effect({ type: "send", contact: contactId });
}

/** The connection will never be, or is lost. */
export async function failed(step: Step, contactId: string, detail: string): Promise<void> {
  const contact = await contactOf(step, contactId);
  if (contact.status === "failed" || contact.status === "leaving" || contact.status === "left") return;
  updateContact(step, contact, { status: "failed", failure: detail.toWellFormed() });
  await dropOutbox(step, contactId, detail.toWellFormed());
  await addEvent(step, contactId, "failed", detail);
}

const sameAttempt = (id: string | undefined, other: string | null): boolean => id !== undefined && id === other;

/** Somebody came through the address. The same attempt again changes the request that is there. */
export async function requestReceived(
  step: Step,
  address: Address,
  { request, info }: { readonly request: string; readonly info: Uint8Array },
): Promise<void> {
  // Accepting gives the connection the id of the request.
  if (await step.read(TABLE.bindings, request)) return;
  const message = decodeConnInfo(info, step.compression);
  const { event } = message;
  const params: ContactRequest = event.type === "x.contact" ? event.params : { profile: profileIn(message) };
  const { contactReqId } = params;
  const contacts = await step.list(TABLE.contacts);
  const isAccepted = contacts.some((one) => one.user === address.user && sameAttempt(contactReqId, one.contactReqId));
  if (isAccepted) return step.effect({ type: "reject", request });
  const pending = (await step.list(TABLE.requests)).find((one) => {
    return one.user === address.user && (one.request === request || sameAttempt(contactReqId, one.contactReqId));
  });
  if (pending && pending.request !== request) step.effect({ type: "reject", request: pending.request });
  const made: Request = {
    id: pending?.id ?? newId(),
    user: address.user,
    request,
    profile: params.profile,
    version: connectionVersion(message.versions, CHAT_VERSION.initial),
    contactReqId: contactReqId ?? null,
    welcomeMsgId: params.welcomeMsgId ?? null,
    message: params.message ?? null,
    at: pending?.at ?? step.now,
  };
  step.put(TABLE.requests, made.id, made);
  step.tell({ type: "request", request: made });
  if (address.autoAccept) await acceptRequest(step, made.id, { incognito: address.incognito });
}

/** The request becomes a contact; the agent is asked once that is on disk. */
export async function acceptRequest(
  step: Step,
  id: string,
  { incognito = false }: { readonly incognito?: boolean } = {},
): Promise<Contact> {
  const request = await step.read(TABLE.requests, id);
  if (!request) throw new ChatError("NOT_FOUND", `there is no request '${id}', or it was answered already`);
  const { user, profile, contactReqId, message, version } = request;
  const contact = await beginContact(step, {
    id,
    user,
    profile,
    version,
    contactReqId,
    incognito: incognito ? randomProfile() : null,
    connection: request.request,
    status: "accepting",
    origin: "request",
  });
  bind(step, id, request.request);
  step.erase(TABLE.requests, id);
  step.tell({ type: "requestGone", request: id });
  step.effect({ type: "accept", contact: id });
  if (message) {
    const source = { user: await userOf(step, user), contact, sentAt: request.at };
    await messageReceived(step, source, message.msgId, { content: message.content });
  }
  await welcome(step, contact, request);
  return contact;
}

/** The address's answer to everybody. One who shows it already gets it under the id that it has there. */
async function welcome(step: Step, contact: Contact, { welcomeMsgId }: Request): Promise<void> {
  const address = await step.read(TABLE.addresses, contact.user);
  const content = address?.welcome;
  if (!content) return;
  const msgId = welcomeMsgId ?? newSharedId();
  const container = { content };
  const item = await addItem(step, contact.id, {
    isOwn: true,
    body: { type: "message", container },
    status: { type: "new" },
    msgId,
  });
  const event = welcomeMsgId === null
    ? { type: "x.msg.new", params: container } as const
    : { type: "x.msg.update", params: { msgId, content } } as const;
  await enqueue(step, contact.id, chatMessage(event, welcomeMsgId === null ? msgId : newSharedId()), item.id);
}

export async function rejectRequest(step: Step, id: string): Promise<void> {
  const request = await step.read(TABLE.requests, id);
  if (!request) throw new ChatError("NOT_FOUND", `there is no request '${id}', or it was answered already`);
  step.erase(TABLE.requests, id);
  step.tell({ type: "requestGone", request: id });
  step.effect({ type: "reject", request: request.request });
}

