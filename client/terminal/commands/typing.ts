import type { Typing } from "../input/forms.ts";
import type { Item } from "../../chat/records.ts";
import { TypedError } from "../input/scanner.ts";
import type { Session } from "../session.ts";
import { isMessage } from "../view/item.ts";
import type { Chosen } from "../book.ts";

type Said = Exclude<Typing, { readonly type: "nothing" | "command" }>;

/** Members that are named in a message to a group, with `@` and as they are called there; three at most. */
async function mentionsIn(session: Session, { id, type }: Chosen, text: string): Promise<{ readonly mentions?: string[] }> {
  if (type !== "group" || !text.includes("@")) return {};
  const members = await session.chat.groups.members(id);
  const named = members.filter(({ name }) => text.includes(`@${name}`) || text.includes(`@'${name}'`));
  return named.length === 0 ? {} : { mentions: named.slice(0, MAX_MENTIONS).map((one) => one.id) };
}

const MAX_MENTIONS = 3;

async function send(session: Session, chosen: Chosen, text: string, quote?: Item): Promise<void> {
  const mentions = await mentionsIn(session, chosen, text);
  await session.chat.messages.send(chosen.id, text, { ...mentions, ...(quote && { quote: quote.id }) });
  session.setActive(chosen);
}

/** Does what a line without a slash asks for. What comes of it is shown by the events. @throws TypedError, ChatError */
export async function runTyping(session: Session, typing: Said): Promise<void> {
  const { book, chat, user } = session;
  if (typing.type === "direct") {
    const member = await book.member(await book.group(user, typing.group), typing.member);
    const isKnown = member.contact !== null;
    const contact = await chat.groups.contact(member.id, isKnown ? null : typing.text);
    if (isKnown) await chat.messages.send(contact.id, typing.text);
    session.setActive({ id: contact.id, type: "contact", name: contact.name });
    return;
  }
  const chosen = await book.conversation(user, typing.to);
  switch (typing.type) {
    case "send":
      return send(session, chosen, typing.text);
    case "reply": {
      // In notes, and where a member is named, it does not matter who wrote it.
      const side = chosen.type === "notes" ? {} : { isOwn: typing.isOwn };
      const quote = await book.message(chosen, { ...side, member: typing.member, start: typing.start });
      return send(session, chosen, typing.text, quote);
    }
    case "edit": {
      const item = await book.message(chosen, { isOwn: true, start: typing.start });
      if (!isMessage(item)) return;
      session.remember(item);
      await chat.messages.edit(item.id, { ...item.body.container.content, text: typing.text } as typeof item.body.container.content);
      return;
    }
    case "delete": {
      const side = typing.member === null ? { isOwn: true } : { isOwn: false, member: typing.member };
      const item = await book.message(chosen, { ...side, start: typing.start });
      session.remember(item);
      await chat.messages.delete(item.id, "everyone");
      return;
    }
    case "react": {
      const item = await book.message(chosen, { start: typing.start });
      session.remember(item);
      await chat.messages.react(item.id, typing.emoji, typing.add);
      return;
    }
    case "forward": {
      const from = await book.conversation(user, typing.from);
      const item = await book.message(from, { member: typing.member, start: typing.start });
      await chat.messages.forward(item.id, chosen.id);
      session.setActive(chosen);
      return;
    }
    default:
      throw new TypedError("this is not understood");
  }
}
