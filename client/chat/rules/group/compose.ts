import { ChatError } from "../../errors.ts";
import type { Group, Member } from "../../group-records.ts";
import type { Item, MessageItem } from "../../records.ts";
import type { Step } from "../../step.ts";
import { prefixOf, TABLE } from "../../tables.ts";
import type { Mention, MsgContainer, MsgScope, Quote } from "../../wire/container.ts";
import type { MsgContent } from "../../wire/content.ts";
import { type Id, newSharedId } from "../../wire/ids.ts";
import { type EmojiReaction, knownEmoji, MAX_REACTIONS } from "../../wire/reaction.ts";
import { quotedContent } from "../../wire/rules/content.ts";
import { canDelete, canEdit } from "../../wire/rules/limits.ts";
import { MAX_SENT_MENTIONS, mentionsProblem } from "../../wire/rules/mentions.ts";
import { isAtLeast, MAX_TTL } from "../../wire/rules/preferences.ts";
import { utcTimeOf } from "../../wire/time.ts";
import { checkContent, editable, replaceContent, type SendOptions } from "../compose.ts";
import { abandonFile, announcement, attach, type Attachment, ownFile } from "../files.ts";
import { addItem, removeItem } from "../items.ts";
import { withdraw } from "../outbox.ts";
import { changeItem, isMessage, itemOf } from "../records.ts";
import { noteModeration } from "./content.ts";
import { beginDeliveries } from "./deliveries.ts";
import { mayUse, preferencesOf, prohibitedFeature, timedIn } from "./features.ts";
import { checkRole } from "./invite.ts";
import { groupOf, isCurrent, isCurrentOrPending, memberOf, membersOf } from "./records.ts";
import { sendToGroup } from "./send.ts";

const FEATURE_NAMES: Readonly<Record<string, string>> = {
  voice: "voice messages",
  files: "files and media",
  reports: "reports",
  simplexLinks: "SimpleX links",
};

function checkFeatures(group: Group, content: MsgContent, hasFile: boolean, scope: MsgScope | undefined): void {
  const isScoped = scope !== undefined && content.type !== "report";
  const refused = prohibitedFeature(group, group.role, content, { hasFile, isOwn: true, isScoped });
  if (refused !== null) {
    throw new ChatError("FEATURE", `${FEATURE_NAMES[refused] ?? refused} are not allowed to you in ${group.name}`);
  }
}

const scopeOf = (item: Item): MsgScope | undefined => (isMessage(item) ? item.body.container.scope : undefined);

/** Reports go to the moderators alone, and so does what answers something that did. */
async function scopeFor(
  step: Step,
  group: Group,
  content: MsgContent,
  quote: string | undefined,
): Promise<MsgScope | undefined> {
  if (content.type === "report" && group.memberId !== null) return { type: "member", memberId: group.memberId };
  return quote === undefined ? undefined : scopeOf(await itemOf(step, quote));
}

/** Who is to get something, if not all: the moderators and the member whom it is about. */
async function audience(
  step: Step,
  group: Group,
  scope: MsgScope | undefined,
): Promise<{ readonly to?: readonly Member[] }> {
  if (!scope) return {};
  const members = (await membersOf(step, group.id)).filter(isCurrentOrPending);
  const to = members.filter((one) => one.memberId === scope.memberId || (isAtLeast(one.role, "moderator") && isCurrent(one)));
  if (to.length === 0) throw new ChatError("PROHIBITED", `${group.name} has no moderators to write to`);
  return { to };
}

/** The id by which the author of an item is known; null when nobody has told it. */
async function authorOf(step: Step, group: Group, { isOwn, member }: Item): Promise<Id | null> {
  if (isOwn) return group.memberId;
  return member === null ? null : (await memberOf(step, member)).memberId;
}

async function quoteOf(step: Step, group: Group, id: string, content: MsgContent): Promise<Quote> {
  const quoted = await itemOf(step, id);
  const memberId = await authorOf(step, group, quoted);
  if (quoted.chat !== group.id || !isMessage(quoted) || quoted.deletedAt !== null || memberId === null) {
    throw new ChatError("PROHIBITED", "only a message of the same conversation that is still there can be quoted");
  }
  const { container } = quoted.body;
  const msgRef = { sentAt: utcTimeOf(quoted.sentAt), sent: quoted.isOwn, memberId };
  return {
    msgRef: quoted.msgId === null ? msgRef : { ...msgRef, msgId: quoted.msgId },
    content: quotedContent(container.content, container.file?.fileName ?? null, content),
  };
}

