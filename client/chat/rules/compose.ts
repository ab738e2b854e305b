import { ChatError } from "../errors.ts";
import type { Contact, Item, MessageItem, User } from "../records.ts";
import type { Step } from "../step.ts";
import { editionKey, prefixOf, TABLE } from "../tables.ts";
import type { MsgContainer, Quote } from "../wire/container.ts";
import type { MsgContent } from "../wire/content.ts";
import { newSharedId } from "../wire/ids.ts";
import { chatMessage } from "../wire/message.ts";
import type { Feature } from "../wire/preferences.ts";
import { type EmojiReaction, knownEmoji, MAX_REACTIONS } from "../wire/reaction.ts";
import { contentProblem, quotedContent } from "../wire/rules/content.ts";
import { canDelete, canEdit, MAX_PREVIEW_LENGTH } from "../wire/rules/limits.ts";
import { MAX_TTL } from "../wire/rules/preferences.ts";
import { utcTimeOf } from "../wire/time.ts";
import { tellFilesGone } from "./file-loss.ts";
import { abandonFile, announcement, attach, type Attachment, ownFile } from "./files.ts";
import { addItem, removeItem } from "./items.ts";
import { enqueue, withdraw } from "./outbox.ts";
import { agreementOf } from "./preferences.ts";
import { changeItem, contactOf, conversationOf, isMessage, itemOf, userOf } from "./records.ts";

export interface SendOptions {
  /** An item of the same conversation. */
  readonly quote?: string;
  /** Seconds until it disappears; 0: it stays though others disappear. */
  readonly ttl?: number;
  /** The text is still being typed; `edit` goes on with it. */
  readonly isLive?: boolean;
  /** In a group: ids of members whom the text names. */
  readonly mentions?: readonly string[];
  /** Text or picture was taken from another message. */
  readonly isForwarded?: boolean;
}

interface Partner {
  readonly user: User;
  /** Null in notes to self. */
  readonly contact: Contact | null;
}

async function partnerOf(step: Step, chat: string): Promise<Partner> {
  const { user, kind } = await conversationOf(step, chat);
  return { user: await userOf(step, user), contact: kind === "contact" ? await contactOf(step, chat) : null };
}

function checkAllowed({ user, contact }: Partner, feature: Feature, what: string): void {
  if (!contact || agreementOf(user, contact).effective[feature].forMe) return;
  throw new ChatError("FEATURE", `${contact.name} and you have not agreed on ${what}; change the preferences`);
}

/** @throws ChatError "FEATURE" when the contact may not be called. A call that goes on can be ended all the same. */
export async function checkCalls(step: Step, contactId: string): Promise<void> {
  const contact = await contactOf(step, contactId);
  checkAllowed({ contact, user: await userOf(step, contact.user) }, "calls", "calls");
}

/** @throws ChatError when a message cannot be sent like that. */
export function checkContent(content: MsgContent, hasFile: boolean): void {
  // A picture without a file is its preview, which is shown everywhere.
  const problem = contentProblem(content, hasFile || content.type === "image");
  if (problem !== null) throw new ChatError("CONTENT", problem);
  const image = content.type === "image" || content.type === "video" ? content.image : "";
  const preview = content.type === "link" ? content.preview.image : image;
  if (preview.length > MAX_PREVIEW_LENGTH) {
    throw new ChatError("LARGE", `the preview takes ${preview.length} characters, ${MAX_PREVIEW_LENGTH} fit`);
  }
}

async function quoteOf(step: Step, chat: string, id: string, content: MsgContent): Promise<Quote> {
  const quoted = await itemOf(step, id);
  if (quoted.chat !== chat || !isMessage(quoted) || quoted.deletedAt !== null) {
    throw new ChatError("PROHIBITED", "only a message of the same conversation that is still there can be quoted");
  }
  const { container } = quoted.body;
  const msgRef = { sentAt: utcTimeOf(quoted.sentAt), sent: quoted.isOwn };
  return {
    msgRef: quoted.msgId === null ? msgRef : { ...msgRef, msgId: quoted.msgId },
    content: quotedContent(container.content, container.file?.fileName ?? null, content),
  };
}

