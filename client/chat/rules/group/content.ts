import type { Group, Member } from "../../group-records.ts";
import type { Item, ItemReaction, User } from "../../records.ts";
import type { Step } from "../../step.ts";
import { moderationKey, prefixOf, sharedKey, TABLE } from "../../tables.ts";
import type { MsgContainer } from "../../wire/container.ts";
import type { EventParams } from "../../wire/event.ts";
import type { Id } from "../../wire/ids.ts";
import { MAX_REACTIONS, type Reaction, reaction as reactionCodec } from "../../wire/reaction.ts";
import { obeysDeletion } from "../../wire/rules/limits.ts";
import { receivedMentions } from "../../wire/rules/mentions.ts";
import { safeFileName } from "../../wire/rules/names.ts";
import { isAtLeast, receivedTtl } from "../../wire/rules/preferences.ts";
import { replaceContent } from "../compose.ts";
import { abandonFile, expected, fetchFile } from "../files.ts";
import { addEvent, addItem, removeItem, sharedItem } from "../items.ts";
import { changeItem, isMessage } from "../records.ts";
import { mayUse, preferencesOf, prohibitedFeature, timedIn } from "./features.ts";
import { refuse } from "./introduce.ts";
import { MAX_MODERATIONS } from "./limits.ts";
import { isCurrent, memberKnownAs } from "./records.ts";

/** Where something in a group came from. */
export interface GroupSource {
  readonly user: User;
  readonly group: Group;
  /** Who wrote it. */
  readonly member: Member;
  /** When the relay got it: milliseconds since 1970. */
  readonly sentAt: number;
  /** Who passed it on; null: it came from its author. */
  readonly by: Member | null;
  /** Passes it on to those who are not connected to its author yet. */
  readonly passOn: () => Promise<void>;
}

/** Whether anything of a member is shown. */
export function isHeard({ isBlocked, isRestricted }: Member): boolean {
  return !isBlocked && !isRestricted;
}

/** @throws ChatError when the member may not write */
function checkWriter({ member }: GroupSource, scope: unknown): void {
  if (scope !== undefined || member.role !== "observer" || member.status === "pending") return;
  throw refuse(member, "wrote something, and is an observer");
}

/** `x.msg.new` @returns whether others are to get it */
export async function groupMessageReceived(
  step: Step,
  source: GroupSource,
  msgId: Id | null,
  container: MsgContainer,
): Promise<boolean> {
  const { group, member, sentAt, by } = source;
  checkWriter(source, container.scope);
  if (member.isRestricted) return false;
  // One that is here already: its author did not know whether it was sent.
  if (msgId !== null && await sharedItem(step, group.id, false, msgId, member.id)) return true;
  const { content, file, mentions, ...others } = container;
  const facts = { hasFile: file !== undefined, isOwn: false, isScoped: container.scope !== undefined };
  const refused = prohibitedFeature(group, member.role, content, facts);
  if (refused !== null) {
    if (isHeard(member)) await addEvent(step, group.id, "refused", refused, member.id);
    return false;
  }
  const moderation = msgId === null ? null : await takeModeration(step, source, msgId);
  if (moderation?.isFull) return false;
  // What a blocked member writes is still passed on: others have not blocked it.
  if (member.isBlocked) return true;
  const { isOn } = timedIn(group);
  const kept: MsgContainer = {
    ...others,
    content,
    ...(mentions && { mentions: receivedMentions(mentions) }),
    ...(file && { file: { ...file, fileName: safeFileName(file.fileName) } }),
  };
  const item = await addItem(step, group.id, {
    isOwn: false,
    member: member.id,
    body: { type: "message", container: kept },
    status: { type: "unread" },
    msgId,
    sentAt,
    // Of what was said before one came the settings of then count, which nobody tells.
    ttl: receivedTtl(isOn || by !== null, container.ttl),
    // Parts of files are not passed on.
    // Who is on the way gives the file once it is connected.
    file: expected(file, msgId !== null && (by === null || isCurrent(member))),
  });
  if (file && !moderation) await fetchFile(step, item, member.id, group.user, file.fileName);
  if (moderation) changeItem(step, item, { deletedAt: moderation.at, deletedBy: moderation.by });
  return moderation === null;
}

/** A moderator's deletion that came before the message. */
async function takeModeration(
  step: Step,
  { group, member }: GroupSource,
  msgId: Id,
): Promise<{ readonly by: string; readonly at: number; readonly isFull: boolean } | null> {
  if (member.memberId === null) return null;
  const key = moderationKey(group.id, member.memberId, msgId);
  const moderation = await step.read(TABLE.moderations, key);
  if (!moderation) return null;
  step.erase(TABLE.moderations, key);
  const by = await step.read(TABLE.members, moderation.by);
  // It may have been a moderator of more rank at that time, or have lost it since.
  if (!by || !isAtLeast(by.role, "moderator") || !isAtLeast(by.role, member.role)) return null;
  return { ...moderation, isFull: mayUse(group, "fullDelete", by.role) };
}

