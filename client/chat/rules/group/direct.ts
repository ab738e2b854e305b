import { ChatError } from "../../errors.ts";
import type { Group, Member } from "../../group-records.ts";
import type { Contact } from "../../records.ts";
import type { Step } from "../../step.ts";
import { TABLE } from "../../tables.ts";
import type { EventParams } from "../../wire/event.ts";
import { type Id, newSharedId } from "../../wire/ids.ts";
import { chatMessage } from "../../wire/message.ts";
import { CHAT_VERSION } from "../../wire/versions.ts";
import { beginContact, bind, newId } from "../contacts.ts";
import { messageReceived } from "../content.ts";
import { isInvitation } from "../invitations.ts";
import { addItem } from "../items.ts";
import { placesOf } from "../link-places.ts";
import { enqueue } from "../outbox.ts";
import { updateContact } from "../records.ts";
import type { GroupSource } from "./content.ts";
import { mayUse } from "./features.ts";
import { refuse } from "./introduce.ts";
import { checkRole } from "./invite.ts";
import { groupOf, memberOf, updateMember } from "./records.ts";

const GONE: ReadonlySet<Contact["status"]> = new Set<Contact["status"]>(["failed", "left", "leaving"]);

/** The contact who a member is; null when there is none, or none to talk to. */
async function contactWho(step: Step, { contact }: Member): Promise<Contact | null> {
  const known = contact === null ? null : await step.read(TABLE.contacts, contact);
  return known && !GONE.has(known.status) ? known : null;
}

/** The contact who a member is, or null when one can be made. @throws ChatError when none can */
export async function checkDirect(
  step: Step,
  id: string,
): Promise<{ readonly contact: Contact | null; readonly group: Group }> {
  const member = await memberOf(step, id);
  const group = await groupOf(step, member.group);
  const contact = await contactWho(step, member);
  if (contact) return { contact, group };
  checkRole(group, "author");
  if (!mayUse(group, "directMessages", group.role)) {
    throw new ChatError("FEATURE", `messages from member to member are not allowed to you in ${group.name}`);
  }
  if (!member.isReady || member.versions.max < CHAT_VERSION.groupDirectInvitation) {
    throw new ChatError("PROHIBITED", `there is no connection to ${member.name} yet`);
  }
  return { contact: null, group };
}

/** Asks a member to become a contact, through a connection that was made for it. */
export async function inviteDirectly(
  step: Step,
  id: string,
  made: { readonly connection: string; readonly link: string },
  text: string | null,
): Promise<Contact> {
  const { contact: known, group } = await checkDirect(step, id);
  if (known) {
    step.effect({ type: "drop", connection: made.connection });
    return known;
  }
  const member = await memberOf(step, id);
  const contact = await beginContact(step, {
    id: newId(),
    user: group.user,
    profile: member.profile,
    incognito: group.incognito,
    connection: made.connection,
    link: made.link,
    status: "invited",
    origin: "invitation",
  });
  bind(step, contact.id, made.connection);
  await updateMember(step, id, { contact: contact.id });
  const msgId = newSharedId();
  const content = text === null ? null : { type: "text", text } as const;
  if (content) {
    const body = { type: "message", container: { content } } as const;
    await addItem(step, contact.id, { isOwn: true, body, status: { type: "sent", isProxied: false }, msgId });
  }
  const params = { connReq: made.link, ...(content && { content }) };
  await enqueue(step, id, chatMessage({ type: "x.grp.direct.inv", params }, msgId));
  return contact;
}

/** `x.grp.direct.inv`: a member wants to be a contact, and may bring a first message. */
export async function directInvitationReceived(
  step: Step,
  { user, group, member, sentAt }: GroupSource,
  msgId: Id | null,
  { connReq, content }: EventParams["x.grp.direct.inv"],
): Promise<void> {
  if (!mayUse(group, "directMessages", member.role)) throw refuse(member, "wants to be a contact, which the group does not allow");
  if (member.isBlocked || member.isRestricted) return;
  if (!isInvitation(connReq)) throw refuse(member, "wants to be a contact by a link that is no invitation");
  const contact = await toJoin(step, group, member, connReq);
  if (contact && content) await messageReceived(step, { user, contact, sentAt }, msgId, { content });
}

/** One that was a contact is the same one again: however often a member asks, it is one contact. */
const RETURNING: ReadonlySet<Contact["status"]> = new Set<Contact["status"]>(["invited", "failed", "left"]);

/** The contact who the member becomes; null when it is one already, or is just being deleted. */
async function toJoin(step: Step, group: Group, member: Member, link: string): Promise<Contact | null> {
  const known = member.contact === null ? null : await step.read(TABLE.contacts, member.contact);
  if (known && (known.isBlocked || !RETURNING.has(known.status))) return null;
  if (known) {
    // Both have asked at once: the one with the smaller link follows the other one's.
    if (known.status === "invited" && link <= (known.link ?? "")) return known;
    if (known.connection !== null) {
      step.erase(TABLE.bindings, known.connection);
      step.effect({ type: "drop", connection: known.connection });
    }
    step.effect({ type: "join", contact: known.id });
    return updateContact(step, known, {
      connection: null,
      link,
      places: placesOf(link),
      failure: null,
      verified: null,
      status: "joining",
      origin: "link",
    });
  }
  const contact = await beginContact(step, {
    id: newId(),
    user: group.user,
    profile: member.profile,
    incognito: group.incognito,
    link,
    status: "joining",
    origin: "link",
  });
  await updateMember(step, member.id, { contact: contact.id });
  step.effect({ type: "join", contact: contact.id });
  return contact;
}
