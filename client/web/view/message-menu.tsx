import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { MessageItem } from "../../chat/records.ts";
import { displayText } from "../../chat/wire/rules/display.ts";
import { canDelete, canEdit } from "../../chat/wire/rules/limits.ts";
import { isAtLeast } from "../../chat/wire/rules/preferences.ts";
import { mayUse } from "../state/standing.ts";
import type { Talk } from "../state/talk.ts";
import { words } from "../words/words.ts";
import { focusComposer } from "./composer-focus.ts";
import { Menu, type MenuEntry } from "./dialog.tsx";
import { Editions, ForwardTo, MessageInfo } from "./message-dialogs.tsx";
import { ReactionBar } from "./reactions.tsx";

const { talk: said } = words;

interface MenuProps {
  readonly talk: Talk;
  readonly item: MessageItem;
  readonly beside: Element;
  readonly onClose: () => void;
}

/** Whether a message can be deleted for others too. */
function isForAll(talk: Talk, item: MessageItem): boolean {
  const line = talk.line.value;
  if (!line || line.conversation.kind === "notes" || item.deletedAt !== null || item.msgId === null) return false;
  if (item.isOwn) return canDelete(item.sentAt, Date.now());
  const author = item.member === null ? undefined : talk.members.value.get(item.member);
  const own = line.group?.role;
  return own !== undefined && isAtLeast(own, "moderator") && author !== undefined && isAtLeast(own, author.role);
}

function mayEdit(talk: Talk, item: MessageItem): boolean {
  const { container } = item.body;
  if (!item.isOwn || item.deletedAt !== null || container.forward || container.content.type === "unknown") return false;
  return talk.line.value?.conversation.kind === "notes" || canEdit(item.sentAt, Date.now());
}

async function remove(talk: Talk, item: MessageItem): Promise<void> {
  const { app } = talk;
  const isAll = isForAll(talk, item);
  const choice = await app.questions.choose({
    title: said.deleteTitle,
    ...(isAll && { text: said.deleteMark }),
    answers: [
      ...(isAll ? [{ id: "everyone", label: said.deleteForAll, isDangerous: true }] : []),
      { id: "self", label: said.deleteForMe, isDangerous: true },
    ],
  });
  if (choice === "everyone" || choice === "self") await app.attempt(() => app.chat.messages.delete(item.id, choice));
}

async function copy(talk: Talk, item: MessageItem): Promise<void> {
  await navigator.clipboard.writeText(displayText(item.body.container.content.text));
  talk.app.questions.tell(words.copied);
}

type Opened = "forward" | "history" | "info";

/** Everything that can be done with a message. */
export function MessageMenu({ talk, item, beside, onClose }: MenuProps): VNode {
  const [opened, open] = useState<Opened | null>(null);
  const { app } = talk;
  const isThere = item.deletedAt === null;
  const { container } = item.body;
  const isHere = item.file === null || item.file.state === "sent" || item.file.state === "received";
  const entry = (condition: boolean, given: MenuEntry): MenuEntry[] => (condition ? [given] : []);
  // After the menu has given the focus back.
  const then = (action: () => unknown) => (): void => {
    onClose();
    setTimeout(action);
  };
  const edit = then(() => {
    talk.composer.edit(item);
    focusComposer();
  });
  const reply = then(() => {
    talk.composer.answer(item);
    focusComposer();
  });
  const entries: MenuEntry[] = [
    ...entry(isThere, { icon: "reply", label: said.actions.reply, onChoose: reply }),
    ...entry(isThere && container.content.text !== "", {
      icon: "copy", label: said.actions.copy, onChoose: then(() => app.attempt(() => copy(talk, item))),
    }),
    ...entry(mayEdit(talk, item), { icon: "pencil", label: said.actions.edit, onChoose: edit }),
    ...entry(isThere && isHere, { icon: "forward", label: said.actions.forward, onChoose: () => open("forward") }),
    ...entry(item.isEdited, { icon: "clock", label: said.actions.history, onChoose: () => open("history") }),
    { icon: "info", label: said.actions.info, onChoose: () => open("info") },
    { icon: "trash", label: said.actions.delete, isDangerous: true, onChoose: then(() => remove(talk, item)) },
  ];
  if (opened === "forward") return <ForwardTo talk={talk} item={item} onClose={onClose} />;
  if (opened === "history") return <Editions talk={talk} item={item} onClose={onClose} />;
  if (opened === "info") return <MessageInfo talk={talk} item={item} onClose={onClose} />;
  return (
    <Menu title={said.actions.title} entries={entries} beside={beside} onClose={onClose}>
      {isThere && item.msgId !== null && mayUse(talk, "reactions") && <ReactionBar item={item} onDone={onClose} />}
    </Menu>
  );
}
