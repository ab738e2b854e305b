import type { VNode } from "preact";
import type { PushMode, PushState } from "../../push/api.ts";
import { pushSupport } from "../../push/browser.ts";
import { isNotifying, permission, setNotifying } from "../../state/notifications.ts";
import { words } from "../../words/words.ts";
import { useApp } from "../app-context.ts";
import { Choice, Switch } from "../controls.tsx";
import { Group } from "../page.tsx";

const { settings: said, notified } = words;

const MODES: readonly (readonly [PushMode | "off", string])[] = [
  ["off", notified.off],
  ["instant", notified.instant],
  ["periodic", notified.periodic],
];
const NOTES: Readonly<Record<PushMode | "off", string>> = {
  off: notified.offNote,
  instant: notified.instantNote,
  periodic: notified.periodicNote,
};

function note(allowed: NotificationPermission | null): string {
  if (allowed === null) return said.notificationsNone;
  return allowed === "denied" ? said.notificationsDenied : said.notificationsHint;
}

/** How far it has come; null: there is nothing to be said. */
function standing({ status }: PushState, allowed: NotificationPermission | null): string | null {
  if (allowed === "denied") return said.notificationsDenied;
  if (status === null) return null;
  if (allowed !== "granted") return notified.ended;
  if (status === "ACTIVE") return notified.works;
  if (status === "EXPIRED" || status === "INVALID,UNREGISTERED" || status === "INVALID,EXPIRED") return notified.ended;
  return status.startsWith("INVALID") ? notified.refused : notified.waiting;
}

function Closed({ state }: { readonly state: PushState }): VNode {
  const app = useApp();
  const mode = state.mode ?? "off";
  const allowed = permission();
  const stands = standing(state, allowed);
  return (
    <>
      <Group title={notified.away} note={NOTES[mode]}>
        <Choice
          label={notified.awayLabel}
          value={mode}
          options={MODES}
          disabled={allowed === "denied" && mode === "off"}
          onChange={(wanted) => app.attempt(() => app.push.choose(wanted === "off" ? null : wanted))}
        />
        {state.mode && (
          <Switch
            label={notified.naming}
            hint={notified.namingNote}
            isOn={state.isNaming}
            onChange={(on) => app.attempt(() => app.push.setNaming(on))}
          />
        )}
      </Group>
      {stands !== null && <p class="hint" role="status">{stands}</p>}
      {state.mode && <p class="hint">{notified.sealedNote}</p>}
    </>
  );
}

/** What the browser does when something comes, said as it is. */
export function Notifications(): VNode {
  const app = useApp();
  const allowed = permission();
  const isOn = isNotifying.value && allowed === "granted";
  const support = pushSupport();
  const { state } = app.push;
  return (
    <>
      <p class="lead">{notified.lead}</p>
      <Group title={notified.here} note={note(allowed)}>
        <Switch
          label={said.notificationsSwitch}
          isOn={isOn}
          disabled={allowed === null || allowed === "denied"}
          onChange={(on) => app.attempt(() => setNotifying(on))}
        />
      </Group>
      {support === "yes" && state && <Closed state={state} />}
      {support !== "yes" && <p class="hint">{support === "no" ? notified.noPush : notified.homeScreen}</p>}
    </>
  );
}
