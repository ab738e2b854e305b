import type { VNode } from "preact";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Avatar } from "./avatar.tsx";

interface ContactChoiceProps {
  readonly chosen: ReadonlySet<string>;
  readonly onChange: (chosen: ReadonlySet<string>) => void;
  /** Contacts that are not to be chosen. */
  readonly without?: ReadonlySet<string>;
}

/** Contacts to tick. */
export function ContactChoice({ chosen, onChange, without = new Set() }: ContactChoiceProps): VNode {
  const app = useApp();
  const lines = app.people.named("").filter(({ contact, id }) =>
    contact?.status === "connected" && !contact.isBlocked && !without.has(id));
  if (lines.length === 0) return <p class="row hint">{words.people.nobody}</p>;
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChange(next);
  };
  return (
    <>
      {lines.map((line) => (
        <label key={line.id} class="row tick">
          <Avatar name={line.name} image={line.contact?.profile?.image} size="small" />
          <span class="grow"><bdi>{line.name}</bdi></span>
          <input type="checkbox" checked={chosen.has(line.id)} onChange={() => toggle(line.id)} />
        </label>
      ))}
    </>
  );
}
