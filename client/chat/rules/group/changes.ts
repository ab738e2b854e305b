import type { Group, Member } from "../../group-records.ts";
import type { Step } from "../../step.ts";
import { prefixOf, TABLE } from "../../tables.ts";
import type { EventParams } from "../../wire/event.ts";
import type { MemberRestrictions } from "../../wire/group.ts";
import type { Id } from "../../wire/ids.ts";
import type { ReceivedMessage } from "../../wire/message.ts";
import type { GroupFeature, GroupPreferences, Role } from "../../wire/preferences.ts";
import type { GroupProfile, Profile } from "../../wire/profile.ts";
import { fullGroupPreferences, isAtLeast } from "../../wire/rules/preferences.ts";
import { abandonFile, endTransfers } from "../files.ts";
import { addEvent, removeItem } from "../items.ts";
import { uniqueName } from "../names.ts";
import { dropOutbox } from "../outbox.ts";
import { changeItem } from "../records.ts";
import { businessProfileReceived } from "./business-profile.ts";
import type { GroupSource } from "./content.ts";
import { mayUse } from "./features.ts";
import { closePassages, passesOn, passTo } from "./forward.ts";
import { releaseMember } from "./handshake.ts";
import { refuse } from "./introduce.ts";
import { groupProfileText, memberProfile, profileText, shortName } from "./profile.ts";
import {
  higherRole,
  isGone,
  memberKnownAs,
  membersOf,
  uniqueMemberName,
  updateGroup,
  updateMember,
} from "./records.ts";
import { unknownMember } from "./unknown.ts";

// What members change of a group, as it is received. Each answers whether those who are not connected to the member yet
// are still to hear of it, and throws a ChatError when the member may not do it.

/** @throws ChatError unless the member has at least this role, and at least that of the one whom it is about */
function checkRank(member: Member, lowest: Role, target: Role, what: string): void {
  if (isAtLeast(member.role, higherRole(lowest, target))) return;
  throw refuse(member, `${what}, and may not`);
}

/** `x.info`: a member shows itself in another way. */
export async function memberProfileReceived(
  step: Step,
  { group, member }: GroupSource,
  profile: Profile,
): Promise<boolean> {
  const shown = memberProfile(profile);
  if (profileText(shown) === profileText(memberProfile(member.profile))) return true;
  const isRenamed = shown.displayName !== member.profile.displayName;
  const name = isRenamed ? await uniqueMemberName(step, member.group, shown.displayName, member.id) : member.name;
  await updateMember(step, member.id, { profile: shown, name });
  await businessProfileReceived(step, group, member, shown);
  if (!member.isBlocked && !member.isRestricted) {
    await addEvent(step, member.group, "profileChanged", shown.displayName, member.id);
  }
  return true;
}

/** `x.grp.mem.role` */
export async function roleReceived(
  step: Step,
  { group, member }: GroupSource,
  { memberId, role }: EventParams["x.grp.mem.role"],
): Promise<boolean> {
  const target = memberId === group.memberId ? group : await memberKnownAs(step, group.id, memberId);
  if (!target) throw refuse(member, "changed the role of somebody who is not known");
  // Nobody gives more than it has; official clients do not offer it.
  checkRank(member, "admin", higherRole(target.role, role), `changed a role from ${target.role} to ${role}`);
  if (target.role === role) return true;
  if (target.id === group.id) await updateGroup(step, group.id, { role });
  else await updateMember(step, target.id, { role });
  const detail = target.id === group.id ? role : `${target.name} ${role}`;
  await addEvent(step, group.id, "memberRole", detail, member.id);
  return true;
}

/** `x.grp.mem.restrict`: a moderator blocks somebody for all. */
export async function restrictionReceived(
  step: Step,
  { group, member }: GroupSource,
  { memberId, memberRestrictions }: { readonly memberId: Id; readonly memberRestrictions: MemberRestrictions },
): Promise<boolean> {
  if (memberId === group.memberId) throw refuse(member, "blocked the user, and told it");
  const isRestricted = memberRestrictions.restriction === "blocked";
  const known = await memberKnownAs(step, group.id, memberId);
  checkRank(member, "moderator", known?.role ?? "observer", "blocked a member");
  const target = known ?? await unknownMember(step, group.id, memberId);
  if (target.isRestricted === isRestricted) return false;
  await updateMember(step, target.id, { isRestricted });
  await addEvent(step, group.id, "memberBlocked", isRestricted ? target.name : `-${target.name}`, member.id);
  return true;
}

/** What a member wrote is deleted with it. */
export async function deleteMessagesOf(
  step: Step,
  group: Group,
  author: string | null,
  by: Pick<Member, "id" | "role"> | null,
): Promise<void> {
  const isFull = mayUse(group, "fullDelete", by?.role ?? group.role);
  for (const item of await step.listSound(TABLE.items, { prefix: prefixOf(group.id) })) {
    const isOf = author === null ? item.isOwn : item.member === author;
    if (!isOf || item.body.type === "event") continue;
    if (isFull) await removeItem(step, item.id);
    else if (item.deletedAt === null) changeItem(step, await abandonFile(step, item), { deletedAt: step.now, deletedBy: by?.id ?? null });
  }
}

/** A member that is gone: its connection goes, what it wrote stays. */
export async function parted(step: Step, member: Member, status: "left" | "removed"): Promise<void> {
  await closePassages(step, member);
  await dropOutbox(step, member.id, `${member.name} is not a member any more`);
  await endTransfers(step, member.id, member.group);
  await releaseMember(step, member.id);
  await updateMember(step, member.id, { status });
}

