import { ChatError } from "../../errors.ts";
import type { Group, Member } from "../../group-records.ts";
import type { Step } from "../../step.ts";
import { prefixOf, TABLE } from "../../tables.ts";
import type { Role } from "../../wire/preferences.ts";
import type { GroupProfile } from "../../wire/profile.ts";
import { nameProblem } from "../../wire/rules/names.ts";
import { sweepUsers } from "../contacts.ts";
import { endTransfers } from "../files.ts";
import { addEvent, eraseItems } from "../items.ts";
import { uniqueName } from "../names.ts";
import { dropOutbox, eraseOutbox } from "../outbox.ts";
import { deleteMessagesOf, dismissed, eraseLink, groupChanged } from "./changes.ts";
import { closePassages } from "./forward.ts";
import { releaseMember } from "./handshake.ts";
import { checkRole, inviteAgain } from "./invite.ts";
import { checkGroupProfile } from "./profile.ts";
import {
  eraseMember,
  groupOf,
  higherRole,
  isActive,
  isCurrentOrPending,
  isGone,
  memberOf,
  membersOf,
  updateGroup,
  updateMember,
} from "./records.ts";
import { sendToGroup } from "./send.ts";

/** What a user sets for a group by itself. */
export interface GroupSettings {
  /** A name of one's own for the group; null: the name that it has. */
  readonly alias?: string | null;
  /** Messages come without a sound. */
  readonly isMuted?: boolean;
  readonly isFavourite?: boolean;
  /** Whether members get receipts; null: as set for all. */
  readonly receipts?: boolean | null;
}

export async function setGroup(step: Step, id: string, settings: GroupSettings): Promise<Group> {
  const group = await groupOf(step, id);
  const { alias } = settings;
  if (alias === undefined) return updateGroup(step, id, settings);
  const problem = alias === null ? null : nameProblem(alias);
  if (problem !== null) throw new ChatError("CONTENT", problem);
  const name = await uniqueName(step, group.user, alias ?? group.profile.displayName, id);
  if (alias !== null && name !== alias) throw new ChatError("PROHIBITED", `another contact or group is called ${alias}`);
  return updateGroup(step, id, { ...settings, name });
}

/** The member of a group that a caller names. @throws ChatError "NOT_FOUND" */
async function memberIn(step: Step, group: string, id: string): Promise<Member> {
  const member = await memberOf(step, id);
  if (member.group !== group) throw new ChatError("NOT_FOUND", `there is no member '${id}' in this group`);
  return member;
}

/** @throws ChatError unless the user has at least this role and that of the member */
async function ranked(step: Step, groupId: string, id: string, lowest: Role): Promise<readonly [Group, Member]> {
  const [group, member] = [await groupOf(step, groupId), await memberIn(step, groupId, id)];
  checkRole(group, higherRole(lowest, member.role));
  return [group, member];
}

export async function setRole(step: Step, groupId: string, id: string, role: Role): Promise<Member> {
  const [, member] = await ranked(step, groupId, id, higherRole("admin", role));
  if (member.role === role) return member;
  if (member.status === "invited") return inviteAgain(step, id, role);
  if (!isCurrentOrPending(member) || member.memberId === null) {
    throw new ChatError("PROHIBITED", `${member.name} is not a member any more`);
  }
  await sendToGroup(step, groupId, { type: "x.grp.mem.role", params: { memberId: member.memberId, role } });
  await addEvent(step, groupId, "memberRole", `${member.name} ${role}`);
  return updateMember(step, id, { role });
}

/** Takes a member out of the group. `messages`: what it wrote is deleted as well. */
export async function removeMember(step: Step, groupId: string, id: string, messages: boolean): Promise<void> {
  const [group, member] = await ranked(step, groupId, id, "admin");
  if (isGone(member)) {
    throw new ChatError("PROHIBITED", `${member.name} is not a member any more`);
  }
  if (member.status === "invited") {
    await dropOutbox(step, id, "the invitation was taken back");
    return eraseMember(step, await releaseMember(step, id));
  }
  if (member.memberId !== null) {
    const params = { memberId: member.memberId, ...(messages && { messages: true as const }) };
    await sendToGroup(step, groupId, { type: "x.grp.mem.del", params });
  }
  await closePassages(step, member);
  await endTransfers(step, id, groupId);
  await updateMember(step, id, { status: "removed", isEnding: true, task: null });
  step.effect({ type: "send", contact: id });
  if (messages) await deleteMessagesOf(step, group, id, null);
  await addEvent(step, groupId, "memberRemoved", member.name);
}