/** `x.msg.update`. What is not here (any more) becomes a new item that is marked as edited. */
export async function groupUpdateReceived(
  step: Step,
  source: GroupSource,
  { msgId, content, ttl, live = false, mentions, scope }: EventParams["x.msg.update"],
): Promise<boolean> {
  const { group, member, sentAt } = source;
  checkWriter(source, scope);
  if (member.isRestricted) return false;
  const facts = { hasFile: false, isOwn: false, isScoped: scope !== undefined };
  if (prohibitedFeature(group, member.role, content, facts) === "simplexLinks") return false;
  const item = await sharedItem(step, group.id, false, msgId, member.id);
  if (!item) {
    if (member.isBlocked) return true;
    await addItem(step, group.id, {
      isOwn: false,
      member: member.id,
      body: {
        type: "message",
        container: {
          content,
          ...(live && { live }),
          ...(scope && { scope }),
          ...(mentions && { mentions: receivedMentions(mentions) }),
        },
      },
      status: { type: "unread" },
      msgId,
      sentAt,
      ttl: receivedTtl(timedIn(group).isOn, ttl),
      isEdited: true,
    });
    return true;
  }
  if (!isMessage(item) || item.deletedAt !== null) return false;
  if (member.isBlocked) return true;
  const { container } = item.body;
  const isSame = JSON.stringify(container.content) === JSON.stringify(content);
  if (isSame && !live && !container.live) return false;
  const { mentions: _, ...others } = container;
  const now = mentions ? { ...others, mentions: receivedMentions(mentions) } : others;
  replaceContent(step, { ...item, body: { type: "message", container: now } }, content, live);
  return true;
}

/** The message that a member names by its author; null when it is not here. */
async function itemOfAuthor(step: Step, group: Group, memberId: Id, msgId: Id): Promise<Item | null> {
  if (memberId === group.memberId) return sharedItem(step, group.id, true, msgId);
  const author = await memberKnownAs(step, group.id, memberId);
  return author && sharedItem(step, group.id, false, msgId, author.id);
}

/** `x.msg.del`, by the author or by a moderator. */
export async function groupDeletionReceived(
  step: Step,
  { group, member, sentAt }: GroupSource,
  { msgId, memberId }: EventParams["x.msg.del"],
): Promise<boolean> {
  if (member.memberId === null) return false;
  const author = memberId ?? member.memberId;
  const item = await itemOfAuthor(step, group, author, msgId);
  const isOwnWord = author === member.memberId;
  if (!isOwnWord) await checkModerator(step, group, member, author);
  if (!item) {
    if (isOwnWord) return false;
    const key = moderationKey(group.id, author, msgId);
    const waiting = await step.keys(TABLE.moderations, { prefix: prefixOf(group.id) });
    if (waiting.length < MAX_MODERATIONS) step.put(TABLE.moderations, key, { by: member.id, at: sentAt });
    return true;
  }
  // A moderator may delete at any time, also what it wrote itself.
  if (memberId === undefined && !obeysDeletion(item.sentAt, sentAt)) return false;
  if (mayUse(group, "fullDelete", member.role)) await removeItem(step, item.id);
  else if (item.deletedAt === null) {
    changeItem(step, await abandonFile(step, item), { deletedAt: step.now, deletedBy: isOwnWord ? null : member.id });
  }
  return true;
}

/** @throws ChatError when a member may not delete what another one wrote */
async function checkModerator(step: Step, group: Group, member: Member, author: Id): Promise<void> {
  const target = author === group.memberId ? group : await memberKnownAs(step, group.id, author);
  const isAllowed = isAtLeast(member.role, "moderator") && (!target || isAtLeast(member.role, target.role));
  if (!isAllowed) throw refuse(member, "deleted a message of another member, and may not");
}

const sameReaction = (a: Reaction, b: Reaction): boolean =>
  JSON.stringify(reactionCodec.write(a)) === JSON.stringify(reactionCodec.write(b));

/** The reactions after a member changed one of its own; null when nothing follows from it. */
function changedReactions(
  reactions: readonly ItemReaction[],
  member: string,
  reaction: Reaction,
  add: boolean,
): ItemReaction[] | null {
  const theirs = reactions.filter((one) => one.member === member);
  const has = theirs.some((one) => sameReaction(one.reaction, reaction));
  if (has === add || (add && theirs.length >= MAX_REACTIONS)) return null;
  if (add) return [...reactions, { isOwn: false, member, reaction }];
  return reactions.filter((one) => one.member !== member || !sameReaction(one.reaction, reaction));
}

/** `x.msg.react`. One to a message that is not here waits for it. */
export async function groupReactionReceived(
  step: Step,
  { group, member }: GroupSource,
  { msgId, memberId, reaction, add }: EventParams["x.msg.react"],
): Promise<boolean> {
  if (memberId === undefined || preferencesOf(group).reactions.enable === "off") return false;
  if (!isHeard(member)) return member.isBlocked && !member.isRestricted;
  const item = await itemOfAuthor(step, group, memberId, msgId);
  if (item) {
    if (!isMessage(item) || item.deletedAt !== null) return false;
    const reactions = changedReactions(item.reactions, member.id, reaction, add);
    if (reactions) changeItem(step, item, { reactions });
    return reactions !== null;
  }
  const author = await memberKnownAs(step, group.id, memberId);
  if (!author) return true;
  const key = sharedKey(group.id, false, msgId, author.id);
  const early = await step.read(TABLE.earlyReactions, key);
  const reactions = changedReactions(early?.reactions ?? [], member.id, reaction, add);
  if (reactions) step.put(TABLE.earlyReactions, key, { reactions });
  return reactions !== null;
}