/** The seconds after which a new message disappears; null: it stays. */
function ttlOf({ user, contact }: Partner, wanted: number | undefined): number | null {
  if (!contact) return null;
  const { isOn, ttl } = agreementOf(user, contact).timed;
  if (wanted !== undefined && wanted > 0 && !isOn) {
    throw new ChatError("FEATURE", `${contact.name} and you have not agreed on disappearing messages`);
  }
  const seconds = wanted ?? ttl;
  return seconds !== null && seconds > 0 ? Math.min(seconds, MAX_TTL) : null;
}

/** Writes a message and puts it on its way. @throws ChatError */
export async function compose(
  step: Step,
  chat: string,
  content: MsgContent,
  options: SendOptions = {},
  attachment: Attachment | null = null,
): Promise<Item> {
  const partner = await partnerOf(step, chat);
  const { contact } = partner;
  const file = announcement(attachment);
  checkContent(content, file !== null);
  if (content.type === "voice") checkAllowed(partner, "voice", "voice messages");
  if (file && content.type !== "voice") checkAllowed(partner, "files", "files and media");
  const ttl = ttlOf(partner, options.ttl);
  const container: MsgContainer = {
    content,
    ...(file && { file }),
    ...(ttl !== null && { ttl }),
    ...(options.isLive && { live: true }),
    ...(options.quote !== undefined && { quote: await quoteOf(step, chat, options.quote, content) }),
    ...(options.isForwarded && options.quote === undefined && { forward: true as const }),
  };
  const msgId = newSharedId();
  const item = await addItem(step, chat, {
    isOwn: true,
    body: { type: "message", container },
    status: contact ? { type: "new" } : { type: "read" },
    msgId,
    ttl,
    file: ownFile(attachment, contact === null),
  });
  const message = chatMessage({ type: "x.msg.new", params: container }, msgId);
  if (contact) await enqueue(step, chat, message, { item: item.id });
  attach(step, item.id, attachment);
  return item;
}

export function editable(item: Item): MessageItem {
  if (!item.isOwn || !isMessage(item)) throw new ChatError("PROHIBITED", "only an own message can be edited");
  if (item.deletedAt !== null) throw new ChatError("PROHIBITED", "the message was deleted");
  if (item.body.container.forward) throw new ChatError("PROHIBITED", "a forwarded message cannot be edited");
  return item;
}

/** What is kept of the history of a message; the oldest goes for a new one. */
export const MAX_EDITIONS = 50;

/** Puts the content in the place of what is there, which is kept in the history. */
export function replaceContent(step: Step, item: MessageItem, content: MsgContent, isLive: boolean): Item {
  const { live: wasLive, ...container } = item.body.container;
  const isSame = JSON.stringify(container.content) === JSON.stringify(content);
  // What is typed live has no history: every letter of it would be there.
  const isKept = !wasLive && !isSame;
  const { editionCount } = item;
  if (isKept) {
    step.put(TABLE.editions, editionKey(item.id, editionCount), { content: container.content, at: step.now });
    if (editionCount >= MAX_EDITIONS) step.erase(TABLE.editions, editionKey(item.id, editionCount - MAX_EDITIONS));
  }
  return changeItem(step, item, {
    body: { type: "message", container: { ...container, content, ...(isLive && { live: true }) } },
    isEdited: item.isEdited || isKept,
    editionCount: editionCount + (isKept ? 1 : 0),
  });
}

