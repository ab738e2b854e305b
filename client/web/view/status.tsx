import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { displayLine } from "../../chat/wire/rules/display.ts";
import { clockTime } from "../state/dates.ts";
import type { SessionStatus } from "../session/api.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Button } from "./controls.tsx";
import { Dialog } from "./dialog.tsx";

const { status: said } = words;

interface Summary {
  readonly text: string;
  readonly is: "good" | "waiting" | "bad" | "idle";
}

/** The state of the connection in a word, and whether it is as it should be. */
export function summary(status: SessionStatus): Summary {
  if (!status.isOnline) return { text: said.offline, is: "bad" };
  const down = status.relays.filter(({ isUp }) => !isUp);
  if (status.phase === "opening") return { text: said.connecting, is: "waiting" };
  // Without contacts there is nothing to be connected for.
  if (status.relays.length === 0) return { text: said.idle, is: "idle" };
  if (down.length === 0) return { text: said.connected, is: "good" };
  const isNew = down.every(({ reason }) => reason === null);
  return isNew ? { text: said.connecting, is: "waiting" } : { text: said.partly(down.length), is: "bad" };
}

/** Always there, but quiet: a dot, with words only while something is not as it should be. */
export function StatusBadge(): VNode | null {
  const app = useApp();
  const [isOpen, open] = useState(false);
  const status = app.status.value;
  if (!status) return null;
  const { text, is } = summary(status);
  return (
    <>
      <button
        type="button"
        class={`status is-${is}`}
        aria-label={`${said.title}: ${text}`}
        title={text}
        aria-haspopup="dialog"
        onClick={() => open(true)}
      >
        <span class="dot" />
        {(is === "waiting" || is === "bad") && <span class="status-text">{text}</span>}
      </button>
      {isOpen && <StatusDialog status={status} onClose={() => open(false)} />}
    </>
  );
}

function StatusDialog({ status, onClose }: { readonly status: SessionStatus; readonly onClose: () => void }): VNode {
  const app = useApp();
  const isDown = status.relays.some(({ isUp }) => !isUp);
  return (
    <Dialog title={said.title} onClose={onClose}>
      <p class="lead">{summary(status).text}</p>
      <ul class="relays">
        {status.relays.map((relay) => (
          <li key={relay.address}>
            <span class={`dot is-${relay.isUp ? "good" : "bad"}`} />
            <span class="grow">
              <bdi>{relay.host}</bdi>
              <small>
                {relay.isUp ? said.up : said.down} {said.since(clockTime(relay.since))}
                {relay.reason !== null && <><br />{displayLine(relay.reason)}</>}
              </small>
            </span>
          </li>
        ))}
      </ul>
      <p class="hint">{said.explain}</p>
      <p class="hint">{status.isLeader ? said.leader : said.followerExplain}</p>
      {isDown && <Button onClick={() => app.attempt(() => app.session.reconnect())}>{words.retry}</Button>}
    </Dialog>
  );
}
