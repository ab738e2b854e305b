import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Address } from "../../chat/records.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Button, Field, RowButton, Switch } from "./controls.tsx";
import { LinkBox } from "./link-box.tsx";
import { Group, Page } from "./page.tsx";

const { people: said } = words;

/** The address through which anybody may ask to connect. */
export function AddressPage(): VNode {
  const app = useApp();
  const user = app.me.id;
  const [address, setAddress] = useState<Address | null | undefined>(undefined);
  useEffect(() => {
    void app.attempt(async () => setAddress(await app.chat.links.address(user)));
  }, [user]);
  if (address === undefined) return <Page title={said.address}><p class="soft" role="status">{words.loading}</p></Page>;
  if (address === null) {
    const create = (): Promise<boolean> => app.attempt(async () => {
      setAddress(await app.chat.links.createAddress(user));
    });
    return (
      <Page title={said.address}>
        <p class="lead">{said.addressLead}</p>
        <Button kind="main" icon="home" onClick={create}>{said.createAddress}</Button>
      </Page>
    );
  }
  return <OwnAddress address={address} onChange={setAddress} />;
}

interface OwnAddressProps {
  readonly address: Address;
  readonly onChange: (address: Address | null) => void;
}

function OwnAddress({ address, onChange }: OwnAddressProps): VNode {
  const app = useApp();
  const before = address.welcome?.text ?? "";
  const [welcome, setWelcome] = useState(before);
  const set = (options: { readonly autoAccept?: boolean; readonly welcome?: string | null }): Promise<boolean> =>
    app.attempt(async () => onChange(await app.chat.links.setAddress(address.user, options)));
  const keep = async (text: string | null): Promise<void> => {
    if (await set({ welcome: text })) app.questions.tell(words.saved);
  };
  const remove = async (): Promise<void> => {
    const isSure = await app.questions.confirm(said.deleteAddress, said.deleteAddressText, words.delete);
    if (!isSure) return;
    await app.attempt(async () => {
      await app.chat.links.deleteAddress(address.user);
      onChange(null);
    });
  };
  return (
    <Page title={said.address}>
      <p class="lead">{said.addressReady}</p>
      <LinkBox link={address.shortLink ?? address.link} label={said.addressCode} invitation={said.inviteText} />
      <Group>
        <Switch
          label={said.autoAccept}
          hint={said.autoAcceptHint}
          isOn={address.autoAccept}
          onChange={(autoAccept) => set({ autoAccept })}
        />
      </Group>
      <form onSubmit={(event) => {
        event.preventDefault();
        const text = welcome.trim();
        void keep(text === "" ? null : text);
      }}>
        <Field label={said.welcome} hint={said.welcomeHint} value={welcome} isLong onInput={setWelcome} />
        <Button type="submit" disabled={welcome.trim() === before}>{words.save}</Button>
      </form>
      <Group><RowButton icon="trash" label={said.deleteAddress} isDangerous onClick={remove} /></Group>
    </Page>
  );
}
