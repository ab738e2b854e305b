import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Group as GroupRecord } from "../../chat/group-records.ts";
import type { GroupFeature } from "../../chat/wire/preferences.ts";
import { displayLine, displayName } from "../../chat/wire/rules/display.ts";
import { fullGroupPreferences, isAtLeast } from "../../chat/wire/rules/preferences.ts";
import { formatRoute } from "../state/route.ts";
import { explain } from "../state/trouble.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Avatar } from "./avatar.tsx";
import { Button, Field, RowButton, RowLink, Switch } from "./controls.tsx";
import { Group, Page } from "./page.tsx";
import { Rich } from "./rich.tsx";

const { people: said } = words;

/** Features of groups that this page shows. */
const FEATURES = [
  "timedMessages", "directMessages", "fullDelete", "reactions", "voice", "files", "simplexLinks", "history",
] as const satisfies readonly GroupFeature[];

/** What is known of a group, and everything that can be done with it. */
export function GroupDetails({ group }: { readonly group: GroupRecord }): VNode {
  const app = useApp();
  const name = displayName(group.name);
  const { profile, id } = group;
  const isConnected = group.status === "connected";
  const isOwner = isConnected && group.role === "owner";
  const set = (settings: Parameters<typeof app.chat.groups.set>[1]): Promise<boolean> =>
    app.attempt(() => app.chat.groups.set(id, settings));
  const known = [...app.talk.value?.members.value.values() ?? []];
  const members = known.filter(({ status }) => status !== "left" && status !== "removed").length;
  return (
    <Page title={said.groupDetails}>
      <div class="face">
        <Avatar name={name} image={profile.image} icon={profile.image ? undefined : "people"} size="large" />
        <h2><bdi>{name}</bdi></h2>
        {profile.fullName !== "" && <p class="soft" dir="auto">{displayLine(profile.fullName)}</p>}
        {profile.shortDescr !== undefined && <Rich text={profile.shortDescr} class="soft" />}
        {profile.description !== undefined && <Rich text={profile.description} />}
        <p class="soft">{said.yourRole(said.roles[group.role])}</p>
      </div>
      {isConnected && (
        <Group>
          <RowLink
            icon="people"
            label={said.members}
            note={said.memberCount(members + 1)}
            href={formatRoute({ page: "members", chat: id })}
          />
          {isAtLeast(group.role, "admin") && (
            <RowLink
              icon="link"
              label={said.groupLink}
              note={said.groupLinkNote}
              href={formatRoute({ page: "groupLink", chat: id })}
            />
          )}
        </Group>
      )}
      <Group>
        <Switch
          label={said.favouriteSwitch}
          isOn={group.isFavourite}
          onChange={(isFavourite) => set({ isFavourite })}
        />
        <Switch
          label={said.mutedSwitch}
          hint={said.mutedHint}
          isOn={group.isMuted}
          onChange={(isMuted) => set({ isMuted })}
        />
      </Group>
      {isOwner && <EditGroup group={group} />}
      {isConnected && <GroupPreferencesCard group={group} isOwner={isOwner} />}
      <LeavingGroup group={group} />
    </Page>
  );
}

function EditGroup({ group }: { readonly group: GroupRecord }): VNode {
  const app = useApp();
  const [name, setName] = useState(group.profile.displayName);
  const [text, setText] = useState(group.profile.description ?? "");
  const [trouble, setTrouble] = useState<string | null>(null);
  const isChanged = name.trim() !== group.profile.displayName || text.trim() !== (group.profile.description ?? "");
  const save = async (): Promise<void> => {
    try {
      await app.chat.groups.update(group.id, { displayName: name.trim(), description: text.trim() });
      app.questions.tell(words.saved);
    } catch (error) {
      setTrouble(explain(error));
    }
  };
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      void save();
    }}>
      <Field label={said.groupName} value={name} trouble={trouble} onInput={(value) => {
        setName(value);
        setTrouble(null);
      }} />
      <Field label={said.groupWelcome} value={text} isLong onInput={setText} />
      <Button type="submit" disabled={!isChanged || name.trim() === ""}>{words.save}</Button>
    </form>
  );
}

function GroupPreferencesCard({ group, isOwner }: { readonly group: GroupRecord; readonly isOwner: boolean }): VNode {
  const app = useApp();
  const now = fullGroupPreferences(group.profile.groupPreferences);
  const set = (feature: GroupFeature, isOn: boolean): Promise<boolean> => {
    const wanted = { ...now[feature], enable: isOn ? "on" : "off" } as const;
    return app.attempt(() => app.chat.groups.setPreferences(group.id, {
      ...group.profile.groupPreferences,
      [feature]: wanted,
    }));
  };
  return (
    <Group title={said.groupPreferences} {...(!isOwner && { note: said.ownerOnly })}>
      {FEATURES.map((feature) => (
        <Switch
          key={feature}
          label={said.groupFeatures[feature]}
          isOn={now[feature].enable === "on"}
          disabled={!isOwner}
          onChange={(isOn) => set(feature, isOn)}
        />
      ))}
    </Group>
  );
}

function LeavingGroup({ group }: { readonly group: GroupRecord }): VNode {
  const app = useApp();
  const name = displayName(group.name);
  const isIn = group.status === "connected" || group.status === "joining";
  const clear = async (): Promise<void> => {
    const isSure = await app.questions.confirm(said.clearTitle, said.clearText, said.clear);
    if (isSure) await app.attempt(() => app.chat.history.clear(group.id));
  };
  const leave = async (): Promise<void> => {
    const isSure = await app.questions.confirm(said.leaveTitle(name), said.leaveText, said.leave);
    if (isSure) await app.attempt(() => app.chat.groups.leave(group.id));
  };
  const remove = async (): Promise<void> => {
    const isOwner = isIn && group.role === "owner";
    const what = isOwner ? said.deleteGroupForAll : said.deleteGroupText;
    const isSure = await app.questions.confirm(said.deleteTitle(name), what, said.deleteGroup);
    if (!isSure) return;
    const isDone = await app.attempt(() => app.chat.groups.delete(group.id));
    if (isDone) app.go({ page: "list" }, { replace: true });
  };
  return (
    <Group>
      <RowButton icon="trash" label={said.clear} isDangerous onClick={clear} />
      {isIn && <RowButton icon="door" label={said.leave} isDangerous onClick={leave} />}
      <RowButton icon="close" label={said.deleteGroup} isDangerous onClick={remove} />
    </Group>
  );
}
