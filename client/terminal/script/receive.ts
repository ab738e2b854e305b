import type { ChatHappening } from "../../chat/events.ts";
import type { Item } from "../../chat/records.ts";
import { ChatError } from "../../chat/errors.ts";
import { namesOfRequests } from "../book.ts";
import { CommandLineError, COMMON, parseNumber, parseOptions } from "../options.ts";
import { paint } from "../text/styled.ts";
import { itemLines } from "../view/events.ts";
import { preview, shownName } from "../view/words.ts";
import { LateError, StoppedError } from "./exit.ts";
import { chatJson, itemJson } from "./json.ts";
import { jsonLine, nextEvent, type Program, withProgram, write } from "./program.ts";
import { readTo } from "./send.ts";

const isUnread = ({ isOwn, status }: Item): boolean => !isOwn && status.type === "unread";

async function printed(program: Program, item: Item, isJson: boolean): Promise<void> {
  const place = await program.book.place(item, Date.now(), null);
  await write(isJson ? jsonLine(itemJson(item, place)) : itemLines(item, place).map((one) => `${paint(one, false)}\n`).join(""));
}

/** Prints what was not read yet; it counts as read once it is out. */
async function take(program: Program, item: Item, isJson: boolean): Promise<void> {
  await printed(program, item, isJson);
  await program.profile.chat.history.markRead(item.chat, item.id);
}

/** What is unread, the oldest first. */
async function backlog({ profile, user }: Program, chat: string | null): Promise<Item[]> {
  const { history } = profile.chat;
  const found: Item[] = [];
  for (const { conversation } of await history.conversations(user.id)) {
    if (conversation.unread === 0 || (chat !== null && conversation.id !== chat)) continue;
    let after = conversation.readUpTo;
    for (;;) {
      const page = await history.items(conversation.id, { after });
      found.push(...page.filter(isUnread));
      const last = page.at(-1);
      if (!last) break;
      after = last.id;
    }
  }
  return found.toSorted((a, b) => a.at - b.at);
}

/** `smp-edge recv` */
export async function recvCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseOptions(args, {
    ...COMMON,
    count: { type: "string", default: "1" },
    timeout: { type: "string" },
    from: { type: "string" },
    json: { type: "boolean", default: false },
  });
  if (positionals.length > 0) throw new CommandLineError(`recv takes no '${positionals.join(" ")}'`);
  const count = parseNumber("count", values.count);
  const from = values.from === undefined ? null : readTo(values.from);
  await withProgram(values, async (program) => {
    const { book, user } = program;
    const chat = from && (await book.conversation(user, from)).id;
    const done = new Set<string>();
    for (const item of (await backlog(program, chat)).slice(0, count)) {
      await take(program, item, values.json);
      done.add(item.id);
    }
    while (done.size < count) {
      const event = await nextEvent(program);
      if (event.type !== "item" || done.has(event.item.id) || !isUnread(event.item)) continue;
      if (!await isOf(program, event.item, chat)) continue;
      await take(program, event.item, values.json);
      done.add(event.item.id);
    }
  });
}

async function isOf({ profile, user }: Program, item: Item, chat: string | null): Promise<boolean> {
  if (chat !== null) return item.chat === chat;
  return (await profile.chat.history.conversation(item.chat)).user === user.id;
}

/** What happened in the form for programs; null: nothing for them. */
async function eventJson({ profile, book }: Program, event: ChatHappening): Promise<Record<string, unknown> | null> {
  const { chat } = profile;
  const chatOf = async (id: string | null): Promise<unknown> => {
    if (id === null) return null;
    const contact = await chat.contacts.get(id).catch(() => null);
    return contact && chatJson(id, { type: "contact", name: contact.name });
  };
  switch (event.type) {
    case "itemChanged":
      return { ...itemJson(event.item, await book.place(event.item, Date.now(), null)), type: "changed" };
    case "itemGone":
      return { type: "gone", id: event.item, chatId: event.chat };
    case "connected":
      return { type: "connected", chat: chatJson(event.contact.id, { type: "contact", name: event.contact.name }) };
    case "contact":
      return { type: "contact", chat: chatJson(event.contact.id, { type: "contact", name: event.contact.name }), status: event.contact.status };
    case "group":
      return { type: "group", chat: chatJson(event.group.id, { type: "group", name: event.group.name }), status: event.group.status, role: event.group.role };
    case "contactDeleted":
      return { type: "contactDeleted", chatId: event.contact };
    case "request": {
      const all = await chat.links.requests(event.request.user);
      const name = namesOfRequests(all)[all.findIndex(({ id }) => id === event.request.id)] ?? event.request.profile.displayName;
      return { type: "request", id: event.request.id, name, text: event.request.message?.content.text ?? null };
    }
    case "call":
      return { type: "call", chat: await chatOf(event.contact), event: event.message.event.type };
    case "error":
      return { type: "error", chat: await chatOf(event.contact), message: event.error.message };
    case "agent":
      if (event.event.type !== "up" && event.event.type !== "down") return null;
      return { type: "relay", host: event.event.server.hosts[0] ?? "", isUp: event.event.type === "up" };
    default:
      return null;
  }
}

function eventText(value: Record<string, unknown>): string | null {
  switch (value["type"]) {
    case "connected":
      return `${shownName((value["chat"] as { readonly name: string }).name)}: contact is connected`;
    case "request":
      return `${shownName(String(value["name"]))} wants to connect`;
    case "error":
      return `trouble: ${preview(String(value["message"]), 400)}`;
    default:
      return null;
  }
}

async function tell(program: Program, event: ChatHappening, isJson: boolean): Promise<void> {
  if (event.type === "item") {
    if (isUnread(event.item)) return take(program, event.item, isJson);
    return printed(program, event.item, isJson);
  }
  try {
    const value = await eventJson(program, event);
    if (value === null) return;
    const text = isJson ? jsonLine(value) : eventText(value);
    if (text !== null) await write(isJson ? text : `${text}\n`);
  } catch (error) {
    // What it tells of may be gone already.
    if (!(error instanceof ChatError && error.refusal === "NOT_FOUND")) throw error;
  }
}

/** `smp-edge listen` */
export async function listenCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseOptions(args, {
    ...COMMON,
    timeout: { type: "string" },
    json: { type: "boolean", default: false },
  });
  if (positionals.length > 0) throw new CommandLineError(`listen takes no '${positionals.join(" ")}'`);
  await withProgram(values, async (program) => {
    const done = new Set<string>();
    for (const item of await backlog(program, null)) {
      await take(program, item, values.json);
      done.add(item.id);
    }
    for (;;) {
      const event = await endsQuietly(nextEvent(program));
      if (!event) return;
      if (event.type === "item" && done.has(event.item.id)) continue;
      await tell(program, event, values.json);
    }
  });
}

/** To be stopped, or to have listened long enough, is how listening ends. */
async function endsQuietly<T>(next: Promise<T>): Promise<T | null> {
  try {
    return await next;
  } catch (error) {
    if (error instanceof StoppedError || error instanceof LateError) return null;
    throw error;
  }
}
