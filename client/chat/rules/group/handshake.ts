import { ChatError, translating } from "../../errors.ts";
import type { Group, GroupLink, Member } from "../../group-records.ts";
import type { Step } from "../../step.ts";
import { TABLE } from "../../tables.ts";
import { decodeConnInfo } from "../../wire/body.ts";
import type { ChatEvent, EventParams } from "../../wire/event.ts";
import { newProbe, newSharedId } from "../../wire/ids.ts";
import { type ChatMessage, chatMessage } from "../../wire/message.ts";
import { packConnInfo } from "../../wire/pack.ts";
import type { Profile } from "../../wire/profile.ts";
import { CHAT_VERSION, connectionVersion } from "../../wire/versions.ts";
import { addEvent, addItem } from "../items.ts";
import { uniqueName } from "../names.ts";
import { dropOutbox } from "../outbox.ts";
import { userOf } from "../records.ts";
import { businessProfileReceived } from "./business-profile.ts";
import { sendHistory } from "./history.ts";
import { hostOf, introduceToAll, refuse } from "./introduce.ts";
import { ARRIVING_PERIOD, MAX_ARRIVING, MAX_MEMBERS } from "./limits.ts";
import { memberProfile, ownProfile, profileText } from "./profile.ts";
import {
  addMember,
  bindMember,
  eraseMember,
  groupOf,
  isCurrent,
  isGone,
  memberOf,
  membersOf,
  uniqueMemberName,
  updateGroup,
  updateMember,
} from "./records.ts";
import { sendToMember } from "./send.ts";

/** A message for the handshake with a member: there is no post-quantum encryption in groups. @throws ChatError "LARGE" */
export function memberInfoMessage(step: Step, message: ChatMessage): Uint8Array {
  const carrier = { version: CHAT_VERSION.compressionAndPq, pq: false, group: true };
  return translating(() => packConnInfo(message, carrier, step.compression));
}

const info = (step: Step, event: ChatEvent): Uint8Array => memberInfoMessage(step, chatMessage(event));

/** The user as other members are told of it. */
async function ownInfo(step: Step, group: Group): Promise<ChatEvent> {
  if (group.memberId === null) throw new ChatError("PROHIBITED", `you are not a member of ${group.name} yet`);
  const profile = ownProfile(await userOf(step, group.user), group);
  return { type: "x.grp.mem.info", params: { memberId: group.memberId, profile } };
}

/** What goes with the request or the confirmation when the link of a member is followed. */
export async function joiningInfo(step: Step, member: Member): Promise<Uint8Array> {
  const group = await groupOf(step, member.group);
  if (member.category !== "host") return info(step, await ownInfo(step, group));
  if (group.memberId !== null) return info(step, { type: "x.grp.acpt", params: { memberId: group.memberId } });
  const profile = ownProfile(await userOf(step, group.user), group);
  const { contactReqId } = group;
  return info(step, { type: "x.contact", params: { profile, ...(contactReqId !== null && { contactReqId }) } });
}

/** What the agent is to accept a request with that came through the link of the group. */
export async function acceptingInfo(step: Step, member: Member): Promise<Uint8Array> {
  const group = await groupOf(step, member.group);
  if (group.memberId === null || member.memberId === null) throw new ChatError("PROHIBITED", "the group is not made yet");
  const { displayName } = ownProfile(await userOf(step, group.user), group);
  const groupLinkInvitation = {
    fromMember: { memberId: group.memberId, memberRole: group.role },
    fromMemberName: displayName,
    invitedMember: { memberId: member.memberId, memberRole: member.role },
    groupProfile: group.profile,
    accepted: "accepted" as const,
    groupSize: await sizeOf(step, group.id),
  };
  return info(step, { type: "x.grp.link.inv", params: { groupLinkInvitation } });
}

/** Members who belong to the group now, with the user. */
export async function sizeOf(step: Step, group: string): Promise<number> {
  return (await membersOf(step, group)).filter(isCurrent).length + 1;
}

/** Whether one more can come through the link now: who has not finished for long makes way for others. */
async function makeWay(step: Step, members: readonly Member[]): Promise<boolean> {
  const arriving = members.filter(({ category, status, contact }) => {
    return category === "invitee" && status === "connecting" && contact === null;
  });
  const [first] = arriving;
  if (first === undefined || arriving.length < MAX_ARRIVING) return true;
  if (step.now - first.createdAt < ARRIVING_PERIOD) return false;
  await dropOutbox(step, first.id, "the member did not come in time");
  eraseMember(step, await releaseMember(step, first.id));
  return true;
}

