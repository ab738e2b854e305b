import type { VNode } from "preact";
import type { MessageItem } from "../../chat/records.ts";
import { REACTION_EMOJI } from "../../chat/wire/reaction.ts";
import { displayName } from "../../chat/wire/rules/display.ts";
import type { Talk } from "../state/talk.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";

const { talk: said } = words;

interface Sum {
  readonly emoji: string;
  /** Members of the group; null: the other one of two. */
  readonly by: readonly (string | null)[];
  readonly isOwn: boolean;
}

function sums({ reactions }: MessageItem): Sum[] {
  const found = new Map<string, Sum>();
  for (const { isOwn, member, reaction } of reactions) {
    const emoji = reaction.type === "emoji" ? reaction.emoji : "?";
    const before = found.get(emoji);
    const by = [...(before?.by ?? []), ...(isOwn ? [] : [member])];
    found.set(emoji, { emoji, by, isOwn: isOwn || before?.isOwn === true });
  }
  return [...found.values()];
}

/** Who reacted, by their names. */
function namesOf(talk: Talk, { by, isOwn }: Sum): string[] {
  const names = by.map((member) => {
    if (member === null) return talk.name.value;
    return displayName(talk.members.value.get(member)?.name ?? "");
  });
  return isOwn ? [said.you, ...names] : names;
}

/** U+2764 alone is shown in black by some fonts. */
export const drawn = (emoji: string): string => (emoji === "❤" ? "❤\u{fe0f}" : emoji);

export function Reactions({ talk, item }: { readonly talk: Talk; readonly item: MessageItem }): VNode | null {
  const app = useApp();
  if (item.reactions.length === 0 || item.deletedAt !== null) return null;
  return (
    <div class="reactions">
      {sums(item).map((sum) => {
        const { emoji, isOwn } = sum;
        const names = namesOf(talk, sum);
        return (
          <button
            key={emoji}
            type="button"
            aria-pressed={isOwn}
            aria-label={said.reactions(emoji, names)}
            title={names.join(", ")}
            disabled={emoji === "?"}
            onClick={() => void app.attempt(() => app.chat.messages.react(item.id, emoji, !isOwn))}
          >
            {drawn(emoji)}{names.length > 1 && <span>{names.length}</span>}
          </button>
        );
      })}
    </div>
  );
}

/** Above the menu of a message. */
export function ReactionBar({ item, onDone }: { readonly item: MessageItem; readonly onDone: () => void }): VNode {
  const app = useApp();
  const own = new Set(sums(item).filter(({ isOwn }) => isOwn).map(({ emoji }) => emoji));
  return (
    <div class="reaction-bar" role="group" aria-label={said.actions.select}>
      {REACTION_EMOJI.map((emoji) => (
        <button
          key={emoji}
          type="button"
          aria-label={said.reactWith(emoji)}
          aria-pressed={own.has(emoji)}
          onClick={() => {
            onDone();
            void app.attempt(() => app.chat.messages.react(item.id, emoji, !own.has(emoji)));
          }}
        >
          {drawn(emoji)}
        </button>
      ))}
    </div>
  );
}
