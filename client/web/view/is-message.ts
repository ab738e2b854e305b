import type { Item, MessageItem } from "../../chat/records.ts";

/** Whether somebody said something with it. */
export function isMessage(item: Item): item is MessageItem {
  return item.body.type === "message";
}
