import { ChatError } from "../errors.ts";
import type { Address, Contact, Request } from "../records.ts";
import type { Step } from "../step.ts";
import { TABLE } from "../tables.ts";
import { decodeConnInfo } from "../wire/body.ts";
import type { MsgContent } from "../wire/content.ts";
import type { ContactRequest } from "../wire/event.ts";
import { type Id, newProbe, newSharedId } from "../wire/ids.ts";
import { chatMessage, type ReceivedMessage } from "../wire/message.ts";
import type { Profile } from "../wire/profile.ts";
import { CHAT_VERSION, connectionVersion } from "../wire/versions.ts";
import { beginContact, bind, newId } from "./contacts.ts";
import { messageReceived } from "./content.ts";
import { businessAnswered } from "./group/business.ts";
import { addEvent, addItem } from "./items.ts";
import { randomProfile } from "./names.ts";
import { connInfo, dropOutbox, enqueue, setStatus } from "./outbox.ts";
import { introduction, noteProfile, takeProfile } from "./profile.ts";
import { contactOf, updateContact, userOf } from "./records.ts";

/** What the other side's handshake says of it. @throws MessageError, ChatError "UNREADABLE" */
function profileIn(message: ReceivedMessage): Profile {
  const { event } = message;
  if (event.type === "x.info" || event.type === "x.contact") return event.params.profile;
  throw new ChatError("UNREADABLE", `the other side introduced itself with ${event.type}`);
}

async function introduced(step: Step, contact: Contact, message: ReceivedMessage): Promise<Contact> {
  await takeProfile(step, contact.id, profileIn(message));
  const known = await noteProfile(step, await userOf(step, contact.user), contact);
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

/** The agent does not tell when a request was sent; an answer does. */
async function requestArrived(step: Step, { id, requestItem }: Contact): Promise<void> {
  if (requestItem !== null) await setStatus(step, id, [requestItem], { type: "sent", isProxied: false });
}

/** Somebody used the invitation, or the owner of an address accepted. @returns what to allow the connection with */
export async function confirmed(step: Step, contactId: string, info: Uint8Array): Promise<Uint8Array> {
  const contact = await contactOf(step, contactId);
  const message = decodeConnInfo(info, step.compression);
  if (message.event.type === "x.grp.link.inv") return businessAnswered(step, contact, message, message.event.params);
  const known = await introduced(step, contact, message);
  const pending = known.status === "connected" ? known : updateContact(step, known, { status: "pending" });
  await requestArrived(step, pending);
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
  await requestArrived(step, contact);
  await addEvent(step, contactId, "connected");
  step.tell({ type: "connected", contact: now });
  // Official clients that compare no profiles send one that nobody can match: so who does not compare cannot be told.
  if (now.origin === "invitation") {
    await enqueue(step, contactId, chatMessage({ type: "x.info.probe", params: { probe: newProbe() } }, newSharedId()));
  }
  step.effect({ type: "send", contact: contactId });
}

/** The connection will never be, or is lost. */
export async function failed(step: Step, contactId: string, detail: string): Promise<void> {
  const contact = await step.read(TABLE.contacts, contactId);
  if (!contact || contact.status === "failed" || contact.status === "leaving" || contact.status === "left") return;
  const why = detail.toWellFormed();
  updateContact(step, contact, { status: "failed", failure: why });
  await dropOutbox(step, contactId, why);
  const { requestItem } = contact;
  if (requestItem !== null) await setStatus(step, contact.id, [requestItem], { type: "error", reason: "NOT_AVAILABLE", detail: why });
  await addEvent(step, contactId, "failed", detail);
}

/** Why nobody who came through such an address is met incognito, as official clients have it too. */
export const SHOWN_PROFILE = "the short link of the address shows your profile, so that a random one would hide nothing; "
  + "make the address with `short: false`, or invite the person incognito";

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
  const contacts = await step.listSound(TABLE.contacts);
  const isAccepted = contacts.some((one) => one.user === address.user && sameAttempt(contactReqId, one.contactReqId));
  if (isAccepted) return step.effect({ type: "reject", request });
  const pending = (await step.listSound(TABLE.requests)).find((one) => {
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
    sawProfile: pending?.sawProfile === true || address.shortLink !== null,
    at: pending?.at ?? step.now,
  };
  step.put(TABLE.requests, made.id, made);
  step.tell({ type: "request", request: made });
  if (address.autoAccept) await acceptRequest(step, made.id, {
    // Whoever has seen the profile already sees it again, as with official clients.
    incognito: address.incognito && !made.sawProfile,
  });
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
  if (incognito && request.sawProfile) throw new ChatError("PROHIBITED", SHOWN_PROFILE);
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
  const address = await step.read(TABLE.addresses, user);
  const content = address?.welcome ?? null;
  if (content && request.welcomeMsgId !== null) await welcomeShown(step, contact, content, request.welcomeMsgId);
  if (message) {
    const source = { user: await userOf(step, user), contact, sentAt: request.at };
    await messageReceived(step, source, message.msgId, { content: message.content });
  }
  if (content && request.welcomeMsgId === null) await welcome(step, contact, content);
  return contact;
}

/** The address's answer to everybody. */
async function welcome(step: Step, contact: Contact, content: MsgContent): Promise<void> {
  const [msgId, container] = [newSharedId(), { content }];
  const body = { type: "message", container } as const;
  const item = await addItem(step, contact.id, { isOwn: true, body, status: { type: "new" }, msgId });
  await enqueue(step, contact.id, chatMessage({ type: "x.msg.new", params: container }, msgId), { item: item.id });
}

/** Who has read the answer behind the link already, before asking, is told only what it says by now. */
async function welcomeShown(step: Step, contact: Contact, content: MsgContent, msgId: Id): Promise<void> {
  const body = { type: "message", container: { content } } as const;
  const item = await addItem(step, contact.id, { isOwn: true, body, status: { type: "sent", isProxied: false }, msgId });
  const update = chatMessage({ type: "x.msg.update", params: { msgId, content } }, newSharedId());
  await enqueue(step, contact.id, update, { subject: item.id });
}

export async function rejectRequest(step: Step, id: string): Promise<void> {
  const request = await step.read(TABLE.requests, id);
  if (!request) throw new ChatError("NOT_FOUND", `there is no request '${id}', or it was answered already`);
  step.erase(TABLE.requests, id);
  step.tell({ type: "requestGone", request: id });
  step.effect({ type: "reject", request: request.request });
}

