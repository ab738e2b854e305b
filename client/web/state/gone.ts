import type { ChatHappening } from "../../chat/events.ts";
import { requestTag } from "../push/api.ts";

/** What is not to be shown by the system any more: the tag of a notification, or an item. Null: nothing. */
export function goneIn(happening: ChatHappening): string | null {
  switch (happening.type) {
    case "conversation":
      return happening.conversation.unread === 0 ? happening.conversation.id : null;
    case "itemChanged":
      return happening.item.deletedAt === null ? null : happening.item.id;
    case "itemGone":
      return happening.item;
    case "contactDeleted":
      return happening.contact;
    case "groupDeleted":
      return happening.group;
    case "requestGone":
      return requestTag(happening.request);
    default:
      return null;
  }
}
