import type { Group } from "./group-records.ts";
import type { Contact, Conversation, Edition, Item, ItemStatus } from "./records.ts";
import { ChatError } from "./errors.ts";
import { clearConversation, markRead, setConversation } from "./rules/items.ts";
import { conversationOf, itemOf } from "./rules/records.ts";
import { folded, matches } from "./rules/search.ts";
import type { Core } from "./runtime/core.ts";
import { prefixOf, TABLE } from "./tables.ts";

/** A line of the list of conversations. */
export interface Overview {
  readonly conversation: Conversation;
  /** Null for notes to self and for groups. */
  readonly contact: Contact | null;
  readonly group: Group | null;
  /** Null when there is none. */
  readonly lastItem: Item | null;
}

export interface Page {
  /** Only items before this one. */
  readonly before?: string;
  /** Only items after this one; then the oldest of them come. */
  readonly after?: string;
  readonly limit?: number;
}

export interface SearchOptions {
  /** Only in this conversation. */
  readonly chat?: string;
  /** The last item of the page before. */
  readonly before?: string;
  readonly limit?: number;
}

const PAGE = 50;
const SCAN = 200;

/** What was said. */
export class History {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** All conversations of a user, those with the latest activity first. */
  async conversations(user: string): Promise<Overview[]> {
    const all = await this.#core.listSound(TABLE.conversations);
    const contacts = new Map((await this.#core.listSound(TABLE.contacts)).map((one) => [one.id, one]));
    const groups = new Map((await this.#core.listSound(TABLE.groups)).map((one) => [one.id, one]));
    const isGoing = (id: string): boolean => (contacts.get(id) ?? groups.get(id))?.status === "leaving";
    const own = all.filter((one) => one.user === user && !isGoing(one.id));
    const lines = own.toSorted((a, b) => b.lastAt - a.lastAt).map(async (conversation): Promise<Overview> => ({
      conversation,
      contact: contacts.get(conversation.id) ?? null,
      group: groups.get(conversation.id) ?? null,
      lastItem: conversation.lastItem === null ? null : await this.#core.readSound(TABLE.items, conversation.lastItem),
    }));
    return Promise.all(lines);
  }

  /** The latest items, or those around a place; the oldest first. */
  async items(chat: string, { before, after, limit = PAGE }: Page = {}): Promise<Item[]> {
    const prefix = prefixOf(chat);
    if (after !== undefined) return this.#core.listSound(TABLE.items, { prefix, after, limit });
    const range = { prefix, limit, reverse: true, ...(before === undefined ? {} : { after: before }) };
    return (await this.#core.listSound(TABLE.items, range)).reverse();
  }

  /** @throws ChatError "NOT_FOUND" */
  item(id: string): Promise<Item> {
    return this.#core.step((step) => itemOf(step, id));
  }

  /** What an edited message said before, the oldest first. */
  editions(item: string): Promise<Edition[]> {
    return this.#core.listSound(TABLE.editions, { prefix: prefixOf(item) });
  }

  /** Of an own message in a group how far it is on its way to each member whom it goes to. */
  async deliveries(item: string): Promise<{ readonly member: string; readonly status: ItemStatus }[]> {
    const known = await this.#core.read(TABLE.deliveries, item);
    return Object.entries(known?.members ?? {}).map(([member, status]) => ({ member, status }));
  }

  /**
   * Messages that hold the text, whatever the case and the marks on letters, the newest first; in one conversation or
   * in all of a user.
   */
  async search(user: string, text: string, { chat, before, limit = PAGE }: SearchOptions = {}): Promise<Item[]> {
    const wanted = folded(text);
    if (wanted === "") throw new ChatError("CONTENT", "there is nothing to look for");
    const all = await this.#core.listSound(TABLE.conversations);
    const chats = all.filter((one) => one.user === user && (chat === undefined || one.id === chat));
    const last = before === undefined ? null : await this.#core.read(TABLE.items, before);
    const found: Item[] = [];
    for (const { id } of chats) found.push(...await this.#searchOne(id, wanted, last, limit));
    return found.toSorted(newestFirst).slice(0, limit);
  }

  async #searchOne(chat: string, wanted: string, last: Item | null, limit: number): Promise<Item[]> {
    const prefix = prefixOf(chat);
    const found: Item[] = [];
    let after = last?.chat === chat ? last.id : null;
    while (found.length < limit) {
      const range = { prefix, reverse: true, limit: SCAN, ...(after === null ? {} : { after }) };
      const items = await this.#core.listSound(TABLE.items, range);
      found.push(...items.filter((item) => (last === null || newestFirst(last, item) < 0) && matches(item, wanted)));
      after = items.at(-1)?.id ?? null;
      if (items.length < SCAN) break;
    }
    return found.slice(0, limit);
  }

  /** Everything up to an item was read; all of it unless one is given. */
  markRead(chat: string, upTo: string | null = null): Promise<void> {
    return this.#core.step((step) => markRead(step, chat, upTo));
  }

  markUnread(chat: string): Promise<void> {
    return this.#core.step((step) => setConversation(step, chat, { isMarked: true }));
  }

  /** What was typed and not sent. */
  setDraft(chat: string, text: string): Promise<void> {
    return this.#core.step((step) => setConversation(step, chat, { draft: text.toWellFormed() }));
  }

  conversation(chat: string): Promise<Conversation> {
    return this.#core.step((step) => conversationOf(step, chat));
  }

  /** Deletes all items here; nobody is told. */
  clear(chat: string): Promise<void> {
    return this.#core.step((step) => clearConversation(step, chat));
  }
}

function newestFirst(a: Item, b: Item): number {
  if (a.at !== b.at) return b.at - a.at;
  return a.id < b.id ? 1 : -1;
}
