import { ChatError } from "../../errors.ts";
import type { Contact } from "../../records.ts";
import type { Step } from "../../step.ts";
import { prefixOf, TABLE } from "../../tables.ts";
import type { EventParams } from "../../wire/event.ts";
import { chatMessage, type ReceivedMessage } from "../../wire/message.ts";
import { eraseContact } from "../contacts.ts";
import { addItem } from "../items.ts";
import { isMessage, userOf } from "../records.ts";
import { beginDeliveries } from "./deliveries.ts";
import { memberInfoMessage } from "./handshake.ts";
import { beginGroup } from "./invite.ts";
import { ownProfile, profileText } from "./profile.ts";
import { addMember, bindMember, updateGroup } from "./records.ts";
import { sendToGroup } from "./send.ts";

/**
 * The owner of an address answers with a group: it is that of a business, where others answer as well. The contact
 * becomes the group.
 * @returns what to allow the connection with
 */
export async function businessAnswered(
  step: Step,
  contact: Contact,
  { versions }: ReceivedMessage,
  { groupLinkInvitation }: EventParams["x.grp.link.inv"],
): Promise<Uint8Array> {
  const { fromMember, fromMemberName, invitedMember, groupProfile, accepted, business } = groupLinkInvitation;
  const { connection, user } = contact;
  if (contact.origin !== "address" || connection === null || fromMember.memberId === invitedMember.memberId) {
    throw new ChatError("UNREADABLE", "the other side answered with a group");
  }
  const said = (await step.list(TABLE.items, { prefix: prefixOf(contact.id) })).filter(isMessage);
  await eraseContact(step, contact.id);
  const group = await beginGroup(step, {
    user,
    profile: groupProfile,
    status: "joining",
    isPending: accepted !== undefined && accepted !== "accepted",
    role: invitedMember.memberRole,
    memberId: invitedMember.memberId,
    alias: contact.alias,
    incognito: contact.incognito,
    link: contact.link,
    contactReqId: contact.contactReqId,
    business: business ?? null,
    isMuted: contact.isMuted,
    isFavourite: contact.isFavourite,
  });
  const host = await addMember(step, group.id, {
    memberId: fromMember.memberId,
    role: fromMember.memberRole,
    profile: { displayName: fromMemberName, fullName: "" },
    versions,
    category: "host",
    status: "connecting",
    connection,
  });
  bindMember(step, host.id, connection);
  const profile = ownProfile(await userOf(step, user), group);
  await updateGroup(step, group.id, { host: host.id, shown: profileText(profile) });
  for (const { id, body, msgId, ttl, isOwn } of said) {
    if (!isOwn || msgId === null) continue;
    const status = id === contact.requestItem ? { type: "sent", isProxied: false } as const : { type: "new" } as const;
    const item = await addItem(step, group.id, { isOwn, body, status, msgId, ttl });
    if (status.type === "sent") continue;
    const event = { type: "x.msg.new", params: body.container } as const;
    beginDeliveries(step, item.id, await sendToGroup(step, group.id, event, { msgId, item: item.id }));
  }
  return memberInfoMessage(step, chatMessage({ type: "x.info", params: { profile } }));
}
