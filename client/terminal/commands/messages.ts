import type { Overview } from "../../chat/history.ts";
import type { Item } from "../../chat/records.ts";
import type { Chosen } from "../book.ts";
import { readTarget } from "../input/forms.ts";
import type { Scanner } from "../input/scanner.ts";
import { TypedError } from "../input/scanner.ts";
import type { Session } from "../session.ts";
import { bold, cyan, dim, green, type Line, line, yellow } from "../text/styled.ts";
import { itemLines } from "../view/events.ts";
import { isMessage, shownPlace, shownStatus, summary } from "../view/item.ts";
import { preview, shownDateTime, shownName, shownTime } from "../view/words.ts";
import { commandsOf } from "./command.ts";

const CHATS = 20;
const TAIL = 10;

function chosenOf({ conversation, contact, group }: Overview): Chosen {
  const { id, kind } = conversation;
  if (kind === "notes") return { id, type: "notes", name: "" };
  if (contact) return { id, type: "contact", name: contact.name };
  return { id, type: "group", name: group?.name ?? "(a group that is gone)" };
}

async function overviewLine(session: Session, overview: Overview): Promise<Line> {
  const { conversation, lastItem } = overview;
  const chosen = chosenOf(overview);
  const { unread, isMarked, draft, lastAt } = conversation;
  const count = unread > 0 ? ` ${unread} unread` : isMarked ? " unread" : "";
  const place = lastItem && await session.book.place(lastItem, Date.now(), null);
  const said = lastItem && place
    ? isMessage(lastItem) ? summary(lastItem.body.container) : itemLines(lastItem, place)[0]?.slice(1).map(({ text }) => text).join("") ?? ""
    : "";
  const member = place?.member ? `${shownName(place.member)}: ` : lastItem?.isOwn ? "you: " : "";
  return line(
    dim(`${shownTime(lastAt, Date.now())} `),
    cyan(shownPlace(chosen)),
    bold(count),
    said === "" ? "" : `  ${lastItem && isMessage(lastItem) ? member : ""}${preview(said)}`,
    draft === "" ? "" : yellow(`  draft: ${preview(draft, 30)}`),
  );
}

async function chats(session: Session, typed: Scanner): Promise<void> {
  const limit = typed.takes("all") ? Number.POSITIVE_INFINITY : typed.number() ?? CHATS;
  typed.end();
  const all = await session.chat.history.conversations(session.user.id);
  const shown = all.slice(0, limit);
  session.say(...await Promise.all(shown.map((one) => overviewLine(session, one))));
  if (all.length > shown.length) session.say(line(dim(`${all.length - shown.length} more: /chats all`)));
}

