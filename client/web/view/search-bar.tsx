import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Item } from "../../chat/records.ts";
import type { Talk } from "../state/talk.ts";
import { words } from "../words/words.ts";
import { IconButton } from "./controls.tsx";
import { Icon } from "./icon.tsx";

const WAIT = 250;
const LIMIT = 200;
const { talk: said } = words;

/** Looks for a text in the open conversation and goes from one place to the next. */
export function SearchBar({ talk, onClose }: { readonly talk: Talk; readonly onClose: () => void }): VNode {
  const box = useRef<HTMLInputElement>(null);
  const [wanted, setWanted] = useState("");
  const [found, setFound] = useState<readonly Item[] | null>(null);
  const [at, setAt] = useState(0);
  useEffect(() => box.current?.focus(), []);
  useEffect(() => {
    setFound(null);
    if (wanted.trim() === "") return;
    let isWanted = true;
    const timer = setTimeout(() => {
      void talk.app.attempt(async () => {
        const { app } = talk;
        const items = await app.chat.history.search(app.me.id, wanted.trim(), { chat: talk.chat, limit: LIMIT });
        if (!isWanted) return;
        setFound(items);
        await go(items, 0);
      });
    }, WAIT);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [wanted]);
  const go = async (items: readonly Item[], to: number): Promise<void> => {
    const item = items[to];
    if (!item) return;
    setAt(to);
    await talk.jumpTo(item.id);
    // The message was focused; one goes on typing or stepping here.
    setTimeout(() => box.current?.focus({ preventScroll: true }), 50);
  };
  const step = (by: number): void => {
    if (found) void talk.app.attempt(() => go(found, Math.max(0, Math.min(found.length - 1, at + by))));
  };
  const text = found === null ? "" : found.length === 0 ? said.searchNone : `${at + 1} / ${found.length}`;
  return (
    <search class="search-bar">
      <Icon name="search" />
      <input
        ref={box}
        type="search"
        value={wanted}
        aria-label={said.searchHere}
        placeholder={said.searchHere}
        dir="auto"
        onInput={(event) => setWanted(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
          if (event.key !== "Escape") return;
          event.stopPropagation();
          event.preventDefault();
          onClose();
        }}
      />
      <span class="small soft" role="status">{text}</span>
      <IconButton
        icon="back"
        class="up"
        label={said.searchOlder}
        onClick={() => step(1)}
        disabled={!found || at >= found.length - 1}
      />
      <IconButton icon="back" class="down" label={said.searchNewer} onClick={() => step(-1)} disabled={at === 0} />
      <IconButton icon="close" label={words.close} onClick={onClose} />
    </search>
  );
}
