import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { dayTitle } from "../state/dates.ts";
import { rowsOf } from "../state/rows.ts";
import type { Talk } from "../state/talk.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Icon } from "./icon.tsx";
import { Message } from "./message.tsx";
import { MessageScroll } from "./message-scroll.ts";

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 };

function itemsOf(list: HTMLElement): HTMLElement[] {
  return [...list.querySelectorAll<HTMLElement>("[data-item]")];
}

/** The messages that are read, with those around them loaded as one comes there. */
export function MessageList({ talk }: { readonly talk: Talk }): VNode {
  const app = useApp();
  const viewport = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const [isAway, setAway] = useState(false);
  const [reached, setReached] = useState<string | null>(null);
  const scroll = useMemo(() => new MessageScroll(talk, setAway), [talk]);
  const items = talk.items.value;
  const rows = useMemo(() => rowsOf(items, talk.firstUnread.value), [items, talk.firstUnread.value]);

  useEffect(() => {
    if (!viewport.current || !list.current) return;
    return scroll.watch(viewport.current, list.current);
  }, [scroll]);
  // Before the browser paints, so that nothing is seen to jump.
  useLayoutEffect(() => {
    if (viewport.current && list.current) scroll.settle(viewport.current, list.current);
  });

  const move = (event: KeyboardEvent): void => {
    const by = event.key === "Home" ? -Infinity : event.key === "End" ? Infinity : STEPS[event.key];
    const active = document.activeElement;
    if (by === undefined || !list.current || !(active instanceof HTMLElement) || !active.matches("[data-item]")) return;
    event.preventDefault();
    const all = itemsOf(list.current);
    all[Math.max(0, Math.min(all.length - 1, all.indexOf(active) + by))]?.focus();
  };

  const line = talk.line.value;
  const unread = line?.conversation.unread ?? 0;
  const lastId = items.at(-1)?.id ?? null;
  // One message is reached by Tab: the one that was left, or the latest.
  const stop = items.some(({ id }) => id === reached) ? reached : lastId;
  return (
    <div class="messages">
      <div class="scroll" ref={viewport} data-testid="messages">
        <ol
          class="rows"
          ref={list}
          aria-label={words.talk.messages(line?.name ?? "")}
          aria-busy={!talk.isReady.value}
          onKeyDown={move}
          onFocusIn={(event) => {
            const item = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-item]") : null;
            if (item) setReached(item.dataset["item"] ?? null);
          }}
        >
          {talk.isReady.value && !talk.hasOlder.value && (
            <li class="aside beginning">
              {line?.conversation.kind === "notes" ? words.talk.beginningNotes : words.talk.beginning}
            </li>
          )}
          {talk.hasOlder.value && <li class="aside soft">{words.talk.loadingOlder}</li>}
          {rows.map((row) => {
            if (row.is === "day") return <li key={row.key} class="aside day"><span>{dayTitle(row.at)}</span></li>;
            if (row.is === "unread") {
              return <li key={row.key} class="aside unread-line" data-unread><span>{words.talk.unreadBelow}</span></li>;
            }
            return (
              <Message
                key={row.key}
                talk={talk}
                item={row.item}
                isFirst={row.isFirst}
                isLast={row.isLast}
                isStop={row.item.id === stop}
              />
            );
          })}
        </ol>
      </div>
      {(isAway || talk.hasNewer.value) && (
        <button
          type="button"
          class="to-latest"
          aria-label={unread > 0 ? words.talk.latestWithCount(unread) : words.talk.latest}
          title={words.talk.latest}
          onClick={() => app.attempt(() => talk.toLatest())}
        >
          <Icon name="down" />
          {unread > 0 && <span class="badge" aria-hidden="true">{unread}</span>}
        </button>
      )}
    </div>
  );
}
