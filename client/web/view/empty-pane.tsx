import type { VNode } from "preact";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Button } from "./controls.tsx";
import { Mark } from "./icon.tsx";

/** Beside the list, while no conversation is open. */
export function EmptyPane(): VNode {
  const app = useApp();
  return (
    <section class="empty-pane" aria-label={words.talk.landmark}>
      <Mark />
      <h1>{words.talk.pick}</h1>
      <div class="answers">
        <Button kind="main" icon="qr" onClick={() => app.go({ page: "invite" })}>{words.people.invite}</Button>
        <Button icon="link" onClick={() => app.go({ page: "connect" })}>{words.people.connect}</Button>
      </div>
      <p class="hint">{words.talk.pickHint}</p>
    </section>
  );
}
