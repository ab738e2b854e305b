import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { displayLine, displayName } from "../../chat/wire/rules/display.ts";
import { wholeTime } from "../state/dates.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Avatar } from "./avatar.tsx";
import { Button, Switch } from "./controls.tsx";
import { Group, Page } from "./page.tsx";
import { Rich } from "./rich.tsx";

const { people: said } = words;

/** Somebody asks to connect. */
export function RequestPage({ id }: { readonly id: string }): VNode {
  const app = useApp();
  const [isIncognito, setIncognito] = useState(false);
  const request = app.people.requests.value.find((one) => one.id === id);
  if (!request) return <Page title={said.requests}><p class="hint">{said.requestGone}</p></Page>;
  const { profile, message, at } = request;
  const name = displayName(profile.displayName);
  const accept = (): Promise<boolean> => app.attempt(async () => {
    const contact = await app.chat.links.accept(id, { incognito: isIncognito });
    await app.people.load();
    app.go({ page: "chat", chat: contact.id }, { replace: true });
  });
  const reject = (): Promise<boolean> => app.attempt(async () => {
    await app.chat.links.reject(id);
    app.go({ page: "list" }, { replace: true });
  });
  return (
    <Page title={said.asksToConnect}>
      <div class="card seen">
        <Avatar name={name} image={profile.image} size="large" />
        <h2><bdi>{name}</bdi></h2>
        {profile.shortDescr !== undefined && <p class="soft" dir="auto">{displayLine(profile.shortDescr)}</p>}
        <small>{wholeTime(at)}</small>
        {message && <Rich text={message.content.text} />}
      </div>
      <Group>
        <Switch
          label={said.incognito}
          hint={isIncognito ? said.incognitoHint : said.connectAs(displayName(app.me.profile.displayName))}
          isOn={isIncognito}
          onChange={setIncognito}
        />
      </Group>
      <div class="answers">
        <Button kind="main" onClick={accept}>{said.accept}</Button>
        <Button kind="danger" onClick={reject}>{said.reject}</Button>
      </div>
      <p class="hint">{said.rejectHint}</p>
    </Page>
  );
}
