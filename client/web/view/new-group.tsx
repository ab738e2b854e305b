import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { explain } from "../state/trouble.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { ContactChoice } from "./contact-choice.tsx";
import { Button, Field } from "./controls.tsx";
import { Group, Page } from "./page.tsx";

const { people: said } = words;

/** A group with a name and the first members. */
export function NewGroupPage(): VNode {
  const app = useApp();
  const [name, setName] = useState("");
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [trouble, setTrouble] = useState<string | null>(null);
  const create = async (): Promise<void> => {
    const description = text.trim();
    try {
      const { chat } = app;
      const profile = { displayName: name.trim(), fullName: "", ...(description !== "" && { description }) };
      const group = await chat.groups.create(app.me.id, profile);
      // The group is there: who cannot be invited is told of, and the others are.
      for (const contact of chosen) await app.attempt(() => chat.groups.invite(group.id, contact));
      await app.people.load();
      app.go({ page: "chat", chat: group.id }, { replace: true });
    } catch (error) {
      setTrouble(explain(error));
    }
  };
  return (
    <Page title={said.newGroup}>
      <p class="lead">{said.newGroupLead}</p>
      <form onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}>
        <Field label={said.groupName} value={name} autoFocus trouble={trouble} onInput={(value) => {
          setName(value);
          setTrouble(null);
        }} />
        <Field label={said.groupWelcome} value={text} isLong onInput={setText} />
        <Group title={said.firstMembers}><ContactChoice chosen={chosen} onChange={setChosen} /></Group>
        <Button type="submit" kind="main" disabled={name.trim() === ""}>{said.createGroup}</Button>
      </form>
    </Page>
  );
}
