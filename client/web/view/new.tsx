import type { VNode } from "preact";
import { formatRoute } from "../state/route.ts";
import { words } from "../words/words.ts";
import { RowLink } from "./controls.tsx";
import { Group, Page } from "./page.tsx";

const { people: said } = words;

/** The ways to begin something. */
export function NewPage(): VNode {
  return (
    <Page title={said.begin}>
      <Group>
        <RowLink icon="qr" label={said.invite} note={said.inviteNote} href={formatRoute({ page: "invite" })} />
        <RowLink icon="camera" label={said.connect} note={said.connectNote} href={formatRoute({ page: "connect" })} />
        <RowLink
          icon="people"
          label={said.newGroup}
          note={said.newGroupNote}
          href={formatRoute({ page: "newGroup" })}
        />
        <RowLink icon="home" label={said.address} note={said.addressNote} href={formatRoute({ page: "address" })} />
      </Group>
    </Page>
  );
}
