import type { Item } from "../../chat/records.ts";
import { isSameDay } from "./dates.ts";

/** What stands in a conversation, from above. */
export type Row =
  | { readonly is: "day"; readonly key: string; readonly at: number }
  | { readonly is: "unread"; readonly key: string }
  | {
    readonly is: "item";
    readonly key: string;
    readonly item: Item;
    /** The first and the last of several by the same one, one soon after the other. */
    readonly isFirst: boolean;
    readonly isLast: boolean;
  };

const TOGETHER = 5 * 60_000;

function belongTogether(a: Item | undefined, b: Item | undefined): boolean {
  if (!a || !b || a.body.type !== "message" || b.body.type !== "message") return false;
  const isSame = a.isOwn === b.isOwn && a.member === b.member;
  return isSame && Math.abs(b.sentAt - a.sentAt) < TOGETHER && isSameDay(a.sentAt, b.sentAt);
}

export function rowsOf(items: readonly Item[], firstUnread: string | null): Row[] {
  const rows: Row[] = [];
  for (const [at, item] of items.entries()) {
    const [before, after] = [items[at - 1], items[at + 1]];
    const isNewDay = !before || !isSameDay(before.sentAt, item.sentAt);
    if (isNewDay) rows.push({ is: "day", key: `day-${item.id}`, at: item.sentAt });
    const isUnreadLine = item.id === firstUnread;
    if (isUnreadLine) rows.push({ is: "unread", key: "unread" });
    rows.push({
      is: "item",
      key: item.id,
      item,
      isFirst: isUnreadLine || !belongTogether(before, item),
      isLast: after?.id === firstUnread || !belongTogether(item, after),
    });
  }
  return rows;
}
