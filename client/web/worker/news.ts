import type { Chat } from "../../chat/chat.ts";
import type { Overview } from "../../chat/history.ts";
import type { Item } from "../../chat/records.ts";
import { displayName } from "../../chat/wire/rules/display.ts";
import type { Change, Store } from "../../store/store.ts";
import { type Mark, type News, requestTag } from "../push/api.ts";
import { excerptOf } from "../state/excerpt.ts";
import { shownName } from "../state/names.ts";
import { formatRoute } from "../state/route.ts";
import { words } from "../words/words.ts";
import type { Running } from "./running.ts";

const { notified } = words;

/** Marks by their tags, as UTF-8. */
const TABLE = "web.told";

type Profile = Pick<Running, "store" | "chat">;

async function readTold(store: Store): Promise<Map<string, string>> {
  const decoder = new TextDecoder();
  return new Map((await store.list(TABLE)).map(({ key, value }) => [key, decoder.decode(value)]));
}

/** Keeps that this was told: it is no news any more, whoever opens the profile next. */
export async function keepTold(store: Store, told: readonly Mark[]): Promise<void> {
  const encoder = new TextEncoder();
  await store.write(told.map(({ tag, mark }): Change => ({ table: TABLE, key: tag, value: encoder.encode(mark) })));
}

/** What came of all own profiles, was neither told nor read yet, and is not muted. */
export async function newsOf({ store, chat }: Profile, isNaming: boolean): Promise<News[]> {
  const told = await readTold(store);
  const known = new Set<string>();
  const news: News[] = [];
  for (const { id: user } of await chat.users.list()) {
    for (const overview of await chat.history.conversations(user)) {
      const { id } = overview.conversation;
      known.add(id);
      const item = await newestUnread(chat, overview);
      if (item === null || item.id <= (told.get(id) ?? "")) continue;
      const said = await wordsOf(chat, overview, item, isNaming);
      news.push({ tag: id, mark: item.id, ...said, place: formatRoute({ page: "chat", chat: id }) });
    }
    for (const { id, request: mark, profile } of await chat.links.requests(user)) {
      const tag = requestTag(id);
      known.add(tag);
      if (told.get(tag) === mark) continue;
      const title = isNaming ? displayName(profile.displayName) : words.product;
      news.push({ tag, mark, title, body: notified.request, place: formatRoute({ page: "request", request: id }) });
    }
  }
  const gone = [...told.keys()].filter((tag) => !known.has(tag));
  if (gone.length > 0) await store.write(gone.map((key) => ({ table: TABLE, key, value: null })));
  return news;
}

/** Null: nothing that is worth telling. */
async function newestUnread(chat: Chat, { conversation, contact, group, lastItem }: Overview): Promise<Item | null> {
  const isLoud = (contact ?? group)?.isMuted === false;
  if (!isLoud || conversation.unread === 0) return null;
  const isUnread = ({ status }: Item): boolean => status.type === "unread";
  if (lastItem && isUnread(lastItem)) return lastItem;
  // What the conversation says of itself may come after it.
  return (await chat.history.items(conversation.id)).findLast(isUnread) ?? null;
}

async function wordsOf(
  chat: Chat,
  overview: Overview,
  item: Item,
  isNaming: boolean,
): Promise<Pick<News, "title" | "body">> {
  const { conversation, group } = overview;
  if (!isNaming) return { title: words.product, body: notified.messages(conversation.unread) };
  const members = group && item.member !== null ? await chat.groups.members(group.id) : [];
  const member = members.find(({ id }) => id === item.member);
  const who = member ? displayName(member.name) : "";
  const text = excerptOf(item, who);
  const isSaidBy = item.body.type === "message" && member !== undefined;
  return { title: shownName(overview), body: isSaidBy ? `${who}: ${text}` : text };
}
