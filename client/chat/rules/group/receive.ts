import type { Group, Member } from "../../group-records.ts";
import type { Step } from "../../step.ts";
import { TABLE } from "../../tables.ts";
import { type BodyItem, decodeBody } from "../../wire/body.ts";
import { hasDeliveryReceipt } from "../../wire/event-flags.ts";
import { type ReceivedMessage, readForwarded } from "../../wire/message.ts";
import { millisecondsOf } from "../../wire/time.ts";
import { isAtLeast } from "../../wire/rules/preferences.ts";
import { connectionVersion } from "../../wire/versions.ts";
import { chunkReceived, fileAccepted, fileCancelled } from "../files.ts";
import { addEvent, addItem, sharedItem } from "../items.ts";
import type { Received } from "../receive.ts";
import { userOf } from "../records.ts";
import { acceptanceReceived } from "./acceptance.ts";
import {
  groupEnded,
  groupPreferencesReceived,
  groupProfileReceived,
  leavingReceived,
  memberProfileReceived,
  removalReceived,
  restrictionReceived,
  roleReceived,
} from "./changes.ts";
import {
  groupDeletionReceived,
  groupMessageReceived,
  groupReactionReceived,
  type GroupSource,
  groupUpdateReceived,
  isHeard,
} from "./content.ts";
import { directInvitationReceived } from "./direct.ts";
import { passOn } from "./forward.ts";
import { linkHostProfileReceived, sizeOf } from "./handshake.ts";
import {
  forwardedInvitationReceived,
  introInvitationReceived,
  introReceived,
  memberAnnounced,
  memberConnectedTo,
  refuse,
} from "./introduce.ts";
import { MAX_MEMBERS_FOR_RECEIPTS } from "./limits.ts";
import { groupOf, isGone, memberKnownAs, memberOf, updateMember } from "./records.ts";
import { seenBefore } from "./seen.ts";
import { sendToMember } from "./send.ts";
import { unknownMember } from "./unknown.ts";

/** Events that say nothing to who does not compare profiles, or that are over when they come. */
const IGNORED: ReadonlySet<string> = new Set([
  "x.ok",
  "x.info.probe",
  "x.info.probe.check",
  "x.info.probe.ok",
  "x.grp.mem.con.all",
]);

async function unknownReceived(
  step: Step,
  { group, member, sentAt }: GroupSource,
  message: ReceivedMessage,
): Promise<void> {
  if (!isHeard(member)) return;
  const event = message.event.type === "unknown" ? message.event.event : message.event.type;
  await addItem(step, group.id, {
    isOwn: false,
    member: member.id,
    body: { type: "unknown", event: event.slice(0, 100).toWellFormed(), json: JSON.stringify(message.json) },
    status: { type: "unread" },
    sentAt,
  });
}

/** What may be passed on: it says the same whoever brings it. @returns whether it is to be passed on; null: no such event */
async function passable(step: Step, source: GroupSource, message: ReceivedMessage): Promise<boolean | null> {
  const { event, msgId = null } = message;
  switch (event.type) {
    case "x.msg.new":
      return groupMessageReceived(step, source, msgId, event.params);
    case "x.msg.update":
      return groupUpdateReceived(step, source, event.params);
    case "x.msg.del":
      return groupDeletionReceived(step, source, event.params);
    case "x.msg.react":
      return groupReactionReceived(step, source, event.params);
    case "x.info":
      return memberProfileReceived(step, source, event.params.profile);
    case "x.grp.mem.new":
      return memberAnnounced(step, source.member, event.params);
    case "x.grp.mem.role":
      return roleReceived(step, source, event.params);
    case "x.grp.mem.restrict":
      return restrictionReceived(step, source, event.params);
    case "x.grp.mem.del":
      return removalReceived(step, source, event.params, message);
    case "x.grp.leave":
      return leavingReceived(step, source);
    case "x.grp.del":
      return groupEnded(step, source);
    case "x.grp.info":
      return groupProfileReceived(step, source, event.params.groupProfile);
    case "x.grp.prefs":
      return groupPreferencesReceived(step, source, event.params.groupPreferences);
    case "x.file.cancel":
      await fileCancelled(step, await sharedItem(step, source.group.id, false, event.params.msgId, source.member.id));
      return true;
    case "x.msg.file.descr":
      // Files of the file relays are for a later version; who gets them by others shall get all of them.
      return true;
    default:
      return null;
  }
}

async function direct(step: Step, source: GroupSource, message: ReceivedMessage): Promise<void> {
  const { member } = source;
  const { event, msgId = null } = message;
  const isPassedOn = await passable(step, source, message);
  if (isPassedOn !== null) return isPassedOn ? source.passOn() : undefined;
  switch (event.type) {
    case "x.file": {
      const container = { content: { type: "file", text: "" }, file: event.params.file } as const;
      await groupMessageReceived(step, source, msgId, container);
      return;
    }
    case "x.file.acpt.inv": {
      const item = await sharedItem(step, source.group.id, true, event.params.msgId);
      const recipient = { owner: member.id, user: source.group.user };
      return isHeard(member) ? fileAccepted(step, item, recipient, event.params) : undefined;
    }
    case "x.grp.link.mem":
      return linkHostProfileReceived(step, member, event.params.profile);
    case "x.grp.link.acpt":
      return acceptanceReceived(step, member, event.params);
    case "x.grp.mem.intro":
      return introReceived(step, member, event.params);
    case "x.grp.mem.inv":
      return introInvitationReceived(step, member, event.params);
    case "x.grp.mem.fwd":
      return forwardedInvitationReceived(step, member, event.params);
    case "x.grp.mem.con":
      return memberConnectedTo(step, member, event.params.memberId);
    case "x.grp.direct.inv":
      return directInvitationReceived(step, source, msgId, event.params);
    case "x.grp.msg.forward":
      return forwarded(step, source, event.params);
    default:
      if (!IGNORED.has(event.type)) await unknownReceived(step, source, message);
  }
}

