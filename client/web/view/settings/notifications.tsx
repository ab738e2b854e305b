import type { VNode } from "preact";
import { isNotifying, permission, setNotifying } from "../../state/notifications.ts";
import { words } from "../../words/words.ts";
import { useApp } from "../app-context.ts";
import { Switch } from "../controls.tsx";
import { Group } from "../page.tsx";

const { settings: said } = words;

function note(allowed: NotificationPermission | null): string {
  if (allowed === null) return said.notificationsNone;
  return allowed === "denied" ? said.notificationsDenied : said.notificationsHint;
}

/** What the browser does when something comes, said as it is. */
export function Notifications(): VNode {
  const app = useApp();
  const allowed = permission();
  const isOn = isNotifying.value && allowed === "granted";
  return (
    <>
      <p class="lead">{said.notificationsLead}</p>
      <Group note={note(allowed)}>
        <Switch
          label={said.notificationsSwitch}
          isOn={isOn}
          disabled={allowed === null || allowed === "denied"}
          onChange={(on) => app.attempt(() => setNotifying(on))}
        />
      </Group>
      <p class="hint">{said.notificationsClosed}</p>
    </>
  );
}
