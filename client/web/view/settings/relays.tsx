import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { OwnRelay, Settings } from "../../session/api.ts";
import { explain } from "../../state/trouble.ts";
import { words } from "../../words/words.ts";
import { useApp } from "../app-context.ts";
import { Button, Choice, Field, IconButton } from "../controls.tsx";
import { Group } from "../page.tsx";

const { settings: said } = words;

const MODES = [["unknown", said.proxyUnknown], ["always", said.proxyAlways], ["never", said.proxyNever]] as const;

/** Where one's messages wait. */
export function Relays(): VNode {
  const app = useApp();
  const [settings, setSettings] = useState<Settings | null>(null);
  const [own, setOwn] = useState<OwnRelay | null>(null);
  const [address, setAddress] = useState("");
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    void app.attempt(async () => {
      setSettings(await app.session.settings());
      setOwn(await app.session.ownRelay());
    });
  }, []);
  const set = async (part: Partial<Settings>): Promise<boolean> => {
    setTrouble(null);
    try {
      setSettings(await app.session.setSettings(part));
      return true;
    } catch (error) {
      setTrouble(explain(error));
      return false;
    }
  };
  if (!settings) return <p class="soft" role="status">{words.loading}</p>;
  const add = async (): Promise<void> => {
    if (await set({ relays: [...settings.relays, address.trim()] })) setAddress("");
  };
  const states = app.status.value?.relays ?? [];
  const isUp = (relay: string): boolean => states.some(({ address: one, isUp: up }) => one === relay && up);
  return (
    <>
      <p class="lead">{said.relaysLead}</p>
      <Group title={said.relaysUsed} note={settings.relays.length === 0 ? said.relaysOwn : said.relaysChosen}>
        {settings.relays.length === 0 && (
          <div class="row"><span class="grow mono small">{own?.address ?? location.host}</span></div>
        )}
        {settings.relays.map((relay) => (
          <div key={relay} class="row">
            <span class={`dot is-${isUp(relay) ? "good" : "waiting"}`} />
            <span class="grow mono small">{relay}</span>
            <IconButton
              icon="trash"
              label={said.removeRelay(relay)}
              onClick={() => void set({ relays: settings.relays.filter((one) => one !== relay) })}
            />
          </div>
        ))}
      </Group>
      <form onSubmit={(event) => {
        event.preventDefault();
        void add();
      }}>
        <Field
          label={said.addRelay}
          hint={said.addRelayHint}
          value={address}
          trouble={trouble}
          placeholder="smp://…@relay.example"
          onInput={setAddress}
        />
        <Button type="submit" disabled={address.trim() === ""}>{said.add}</Button>
      </form>
      <Group note={said.proxyNote}>
        <Choice
          label={said.proxy}
          value={MODES.some(([mode]) => mode === settings.proxy.mode) ? settings.proxy.mode : "unknown"}
          options={MODES as readonly (readonly [typeof settings.proxy.mode, string])[]}
          onChange={(mode) => set({ proxy: { ...settings.proxy, mode } })}
        />
      </Group>
    </>
  );
}
