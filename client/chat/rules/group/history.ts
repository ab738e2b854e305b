import type { Group, Member } from "../../group-records.ts";
import type { MessageItem } from "../../records.ts";
import type { Step } from "../../step.ts";
import { ordinal, prefixOf, TABLE } from "../../tables.ts";
import { chatMessage, type ReceivedMessage, messageJson } from "../../wire/message.ts";
import { CHAT_VERSION } from "../../wire/versions.ts";
import { isMessage } from "../records.ts";
import { passTo } from "./forward.ts";
import { HISTORY_ITEMS, HISTORY_SEARCH } from "./limits.ts";
import { ownProfile, shortName } from "./profile.ts";
import { sendToMember } from "./send.ts";
import { userOf } from "../records.ts";

/** The last messages of all, the oldest first. */
async function lastMessages(step: Step, group: string): Promise<MessageItem[]> {
  const prefix = prefixOf(group);
  const found: MessageItem[] = [];
  const end = `${prefix}${ordinal(Number.MAX_SAFE_INTEGER, 16)}`;
  for (const key of await step.keysBefore(TABLE.items, prefix, end, HISTORY_SEARCH)) {
    if (found.length === HISTORY_ITEMS) break;
    const item = await step.readSound(TABLE.items, key);
    if (item && isMessage(item) && item.deletedAt === null && item.msgId !== null) found.push(item);
  }
  return found.toReversed();
}

/** A message as its author would send it now: no live typing, no file that is gone by now. */
function asSent({ msgId, body }: MessageItem, versions: Member["versions"]): ReceivedMessage | null {
  const { live: _, file, scope, ...container } = body.container;
  // A file is on its way once, and what was for moderators stays with them.
  if (scope !== undefined || container.content.type === "report") return null;
  if (file !== undefined && container.content.text === "") return null;
  const message = { ...chatMessage({ type: "x.msg.new", params: container }, msgId ?? undefined), versions };
  return { ...message, json: messageJson(message) };
}

/** Shows a new member what was said before, and the welcome of the group. */
export async function sendHistory(step: Step, group: Group, to: Member): Promise<void> {
  if (to.versions.max < CHAT_VERSION.groupBatch || group.memberId === null) return;
  const own = shortName({ profile: ownProfile(await userOf(step, group.user), group) });
  for (const item of await lastMessages(step, group.id)) {
    const author = item.member === null ? null : await step.read(TABLE.members, item.member);
    if (!item.isOwn && (!author || author.memberId === null || author.isRestricted)) continue;
    const message = asSent(item, author?.versions ?? to.versions);
    const memberId = item.isOwn ? group.memberId : author?.memberId;
    if (!message || !memberId) continue;
    const memberName = author ? shortName(author) : own;
    await passTo(step, to, message, { memberId, memberName, receivedAt: item.sentAt });
  }
  const { description } = group.profile;
  if (description === undefined || to.versions.max < CHAT_VERSION.groupWelcomeInHistory) return;
  await sendToMember(step, to, { type: "x.msg.new", params: { content: { type: "text", text: description } } });
}
