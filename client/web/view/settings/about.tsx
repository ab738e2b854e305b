import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { OwnRelay } from "../../session/api.ts";
import { clockTime } from "../../state/dates.ts";
import { words } from "../../words/words.ts";
import { useApp } from "../app-context.ts";
import { Mark } from "../icon.tsx";
import { Group } from "../page.tsx";

const { settings: said } = words;

export function About(): VNode {
  const app = useApp();
  const troubles = app.troubles.value;
  const [own, setOwn] = useState<OwnRelay | null>(null);
  useEffect(() => {
    void app.attempt(async () => setOwn(await app.session.ownRelay()));
  }, []);
  return (
    <>
      <p class="brand"><Mark /> {words.product}</p>
      <p class="lead">{said.aboutLead}</p>
      <Group>
        <dl class="facts">
          <dt>{said.servedBy}</dt><dd><bdi>{location.host}</bdi></dd>
          {own && <><dt>{said.fingerprint}</dt><dd class="mono small">{own.fingerprint}</dd></>}
          <dt>{said.licence}</dt><dd>MIT</dd>
        </dl>
      </Group>
      <ul class="plain-list">{said.aboutFacts.map((fact) => <li key={fact}>{fact}</li>)}</ul>
      <p class="hint">{said.notYet}</p>
      {troubles.length > 0 && (
        <Group title={said.troubles} note={said.troublesNote}>
          <dl class="facts">
            {troubles.toReversed().map(({ at, text }) => (
              <div key={at}><dt>{clockTime(at)}</dt><dd>{text}</dd></div>
            ))}
          </dl>
        </Group>
      )}
    </>
  );
}
