import type { Group, Member, Moderation } from "../../group-records.ts";
import type { Item, ItemReaction, User } from "../../records.ts";
import type { Step } from "../../step.ts";
import { moderationKey, prefixOf, sharedKey, TABLE } from "../../tables.ts";
import type { MsgContainer, MsgScope } from "../../wire/container.ts";
import type { EventParams } from "../../wire/event.ts";
import type { Id } from "../../wire/ids.ts";
import { MAX_REACTIONS, type Reaction, reaction as reactionCodec } from "../../wire/reaction.ts";
import { obeysDeletion } from "../../wire/rules/limits.ts";
import { receivedMentions } from "../../wire/rules/mentions.ts";
import { safeFileName } from "../../wire/rules/names.ts";
import { isAtLeast, receivedTtl } from "../../wire/rules/preferences.ts";
import { replaceContent } from "../compose.ts";
import { keepEarly } from "../early.ts";
import { abandonFile, expected, fetchFile } from "../files.ts";
import { addEvent, addItem, removeItem, sharedItem } from "../items.ts";
import { changeItem, isMessage } from "../records.ts";
import { holdsProhibitedLink, mayUse, preferencesOf, prohibitedFeature, timedIn } from "./features.ts";
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

/**
 * Whether something is for the moderators and one member alone, whom the scope names. Only moderators write to another one.
 * @throws ChatError when the user is not among them, or the author is not
 */
function isScopedFor({ group, member }: GroupSource, scope: MsgScope | undefined): boolean {
  if (scope === undefined) return false;
  const isForUser = scope.memberId === group.memberId || isAtLeast(group.role, "moderator");
  const isOfAuthor = scope.memberId === member.memberId || isAtLeast(member.role, "moderator");
  if (isForUser && isOfAuthor) return true;
  throw refuse(member, "wrote something that is for the moderators and a member, to or as another one");
}

/** @throws ChatError when the member may not write */
function checkWriter({ member }: GroupSource, isScoped: boolean): void {
  if (isScoped || member.role !== "observer" || member.status === "pending") return;
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
  const isScoped = isScopedFor(source, container.scope);
  checkWriter(source, isScoped);
  if (member.isRestricted) return false;
  // One that is here already: its author did not know whether it was sent.
  if (msgId !== null && await sharedItem(step, group.id, false, msgId, member.id)) return true;
  const { content, file, mentions, ...others } = container;
  const facts = { hasFile: file !== undefined, isOwn: false, isScoped };
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
): Promise<{ readonly by: string | null; readonly at: number; readonly isFull: boolean } | null> {
  if (member.memberId === null) return null;
  const key = moderationKey(group.id, member.memberId, msgId);
  const moderation = await step.read(TABLE.moderations, key);
  if (!moderation) return null;
  const isOwn = moderation.by === group.id;
  const by = isOwn ? group : await step.read(TABLE.members, moderation.by);
  // It may have been a moderator of more rank at that time, or have lost it since.
  const isValid = by !== null && isAtLeast(by.role, "moderator") && isAtLeast(by.role, member.role);
  const isFull = isValid && mayUse(group, "fullDelete", by.role);
  // Of what is removed nothing else tells that it does not come again.
  if (!isFull) step.erase(TABLE.moderations, key);
  return isValid ? { at: moderation.at, by: isOwn ? null : moderation.by, isFull } : null;
}

/**
 * A moderator, or the user as one (`by` is the group then), deleted what is not here, or is not any more. When there are
 * too many, another one is forgotten for it.
 */
export async function noteModeration(
  step: Step,
  group: Group,
  author: Id,
  msgId: Id,
  moderation: Moderation,
): Promise<void> {
  const waiting = await step.keys(TABLE.moderations, { prefix: prefixOf(group.id) });
  const [first] = waiting;
  if (waiting.length >= MAX_MODERATIONS && first !== undefined) step.erase(TABLE.moderations, first);
  step.put(TABLE.moderations, moderationKey(group.id, author, msgId), moderation);
}

/** `x.msg.update`. What is not here (any more) becomes a new item that is marked as edited. */
export async function groupUpdateReceived(
  step: Step,
  source: GroupSource,
  { msgId, content, ttl, live = false, mentions, scope }: EventParams["x.msg.update"],
): Promise<boolean> {
  const { group, member, sentAt } = source;
  const item = await sharedItem(step, group.id, false, msgId, member.id);
  // Whom a message is for stays as it was.
  const isScoped = item ? isMessage(item) && item.body.container.scope !== undefined : isScopedFor(source, scope);
  checkWriter(source, isScoped);
  if (member.isRestricted) return false;
  if (!isScoped && holdsProhibitedLink(group, member.role, content)) return false;
  if (!item) {
    const moderation = await takeModeration(step, source, msgId);
    if (moderation?.isFull) return false;
    if (member.isBlocked) return true;
    const added = await addItem(step, group.id, {
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
    if (moderation) changeItem(step, added, { deletedAt: moderation.at, deletedBy: moderation.by });
    return moderation === null;
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
    await noteModeration(step, group, author, msgId, { by: member.id, at: sentAt });
    return true;
  }
  // A moderator may delete at any time, also what it wrote itself.
  if (memberId === undefined && !obeysDeletion(item.sentAt, sentAt)) return false;
  if (mayUse(group, "fullDelete", member.role)) {
    if (!isOwnWord && !item.isOwn) await noteModeration(step, group, author, msgId, { by: member.id, at: sentAt });
    await removeItem(step, item.id);
  } else if (item.deletedAt === null) {
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
  if (reactions) await keepEarly(step, group.id, key, reactions);
  return reactions !== null;
}