/** Members as the text names them. @throws ChatError "CONTENT" */
async function mentionsOf(step: Step, group: Group, text: string, ids: readonly string[]): Promise<Mention[]> {
  if (ids.length > MAX_SENT_MENTIONS) {
    throw new ChatError("CONTENT", `a message can mention ${MAX_SENT_MENTIONS} members at most`);
  }
  const mentions: Mention[] = [];
  for (const id of ids) {
    const { memberId, name, group: of } = await memberOf(step, id);
    if (of !== group.id || memberId === null) throw new ChatError("CONTENT", `${name} is not a member of ${group.name}`);
    mentions.push({ name, memberId });
  }
  const problem = mentionsProblem(text, mentions);
  if (problem !== null) throw new ChatError("CONTENT", problem);
  return mentions;
}

function ttlOf(group: Group, wanted: number | undefined): number | null {
  const { isOn, ttl } = timedIn(group);
  if (wanted !== undefined && wanted > 0 && !isOn) {
    throw new ChatError("FEATURE", `messages do not disappear in ${group.name}`);
  }
  const seconds = wanted ?? ttl;
  return seconds !== null && seconds > 0 ? Math.min(seconds, MAX_TTL) : null;
}

/** Writes a message to a group and puts it on its way. @throws ChatError */
export async function composeInGroup(
  step: Step,
  groupId: string,
  content: MsgContent,
  options: SendOptions = {},
  attachment: Attachment | null = null,
): Promise<Item> {
  const group = await groupOf(step, groupId);
  const file = announcement(attachment);
  checkRole(group, "author");
  checkContent(content, file !== null);
  const scope = await scopeFor(step, group, content, options.quote);
  checkFeatures(group, content, file !== null, scope);
  const ttl = ttlOf(group, options.ttl);
  const mentions = await mentionsOf(step, group, content.text, options.mentions ?? []);
  const container: MsgContainer = {
    content,
    ...(file && { file }),
    ...(ttl !== null && { ttl }),
    ...(options.isLive && { live: true }),
    ...(mentions.length > 0 && { mentions }),
    ...(scope && { scope }),
    ...(options.quote !== undefined && { quote: await quoteOf(step, group, options.quote, content) }),
    ...(options.isForwarded && options.quote === undefined && { forward: true as const }),
  };
  const msgId = newSharedId();
  const body = { type: "message", container } as const;
  const item = await addItem(step, groupId, { isOwn: true, body, status: { type: "new" }, msgId, ttl, file: ownFile(attachment, false) });
  const whom = await audience(step, group, scope);
  const reached = await sendToGroup(step, groupId, { type: "x.msg.new", params: container }, { msgId, item: item.id, ...whom });
  beginDeliveries(step, item.id, reached);
  attach(step, item.id, attachment);
  // There is nobody else, or all of them get it from who let them in.
  return reached.length > 0 ? item : changeItem(step, item, { status: { type: "sent", isProxied: false } });
}

/** Changes an own message, within 24 hours. @throws ChatError */
export async function editInGroup(
  step: Step,
  item: Item,
  content: MsgContent,
  { isLive = false, mentions }: { readonly isLive?: boolean; readonly mentions?: readonly string[] } = {},
): Promise<Item> {
  const message = editable(item);
  const group = await groupOf(step, item.chat);
  checkRole(group, "author");
  if (!canEdit(item.sentAt, step.now)) throw new ChatError("PROHIBITED", "a message can be edited for 24 hours only");
  const { container } = message.body;
  checkContent(content, container.file !== undefined);
  const { scope } = container;
  checkFeatures(group, content, container.file !== undefined, scope);
  if (container.content.type !== content.type && container.file) {
    throw new ChatError("CONTENT", "a message with a file cannot become one of another kind");
  }
  const mentioned = mentions === undefined
    ? stillMentioned(content.text, container.mentions ?? [])
    : await mentionsOf(step, group, content.text, mentions);
  const { mentions: _, ...others } = container;
  const kept = mentioned.length > 0 ? { ...others, mentions: mentioned } : others;
  const changed = replaceContent(step, { ...message, body: { type: "message", container: kept } }, content, isLive);
  if (item.msgId !== null) {
    const params = {
      msgId: item.msgId,
      content,
      ...(mentioned.length > 0 && { mentions: mentioned }),
      ...(item.ttl !== null && { ttl: item.ttl }),
      ...(isLive && { live: true }),
      ...(scope && { scope }),
    };
    await sendToGroup(step, group.id, { type: "x.msg.update", params }, { subject: item.id, ...await audience(step, group, scope) });
  }
  return changed;
}

