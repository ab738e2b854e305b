import { ChatError } from "../errors.ts";
import type { Contact, Item, MessageItem, User } from "../records.ts";
import type { Step } from "../step.ts";
import { editionKey, prefixOf, TABLE } from "../tables.ts";
import type { MsgContainer, Quote } from "../wire/container.ts";
import type { MsgContent } from "../wire/content.ts";
import type { FileInvitation } from "../wire/file.ts";
import { newSharedId } from "../wire/ids.ts";
import { chatMessage } from "../wire/message.ts";
import type { Feature } from "../wire/preferences.ts";
import { type EmojiReaction, knownEmoji, MAX_REACTIONS } from "../wire/reaction.ts";
import { contentProblem, quotedContent } from "../wire/rules/content.ts";
import { canDelete, canEdit, MAX_PREVIEW_LENGTH } from "../wire/rules/limits.ts";
import { MAX_TTL } from "../wire/rules/preferences.ts";
import { utcTimeOf } from "../wire/time.ts";
import { addItem, changeItem, removeItem } from "./items.ts";
import { enqueue } from "./outbox.ts";
import { agreementOf } from "./preferences.ts";
import { contactOf, conversationOf, isMessage, itemOf, userOf } from "./records.ts";

export interface SendOptions {
  /** An item of the same conversation. */
  readonly quote?: string;
  /** Seconds until it disappears; 0: it stays though others disappear. */
  readonly ttl?: number;
  /** The text is still being typed; `edit` goes on with it. */
  readonly isLive?: boolean;
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

function checkContent(content: MsgContent, hasFile: boolean): void {
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
  file: FileInvitation | null = null,
): Promise<Item> {
  const partner = await partnerOf(step, chat);
  const { contact } = partner;
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
  });
  if (contact) await enqueue(step, chat, chatMessage({ type: "x.msg.new", params: container }, msgId), item.id);
  return item;
}

function editable(item: Item): MessageItem {
  if (!item.isOwn || !isMessage(item)) throw new ChatError("PROHIBITED", "only an own message can be edited");
  if (item.deletedAt !== null) throw new ChatError("PROHIBITED", "the message was deleted");
  if (item.body.container.forward) throw new ChatError("PROHIBITED", "a forwarded message cannot be edited");
  return item;
}

/** Puts the content in the place of what is there, which is kept in the history. */
export async function replaceContent(
  step: Step,
  item: MessageItem,
  content: MsgContent,
  isLive: boolean,
): Promise<Item> {
  const { live: wasLive, ...container } = item.body.container;
  const isSame = JSON.stringify(container.content) === JSON.stringify(content);
  // What is typed live has no history: every letter of it would be there.
  if (!wasLive && !isSame) {
    const earlier = await step.keys(TABLE.editions, { prefix: prefixOf(item.id) });
    step.put(TABLE.editions, editionKey(item.id, earlier.length), { content: container.content, at: step.now });
  }
  return changeItem(step, item, {
    body: { type: "message", container: { ...container, content, ...(isLive && { live: true }) } },
    isEdited: item.isEdited || (!wasLive && !isSame),
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
  const changed = await replaceContent(step, item, content, isLive);
  if (contact && item.msgId !== null) {
    const params = {
      msgId: item.msgId,
      content,
      ...(item.ttl !== null && { ttl: item.ttl }),
      ...(isLive && { live: true }),
    };
    await enqueue(step, item.chat, chatMessage({ type: "x.msg.update", params }, newSharedId()));
  }
  return changed;
}

/** Deletes an item here; nobody is told. */
export async function deleteForSelf(step: Step, id: string): Promise<void> {
  await removeItem(step, await itemOf(step, id));
}

/** Deletes an own message on both sides, within 24 hours. It stays marked where full deletion was not agreed. */
export async function deleteForAll(step: Step, id: string): Promise<void> {
  const item = await itemOf(step, id);
  const partner = await partnerOf(step, item.chat);
  const { contact, user } = partner;
  if (!contact) return removeItem(step, item);
  if (!item.isOwn || !isMessage(item) || item.msgId === null) {
    throw new ChatError("PROHIBITED", "only an own message can be deleted for both; delete it for yourself");
  }
  if (item.deletedAt !== null) throw new ChatError("PROHIBITED", "the message was deleted already");
  if (!canDelete(item.sentAt, step.now)) {
    throw new ChatError("PROHIBITED", "a message can be deleted for both for 24 hours only; delete it for yourself");
  }
  await enqueue(step, item.chat, chatMessage({ type: "x.msg.del", params: { msgId: item.msgId } }, newSharedId()));
  if (agreementOf(user, contact).effective.fullDelete.forMe) await removeItem(step, item);
  else changeItem(step, item, { deletedAt: step.now });
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
  return changeItem(step, item, { reactions: add ? [...others, { isOwn: true, reaction }] : others });
}
