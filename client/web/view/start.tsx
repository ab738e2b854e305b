import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { explain, storeFault } from "../state/trouble.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Button, Field } from "./controls.tsx";
import { Icon, type IconName, Mark } from "./icon.tsx";

const { start, locked, broken } = words;

export function Opening(): VNode {
  return (
    <main class="stage" aria-busy="true">
      <div class="opening">
        <Mark />
        <div role="status"><h1 class="soft">{start.opening}</h1></div>
      </div>
    </main>
  );
}

const POINT_ICONS: readonly IconName[] = ["shield", "lock", "people"];

/** The first screen: who somebody wants to be. */
export function Welcome(): VNode {
  const app = useApp();
  const [name, setName] = useState("");
  const [bio, setBio] = useState("");
  const [trouble, setTrouble] = useState<string | null>(null);
  const create = async (): Promise<void> => {
    const displayName = name.trim();
    if (displayName === "") return;
    try {
      await app.chat.users.create({ displayName, fullName: "", ...(bio.trim() !== "" && { shortDescr: bio.trim() }) });
      await app.reenter();
    } catch (error) {
      setTrouble(explain(error));
    }
  };
  return (
    <main class="stage welcome">
      <div class="welcome-card">
        <div class="pitch">
          <p class="brand"><Mark /> {words.product}</p>
          <h1>{start.title}</h1>
          <p class="lead">{start.lead}</p>
          <ul class="points">
            {start.points.map(([title, text], at) => (
              <li key={title}>
                <Icon name={POINT_ICONS[at] ?? "check"} />
                <div><strong>{title}</strong><span>{text}</span></div>
              </li>
            ))}
          </ul>
        </div>
        <form onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}>
          {app.link.value !== null && <p class="note" role="status">{start.existing}</p>}
          <Field
            label={start.name}
            hint={start.nameHint}
            value={name}
            trouble={trouble}
            maxLength={100}
            autoComplete="nickname"
            required
            onInput={(text) => {
              setName(text);
              setTrouble(null);
            }}
          />
          <Field label={start.bio} value={bio} onInput={setBio} maxLength={160} />
          <Button type="submit" kind="main" disabled={name.trim() === ""}>{start.create}</Button>
          <p class="hint">{start.restore}</p>
          <p class="hint">{start.keep}</p>
        </form>
      </div>
    </main>
  );
}

export function Locked({ wasWrong }: { readonly wasWrong: boolean }): VNode {
  const app = useApp();
  const [passphrase, setPassphrase] = useState("");
  const [isOpening, setOpening] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("input")?.focus(), [wasWrong]);
  const unlock = async (): Promise<void> => {
    setOpening(true);
    await app.start(passphrase);
    setOpening(false);
  };
  return (
    <main class="stage">
      <form class="small-card" ref={form} onSubmit={(event) => {
        event.preventDefault();
        void unlock();
      }}>
        <p class="brand"><Mark /> {words.product}</p>
        <h1>{locked.title}</h1>
        <p class="lead">{locked.lead}</p>
        <Field
          label={locked.passphrase}
          type="password"
          value={passphrase}
          onInput={setPassphrase}
          trouble={wasWrong && !isOpening ? locked.wrong : null}
          autoComplete="current-password"
        />
        <Button type="submit" kind="main" disabled={passphrase === "" || isOpening}>
          {isOpening ? locked.opening : locked.unlock}
        </Button>
        <details>
          <summary>{locked.forgotten}</summary>
          <p class="hint">{locked.forgottenText}</p>
          <Button kind="danger" onClick={() => app.erase()}>{words.settings.deleteAll}</Button>
        </details>
      </form>
    </main>
  );
}

/** What another program holds, or a full disk keeps closed, is whole. */
const IS_WHOLE: ReadonlySet<string> = new Set(["BUSY", "FULL"]);

const FAULTS = { DAMAGED: broken.damaged, BUSY: broken.busy, FULL: broken.full, OTHER: broken.other } as const;

export function Broken({ error }: { readonly error: unknown }): VNode {
  const app = useApp();
  return (
    <main class="stage">
      <div class="small-card" role="alert">
        <p class="brand"><Mark /> {words.product}</p>
        <h1>{broken.title}</h1>
        <p class="lead">{FAULTS[storeFault(error)]}</p>
        <div class="answers">
          <Button kind="main" onClick={() => app.start()}>{words.retry}</Button>
          <Button onClick={() => location.reload()}>{words.reload}</Button>
        </div>
        <details>
          <summary>{broken.details}</summary>
          <p class="mono">{explain(error)}</p>
          {!IS_WHOLE.has(storeFault(error)) && (
            <Button kind="danger" onClick={() => app.erase()}>{words.settings.deleteAll}</Button>
          )}
        </details>
      </div>
    </main>
  );
}