/** The user does not belong to the group any more: all connections go, after what is on its way. */
export async function dismissed(step: Step, group: Group, status: "left" | "removed" | "deleted"): Promise<void> {
  await updateGroup(step, group.id, { status });
  await eraseLink(step, group.id);
  for (const { id, connection, task } of await membersOf(step, group.id)) {
    await endTransfers(step, id, group.id);
    if (connection === null && task === null) {
      await dropOutbox(step, id, "the user is not a member any more");
      continue;
    }
    await updateMember(step, id, { isEnding: true, task: null });
    step.effect({ type: "send", contact: id });
  }
}

/** Nobody can come through the link of the group any more. */
export async function eraseLink(step: Step, groupId: string): Promise<void> {
  const link = await step.read(TABLE.groupLinks, groupId);
  if (!link) return;
  step.erase(TABLE.groupLinks, groupId);
  step.erase(TABLE.bindings, link.connection);
  step.effect({ type: "drop", connection: link.connection });
}

/** `x.grp.mem.del` */
export async function removalReceived(
  step: Step,
  { group, member, sentAt, by, passOn }: GroupSource,
  { memberId, messages }: EventParams["x.grp.mem.del"],
  message: ReceivedMessage,
): Promise<boolean> {
  if (memberId === group.memberId) {
    checkRank(member, "admin", group.role, "removed the user");
    if (messages) await deleteMessagesOf(step, group, null, member);
    await passOn();
    await addEvent(step, group.id, "removed", "", member.id);
    await dismissed(step, group, "removed");
    return false;
  }
  const target = await memberKnownAs(step, group.id, memberId);
  if (!target) return true;
  checkRank(member, "admin", target.role, "removed a member");
  if (target.status === "removed") return true;
  // Who is removed hears of it before its connection goes.
  if (by === null && passesOn(group.role) && !member.isRestricted && member.memberId !== null && target.isReady) {
    await passTo(step, target, message, { memberId: member.memberId, memberName: shortName(member), receivedAt: sentAt });
    await closePassages(step, target);
    await endTransfers(step, target.id, group.id);
    await updateMember(step, target.id, { status: "removed", isEnding: true, task: null });
    step.effect({ type: "send", contact: target.id });
  } else await parted(step, target, "removed");
  if (messages) await deleteMessagesOf(step, group, target.id, member);
  await addEvent(step, group.id, "memberRemoved", target.name, member.id);
  return true;
}

/** `x.grp.leave` */
export async function leavingReceived(step: Step, { group, member, passOn }: GroupSource): Promise<boolean> {
  if (isGone(member)) return false;
  await passOn();
  await addEvent(step, group.id, "memberLeft", member.name, member.id);
  await parted(step, member, "left");
  return false;
}

/** `x.grp.del`: the owner ends the group. */
export async function groupEnded(step: Step, { group, member, passOn }: GroupSource): Promise<boolean> {
  if (member.role !== "owner") throw refuse(member, "deleted the group, and is not its owner");
  await passOn();
  await addEvent(step, group.id, "groupDeleted", "", member.id);
  await dismissed(step, group, "deleted");
  return false;
}

/** `x.grp.info` */
export async function groupProfileReceived(
  step: Step,
  { group, member }: GroupSource,
  profile: GroupProfile,
): Promise<boolean> {
  if (member.role !== "owner") throw refuse(member, "changed the group, and is not its owner");
  return groupChanged(step, group, profile, member.id);
}

/** `x.grp.prefs` */
export function groupPreferencesReceived(
  step: Step,
  source: GroupSource,
  groupPreferences: GroupPreferences,
): Promise<boolean> {
  return groupProfileReceived(step, source, { ...source.group.profile, groupPreferences });
}

function changedFeatures(before: GroupProfile, after: GroupProfile): string[] {
  const [a, b] = [fullGroupPreferences(before.groupPreferences), fullGroupPreferences(after.groupPreferences)];
  const isSame = (feature: GroupFeature): boolean => {
    const [one, other] = [{ role: null, ttl: null, ...a[feature] }, { role: null, ttl: null, ...b[feature] }];
    return one.enable === other.enable && one.role === other.role && one.ttl === other.ttl;
  };
  return (Object.keys(b) as GroupFeature[]).filter((feature) => !isSame(feature));
}

/** Another profile of the group. `by`: the member who made it so; null: the user. */
export async function groupChanged(
  step: Step,
  group: Group,
  profile: GroupProfile,
  by: string | null,
): Promise<boolean> {
  if (groupProfileText(profile) === groupProfileText(group.profile)) return true;
  const isRenamed = profile.displayName !== group.profile.displayName;
  const name = isRenamed && group.alias === null ? await uniqueName(step, group.user, profile.displayName, group.id) : group.name;
  await updateGroup(step, group.id, { profile, name });
  const { groupPreferences: _, ...visible } = profile;
  const { groupPreferences: __, ...visibleBefore } = group.profile;
  const isVisible = groupProfileText(visible) !== groupProfileText(visibleBefore);
  if (isVisible) await addEvent(step, group.id, "groupUpdated", profile.displayName, by);
  const features = changedFeatures(group.profile, profile);
  if (features.length > 0) await addEvent(step, group.id, "preferencesChanged", features.join(" "), by);
  const link = await step.read(TABLE.groupLinks, group.id);
  if (link && link.shortLink !== null) {
    step.put(TABLE.groupLinks, group.id, { ...link, isStale: true });
    step.effect({ type: "publishGroup", group: group.id });
  }
  return true;
}
