import { ChatError } from "../../errors.ts";
import type { Group, Member } from "../../group-records.ts";
import type { Contact, User } from "../../records.ts";
import type { Step } from "../../step.ts";
import { TABLE } from "../../tables.ts";
import type { GroupInvitation } from "../../wire/group.ts";
import { newSharedId } from "../../wire/ids.ts";
import { chatMessage } from "../../wire/message.ts";
import type { GroupPreferences, Role } from "../../wire/preferences.ts";
import type { GroupProfile } from "../../wire/profile.ts";
import { isAtLeast } from "../../wire/rules/preferences.ts";
import { newId } from "../contacts.ts";
import { isInvitation } from "../invitations.ts";
import { addItem, beginConversation } from "../items.ts";
import { uniqueName } from "../names.ts";
import { enqueue } from "../outbox.ts";
import { contactOf, userOf } from "../records.ts";
import { sizeOf } from "./handshake.ts";
import { checkRoom } from "./introduce.ts";
import { MAX_INVITATIONS } from "./limits.ts";
import { checkGroupProfile, memberProfile, ownProfile, profileText } from "./profile.ts";
import {
  addMember,
  bindMember,
  groupOf,
  higherRole,
  isActive,
  membersOf,
  updateGroup,
  updateMember,
} from "./records.ts";

/** @throws ChatError unless the user belongs to the group and has at least this role */
export function checkRole(group: Group, lowest: Role): void {
  if (!isActive(group)) throw new ChatError("PROHIBITED", `you are not a member of ${group.name}, or not yet`);
  if (isAtLeast(group.role, lowest)) return;
  throw new ChatError("PROHIBITED", `in ${group.name} you are ${group.role}; that takes the role ${lowest}`);
}

type Given = Pick<Group, "user" | "profile" | "status" | "role"> & Partial<Group>;

/** A group without members and with nothing in its conversation. */
export async function beginGroup(step: Step, given: Given): Promise<Group> {
  const id = newId();
  step.put(TABLE.groups, id, {
    id,
    name: await uniqueName(step, given.user, given.profile.displayName, id),
    alias: null,
    failure: null,
    isPending: false,
    memberId: null,
    incognito: null,
    shown: null,
    host: null,
    invitedBy: null,
    business: null,
    link: null,
    contactReqId: null,
    isMuted: false,
    isFavourite: false,
    receipts: null,
    createdAt: step.now,
    nextMember: 1,
    ...given,
  });
  beginConversation(step, id, given.user, "group");
  return updateGroup(step, id, {});
}

/** What official clients switch on in groups that they make. */
const NEW_GROUP: GroupPreferences = { directMessages: { enable: "on" }, history: { enable: "on" } };

/** A group of the user's own. @throws ChatError "CONTENT", "LARGE" */
export async function createGroup(step: Step, user: User, given: GroupProfile): Promise<Group> {
  const profile = { groupPreferences: NEW_GROUP, ...given };
  checkGroupProfile(profile);
  const group = await beginGroup(step, { user: user.id, profile, status: "connected", role: "owner", memberId: newSharedId() });
  return updateGroup(step, group.id, { shown: profileText(ownProfile(user, group)) });
}

/** Whether the user can ask the contact into the group with this role. @throws ChatError */
export async function checkInvitation(
  step: Step,
  groupId: string,
  contactId: string,
  role: Role,
): Promise<Member | null> {
  const [group, contact] = [await groupOf(step, groupId), await contactOf(step, contactId)];
  checkRole(group, higherRole("admin", role));
  if (contact.user !== group.user) throw new ChatError("PROHIBITED", `${contact.name} is a contact of another profile`);
  if (contact.status !== "connected") throw new ChatError("PROHIBITED", `${contact.name} is not connected`);
  if (contact.incognito) {
    throw new ChatError("PROHIBITED", `${contact.name} knows you by a random name, which the group would show not to be yours`);
  }
  if (group.incognito) throw new ChatError("PROHIBITED", "who is in a group with a random name cannot ask contacts into it");
  const known = (await membersOf(step, groupId)).find((one) => {
    return one.contact === contactId && one.status !== "left" && one.status !== "removed";
  });
  if (known && known.status !== "invited") throw new ChatError("PROHIBITED", `${contact.name} is a member already`);
  if (!known) await checkRoom(step, groupId);
  return known ?? null;
}

async function sendInvitation(step: Step, contact: Contact, member: Member): Promise<void> {
  const group = await groupOf(step, member.group);
  if (group.memberId === null || member.memberId === null || member.link === null) {
    throw new ChatError("PROHIBITED", `${contact.name} cannot be asked again; remove the member first`);
  }
  const groupInvitation: GroupInvitation = {
    fromMember: { memberId: group.memberId, memberRole: group.role },
    invitedMember: { memberId: member.memberId, memberRole: member.role },
    connRequest: member.link,
    groupProfile: group.profile,
    groupSize: await sizeOf(step, group.id),
  };
  await enqueue(step, contact.id, chatMessage({ type: "x.grp.inv", params: { groupInvitation } }, newSharedId()));
}

