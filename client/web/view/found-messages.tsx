import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Item } from "../../chat/records.ts";
import { shortMoment } from "../state/dates.ts";
import { excerptOf } from "../state/excerpt.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";

const WAIT = 250;
const LIMIT = 50;

/** Messages in all conversations that hold what is searched for. */
export function FoundMessages(): VNode | null {
  const app = useApp();
  const wanted = app.people.wanted.value.trim();
  const [found, setFound] = useState<{ readonly wanted: string; readonly items: readonly Item[] } | null>(null);
  useEffect(() => {
    if (wanted.length < 2) {
      setFound(null);
      return;
    }
    let isWanted = true;
    const timer = setTimeout(() => {
      void app.attempt(async () => {
        const items = await app.chat.history.search(app.me.id, wanted, { limit: LIMIT });
        if (isWanted) setFound({ wanted, items });
      });
    }, WAIT);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [wanted]);
  if (wanted.length < 2 || !found) return null;
  const open = (item: Item): void => {
    app.go({ page: "chat", chat: item.chat });
    void app.attempt(() => app.talk.value?.jumpTo(item.id));
  };
  return (
    <section aria-label={words.people.foundMessages}>
      <div role="status">
        <h2 class="list-heading">{found.items.length === 0 ? words.people.foundNone : words.people.foundMessages}</h2>
      </div>
      <ul class="lines">
        {found.items.map((item) => (
          <li key={item.id}>
            <button type="button" class="line" onClick={() => open(item)}>
              <span class="said">
                <span class="first">
                  <bdi class="name">{app.people.lines.value.get(item.chat)?.name}</bdi>
                  <time>{shortMoment(item.at)}</time>
                </span>
                <span class="second"><span class="excerpt" dir="auto">{excerptOf(item, "")}</span></span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
