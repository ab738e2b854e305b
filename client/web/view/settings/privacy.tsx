import type { VNode } from "preact";
import { words } from "../../words/words.ts";
import { formatRoute } from "../../state/route.ts";
import { useApp } from "../app-context.ts";
import { RowLink, Switch } from "../controls.tsx";
import { Group } from "../page.tsx";

const { settings: said } = words;

export function Privacy(): VNode {
  const app = useApp();
  const { id, receipts } = app.me;
  return (
    <>
      <Group>
        <Switch
          label={words.people.receipts}
          hint={words.people.receiptsAll}
          isOn={receipts}
          onChange={(on) => app.attempt(() => app.chat.users.setReceipts(id, on))}
        />
        <RowLink
          icon="gear"
          label={words.people.preferencesAll}
          note={words.people.preferencesAllNote}
          href={formatRoute({ page: "profile" })}
        />
        <RowLink
          icon="server"
          label={said.proxy}
          note={said.privacyProxy}
          href={formatRoute({ page: "section", section: "relays" })}
        />
      </Group>
      <ul class="plain-list">{said.privacyFacts.map((fact) => <li key={fact}>{fact}</li>)}</ul>
    </>
  );
}
