import { ChatError } from "../../errors.ts";
import type { Group, Member } from "../../group-records.ts";
import type { Step } from "../../step.ts";
import { passageKey, TABLE } from "../../tables.ts";
import type { EventParams } from "../../wire/event.ts";
import type { MemberInfo, MemberIntro } from "../../wire/group.ts";
import type { Id } from "../../wire/ids.ts";
import { isAtLeast } from "../../wire/rules/preferences.ts";
import { CHAT_VERSION, INITIAL_VERSIONS } from "../../wire/versions.ts";
import { isInvitation } from "../invitations.ts";
import { addEvent } from "../items.ts";
import { areIntroduced, openPassages, passageOver } from "./forward.ts";
import { MAX_MEMBERS } from "./limits.ts";
import { memberInfoOf, memberProfile } from "./profile.ts";
import { addMember, groupOf, isCurrent, isGone, memberKnownAs, memberOf, membersOf, updateMember } from "./records.ts";
import { sendToGroup, sendToMember } from "./send.ts";

/** What a member did and may not. */
export function refuse(member: Member, what: string): ChatError {
  return new ChatError("PROHIBITED", `${member.name} ${what}`);
}

const isAdmin = ({ role }: Member): boolean => isAtLeast(role, "admin");

/** Those who matter most come first: new members connect in this order. */
function introductionOrder(members: readonly Member[]): Member[] {
  const weight = (member: Member): number => (isAdmin(member) ? 0 : 2) + (member.profile.image === undefined ? 1 : 0);
  return members.toSorted((a, b) => weight(a) - weight(b));
}

/** A member whom the user let in is connected: all others hear of it, and it of them. */
export async function introduceToAll(step: Step, id: string): Promise<void> {
  const newcomer = await memberOf(step, id);
  const others = (await membersOf(step, newcomer.group)).filter((one) => one.id !== id && isCurrent(one));
  await introduce(step, newcomer, others);
}

async function introduce(step: Step, newcomer: Member, others: readonly Member[]): Promise<void> {
  const memberInfo = memberInfoOf(newcomer);
  await sendToGroup(step, newcomer.group, { type: "x.grp.mem.new", params: { memberInfo } }, { to: others, isOwnWord: false });
  for (const other of introductionOrder(others)) {
    // Two who came at the same time: the first one's introduction is enough.
    if (await areIntroduced(step, newcomer, other)) continue;
    openPassages(step, newcomer, other);
    const params = {
      memberInfo: memberInfoOf(other),
      ...(other.isRestricted && { memberRestrictions: { restriction: "blocked" } as const }),
    };
    await sendToMember(step, newcomer, { type: "x.grp.mem.intro", params });
  }
}

/** Whether a member may bring in another one with this role. */
export function checkInviter(inviter: Member, info: Pick<MemberInfo, "memberRole">): void {
  if (isAdmin(inviter) && isAtLeast(inviter.role, info.memberRole)) return;
  throw refuse(inviter, `may not bring in a member with the role ${info.memberRole}`);
}

/** How many more members each group has room for, as far as a step has counted: one body can announce many. */
const rooms = new WeakMap<Step, Map<string, number>>();

/** @throws ChatError when there is no room for one more member; otherwise its place is taken */
export async function checkRoom(step: Step, group: string): Promise<void> {
  // As many have ever been members: nobody need be counted.
  if ((await groupOf(step, group)).nextMember <= MAX_MEMBERS) return;
  const counted = rooms.get(step) ?? new Map<string, number>();
  rooms.set(step, counted);
  const room = counted.get(group) ?? MAX_MEMBERS - (await membersOf(step, group)).filter((one) => !isGone(one)).length;
  counted.set(group, room - 1);
  if (room <= 0) throw new ChatError("PROHIBITED", `no more than ${MAX_MEMBERS} members are kept`);
}

/** `x.grp.mem.intro`: the host tells who was there before. A connection is to be made for each. */
export async function introReceived(
  step: Step,
  host: Member,
  { memberInfo, memberRestrictions }: EventParams["x.grp.mem.intro"],
): Promise<void> {
  const { memberId, memberRole: role, v: versions, profile } = memberInfo;
  if (host.category !== "host") throw refuse(host, "introduced a member, which is for the host to do");
  if (!isAdmin(host)) throw refuse(host, "introduced a member, which is for admins to do");
  const group = await groupOf(step, host.group);
  if (memberId === group.memberId || await memberKnownAs(step, group.id, memberId)) return;
  if (versions === undefined || versions.max < CHAT_VERSION.groupDirectInvitation) {
    throw refuse(host, "introduced a member whose program is too old");
  }
  await checkRoom(step, group.id);
  const member = await addMember(step, group.id, {
    memberId,
    role,
    versions,
    profile: memberProfile(profile),
    category: "pre",
    status: "connecting",
    task: "invite",
    isRestricted: memberRestrictions?.restriction === "blocked",
  });
  step.effect({ type: "make", member: member.id });
}

