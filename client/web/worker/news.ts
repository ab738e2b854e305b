import type { Chat } from "../../chat/chat.ts";
import { ChatError } from "../../chat/errors.ts";
import type { ChatHappening } from "../../chat/events.ts";
import type { Item, Request } from "../../chat/records.ts";
import { displayName } from "../../chat/wire/rules/display.ts";
import type { News } from "../push/api.ts";
import { excerptOf } from "../state/excerpt.ts";
import { shownName } from "../state/names.ts";
import { formatRoute } from "../state/route.ts";
import { words } from "../words/words.ts";

const { notified } = words;

type Fresh =
  | { readonly type: "item"; readonly item: Item }
  | { readonly type: "request"; readonly request: Request };

const requestTag = (id: string): string => `request ${id}`;

/** What came and was neither told nor read yet. */
export class FreshNews {
  readonly #fresh = new Map<string, Fresh>();

  hear(happening: ChatHappening): void {
    switch (happening.type) {
      case "item":
        if (happening.isLoud) this.#fresh.set(happening.item.chat, { type: "item", item: happening.item });
        break;
      case "request":
        this.#fresh.set(requestTag(happening.request.id), { type: "request", request: happening.request });
        break;
      case "requestGone":
        this.#fresh.delete(requestTag(happening.request));
        break;
      case "conversation":
        if (happening.conversation.unread === 0) this.#fresh.delete(happening.conversation.id);
        break;
      case "itemGone":
        this.#withoutItem(happening.chat, happening.item);
        break;
      case "contactDeleted":
        this.#fresh.delete(happening.contact);
        break;
      case "groupDeleted":
        this.#fresh.delete(happening.group);
        break;
      default:
    }
  }

  forget(): void {
    this.#fresh.clear();
  }

  /** All of it, as it is told: the next time it is not fresh any more. */
  async take(chat: Chat, isNaming: boolean): Promise<News[]> {
    const taken = [...this.#fresh];
    this.#fresh.clear();
    const told = await Promise.all(taken.map(([tag, fresh]) => newsOf(chat, tag, fresh, isNaming)));
    return told.filter((news) => news !== null);
  }

  #withoutItem(chat: string, item: string): void {
    const before = this.#fresh.get(chat);
    if (before?.type === "item" && before.item.id === item) this.#fresh.delete(chat);
  }
}

async function newsOf(chat: Chat, tag: string, fresh: Fresh, isNaming: boolean): Promise<News | null> {
  if (fresh.type === "request") {
    const place = formatRoute({ page: "request", request: fresh.request.id });
    const title = isNaming ? displayName(fresh.request.profile.displayName) : words.product;
    return { tag, title, body: notified.request, place };
  }
  try {
    return { tag, ...await wordsOf(chat, fresh.item, isNaming), place: formatRoute({ page: "chat", chat: tag }) };
  } catch (error) {
    // It was deleted meanwhile.
    if (error instanceof ChatError && error.refusal === "NOT_FOUND") return null;
    throw error;
  }
}

async function wordsOf(chat: Chat, item: Item, isNaming: boolean): Promise<Pick<News, "title" | "body">> {
  const conversation = await chat.history.conversation(item.chat);
  if (!isNaming) return { title: words.product, body: notified.messages(conversation.unread) };
  const contact = conversation.kind === "contact" ? await chat.contacts.get(item.chat) : null;
  const group = conversation.kind === "group" ? await chat.groups.get(item.chat) : null;
  const members = group && item.member !== null ? await chat.groups.members(item.chat) : [];
  const member = members.find(({ id }) => id === item.member);
  const who = member ? displayName(member.name) : "";
  const text = excerptOf(item, who);
  const isSaidBy = item.body.type === "message" && member !== undefined;
  return { title: shownName({ conversation, contact, group }), body: isSaidBy ? `${who}: ${text}` : text };
}