/** A conversation, if one is named. */
async function readChosen(session: Session, typed: Scanner): Promise<Chosen | null> {
  typed.skip();
  return /^[@#*]/u.test(typed.rest) ? session.book.conversation(session.user, readTarget(typed)) : null;
}

async function latest(session: Session, chosen: Chosen | null, count: number): Promise<Item[]> {
  const { history } = session.chat;
  if (chosen) return history.items(chosen.id, { limit: count });
  const all = await history.conversations(session.user.id);
  const items = await Promise.all(all.map(({ conversation }) => history.items(conversation.id, { limit: count })));
  return items.flat().toSorted((a, b) => a.at - b.at).slice(-count);
}

async function tail(session: Session, typed: Scanner): Promise<void> {
  const chosen = await readChosen(session, typed);
  const count = typed.number() ?? TAIL;
  typed.end();
  const items = await latest(session, chosen, count);
  if (items.length === 0) return session.say("there is nothing yet");
  await session.list(items);
  const last = items.at(-1);
  if (chosen && last) await session.chat.history.markRead(chosen.id, last.id);
}

async function search(session: Session, typed: Scanner): Promise<void> {
  const chosen = await readChosen(session, typed);
  const count = typed.number() ?? TAIL;
  const text = typed.text();
  if (text === "") throw new TypedError("say what to look for");
  const options = { limit: count, ...(chosen && { chat: chosen.id }) };
  const found = await session.chat.history.search(session.user.id, text, options);
  if (found.length === 0) return session.say(`nothing with '${preview(text, 40)}'`);
  await session.list(found.reverse());
}

async function unreadOf(session: Session, chosen: Chosen, unread: number): Promise<void> {
  const { history } = session.chat;
  const items: Item[] = [];
  let before: string | undefined;
  // Unread ones stand at the end, with own ones and events between them.
  while (items.filter(({ status }) => status.type === "unread").length < unread) {
    const page = await history.items(chosen.id, before === undefined ? {} : { before });
    items.unshift(...page);
    before = page[0]?.id;
    if (before === undefined) break;
  }
  const first = items.findIndex(({ status }) => status.type === "unread");
  if (first >= 0) await session.list(items.slice(first));
  await history.markRead(chosen.id);
}

async function showUnread(session: Session, typed: Scanner): Promise<void> {
  const chosen = await readChosen(session, typed);
  typed.end();
  const all = await session.chat.history.conversations(session.user.id);
  const waiting = all.filter(({ conversation: { id, unread: count, isMarked } }) => {
    return (count > 0 || isMarked) && (chosen === null || chosen.id === id);
  });
  if (waiting.length === 0) return session.say("nothing is unread");
  for (const one of waiting.reverse()) await unreadOf(session, chosenOf(one), one.conversation.unread);
}

/** What is unread, in one line for each conversation; nothing when nothing is. */
export async function unreadLines(session: Session): Promise<Line[]> {
  const all = await session.chat.history.conversations(session.user.id);
  const waiting = all.filter(({ conversation }) => conversation.unread > 0 || conversation.isMarked);
  if (waiting.length === 0) return [];
  const counts = waiting.map((one) => `${shownPlace(chosenOf(one))} (${one.conversation.unread})`);
  return [line("unread: ", bold(counts.join(", ")), "; ", green("/unread"), " shows it")];
}

async function markRead(session: Session, typed: Scanner): Promise<void> {
  const chosen = await readChosen(session, typed);
  typed.end();
  const { history } = session.chat;
  const all = chosen ? [chosen.id] : (await history.conversations(session.user.id)).map(({ conversation }) => conversation.id);
  for (const id of all) await history.markRead(id);
  session.say("read");
}

async function itemInfo(session: Session, typed: Scanner): Promise<void> {
  const chosen = await readChosen(session, typed);
  if (!chosen) throw new TypedError("say @name, #group or *, and how the message begins");
  const text = typed.text();
  const item = await session.book.message(chosen, { start: text === "" ? null : text });
  const editions = await session.chat.history.editions(item.id);
  const members = chosen.type === "group" && item.isOwn ? await session.chat.history.deliveries(item.id) : [];
  const deliveries = await Promise.all(members.map(async ({ member, status }) => {
    return line("  ", shownName(await session.book.memberName(member) ?? ""), shownStatus(status));
  }));
  const lines: Line[] = [
    line(`${item.isOwn ? "sent" : "received"} at: ${shownDateTime(item.sentAt)}`),
    ...(item.isOwn ? [line("status:", shownStatus(item.status), ` ${item.status.type}`)] : [line(`stored at: ${shownDateTime(item.at)}`)]),
    ...(item.deleteAt === null ? [] : [line(`disappears at: ${shownDateTime(item.deleteAt)}`)]),
    ...deliveries,
    ...(editions.length === 0 ? [] : [line("it said before:")]),
    ...editions.map(({ at, content }) => line(dim(`  until ${shownDateTime(at)}: `), preview(content.text, 200))),
  ];
  session.say(...lines);
}

export const MESSAGE_COMMANDS = commandsOf(
  "messages",
  { name: "chats", also: ["cs"], usage: "[N | all]", says: "conversations, the latest first", run: chats },
  { name: "unread", takes: ["chat"], usage: "[@name | #group]", says: "show what was not read yet", run: showUnread },
  { name: "read", takes: ["chat"], usage: "[@name | #group]", says: "mark everything as read", run: markRead },
  { name: "tail", also: ["t"], takes: ["chat"], usage: "[@name | #group | *] [N]", says: "the last messages", run: tail },
  { name: "search", also: ["?"], takes: ["chat"], usage: "[@name | #group | *] [N] text", says: "messages that hold a text", run: search },
  { name: "item info", takes: ["chat"], usage: "@name | #group | * how it begins", says: "times, status and earlier texts of a message", run: itemInfo },
);