/** Somebody came through the link of the group. */
export async function linkRequestReceived(
  step: Step,
  { group: groupId, role }: GroupLink,
  { request, info: bytes }: { readonly request: string; readonly info: Uint8Array },
): Promise<void> {
  // Accepting gives the connection the id of the request.
  if (await step.read(TABLE.bindings, request)) return;
  const { event, versions } = decodeConnInfo(bytes, step.compression);
  if (event.type !== "x.contact" && event.type !== "x.info") {
    throw new ChatError("UNREADABLE", `somebody asked to join with ${event.type}`);
  }
  const group = await groupOf(step, groupId);
  const reject = (): void => step.effect({ type: "reject", request });
  const members = await membersOf(step, groupId);
  const isFull = members.filter((one) => !isGone(one)).length >= MAX_MEMBERS;
  const contactReqId = event.type === "x.contact" ? (event.params.contactReqId ?? null) : null;
  // It did not know whether it had asked.
  const isRepeated = members.some((one) => one.contactReqId === contactReqId && !isGone(one));
  if (contactReqId !== null && isRepeated) return reject();
  // Who is let in by vote of the moderators is not let in by this program.
  const isReviewed = group.profile.memberAdmission?.review !== undefined;
  if (group.status !== "connected" || versions.max < CHAT_VERSION.groupFastJoin || isFull || isReviewed) return reject();
  if (!await makeWay(step, members)) return reject();
  const member = await addMember(step, groupId, {
    memberId: newSharedId(),
    role,
    versions,
    profile: memberProfile(event.params.profile),
    category: "invitee",
    status: "connecting",
    connection: request,
    task: "accept",
    contactReqId,
  });
  bindMember(step, member.id, request);
  await addEvent(step, groupId, "invited", member.name, member.id);
  step.effect({ type: "make", member: member.id });
}

/** The member behind the link lets the user in. */
async function letIn(
  step: Step,
  host: Member,
  { fromMember, fromMemberName, invitedMember, groupProfile, accepted }: EventParams["x.grp.link.inv"]["groupLinkInvitation"],
): Promise<void> {
  const group = await groupOf(step, host.group);
  if (fromMember.memberId === invitedMember.memberId) throw refuse(host, "gave the user its own id");
  const name = group.alias ?? await uniqueName(step, group.user, groupProfile.displayName, group.id);
  const isPending = (accepted !== undefined && accepted !== "accepted") || groupProfile.memberAdmission?.review === "all";
  await updateGroup(step, group.id, {
    memberId: invitedMember.memberId,
    role: invitedMember.memberRole,
    profile: groupProfile,
    name,
    isPending,
  });
  const profile: Profile = { displayName: fromMemberName, fullName: "" };
  await updateMember(step, host.id, {
    memberId: fromMember.memberId,
    role: fromMember.memberRole,
    profile,
    name: await uniqueMemberName(step, group.id, fromMemberName, host.id),
  });
}

/** A member uses the invitation that was made for it, or answers. @returns what to allow the connection with */
export async function memberConfirmed(step: Step, id: string, bytes: Uint8Array): Promise<Uint8Array | null> {
  const member = await memberOf(step, id);
  const group = await groupOf(step, member.group);
  const { event, versions } = decodeConnInfo(bytes, step.compression);
  const version = connectionVersion(versions, member.version);
  await updateMember(step, id, { versions, version });
  if (member.category === "invitee") {
    if (event.type !== "x.grp.acpt" || event.params.memberId !== member.memberId) {
      throw refuse(member, `accepted the invitation with ${event.type} of somebody else`);
    }
    if (member.status === "invited") await updateMember(step, id, { status: "connecting" });
    return info(step, { type: "x.ok", params: {} });
  }
  if (member.category === "host") {
    if (event.type === "x.grp.link.inv") {
      if (group.memberId === null) await letIn(step, member, event.params.groupLinkInvitation);
      const profile = ownProfile(await userOf(step, group.user), group);
      await updateGroup(step, group.id, { shown: profileText(profile) });
      return info(step, { type: "x.info", params: { profile } });
    }
    if (event.type === "x.grp.link.reject") {
      const { rejectionReason } = event.params.groupLinkRejection;
      await joiningFailed(step, group, `the group does not let you in: ${rejectionReason}`);
      return null;
    }
    throw refuse(member, `answered with ${event.type}`);
  }
  checkMemberInfo(member, event);
  return info(step, await ownInfo(step, group));
}

function checkMemberInfo(member: Member, event: ChatEvent): void {
  if (event.type === "x.grp.mem.info" && event.params.memberId === member.memberId) return;
  throw refuse(member, `introduced itself with ${event.type} of somebody else`);
}

