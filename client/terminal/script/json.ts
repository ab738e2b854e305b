import type { Item } from "../../chat/records.ts";
import type { ItemPlace } from "../book.ts";
import { isMessage } from "../view/item.ts";

// The form that programs read. Fields may be added; none is taken away or changes its meaning. Names and texts are as
// they were sent.

export interface ChatJson {
  readonly type: "contact" | "group" | "notes";
  /** Empty for notes. */
  readonly name: string;
  readonly id: string;
}

const time = (at: number): string => new Date(at).toISOString();

export function chatJson(chat: string, { type, name }: Pick<ItemPlace, "type" | "name">): ChatJson {
  return { type, name, id: chat };
}

/** An item as `message`, `event` or `unknown`. */
export function itemJson(item: Item, place: ItemPlace): Record<string, unknown> {
  const { body } = item;
  const common = {
    id: item.id,
    chat: chatJson(item.chat, place),
    at: time(item.sentAt),
    /** Who wrote it or did it; null: this side, or nobody in particular. */
    from: item.isOwn ? null : place.type === "group" ? place.member : body.type === "event" ? null : place.name,
  };
  if (body.type === "event") return { type: "event", ...common, event: body.event, detail: body.detail };
  if (!isMessage(item)) return { type: "unknown", ...common, event: body.type === "unknown" ? body.event : "" };
  const { content, file, quote, forward = false, live = false } = item.body.container;
  return {
    type: "message",
    ...common,
    isOwn: item.isOwn,
    kind: content.type === "unknown" ? content.tag : content.type,
    text: content.text,
    file: file ? { name: file.fileName, size: file.fileSize, state: item.file?.state ?? null } : null,
    quote: quote ? { text: quote.content.text, isOwn: !quote.msgRef.sent } : null,
    isForwarded: forward,
    isLive: live,
    isEdited: item.isEdited,
    isDeleted: item.deletedAt !== null,
    reactions: item.reactions.map(({ isOwn, reaction }) => ({ isOwn, emoji: reaction.type === "emoji" ? reaction.emoji : null })),
    status: item.status.type,
    disappearsAt: item.deleteAt === null ? null : time(item.deleteAt),
  };
}
