import { ChatError } from "../../errors.ts";
import type { Group, Member, MemberStatus } from "../../group-records.ts";
import type { Step } from "../../step.ts";
import { memberIdKey, memberKey, memberNameKey, prefixOf, TABLE } from "../../tables.ts";
import type { Id } from "../../wire/ids.ts";
import { type Role, ROLES } from "../../wire/preferences.ts";
import { CHAT_VERSION, connectionVersion, INITIAL_VERSIONS } from "../../wire/versions.ts";
import { displayName } from "../../wire/rules/display.ts";

/** @throws ChatError "NOT_FOUND" */
export async function groupOf(step: Step, id: string): Promise<Group> {
  const group = await step.read(TABLE.groups, id);
  if (!group) throw new ChatError("NOT_FOUND", `there is no group '${id}'`);
  return group;
}

/** @throws ChatError "NOT_FOUND" */
export async function memberOf(step: Step, id: string): Promise<Member> {
  const member = await step.read(TABLE.members, id);
  if (!member) throw new ChatError("NOT_FOUND", `there is no member '${id}'`);
  return member;
}

/** The user is not among them. */
export function membersOf(step: Step, group: string): Promise<Member[]> {
  return step.listSound(TABLE.members, { prefix: prefixOf(group) });
}

/** The member whom the others know by this id; null when there is none. */
export async function memberKnownAs(step: Step, group: string, memberId: Id): Promise<Member | null> {
  const pointer = await step.read(TABLE.memberIds, memberIdKey(group, memberId));
  return pointer && step.read(TABLE.members, pointer.to);
}

/** Changes a group, tells of it, and answers it as it is now. */
export async function updateGroup(step: Step, id: string, part: Partial<Group>): Promise<Group> {
  const changed = { ...await groupOf(step, id), ...part };
  step.put(TABLE.groups, id, changed);
  step.tell({ type: "group", group: changed });
  return changed;
}

function putMember(step: Step, member: Member, before: Member | null): Member {
  const { id, group, memberId, name } = member;
  step.put(TABLE.members, id, member);
  if (memberId !== null && memberId !== before?.memberId) step.put(TABLE.memberIds, memberIdKey(group, memberId), { to: id });
  if (name !== before?.name) {
    if (before) step.erase(TABLE.memberNames, memberNameKey(group, before.name));
    step.put(TABLE.memberNames, memberNameKey(group, name), { to: id });
  }
  step.tell({ type: "member", member });
  return member;
}

/** Changes a member, tells of it, and answers it as it is now. */
export async function updateMember(step: Step, id: string, part: Partial<Member>): Promise<Member> {
  const before = await memberOf(step, id);
  return putMember(step, { ...before, ...part }, before);
}

/**
 * A name that no other member of the group has: the one that is wanted, or it with a number. Who is gone has to leave
 * its name to others.
 */
export async function uniqueMemberName(
  step: Step,
  group: string,
  wanted: string,
  except: string | null,
): Promise<string> {
  const base = displayName(wanted);
  for (let number = 0; ; number++) {
    const name = number === 0 ? base : `${base}_${number}`;
    const pointer = await step.read(TABLE.memberNames, memberNameKey(group, name));
    if (!pointer || pointer.to === except) return name;
    const holder = await step.read(TABLE.members, pointer.to);
    if (!holder || !isGone(holder) || number > 0) continue;
    putMember(step, { ...holder, name: await nextName(step, group, base) }, holder);
    return name;
  }
}

async function nextName(step: Step, group: string, base: string): Promise<string> {
  for (let number = 1; ; number++) {
    const name = `${base}_${number}`;
    if (!await step.read(TABLE.memberNames, memberNameKey(group, name))) return name;
  }
}

type Given = Pick<Member, "category" | "status" | "role" | "profile"> & Partial<Member>;

/** A new member of a group that is there. */
export async function addMember(step: Step, groupId: string, given: Given): Promise<Member> {
  const group = await groupOf(step, groupId);
  const { versions = INITIAL_VERSIONS } = given;
  step.put(TABLE.groups, groupId, { ...group, nextMember: group.nextMember + 1 });
  return putMember(step, {
    id: memberKey(groupId, group.nextMember),
    group: groupId,
    memberId: null,
    name: await uniqueMemberName(step, groupId, given.profile.displayName, null),
    connection: null,
    isReady: false,
    task: null,
    link: null,
    version: connectionVersion(versions, CHAT_VERSION.initial),
    versions,
    invitedBy: null,
    contactReqId: null,
    contact: null,
    isBlocked: false,
    isRestricted: false,
    hasIntroduced: false,
    isEnding: false,
    createdAt: step.now,
    nextOut: 1,
    ...given,
  }, null);
}

/** Nothing of a member remains but what it wrote. */
export function eraseMember(step: Step, { id, group, memberId, name, connection }: Member): void {
  step.erase(TABLE.members, id);
  step.erase(TABLE.memberNames, memberNameKey(group, name));
  if (memberId !== null) step.erase(TABLE.memberIds, memberIdKey(group, memberId));
  if (connection !== null) step.erase(TABLE.bindings, connection);
  step.tell({ type: "memberGone", group, member: id });
}

export function bindMember(step: Step, member: string, connection: string): void {
  step.put(TABLE.bindings, connection, { kind: "member", id: member, lastItem: 0 });
}

const CURRENT: ReadonlySet<MemberStatus> = new Set<MemberStatus>(["announced", "connecting", "connected"]);

/** Whether it belongs to the group now: gets what is written, and is introduced to others. */
export function isCurrent({ status }: Pick<Member, "status">): boolean {
  return CURRENT.has(status);
}

/** As {@link isCurrent}, or it waits for being let in. */
export function isCurrentOrPending(member: Pick<Member, "status">): boolean {
  return isCurrent(member) || member.status === "pending";
}

/** Whether it has left, or was removed. */
export function isGone({ status }: Pick<Member, "status">): boolean {
  return status === "left" || status === "removed";
}

/** Whether the user may write, and change the group. */
export function isActive({ status }: Pick<Group, "status">): boolean {
  return status === "connected";
}

/** The higher one of two roles. */
export function higherRole(a: Role, b: Role): Role {
  return ROLES.indexOf(a) >= ROLES.indexOf(b) ? a : b;
}
