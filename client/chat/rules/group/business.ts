import { ChatError } from "../../errors.ts";
import type { Chunk } from "../../file-records.ts";
import type { Contact, MessageItem } from "../../records.ts";
import type { Step } from "../../step.ts";
import { chunkKey, prefixOf, TABLE } from "../../tables.ts";
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

interface Said {
  readonly item: MessageItem;
  /** Of its file; null: it is damaged. */
  readonly chunks: readonly (Chunk | null)[];
}

async function saidTo(step: Step, contact: string): Promise<Said[]> {
  const items = (await step.listSound(TABLE.items, { prefix: prefixOf(contact) })).filter(isMessage);
  const said: Said[] = [];
  for (const item of items) {
    const chunks: (Chunk | null)[] = [];
    for (const key of await step.keys(TABLE.chunks, { prefix: prefixOf(item.id) })) {
      chunks.push(await step.readSound(TABLE.chunks, key));
    }
    said.push({ item, chunks });
  }
  return said;
}

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
  const said = await saidTo(step, contact.id);
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
  for (const { item: { id, body, msgId, ttl, isOwn, file }, chunks } of said) {
    if (!isOwn || msgId === null) continue;
    const status = id === contact.requestItem ? { type: "sent", isProxied: false } as const : { type: "new" } as const;
    const item = await addItem(step, group.id, { isOwn, body, status, msgId, ttl, file });
    for (const [i, chunk] of chunks.entries()) if (chunk) step.put(TABLE.chunks, chunkKey(item.id, i + 1), chunk);
    if (status.type === "sent") continue;
    const event = { type: "x.msg.new", params: body.container } as const;
    beginDeliveries(step, item.id, await sendToGroup(step, group.id, event, { msgId, item: item.id }));
  }
  return memberInfoMessage(step, chatMessage({ type: "x.info", params: { profile } }));
}