/** `x.grp.msg.forward`: an admin brings what another member wrote. */
async function forwarded(
  step: Step,
  source: GroupSource,
  params: Parameters<typeof readForwarded>[0],
): Promise<void> {
  const { group, member: by } = source;
  if (!isAtLeast(by.role, "admin")) throw refuse(by, "passed on a message, which is for admins to do");
  if (params.memberId === group.memberId) throw refuse(by, "passed on a message as one of the user's own");
  const message = readForwarded(params);
  const member = await memberKnownAs(step, group.id, params.memberId)
    ?? await unknownMember(step, group.id, params.memberId, params.memberName);
  const { msgId } = message;
  if (msgId !== undefined) {
    const first = await seenBefore(step, member, msgId, by.id);
    if (first) return first.by === null ? notNeeded(step, by, member) : undefined;
  }
  // Nothing that is stored is older than the clocks of computers.
  const sentAt = Math.max(0, millisecondsOf(params.msgTs));
  const isKnown = await passable(step, { ...source, member, sentAt, by, passOn: () => Promise.resolve() }, message);
  if (isKnown === null) throw refuse(by, `passed on ${message.event.type}, which is not passed on`);
}

/** Something came from its author and from who passes it on: that one need not do so any more. */
async function notNeeded(step: Step, by: Member, author: Member): Promise<void> {
  if (author.memberId === null || !by.isReady) return;
  await sendToMember(step, by, { type: "x.grp.mem.con", params: { memberId: author.memberId } });
}

async function memberMessage(step: Step, member: Member, sentAt: number, message: ReceivedMessage): Promise<void> {
  const { msgId } = message;
  if (msgId !== undefined) {
    const first = await seenBefore(step, member, msgId, null);
    if (first) {
      const by = first.by === null ? null : await step.read(TABLE.members, first.by);
      return by ? notNeeded(step, by, member) : undefined;
    }
  }
  const group = await groupOf(step, member.group);
  await direct(step, {
    user: await userOf(step, group.user),
    group,
    member,
    sentAt,
    by: null,
    passOn: () => passOn(step, group, member, message, sentAt),
  }, message);
}

function isOver({ status }: Group, member: Member): boolean {
  const isLeft = status === "left" || status === "removed" || status === "deleted" || status === "leaving" || status === "failed";
  return isLeft || isGone(member);
}

async function bodyItem(step: Step, memberId: string, sentAt: number, item: BodyItem): Promise<void> {
  const member = await memberOf(step, memberId);
  const group = await groupOf(step, member.group);
  if (isOver(group, member)) return;
  if (item.type === "error") {
    if (isHeard(member)) await addEvent(step, group.id, "unreadable", item.error.message.slice(0, 200).toWellFormed(), member.id);
    return;
  }
  if (item.type === "chunk") {
    if (!isHeard(member)) return;
    return chunkReceived(step, await sharedItem(step, group.id, false, item.chunk.msgId, member.id), item.chunk.part);
  }
  const { versions } = item.message;
  const version = connectionVersion(versions, member.version);
  const isNew = version !== member.version || versions.max !== member.versions.max || versions.min !== member.versions.min;
  const known = isNew ? await updateMember(step, memberId, { version, versions }) : member;
  await memberMessage(step, known, sentAt, item.message);
}

/** All that one message of the agent brings from a member. What may not be is told as an error, and the rest stands. */
export async function memberBodyReceived(
  step: Step,
  memberId: string,
  { body, sentAt, lost }: Received,
): Promise<void> {
  const member = await memberOf(step, memberId);
  if (isOver(await groupOf(step, member.group), member)) return;
  if (lost > 0 && isHeard(member)) await addEvent(step, member.group, "lost", String(lost), memberId);
  for (const item of decodeBody(body, step.compression)) {
    await step.attempt(() => bodyItem(step, memberId, sentAt, item));
  }
}

/** Whether the sender of a body is to get a receipt. */
export async function memberWantsReceipt(step: Step, memberId: string, body: Uint8Array): Promise<boolean> {
  const member = await memberOf(step, memberId);
  const group = await groupOf(step, member.group);
  if (!isHeard(member) || isOver(group, member)) return false;
  if (!(group.receipts ?? (await userOf(step, group.user)).receipts)) return false;
  const items = decodeBody(body, step.compression);
  if (!items.some((item) => item.type === "message" && hasDeliveryReceipt(item.message.event))) return false;
  return await sizeOf(step, group.id) <= MAX_MEMBERS_FOR_RECEIPTS;
}
