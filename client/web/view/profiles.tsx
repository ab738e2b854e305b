import type { VNode } from "preact";
import { useRef, useState } from "preact/hooks";
import type { User } from "../../chat/records.ts";
import type { Preferences } from "../../chat/wire/preferences.ts";
import { displayName } from "../../chat/wire/rules/display.ts";
import { fullPreferences } from "../../chat/wire/rules/preferences.ts";
import { shrinkProfileImage } from "../media/picture.ts";
import { formatRoute } from "../state/route.ts";
import { explain } from "../state/trouble.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Avatar } from "./avatar.tsx";
import { Button, Choice, Field, RowButton, RowLink, Switch } from "./controls.tsx";
import { Icon } from "./icon.tsx";
import { Group, Page } from "./page.tsx";
import { ALLOWS, FEATURES } from "./preferences.tsx";

const { people: said } = words;

/** Who one is, and may be instead. */
export function ProfilesPage(): VNode {
  const app = useApp();
  const [name, setName] = useState("");
  const [trouble, setTrouble] = useState<string | null>(null);
  const create = async (): Promise<void> => {
    try {
      const user = await app.chat.users.create({ displayName: name.trim(), fullName: "" });
      await app.become(user.id);
    } catch (error) {
      setTrouble(explain(error));
    }
  };
  return (
    <Page title={said.profiles}>
      <Group note={said.profilesNote}>
        {app.users.value.map((user) => {
          const isActive = user.id === app.me.id;
          const shown = displayName(user.profile.displayName);
          return (
            <button
              key={user.id}
              type="button"
              class="row"
              aria-pressed={isActive}
              onClick={() => void app.attempt(() => app.become(user.id))}
            >
              <Avatar name={shown} image={user.profile.image} size="small" />
              <span class="grow"><bdi>{shown}</bdi>{isActive && <small>{said.activeProfile}</small>}</span>
              {isActive && <Icon name="check" class="accent" />}
            </button>
          );
        })}
      </Group>
      <Group>
        <RowLink icon="pencil" label={said.editProfile} href={formatRoute({ page: "profile" })} />
        <RowLink icon="home" label={said.address} note={said.addressNote} href={formatRoute({ page: "address" })} />
      </Group>
      <form class="in-line" onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}>
        <Field label={said.newProfile} value={name} trouble={trouble} onInput={(text) => {
          setName(text);
          setTrouble(null);
        }} />
        <Button type="submit" disabled={name.trim() === ""}>{said.createProfile}</Button>
      </form>
    </Page>
  );
}

/** The profile that is active. */
export function ProfilePage(): VNode {
  const app = useApp();
  return <EditProfile user={app.me} key={app.me.id} />;
}

function EditProfile({ user }: { readonly user: User }): VNode {
  const app = useApp();
  const [name, setName] = useState(user.profile.displayName);
  const [bio, setBio] = useState(user.profile.shortDescr ?? "");
  const [trouble, setTrouble] = useState<string | null>(null);
  const isChanged = name.trim() !== user.profile.displayName || bio.trim() !== (user.profile.shortDescr ?? "");
  const save = async (): Promise<void> => {
    try {
      await app.chat.users.update(user.id, { displayName: name.trim(), shortDescr: bio.trim() });
      app.questions.tell(words.saved);
    } catch (error) {
      setTrouble(explain(error));
    }
  };
  const remove = async (): Promise<void> => {
    const isSure = await app.questions.confirm(said.deleteProfile, said.deleteProfileText, said.deleteProfile);
    if (isSure) await app.attempt(() => app.chat.users.delete(user.id));
  };
  return (
    <Page title={said.editProfile}>
      <Face user={user} />
      <form onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}>
        <Field label={words.start.name} value={name} trouble={trouble} maxLength={100} onInput={(text) => {
          setName(text);
          setTrouble(null);
        }} />
        <Field label={words.start.bio} value={bio} isLong maxLength={160} onInput={setBio} />
        <Button type="submit" kind="main" disabled={!isChanged || name.trim() === ""}>{words.save}</Button>
      </form>
      <Group>
        <Switch
          label={said.receipts}
          hint={said.receiptsAll}
          isOn={user.receipts}
          onChange={(on) => app.attempt(() => app.chat.users.setReceipts(user.id, on))}
        />
      </Group>
      <Defaults user={user} />
      <Group><RowButton icon="trash" label={said.deleteProfile} isDangerous onClick={remove} /></Group>
    </Page>
  );
}

function Face({ user }: { readonly user: User }): VNode {
  const app = useApp();
  const files = useRef<HTMLInputElement>(null);
  const { profile } = user;
  const take = (file: File | undefined): Promise<boolean> => app.attempt(async () => {
    if (file) await app.chat.users.update(user.id, { image: await shrinkProfileImage(file) });
  });
  return (
    <div class="face">
      <Avatar name={displayName(profile.displayName)} image={profile.image} size="large" />
      <div class="answers">
        <Button icon="picture" onClick={() => files.current?.click()}>{said.choosePicture}</Button>
        {profile.image !== undefined && profile.image !== "" && (
          <Button kind="quiet" onClick={() => app.attempt(() => app.chat.users.update(user.id, { image: "" }))}>
            {words.remove}
          </Button>
        )}
      </div>
      <input ref={files} type="file" accept="image/*" class="unseen" tabIndex={-1} aria-hidden="true" onChange={(event) => {
        const [file] = event.currentTarget.files ?? [];
        event.currentTarget.value = "";
        void take(file);
      }} />
    </div>
  );
}

/** What this profile wants with all contacts. */
function Defaults({ user }: { readonly user: User }): VNode {
  const app = useApp();
  const wanted = fullPreferences(user.profile.preferences);
  const set = (part: Preferences): Promise<boolean> =>
    app.attempt(() => app.chat.users.update(user.id, { preferences: { ...user.profile.preferences, ...part } }));
  return (
    <Group title={said.preferencesAll} note={said.preferencesAllNote}>
      {FEATURES.map((feature) => (
        <Choice
          key={feature}
          label={said.features[feature]}
          value={wanted[feature].allow}
          options={ALLOWS}
          onChange={(allow) => set({ [feature]: { ...wanted[feature], allow } })}
        />
      ))}
    </Group>
  );
}