/** Changes an own message, within 24 hours. @throws ChatError */
export async function edit(step: Step, id: string, content: MsgContent, isLive = false): Promise<Item> {
  const item = editable(await itemOf(step, id));
  const { contact } = await partnerOf(step, item.chat);
  if (contact && !canEdit(item.sentAt, step.now)) {
    throw new ChatError("PROHIBITED", "a message can be edited for 24 hours only");
  }
  const { container } = item.body;
  checkContent(content, container.file !== undefined);
  if (container.content.type !== content.type && container.file) {
    throw new ChatError("CONTENT", "a message with a file cannot become one of another kind");
  }
  const changed = replaceContent(step, item, content, isLive);
  if (contact && item.msgId !== null) {
    const params = {
      msgId: item.msgId,
      content,
      ...(item.ttl !== null && { ttl: item.ttl }),
      ...(isLive && { live: true }),
    };
    await enqueue(step, item.chat, chatMessage({ type: "x.msg.update", params }, newSharedId()), { subject: item.id });
  }
  return changed;
}

/** Deletes an item here; nobody is told, and what was not sent yet will not be. */
export async function deleteForSelf(step: Step, id: string): Promise<void> {
  // One that is damaged can be deleted as well.
  if (!await step.has(TABLE.items, id)) await itemOf(step, id);
  await tellFilesGone(step, prefixOf(id));
  await removeItem(step, id);
}

/**
 * Deletes an own message on both sides, within 24 hours. It stays marked where full deletion was not agreed. One that
 * was not sent yet is not sent any more.
 */
export async function deleteForAll(step: Step, id: string): Promise<void> {
  const item = await itemOf(step, id);
  const partner = await partnerOf(step, item.chat);
  const { contact, user } = partner;
  if (!contact) return deleteForSelf(step, id);
  if (!item.isOwn || !isMessage(item) || item.msgId === null) {
    throw new ChatError("PROHIBITED", "only an own message can be deleted for both; delete it for yourself");
  }
  if (item.deletedAt !== null) throw new ChatError("PROHIBITED", "the message was deleted already");
  const withdrawal = await withdraw(step, prefixOf(id));
  if (withdrawal === "withdrawn") return deleteForSelf(step, id);
  if (!canDelete(item.sentAt, step.now)) {
    throw new ChatError("PROHIBITED", "a message can be deleted for both for 24 hours only; delete it for yourself");
  }
  await enqueue(step, item.chat, chatMessage({ type: "x.msg.del", params: { msgId: item.msgId } }, newSharedId()));
  if (agreementOf(user, contact).effective.fullDelete.forMe) await removeItem(step, id);
  else changeItem(step, await abandonFile(step, item), { deletedAt: step.now });
}

/** Reacts with one of the known emoji, or takes that back. @throws ChatError */
export async function react(step: Step, id: string, text: string, add: boolean): Promise<Item> {
  const emoji = knownEmoji(text);
  if (emoji === null) throw new ChatError("CONTENT", `${text.slice(0, 20)} is not among the emoji to react with`);
  const item = await itemOf(step, id);
  const partner = await partnerOf(step, item.chat);
  if (!isMessage(item) || item.msgId === null || item.deletedAt !== null) {
    throw new ChatError("PROHIBITED", "only to a message that is there one can react");
  }
  checkAllowed(partner, "reactions", "reactions");
  const reaction: EmojiReaction = { type: "emoji", emoji };
  const isSame = (one: Item["reactions"][number]): boolean =>
    one.isOwn && one.reaction.type === "emoji" && one.reaction.emoji === emoji;
  const has = item.reactions.some(isSame);
  if (has === add) return item;
  if (add && item.reactions.filter(({ isOwn }) => isOwn).length >= MAX_REACTIONS) {
    throw new ChatError("PROHIBITED", `more than ${MAX_REACTIONS} reactions to one message are not possible`);
  }
  if (partner.contact) {
    const params = { msgId: item.msgId, reaction, add };
    await enqueue(step, item.chat, chatMessage({ type: "x.msg.react", params }, newSharedId()));
  }
  const others = item.reactions.filter((one) => !isSame(one));
  return changeItem(step, item, { reactions: add ? [...others, { isOwn: true, member: null, reaction }] : others });
}