/** Asks a contact into a group through a connection that was made for it. */
export async function invite(
  step: Step,
  groupId: string,
  contactId: string,
  role: Role,
  made: { readonly connection: string; readonly link: string },
): Promise<Member> {
  const contact = await contactOf(step, contactId);
  const member = await addMember(step, groupId, {
    memberId: newSharedId(),
    role,
    profile: memberProfile(contact.profile ?? { displayName: contact.name, fullName: "" }),
    category: "invitee",
    status: "invited",
    connection: made.connection,
    link: made.link,
    contact: contactId,
  });
  bindMember(step, member.id, made.connection);
  await sendInvitation(step, contact, member);
  return member;
}

/** Asks somebody again who has not answered, perhaps with another role. */
export async function inviteAgain(step: Step, id: string, role: Role): Promise<Member> {
  const member = await updateMember(step, id, { role });
  await sendInvitation(step, await contactOf(step, member.contact ?? ""), member);
  return member;
}

/** `x.grp.inv`: a contact asks the user into a group. The same invitation again changes what is there. */
export async function invitationReceived(
  step: Step,
  contact: Contact,
  { fromMember, invitedMember, connRequest, groupProfile, business }: GroupInvitation,
  sentAt: number,
): Promise<void> {
  const mayInvite = isAtLeast(fromMember.memberRole, "admin") && isAtLeast(fromMember.memberRole, invitedMember.memberRole);
  if (!mayInvite) throw new ChatError("PROHIBITED", `${contact.name} asked into a group, and has not the role for it`);
  if (fromMember.memberId === invitedMember.memberId) {
    throw new ChatError("PROHIBITED", `${contact.name} asked into a group with its own id`);
  }
  if (!isInvitation(connRequest)) {
    throw new ChatError("PROHIBITED", `${contact.name} asked into a group by a link that is no invitation`);
  }
  const groups = (await step.listSound(TABLE.groups)).filter((one) => one.user === contact.user && one.invitedBy === contact.id);
  const open = groups.filter(({ status }) => status === "invited");
  for (const group of groups) {
    const host = group.host === null ? null : await step.read(TABLE.members, group.host);
    if (host?.link !== connRequest) continue;
    if (group.status !== "invited") return;
    await updateGroup(step, group.id, {
      memberId: invitedMember.memberId,
      role: invitedMember.memberRole,
      profile: groupProfile,
    });
    return;
  }
  if (open.length >= MAX_INVITATIONS) throw new ChatError("PROHIBITED", `${contact.name} asked into too many groups`);
  const group = await beginGroup(step, {
    user: contact.user,
    profile: groupProfile,
    status: "invited",
    role: invitedMember.memberRole,
    memberId: invitedMember.memberId,
    incognito: contact.incognito,
    business: business ?? null,
    invitedBy: contact.id,
  });
  const host = await addMember(step, group.id, {
    memberId: fromMember.memberId,
    role: fromMember.memberRole,
    profile: memberProfile(contact.profile ?? { displayName: contact.name, fullName: "" }),
    category: "host",
    status: "invited",
    link: connRequest,
    contact: contact.id,
  });
  await updateGroup(step, group.id, { host: host.id });
  await addItem(step, contact.id, {
    isOwn: false,
    body: { type: "event", event: "invited", detail: groupProfile.displayName.toWellFormed() },
    status: { type: "unread" },
    sentAt,
  });
}

/** Accepts an invitation: the agent follows its link once that is on disk. */
export async function acceptInvitation(step: Step, id: string): Promise<Group> {
  const group = await groupOf(step, id);
  if (group.status !== "invited" || group.host === null) {
    throw new ChatError("PROHIBITED", `there is no invitation to ${group.name} that waits for an answer`);
  }
  const shown = profileText(ownProfile(await userOf(step, group.user), group));
  await updateMember(step, group.host, { status: "connecting", task: "join" });
  const accepted = await updateGroup(step, id, { status: "joining", shown });
  step.effect({ type: "make", member: group.host });
  return accepted;
}

/** Follows the link of a group. The member behind it is not known yet. */
export async function followLink(
  step: Step,
  user: User,
  given: Pick<Group, "link" | "incognito" | "contactReqId"> & { readonly profile: GroupProfile },
): Promise<Group> {
  const group = await beginGroup(step, { user: user.id, status: "joining", role: "member", ...given });
  const host = await addMember(step, group.id, {
    role: "admin",
    profile: { displayName: given.profile.displayName, fullName: "" },
    category: "host",
    status: "connecting",
    link: given.link,
    task: "join",
  });
  return updateGroup(step, group.id, { host: host.id });
}
