import type { Group, Member } from "../../group-records.ts";
import type { User } from "../../records.ts";
import type { Step } from "../../step.ts";
import type { ChatEvent } from "../../wire/event.ts";
import { isForwardable } from "../../wire/event-flags.ts";
import { type Id, newSharedId } from "../../wire/ids.ts";
import { chatMessage } from "../../wire/message.ts";
import { CHAT_VERSION } from "../../wire/versions.ts";
import { type Concern, enqueue } from "../outbox.ts";
import { userOf } from "../records.ts";
import { ownProfile, profileText } from "./profile.ts";
import { groupOf, isCurrent, membersOf, updateGroup } from "./records.ts";

/**
 * How something reaches a member: over its connection (now, or once it is made), passed on by the member who let it
 * in, or not at all.
 */
type Way = "connection" | "forwarded" | "none";

const speaks = (member: Member, version: number): boolean => member.versions.max >= version;

function wayTo(group: Group, member: Member, members: readonly Member[], event: ChatEvent): Way {
  const { status, category, isEnding, isReady, invitedBy, connection, task } = member;
  if (isEnding || status === "left" || status === "removed" || status === "unknown") return "none";
  if (isReady) return "connection";
  if (category === "invitee" || category === "host") return "connection";
  const inviter = category === "pre" ? group.host : invitedBy;
  const host = members.find((one) => one.id === inviter && isCurrent(one));
  // Nobody is there any more who could bring them together.
  if (connection === null && task === null && !host) return "none";
  const isForwarding = host !== undefined && speaks(host, CHAT_VERSION.groupForward);
  if (isForwarding && speaks(member, CHAT_VERSION.groupForward) && isForwardable(event)) return "forwarded";
  return event.type === "x.grp.msg.forward" ? "none" : "connection";
}

export interface Sending extends Concern {
  /** By which it is known; a new one unless given. */
  readonly msgId?: Id;
  /** All who belong to the group, unless given. */
  readonly to?: readonly Member[];
  /** False: what changed of the user's profile need not go before it. */
  readonly isOwnWord?: boolean;
}

/** Puts something on its way to members. @returns those who get it over their own connection */
async function spread(
  step: Step,
  group: Group,
  event: ChatEvent,
  { msgId, to, ...concern }: Sending,
): Promise<Member[]> {
  const members = await membersOf(step, group.id);
  const message = chatMessage(event, msgId ?? newSharedId());
  const reached: Member[] = [];
  for (const member of to ?? members.filter(isCurrent)) {
    if (wayTo(group, member, members, event) !== "connection") continue;
    await enqueue(step, member.id, message, concern);
    reached.push(member);
  }
  return reached;
}

/** Members are told of a profile that changed before the user says something else. */
async function tellProfile(step: Step, user: User, group: Group): Promise<void> {
  const profile = ownProfile(user, group);
  const shown = profileText(profile);
  if (shown === group.shown) return;
  await updateGroup(step, group.id, { shown });
  // Who joined before this was kept has seen it.
  if (group.shown === null) return;
  const members = (await membersOf(step, group.id)).filter(isCurrent);
  const to = members.filter((member) => speaks(member, CHAT_VERSION.memberProfileUpdate));
  await spread(step, group, { type: "x.info", params: { profile } }, { to });
}

/**
 * Sends an event to a group.
 * @returns the members who get it over their own connection; the others have it passed on
 * @throws ChatError "LARGE"
 */
export async function sendToGroup(
  step: Step,
  groupId: string,
  event: ChatEvent,
  options: Sending = {},
): Promise<Member[]> {
  const group = await groupOf(step, groupId);
  if (options.isOwnWord !== false) await tellProfile(step, await userOf(step, group.user), group);
  const { isOwnWord: _, ...sending } = options;
  return spread(step, group, event, sending);
}

/** Sends an event to one member, over its connection once that is made. */
export async function sendToMember(step: Step, member: Member, event: ChatEvent): Promise<void> {
  await enqueue(step, member.id, chatMessage(event, newSharedId()));
}