/** The invitation for a member who was there before is made: the host passes it on. */
export async function invitationMade(step: Step, member: Member, link: string): Promise<void> {
  const { host } = await groupOf(step, member.group);
  if (host === null || member.memberId === null) return;
  const memberIntro: MemberIntro = { groupConnReq: link };
  await sendToMember(step, await memberOf(step, host), {
    type: "x.grp.mem.inv",
    params: { memberId: member.memberId, memberIntro },
  });
}

/** `x.grp.mem.inv`: a newcomer's invitation for another member goes to that one, once. */
export async function introInvitationReceived(
  step: Step,
  newcomer: Member,
  { memberId, memberIntro }: EventParams["x.grp.mem.inv"],
): Promise<void> {
  if (newcomer.category !== "invitee") throw refuse(newcomer, "sent an invitation, which is for those to do who were let in");
  const other = await memberKnownAs(step, newcomer.group, memberId);
  if (!other) throw refuse(newcomer, "sent an invitation for somebody who is not known");
  const key = passageKey(newcomer.id, other.id);
  const passage = await step.read(TABLE.passages, key);
  if (!passage?.isNewcomer) throw refuse(newcomer, "sent an invitation for somebody to whom it was not introduced");
  if (passage.isForwarded) return;
  step.put(TABLE.passages, key, { ...passage, isForwarded: true });
  await sendToMember(step, other, {
    type: "x.grp.mem.fwd",
    params: { memberInfo: memberInfoOf(newcomer), memberIntro },
  });
}

/** `x.grp.mem.fwd`: the invitation of a new member, which is followed. */
export async function forwardedInvitationReceived(
  step: Step,
  inviter: Member,
  { memberInfo, memberIntro }: EventParams["x.grp.mem.fwd"],
): Promise<void> {
  checkInviter(inviter, memberInfo);
  const group = await groupOf(step, inviter.group);
  if (memberInfo.memberId === group.memberId) throw refuse(inviter, "passed on an invitation of the user");
  const known = await memberKnownAs(step, group.id, memberInfo.memberId)
    ?? await announce(step, inviter, memberInfo, "announced");
  const isExpected = known.status === "announced" || known.status === "pending" || known.status === "unknown";
  // What was followed already, or of one who is gone.
  if (known.connection !== null || known.task !== null || !isExpected) return;
  if (!isInvitation(memberIntro.groupConnReq)) {
    // The member is one all the same: what it writes is passed on.
    return step.tell({ type: "error", contact: null, error: refuse(inviter, "passed on a link that is no invitation") });
  }
  await updateMember(step, known.id, {
    status: known.status === "pending" ? "pending" : "connecting",
    category: "post",
    invitedBy: inviter.id,
    link: memberIntro.groupConnReq,
    task: "join",
  });
  step.effect({ type: "make", member: known.id });
}

/** A member that is not known yet. */
async function announce(
  step: Step,
  inviter: Member,
  info: MemberInfo,
  status: "announced" | "pending",
): Promise<Member> {
  await checkRoom(step, inviter.group);
  return addMember(step, inviter.group, {
    memberId: info.memberId,
    role: info.memberRole,
    versions: info.v ?? INITIAL_VERSIONS,
    profile: memberProfile(info.profile),
    category: "post",
    status,
    invitedBy: inviter.id,
  });
}

/** `x.grp.mem.new`: a member let somebody in. @returns whether the others are to know */
export async function memberAnnounced(
  step: Step,
  inviter: Member,
  { memberInfo, scope }: EventParams["x.grp.mem.new"],
): Promise<boolean> {
  checkInviter(inviter, memberInfo);
  const group = await groupOf(step, inviter.group);
  if (memberInfo.memberId === group.memberId) return false;
  const status = scope === undefined ? "announced" : "pending";
  const known = await memberKnownAs(step, group.id, memberInfo.memberId);
  if (known && known.status !== "unknown") return false;
  const { memberRole: role, v: versions = INITIAL_VERSIONS, profile } = memberInfo;
  const member = known
    ? await updateMember(step, known.id, {
      role,
      versions,
      profile: memberProfile(profile),
      category: "post",
      status,
      invitedBy: inviter.id,
    })
    : await announce(step, inviter, memberInfo, status);
  if (status === "announced") await addEvent(step, group.id, "memberJoined", profile.displayName, member.id);
  return true;
}

/** `x.grp.mem.con` */
export async function memberConnectedTo(step: Step, member: Member, memberId: Id): Promise<void> {
  const other = await memberKnownAs(step, member.group, memberId);
  if (other) await passageOver(step, member, other);
}

/** Whether the user is the one to tell when a member is connected; null: nobody is. */
export async function hostOf(step: Step, group: Group, member: Member): Promise<Member | null> {
  const host = member.category === "pre" ? group.host : member.category === "post" ? member.invitedBy : null;
  return host === null ? null : step.read(TABLE.members, host);
}
