import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Invitation } from "../../chat/links.ts";
import { explain } from "../state/trouble.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Button, Switch } from "./controls.tsx";
import { LinkBox } from "./link-box.tsx";
import { Group, Page } from "./page.tsx";

const { people: said } = words;

type Form = "short" | "full";

/** A link for one person. It is made when it is asked for: each one is a contact that waits. */
export function InvitePage(): VNode {
  const app = useApp();
  const [isIncognito, setIncognito] = useState(false);
  const [made, setMade] = useState<Invitation | null>(null);
  const [form, setForm] = useState<Form>("short");
  const [trouble, setTrouble] = useState<string | null>(null);
  const make = async (): Promise<void> => {
    setTrouble(null);
    try {
      setMade(await app.chat.links.invite(app.me.id, { incognito: isIncognito }));
    } catch (error) {
      setTrouble(explain(error));
    }
  };
  const line = made && app.people.lines.value.get(made.contact.id);
  const isUsed = line?.contact?.status === "connected";
  // Somebody used it: there is somebody to talk to.
  useEffect(() => {
    if (isUsed && made) app.go({ page: "chat", chat: made.contact.id }, { replace: true });
  }, [isUsed]);
  if (!made) {
    return (
      <Page title={said.invite}>
        <p class="lead">{said.inviteLead}</p>
        <Group>
          <Switch label={said.incognito} hint={said.incognitoHint} isOn={isIncognito} onChange={setIncognito} />
        </Group>
        {trouble !== null && <p class="trouble" role="alert">{trouble}</p>}
        <Button kind="main" icon="qr" onClick={make}>{said.makeLink}</Button>
      </Page>
    );
  }
  const link = form === "short" ? (made.shortLink ?? made.link) : made.link;
  return (
    <Page title={said.invite}>
      <p class="lead">{said.inviteReady}</p>
      <LinkBox link={link} label={said.inviteCode} invitation={said.inviteText} />
      <p class="waiting" role="status"><span class="dot is-waiting" /> {said.waiting}</p>
      {made.shortLink !== null && (
        <Button kind="quiet" onClick={() => setForm(form === "short" ? "full" : "short")}>
          {form === "short" ? said.fullLink : said.shortLink}
        </Button>
      )}
      <p class="hint">{said.inviteOnce}</p>
    </Page>
  );
}
