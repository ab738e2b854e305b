import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { words } from "../words/words.ts";

// Some that are used most; all others come from the keyboard.
const EMOJI = [
  ..."😀😃😄😁😆😅😂🤣😊😇🙂🙃😉😌😍🥰😘😋😛😜🤪🤨🧐🤓😎🥳😏😒😞😔😕🙁😣😖😫😩🥺😢😭😤😠😡🤬🤯😳🥵🥶😱😨😰😥😓🤗🤔🤭🤫😶😐😬🙄😯😴🤤😷🤒🤕🤢🤧",
  ..."👍👎👌🤞🤝🙏👏🙌💪👋🤙👀🧠❤🧡💛💚💙💜🖤💔💯🔥✨🎉🎂🎁🚀✅❌❓❗⏰☕🍕🍺🌍🌞🌧⛄🐶🐱",
];
const COLUMNS = 8;

/** Emoji to insert; arrows move among them. */
export function EmojiPanel({ onChoose, onClose }: {
  readonly onChoose: (emoji: string) => void;
  readonly onClose: () => void;
}): VNode {
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => panel.current?.querySelector("button")?.focus(), []);
  const keys = (event: KeyboardEvent): void => {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      onClose();
      return;
    }
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
    const all = [...(panel.current?.querySelectorAll("button") ?? [])];
    const next = by === undefined ? undefined : all[all.indexOf(document.activeElement as HTMLButtonElement) + by];
    if (!next) return;
    event.preventDefault();
    next.focus();
  };
  return (
    <div class="emoji-panel" role="group" aria-label={words.talk.emoji} ref={panel} onKeyDown={keys}>
      {EMOJI.map((emoji, at) => (
        <button key={emoji} type="button" tabIndex={at === 0 ? 0 : -1} onClick={() => onChoose(emoji)}>{emoji}</button>
      ))}
    </div>
  );
}