/** Of the members that a message mentioned those whom it still names. */
function stillMentioned(text: string, mentions: readonly Mention[]): Mention[] {
  return mentions.filter((one) => mentionsProblem(text, [one]) === null);
}

/**
 * Deletes a message for all: an own one within 24 hours, as a moderator any of a member of no higher role. It stays
 * marked where the group does not have it removed.
 */
export async function deleteInGroup(step: Step, item: Item): Promise<void> {
  const group = await groupOf(step, item.chat);
  const memberId = await authorOf(step, group, item);
  if (!isMessage(item) || item.msgId === null || memberId === null) {
    throw new ChatError("PROHIBITED", "only a message can be deleted for all; delete it for yourself");
  }
  if (item.deletedAt !== null) throw new ChatError("PROHIBITED", "the message was deleted already");
  if (item.isOwn && await isUnsent(step, item)) {
    await removeItem(step, item.id);
    return;
  }
  const isModeration = !item.isOwn || !canDelete(item.sentAt, step.now);
  if (isModeration) await checkModeration(step, group, item);
  else checkRole(group, "observer");
  await withdraw(step, prefixOf(item.id));
  const scope = scopeOf(item);
  const params = { msgId: item.msgId, ...(isModeration && { memberId }), ...(scope && { scope }) };
  const whom = await audience(step, group, scope);
  await sendToGroup(step, group.id, { type: "x.msg.del", params }, { isOwnWord: !isModeration, ...whom });
  if (mayUse(group, "fullDelete", group.role)) {
    if (!item.isOwn) await noteModeration(step, group, memberId, item.msgId, { by: group.id, at: step.now });
    await removeItem(step, item.id);
  } else changeItem(step, await abandonFile(step, item), { deletedAt: step.now });
}

/** Nobody has an own message yet, and nobody passes it on: it need only not be sent. */
async function isUnsent(step: Step, item: Item): Promise<boolean> {
  if (item.status.type !== "new") return false;
  for (const key of await step.keys(TABLE.waiting, { prefix: prefixOf(item.id) })) {
    const pointer = await step.readSound(TABLE.waiting, key);
    const outgoing = pointer && await step.readSound(TABLE.outbox, pointer.to);
    // It may have been sent when an earlier program ended.
    if (outgoing?.isDoubtful) return false;
  }
  const deliveries = await step.readSound(TABLE.deliveries, item.id);
  return deliveries !== null && Object.values(deliveries.members).every(({ type }) => type === "new");
}

/** @throws ChatError unless the user may delete what somebody wrote */
async function checkModeration(step: Step, group: Group, item: MessageItem): Promise<void> {
  checkRole(group, "moderator");
  const author = item.member === null ? null : await memberOf(step, item.member);
  if (author && !isAtLeast(group.role, author.role)) {
    throw new ChatError("PROHIBITED", `${author.name} is ${author.role}; what it wrote can be deleted by its equals only`);
  }
}

/** Reacts with one of the known emoji, or takes that back. @throws ChatError */
export async function reactInGroup(step: Step, item: Item, text: string, add: boolean): Promise<Item> {
  const emoji = knownEmoji(text);
  if (emoji === null) throw new ChatError("CONTENT", `${text.slice(0, 20)} is not among the emoji to react with`);
  const group = await groupOf(step, item.chat);
  checkRole(group, "observer");
  const memberId = await authorOf(step, group, item);
  if (!isMessage(item) || item.msgId === null || item.deletedAt !== null || memberId === null) {
    throw new ChatError("PROHIBITED", "only to a message that is there one can react");
  }
  if (preferencesOf(group).reactions.enable === "off") {
    throw new ChatError("FEATURE", `reactions are not allowed in ${group.name}`);
  }
  const reaction: EmojiReaction = { type: "emoji", emoji };
  const isSame = (one: Item["reactions"][number]): boolean =>
    one.isOwn && one.reaction.type === "emoji" && one.reaction.emoji === emoji;
  if (item.reactions.some(isSame) === add) return item;
  if (add && item.reactions.filter(({ isOwn }) => isOwn).length >= MAX_REACTIONS) {
    throw new ChatError("PROHIBITED", `more than ${MAX_REACTIONS} reactions to one message are not possible`);
  }
  const scope = scopeOf(item);
  const params = { msgId: item.msgId, memberId, reaction, add, ...(scope && { scope }) };
  await sendToGroup(step, group.id, { type: "x.msg.react", params }, await audience(step, group, scope));
  const others = item.reactions.filter((one) => !isSame(one));
  return changeItem(step, item, { reactions: add ? [...others, { isOwn: true, member: null, reaction }] : others });
}