/** What a member writes is not shown: to the user alone, or, by a moderator, to all. */
export async function blockMember(
  step: Step,
  groupId: string,
  id: string,
  { isBlocked, isRestricted }: { readonly isBlocked?: boolean; readonly isRestricted?: boolean },
): Promise<Member> {
  const member = await memberIn(step, groupId, id);
  if (isBlocked !== undefined) await updateMember(step, id, { isBlocked });
  if (isRestricted === undefined || isRestricted === member.isRestricted) return memberOf(step, id);
  await ranked(step, groupId, id, "moderator");
  if (member.memberId === null) throw new ChatError("PROHIBITED", `${member.name} cannot be blocked for all yet`);
  const params = {
    memberId: member.memberId,
    memberRestrictions: { restriction: isRestricted ? "blocked" : "unrestricted" } as const,
  };
  // Who is blocked is not told.
  const to = (await membersOf(step, groupId)).filter((one) => one.id !== id && isCurrentOrPending(one));
  await sendToGroup(step, groupId, { type: "x.grp.mem.restrict", params }, { to, isOwnWord: false });
  await addEvent(step, groupId, "memberBlocked", isRestricted ? member.name : `-${member.name}`);
  return updateMember(step, id, { isRestricted });
}

/** Another profile of the group; an empty welcome text takes away the one that is there. */
export async function changeGroup(step: Step, id: string, part: Partial<GroupProfile>): Promise<Group> {
  const group = await groupOf(step, id);
  checkRole(group, "owner");
  const { description = "", ...others } = { ...group.profile, ...part };
  const groupProfile = { ...others, ...(description !== "" && { description }) };
  checkGroupProfile(groupProfile);
  const to = (await membersOf(step, id)).filter(isCurrentOrPending);
  await sendToGroup(step, id, { type: "x.grp.info", params: { groupProfile } }, { to });
  await groupChanged(step, await groupOf(step, id), groupProfile, null);
  return groupOf(step, id);
}

/** Tells the members that the user goes; the conversation stays. */
export async function leaveGroup(step: Step, id: string): Promise<void> {
  const group = await groupOf(step, id);
  if (!isActive(group) && group.status !== "joining") {
    throw new ChatError("PROHIBITED", `you are not a member of ${group.name} any more, or not yet`);
  }
  await sayGoodbye(step, group, "x.grp.leave");
  await dismissed(step, group, "left");
}

async function sayGoodbye(step: Step, group: Group, type: "x.grp.leave" | "x.grp.del"): Promise<void> {
  const to = (await membersOf(step, group.id)).filter(isCurrentOrPending);
  await sendToGroup(step, group.id, { type, params: {} }, { to, isOwnWord: false });
}

/** The group goes as soon as what waits for its members was sent: the owner ends it for all, others leave it. */
export async function deleteGroup(step: Step, id: string): Promise<void> {
  const group = await groupOf(step, id);
  if (group.status === "leaving") return;
  if (isActive(group)) await sayGoodbye(step, group, group.role === "owner" ? "x.grp.del" : "x.grp.leave");
  else if (group.status === "joining") await sayGoodbye(step, group, "x.grp.leave");
  await eraseItems(step, id);
  await eraseLink(step, id);
  await updateGroup(step, id, { status: "leaving" });
  for (const member of await membersOf(step, id)) {
    await updateMember(step, member.id, { isEnding: true, task: null });
    step.effect({ type: "send", contact: member.id });
  }
  await eraseIfOver(step, id);
}

/** Nothing of a group that is being deleted remains once all connections are gone. */
export async function eraseIfOver(step: Step, id: string): Promise<void> {
  const group = await step.read(TABLE.groups, id);
  if (group?.status !== "leaving") return;
  const members = await membersOf(step, id);
  if (members.some(({ connection }) => connection !== null)) return;
  for (const member of members) {
    await eraseOutbox(step, member.id);
    eraseMember(step, member);
  }
  await eraseItems(step, id);
  for (const table of [TABLE.passages, TABLE.seen, TABLE.moderations, TABLE.memberIds, TABLE.memberNames, TABLE.waiting]) {
    await step.eraseAll(table, prefixOf(id));
  }
  step.erase(TABLE.conversations, id);
  step.erase(TABLE.groups, id);
  step.tell({ type: "groupDeleted", group: id });
  await sweepUsers(step);
}

/** The connection to a member is gone, after what was said was on its way. */
export async function memberEnded(step: Step, id: string): Promise<void> {
  const member = await step.read(TABLE.members, id);
  if (!member) return;
  if (member.connection !== null) step.erase(TABLE.bindings, member.connection);
  await eraseOutbox(step, id);
  await updateMember(step, id, { connection: null, isReady: false, isEnding: false, task: null });
  await eraseIfOver(step, member.group);
}
