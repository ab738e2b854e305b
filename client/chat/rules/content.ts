import type { Contact, Item, ItemReaction, User } from "../records.ts";
import type { Step } from "../step.ts";
import { sharedKey, TABLE } from "../tables.ts";
import type { MsgContainer } from "../wire/container.ts";
import type { EventParams } from "../wire/event.ts";
import type { Id } from "../wire/ids.ts";
import { MAX_REACTIONS, type Reaction, reaction as reactionCodec } from "../wire/reaction.ts";
import { obeysDeletion } from "../wire/rules/limits.ts";
import { safeFileName } from "../wire/rules/names.ts";
import { receivedTtl } from "../wire/rules/preferences.ts";
import { replaceContent } from "./compose.ts";
import { keepEarly } from "./early.ts";
import { abandonFile, expected, fetchFile } from "./files.ts";
import { addEvent, addItem, removeItem, sharedItem } from "./items.ts";
import { agreementOf } from "./preferences.ts";
import { changeItem, isMessage } from "./records.ts";

/** Where a message came from. */
export interface Source {
  readonly user: User;
  readonly contact: Contact;
  /** When the relay got it: milliseconds since 1970. */
  readonly sentAt: number;
}

/** `x.msg.new`. One that is here already is ignored: senders repeat when they do not know whether they sent it. */
export async function messageReceived(
  step: Step,
  { user, contact, sentAt }: Source,
  msgId: Id | null,
  container: MsgContainer,
): Promise<void> {
  if (msgId !== null && await sharedItem(step, contact.id, false, msgId)) return;
  const { effective, timed } = agreementOf(user, contact);
  if (container.content.type === "voice" && !effective.voice.forContact) {
    return addEvent(step, contact.id, "voiceRefused");
  }
  const { file, ...others } = container;
  const kept = file ? { ...others, file: { ...file, fileName: safeFileName(file.fileName) } } : others;
  const item = await addItem(step, contact.id, {
    isOwn: false,
    body: { type: "message", container: kept },
    status: { type: "unread" },
    msgId,
    sentAt,
    ttl: receivedTtl(timed.isOn, container.ttl),
    file: expected(file, msgId !== null),
  });
  if (file) await fetchFile(step, item, contact.id, user.id, file.fileName);
}

/** `x.msg.update`. What is not here (any more) becomes a new item that is marked as edited. */
export async function updateReceived(
  step: Step,
  { user, contact, sentAt }: Source,
  { msgId, content, ttl, live = false }: EventParams["x.msg.update"],
): Promise<void> {
  const item = await sharedItem(step, contact.id, false, msgId);
  if (!item) {
    const { timed } = agreementOf(user, contact);
    await addItem(step, contact.id, {
      isOwn: false,
      body: { type: "message", container: { content, ...(live && { live }) } },
      status: { type: "unread" },
      msgId,
      sentAt,
      ttl: receivedTtl(timed.isOn, ttl),
      isEdited: true,
    });
    return;
  }
  if (!isMessage(item) || item.body.container.forward || item.deletedAt !== null) return;
  const { container } = item.body;
  const isSame = JSON.stringify(container.content) === JSON.stringify(content);
  if (isSame && !live && !container.live) return;
  replaceContent(step, item, content, live);
}

/** `x.msg.del`: the message goes, or stays marked where full deletion was not agreed. */
export async function deletionReceived(step: Step, { user, contact, sentAt }: Source, msgId: Id): Promise<void> {
  const item = await sharedItem(step, contact.id, false, msgId);
  if (!item || item.deletedAt !== null || !obeysDeletion(item.sentAt, sentAt)) return;
  if (agreementOf(user, contact).effective.fullDelete.forContact) await removeItem(step, item.id);
  else changeItem(step, await abandonFile(step, item), { deletedAt: step.now });
}

const sameReaction = (a: Reaction, b: Reaction): boolean =>
  JSON.stringify(reactionCodec.write(a)) === JSON.stringify(reactionCodec.write(b));

/** The reactions after one of the other side's changed; null when nothing follows from it. */
export function changedReactions(
  reactions: readonly ItemReaction[],
  reaction: Reaction,
  add: boolean,
): ItemReaction[] | null {
  const theirs = reactions.filter(({ isOwn }) => !isOwn);
  const has = theirs.some((one) => sameReaction(one.reaction, reaction));
  if (has === add || (add && theirs.length >= MAX_REACTIONS)) return null;
  if (add) return [...reactions, { isOwn: false, member: null, reaction }];
  return reactions.filter((one) => one.isOwn || !sameReaction(one.reaction, reaction));
}

/** `x.msg.react`, to a message of either side. One to a message that is not here waits for it. */
export async function reactionReceived(
  step: Step,
  { user, contact }: Source,
  { msgId, reaction, add }: EventParams["x.msg.react"],
): Promise<void> {
  if (!agreementOf(user, contact).effective.reactions.forContact) return;
  const item: Item | null = await sharedItem(step, contact.id, true, msgId)
    ?? await sharedItem(step, contact.id, false, msgId);
  if (item) {
    const reactions = changedReactions(item.reactions, reaction, add);
    if (reactions && item.deletedAt === null) changeItem(step, item, { reactions });
    return;
  }
  const key = sharedKey(contact.id, false, msgId);
  const early = await step.read(TABLE.earlyReactions, key);
  const reactions = changedReactions(early?.reactions ?? [], reaction, add);
  if (reactions) await keepEarly(step, contact.id, key, reactions);
}
