import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ConnectionInfo } from "../../agent/options.ts";
import type { Contact } from "../../chat/records.ts";
import { displayLine, displayName } from "../../chat/wire/rules/display.ts";
import { nameOf } from "../state/names.ts";
import { formatRoute } from "../state/route.ts";
import { explain } from "../state/trouble.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Avatar } from "./avatar.tsx";
import { Button, Field, RowButton, RowLink, Switch } from "./controls.tsx";
import { GroupDetails } from "./group-details.tsx";
import { LinkBox } from "./link-box.tsx";
import { Group, Page } from "./page.tsx";
import { Rich } from "./rich.tsx";

const { people: said } = words;

/** What is known of a contact or a group, and everything that can be set for it. */
export function DetailsPage(): VNode | null {
  const app = useApp();
  const line = app.talk.value?.line.value;
  if (line?.contact) return <ContactDetails contact={line.contact} />;
  return line?.group ? <GroupDetails group={line.group} /> : null;
}

function ContactDetails({ contact }: { readonly contact: Contact }): VNode {
  const app = useApp();
  const name = nameOf(contact);
  const { profile } = contact;
  const isConnected = contact.status === "connected";
  const set = (settings: Parameters<typeof app.chat.contacts.set>[1]): Promise<boolean> =>
    app.attempt(() => app.chat.contacts.set(contact.id, settings));
  const own = profile && displayName(profile.displayName);
  return (
    <Page title={said.details}>
      <div class="face">
        <Avatar name={name} image={profile?.image} size="large" />
        <h2><bdi>{name}</bdi></h2>
        {own !== null && own !== name && <p class="soft"><bdi>{said.callsThemselves(own)}</bdi></p>}
        {profile && profile.fullName !== "" && <p class="soft" dir="auto">{displayLine(profile.fullName)}</p>}
        {profile?.shortDescr !== undefined && <Rich text={profile.shortDescr} class="soft" />}
        {contact.incognito && <p class="note">{said.knownAs(displayName(contact.incognito.displayName))}</p>}
      </div>
      {contact.status === "invited" && contact.link !== null && (
        <Group title={said.waitingTitle}>
          <LinkBox link={contact.link} label={said.inviteCode} invitation={said.inviteText} />
        </Group>
      )}
      <Alias contact={contact} key={contact.alias} />
      <Group>
        <Switch
          label={said.favouriteSwitch}
          isOn={contact.isFavourite}
          onChange={(isFavourite) => set({ isFavourite })}
        />
        <Switch
          label={said.mutedSwitch}
          hint={said.mutedHint}
          isOn={contact.isMuted}
          onChange={(isMuted) => set({ isMuted })}
        />
        <Switch
          label={said.receipts}
          hint={contact.receipts === null ? said.receiptsDefault : said.receiptsHere}
          isOn={contact.receipts ?? app.me.receipts}
          onChange={(receipts) => set({ receipts })}
        />
      </Group>
      <Group>
        {isConnected && (
          <RowLink
            icon={contact.verified ? "shieldCheck" : "shield"}
            label={said.code}
            note={contact.verified ? said.verified : said.notVerified}
            href={formatRoute({ page: "code", chat: contact.id })}
          />
        )}
        <RowLink
          icon="gear"
          label={said.preferences}
          note={said.preferencesNote}
          href={formatRoute({ page: "preferences", chat: contact.id })}
        />
      </Group>
      {isConnected && <Connection contact={contact} />}
      <Leaving contact={contact} name={name} />
    </Page>
  );
}

function Alias({ contact }: { readonly contact: Contact }): VNode {
  const app = useApp();
  const [alias, setAlias] = useState(contact.alias ?? "");
  const [trouble, setTrouble] = useState<string | null>(null);
  const save = async (): Promise<void> => {
    const wanted = alias.trim();
    try {
      await app.chat.contacts.set(contact.id, { alias: wanted === "" ? null : wanted });
      app.questions.tell(words.saved);
    } catch (error) {
      setTrouble(explain(error));
    }
  };
  return (
    <form class="in-line" onSubmit={(event) => {
      event.preventDefault();
      void save();
    }}>
      <Field label={said.alias} hint={said.aliasHint} value={alias} trouble={trouble} onInput={(text) => {
        setAlias(text);
        setTrouble(null);
      }} />
      <Button type="submit" disabled={alias.trim() === (contact.alias ?? "")}>{words.save}</Button>
    </form>
  );
}

/** Through which relays messages go, and how they are protected. */
function Connection({ contact }: { readonly contact: Contact }): VNode | null {
  const app = useApp();
  const [info, setInfo] = useState<ConnectionInfo | null>(null);
  useEffect(() => {
    void app.attempt(async () => setInfo(await app.chat.contacts.connection(contact.id)));
  }, [contact.id, contact.status]);
  if (!info) return null;
  const { receivesAt, sendsTo, quantumSafe } = info;
  const hosts = (servers: ConnectionInfo["receivesAt"]): string =>
    servers.map(({ hosts: [host = ""] }) => host).join(", ");
  const isSafe = quantumSafe.sending && quantumSafe.receiving;
  return (
    <Group title={said.connection}>
      <dl class="facts">
        <dt>{said.encryption}</dt><dd>{isSafe ? said.quantumSafe : said.endToEnd}</dd>
        <dt>{said.receivesAt}</dt><dd><bdi>{hosts(receivesAt)}</bdi></dd>
        <dt>{said.sendsTo}</dt><dd><bdi>{hosts(sendsTo)}</bdi></dd>
        {info.sync !== "ok" && <><dt>{said.sync}</dt><dd>{said.syncStates[info.sync]}</dd></>}
      </dl>
    </Group>
  );
}

function Leaving({ contact, name }: { readonly contact: Contact; readonly name: string }): VNode {
  const app = useApp();
  const clear = async (): Promise<void> => {
    const isSure = await app.questions.confirm(said.clearTitle, said.clearText, said.clear);
    if (isSure) await app.attempt(() => app.chat.history.clear(contact.id));
  };
  const block = async (): Promise<void> => {
    const isSure = contact.isBlocked || await app.questions.confirm(said.blockTitle(name), said.blockText, said.block);
    if (isSure) await app.attempt(() => app.chat.contacts.set(contact.id, { isBlocked: !contact.isBlocked }));
  };
  const remove = async (): Promise<void> => {
    const choice = await app.questions.choose({
      title: said.deleteTitle(name),
      text: said.deleteText,
      answers: [
        { id: "tell", label: said.deleteAndTell, isDangerous: true },
        { id: "silently", label: said.deleteSilently, isDangerous: true },
      ],
    });
    if (choice === null) return;
    const isDone = await app.attempt(() => app.chat.contacts.delete(contact.id, { notify: choice === "tell" }));
    if (isDone) app.go({ page: "list" }, { replace: true });
  };
  return (
    <Group>
      <RowButton icon="trash" label={said.clear} isDangerous onClick={clear} />
      <RowButton
        icon="block"
        label={contact.isBlocked ? said.unblock : said.block}
        isDangerous={!contact.isBlocked}
        onClick={block}
      />
      <RowButton icon="door" label={said.deleteContact} isDangerous onClick={remove} />
    </Group>
  );
}
