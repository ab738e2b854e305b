import type { VNode } from "preact";
import type { Line } from "../state/people.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Menu, type MenuEntry } from "./dialog.tsx";

const { people: said } = words;

interface LineMenuProps {
  readonly line: Line;
  readonly beside: Element;
  readonly onClose: () => void;
}

/** What can be done with a conversation without opening it. */
export function LineMenu({ line, beside, onClose }: LineMenuProps): VNode {
  const app = useApp();
  const { chat } = app;
  const { contact, group, conversation, id, isFavourite, isMuted } = line;
  const isUnread = conversation.unread > 0 || conversation.isMarked;
  const set = (settings: { readonly isMuted?: boolean; readonly isFavourite?: boolean }): Promise<unknown> =>
    group ? chat.groups.set(id, settings) : chat.contacts.set(id, settings);
  const then = (action: () => unknown) => (): void => {
    onClose();
    setTimeout(() => void app.attempt(action));
  };
  const clear = async (): Promise<void> => {
    const isSure = await app.questions.confirm(said.clearTitle, said.clearText, said.clear);
    if (isSure) await chat.history.clear(id);
  };
  const entries: MenuEntry[] = [
    isUnread
      ? { icon: "check", label: said.markRead, onChoose: then(() => chat.history.markRead(id, conversation.lastItem)) }
      : { icon: "bookmark", label: said.markUnread, onChoose: then(() => chat.history.markUnread(id)) },
  ];
  if (contact ?? group) {
    entries.push(
      {
        icon: "star",
        label: isFavourite ? said.unfavouriteLine : said.favouriteLine,
        onChoose: then(() => set({ isFavourite: !isFavourite })),
      },
      {
        icon: isMuted ? "sound" : "mute",
        label: isMuted ? said.unmuteLine : said.muteLine,
        onChoose: then(() => set({ isMuted: !isMuted })),
      },
      { icon: "info", label: said.details, onChoose: then(() => app.go({ page: "details", chat: id })) },
    );
  }
  entries.push({ icon: "trash", label: said.clear, isDangerous: true, onChoose: then(clear) });
  return <Menu title={said.lineMenu(line.name)} entries={entries} beside={beside} onClose={onClose} />;
}
