import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { LinkLook } from "../../chat/links.ts";
import { displayName } from "../../chat/wire/rules/display.ts";
import { readQr } from "../media/qr-read.ts";
import { kindOfLink, type LinkKind } from "../state/link-kind.ts";
import { explain } from "../state/trouble.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Avatar } from "./avatar.tsx";
import { Button, Field, Switch } from "./controls.tsx";
import { Group, Page } from "./page.tsx";
import { Rich } from "./rich.tsx";
import { Scanner } from "./scanner.tsx";

const { people: said } = words;

/** Where a link of somebody else is followed: pasted, scanned, or opened. */
export function ConnectPage(): VNode {
  const app = useApp();
  const link = app.link.value;
  if (link === null) return <FindLink />;
  return <FollowLink key={link} link={link} />;
}

function FindLink(): VNode {
  const app = useApp();
  const [text, setText] = useState("");
  const [trouble, setTrouble] = useState<string | null>(null);
  const [isScanning, scan] = useState(false);
  const pictures = useRef<HTMLInputElement>(null);
  const take = (found: string): void => {
    try {
      kindOfLink(found);
      scan(false);
      app.link.value = found.trim();
    } catch (error) {
      setTrouble(explain(error));
    }
  };
  const fromPicture = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    const found = await readQr(file);
    if (found === null) setTrouble(said.noCode);
    else take(found);
  };
  return (
    <Page title={said.connect}>
      <p class="lead">{said.connectLead}</p>
      <form onSubmit={(event) => {
        event.preventDefault();
        take(text);
      }}>
        <Field
          label={said.theLink}
          value={text}
          isLong
          autoFocus
          placeholder="simplex:/… or https://…"
          trouble={trouble}
          onInput={(value) => {
            setText(value);
            setTrouble(null);
          }}
        />
        <Button type="submit" kind="main" disabled={text.trim() === ""}>{said.next}</Button>
      </form>
      <div class="answers">
        <Button icon="camera" onClick={() => scan(true)}>{said.scan}</Button>
        <Button icon="picture" onClick={() => pictures.current?.click()}>{said.scanPicture}</Button>
        <input
          ref={pictures}
          type="file"
          accept="image/*"
          class="unseen"
          tabIndex={-1}
          aria-hidden="true"
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? [];
            event.currentTarget.value = "";
            void app.attempt(() => fromPicture(file));
          }}
        />
      </div>
      {isScanning && <Scanner onFound={take} onClose={() => scan(false)} />}
    </Page>
  );
}

const KIND_TEXT: Readonly<Record<LinkKind, string>> = {
  invitation: said.kindInvitation,
  contact: said.kindAddress,
  group: said.kindGroup,
};

/** Asks before anything is done: whoever follows a link shows who they are. */
function FollowLink({ link }: { readonly link: string }): VNode {
  const app = useApp();
  const [look, setLook] = useState<LinkLook | null>(null);
  const [isIncognito, setIncognito] = useState(false);
  const [message, setMessage] = useState("");
  const [trouble, setTrouble] = useState<string | null>(null);
  const [kind] = useState<LinkKind | null>(() => {
    try {
      return kindOfLink(link);
    } catch (error) {
      setTrouble(explain(error));
      return null;
    }
  });
  const attempt = async (action: () => Promise<void>): Promise<void> => {
    setTrouble(null);
    try {
      await action();
    } catch (error) {
      setTrouble(explain(error));
    }
  };
  const see = (): Promise<void> => attempt(async () => setLook(await app.chat.links.look(app.me.id, link)));
  // An address or a group can be looked at as often as one likes; an invitation only once.
  useEffect(() => {
    if (kind === "contact" || kind === "group") void see();
  }, []);
  const leave = (): void => {
    app.link.value = null;
  };
  const connect = (): Promise<void> => attempt(async () => {
    const { id } = app.me;
    const first = message.trim();
    const options = { incognito: isIncognito };
    const withMessage = kind === "contact" && first !== "" ? { ...options, message: first } : options;
    const made = kind === "group"
      ? await app.chat.groups.connect(id, link, options)
      : await app.chat.links.connect(id, link, withMessage);
    leave();
    await app.people.load();
    app.go({ page: "chat", chat: made.id }, { replace: true });
  });
  if (kind === null) {
    return (
      <Page title={said.connect}>
        <p class="trouble" role="alert">{trouble}</p>
        <Button onClick={leave}>{said.otherLink}</Button>
      </Page>
    );
  }
  return (
    <Page title={said.connect}>
      <p class="lead">{KIND_TEXT[kind]}</p>
      {look ? <Seen look={look} /> : kind === "invitation" && (
        <Group note={said.lookHint}>
          <div class="row"><Button kind="quiet" icon="search" onClick={see}>{said.look}</Button></div>
        </Group>
      )}
      <Group>
        <Switch
          label={said.incognito}
          hint={isIncognito ? said.incognitoHint : said.connectAs(displayName(app.me.profile.displayName))}
          isOn={isIncognito}
          onChange={setIncognito}
        />
      </Group>
      {kind === "contact" && <Field label={said.firstMessage} value={message} isLong onInput={setMessage} />}
      {trouble !== null && <p class="trouble" role="alert">{trouble}</p>}
      <div class="answers">
        <Button kind="main" onClick={connect}>{kind === "group" ? said.join : said.connectNow}</Button>
        <Button onClick={leave}>{said.otherLink}</Button>
      </div>
    </Page>
  );
}

function Seen({ look: { data } }: { readonly look: LinkLook }): VNode {
  if (!data) return <p class="hint">{said.seenNothing}</p>;
  const shown = "groupProfile" in data ? data.groupProfile : data.profile;
  const name = displayName(shown.displayName);
  const welcome = "groupProfile" in data ? data.groupProfile.description : data.message?.text;
  return (
    <div class="card seen">
      <Avatar name={name} image={shown.image} size="large" />
      <h2><bdi>{name}</bdi></h2>
      {shown.shortDescr !== undefined && <p class="soft" dir="auto">{displayName(shown.shortDescr)}</p>}
      {welcome !== undefined && <Rich text={welcome} />}
    </div>
  );
}