/** What the other side of a connection that was followed says of itself. */
export async function memberInfoReceived(step: Step, id: string, bytes: Uint8Array): Promise<void> {
  const member = await memberOf(step, id);
  const { event, versions } = decodeConnInfo(bytes, step.compression);
  if (event.type === "x.grp.mem.info") checkMemberInfo(member, event);
  else if (event.type !== "x.info" && event.type !== "x.ok") throw refuse(member, `introduced itself with ${event.type}`);
  await updateMember(step, id, { versions, version: connectionVersion(versions, member.version) });
}

/** The connection to a member is made. */
export async function memberConnected(step: Step, id: string): Promise<void> {
  const member = await memberOf(step, id);
  if (member.status === "connected" || member.isEnding) return;
  const group = await groupOf(step, member.group);
  if (isGone(member) || group.status === "failed") return;
  if (member.status === "pending") await updateMember(step, id, { isReady: true, task: null });
  else {
    // The link of the host tells an invitation that comes again.
    const link = member.category === "host" ? member.link : null;
    await updateMember(step, id, { status: "connected", isReady: true, task: null, link });
  }
  step.effect({ type: "send", contact: id });
  if (member.category === "host") return hostConnected(step, group, member);
  if (member.category === "invitee") return inviteeConnected(step, group, member);
  if (member.category === "pre") await sendDecoy(step, id);
  const host = await hostOf(step, group, member);
  if (host && member.memberId !== null) {
    await sendToMember(step, host, { type: "x.grp.mem.con", params: { memberId: member.memberId } });
  }
}

/** Official clients look whether a member is a contact. Nothing is compared here, but who does not ask would stand out. */
async function sendDecoy(step: Step, id: string): Promise<void> {
  await sendToMember(step, await memberOf(step, id), { type: "x.info.probe", params: { probe: newProbe() } });
}

async function hostConnected(step: Step, group: Group, host: Member): Promise<void> {
  if (group.status !== "joining" || group.isPending) return;
  await joined(step, group.id, host.id);
}

/** The user belongs to the group now. */
export async function joined(step: Step, groupId: string, host: string): Promise<void> {
  const group = await updateGroup(step, groupId, { status: "connected", isPending: false });
  await addEvent(step, groupId, "connected", group.profile.displayName);
  const { description, groupPreferences } = group.profile;
  // Who lets in shows it with what was said before.
  if (description === undefined || groupPreferences?.history?.enable === "on") return;
  await addItem(step, groupId, {
    isOwn: false,
    member: host,
    body: { type: "message", container: { content: { type: "text", text: description } } },
    status: { type: "read" },
  });
}

async function inviteeConnected(step: Step, group: Group, member: Member): Promise<void> {
  await addEvent(step, group.id, "memberJoined", member.name, member.id);
  if (member.contact === null) {
    const profile = ownProfile(await userOf(step, group.user), group);
    await sendToMember(step, member, { type: "x.grp.link.mem", params: { profile } });
  }
  await introduceToAll(step, member.id);
  if (group.profile.groupPreferences?.history?.enable === "on") await sendHistory(step, group, member);
}

/** The user will not become a member. */
export async function joiningFailed(step: Step, group: Group, detail: string): Promise<void> {
  await updateGroup(step, group.id, { status: "failed", failure: detail.toWellFormed() });
  await addEvent(step, group.id, "failed", detail);
}

/** The connection to a member will never be, or is lost. Others pass on what it writes. */
export async function memberFailed(step: Step, id: string, detail: string): Promise<void> {
  const member = await memberOf(step, id);
  const group = await groupOf(step, member.group);
  await dropOutbox(step, id, detail.toWellFormed());
  await releaseMember(step, id);
  if (member.isEnding) return;
  if (member.category === "host" && group.status === "joining") return joiningFailed(step, group, detail);
  if (member.category === "invitee" && member.status !== "connected") await updateMember(step, id, { status: "removed" });
  else if (isCurrent(member)) await updateMember(step, id, { status: "announced" });
}

/** A member without its connection. */
export async function releaseMember(step: Step, id: string): Promise<Member> {
  const { connection } = await memberOf(step, id);
  const released = await updateMember(step, id, { connection: null, task: null, isReady: false });
  if (connection !== null) {
    step.erase(TABLE.bindings, connection);
    step.effect({ type: "drop", connection });
  }
  return released;
}

/** `x.grp.link.mem`: the member behind the link tells its profile, once. */
export async function linkHostProfileReceived(step: Step, host: Member, profile: Profile): Promise<void> {
  if (host.category !== "host" || host.contact !== null || host.hasIntroduced) {
    throw refuse(host, "told its profile as the member behind the link, and is not that or has told it");
  }
  await updateMember(step, host.id, {
    hasIntroduced: true,
    profile: memberProfile(profile),
    name: await uniqueMemberName(step, host.group, profile.displayName, host.id),
  });
  await businessProfileReceived(step, await groupOf(step, host.group), host, profile);
  await sendDecoy(step, host.id);
}
