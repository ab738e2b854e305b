import type { VNode } from "preact";
import { formatRoute, type Section } from "../state/route.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { RowButton, RowLink } from "./controls.tsx";
import type { IconName } from "./icon.tsx";
import { Group, Page } from "./page.tsx";
import { About } from "./settings/about.tsx";
import { Appearance } from "./settings/appearance.tsx";
import { Data } from "./settings/data.tsx";
import { Notifications } from "./settings/notifications.tsx";
import { PassphraseSettings } from "./settings/passphrase.tsx";
import { Privacy } from "./settings/privacy.tsx";
import { Relays } from "./settings/relays.tsx";
import { Shortcuts } from "./settings/shortcuts.tsx";

const { settings: said } = words;

const ICONS: Readonly<Record<Section, IconName>> = {
  relays: "server",
  passphrase: "key",
  notifications: "bell",
  appearance: "moon",
  privacy: "shield",
  shortcuts: "keyboard",
  data: "save",
  about: "info",
};

/** The ways to everything that can be set. */
export function SettingsPage(): VNode {
  const app = useApp();
  const link = (section: Section): VNode => (
    <RowLink
      key={section}
      icon={ICONS[section]}
      label={said.sections[section]}
      note={said.notes[section]}
      href={formatRoute({ page: "section", section })}
    />
  );
  return (
    <Page title={said.title}>
      <Group>
        <RowLink
          icon="person"
          label={words.people.profiles}
          note={said.profilesNote}
          href={formatRoute({ page: "profiles" })}
        />
        <RowLink
          icon="home"
          label={words.people.address}
          note={words.people.addressNote}
          href={formatRoute({ page: "address" })}
        />
      </Group>
      <Group>{(["appearance", "notifications", "privacy", "passphrase"] as const).map(link)}</Group>
      <Group>{(["relays", "data", "shortcuts", "about"] as const).map(link)}</Group>
      <Group>
        <RowButton icon="lock" label={said.lock} note={said.lockNote} onClick={() => app.attempt(() => app.lock())} />
      </Group>
    </Page>
  );
}

export function SectionPage({ section }: { readonly section: Section }): VNode {
  const Content = {
    relays: Relays,
    passphrase: PassphraseSettings,
    notifications: Notifications,
    appearance: Appearance,
    privacy: Privacy,
    shortcuts: Shortcuts,
    data: Data,
    about: About,
  }[section];
  return <Page title={said.sections[section]}><Content /></Page>;
}
