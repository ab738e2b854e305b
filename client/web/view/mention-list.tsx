import type { VNode } from "preact";
import { displayName } from "../../chat/wire/rules/display.ts";
import { mentionText } from "../../chat/wire/rules/mentions.ts";
import { fold } from "../state/people.ts";
import type { Talk } from "../state/talk.ts";
import { words } from "../words/words.ts";
import { Avatar } from "./avatar.tsx";

const BEGUN = /(?<=^|\s)@([^\s@']{0,40})$/u;
const SHOWN = 5;

/** The name that is begun at the end of a text; null when none is. */
export function begunMention(text: string): string | null {
  return BEGUN.exec(text)?.[1] ?? null;
}

/** Members whose name begins like what is typed after `@`. */
export function MentionList({ talk, begun, onChoose }: {
  readonly talk: Talk;
  readonly begun: string;
  readonly onChoose: (text: string) => void;
}): VNode | null {
  const wanted = fold(begun);
  const members = [...talk.members.value.values()].filter(({ status }) => status !== "left" && status !== "removed");
  const fitting = members.filter(({ name }) => fold(name).startsWith(wanted)).slice(0, SHOWN);
  if (fitting.length === 0) return null;
  return (
    <div class="mentions" role="group" aria-label={words.talk.mention}>
      {fitting.map(({ id, name, profile }) => (
        <button key={id} type="button" onClick={() => onChoose(mentionText(name))}>
          <Avatar name={displayName(name)} image={profile.image} size="small" />
          <bdi>{displayName(name)}</bdi>
        </button>
      ))}
    </div>
  );
}
