import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Group as GroupRecord, Member } from "../../chat/group-records.ts";
import type { Role } from "../../chat/wire/preferences.ts";
import { displayName } from "../../chat/wire/rules/display.ts";
import { isAtLeast } from "../../chat/wire/rules/preferences.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Avatar } from "./avatar.tsx";
import { ContactChoice } from "./contact-choice.tsx";
import { Button, Choice, RowButton } from "./controls.tsx";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icon.tsx";
import { Group, Page } from "./page.tsx";

const { people: said } = words;

const GIVEN_ROLES = ["observer", "member", "moderator", "admin", "owner"] as const satisfies readonly Role[];

/** Who is in a group. */
export function MembersPage(): VNode | null {
  const app = useApp();
  const talk = app.talk.value;
  const group = talk?.line.value?.group;
  const [open, setOpen] = useState<string | null>(null);
  const [isInviting, invite] = useState(false);
  if (!talk || !group) return null;
  const members = [...talk.members.value.values()];
  const shown = members.find(({ id }) => id === open);
  return (
    <Page title={said.members}>
      {isAtLeast(group.role, "admin") && (
        <Button kind="main" icon="plus" onClick={() => invite(true)}>{said.inviteMember}</Button>
      )}
      <Group>
        <div class="row">
          <Avatar name={displayName(app.me.profile.displayName)} image={app.me.profile.image} size="small" />
          <span class="grow">{words.you}<small>{said.roles[group.role]}</small></span>
        </div>
        {members.map((member) => (
          <button key={member.id} type="button" class="row" onClick={() => setOpen(member.id)} aria-haspopup="dialog">
            <Avatar name={displayName(member.name)} image={member.profile.image} size="small" />
            <span class="grow">
              <bdi>{displayName(member.name)}</bdi>
              <small>
                {said.roles[member.role]}{member.status !== "connected" && <> · {said.memberStates[member.status]}</>}
              </small>
            </span>
            {member.isBlocked && <Icon name="block" class="tiny" />}
          </button>
        ))}
      </Group>
      {shown && <MemberDialog group={group} member={shown} onClose={() => setOpen(null)} />}
      {isInviting && <InviteMembers group={group} members={members} onClose={() => invite(false)} />}
    </Page>
  );
}

function InviteMembers({ group, members, onClose }: {
  readonly group: GroupRecord;
  readonly members: readonly Member[];
  readonly onClose: () => void;
}): VNode {
  const app = useApp();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [role, setRole] = useState<Role>("member");
  const isThere = ({ status }: Member): boolean => status !== "left" && status !== "removed";
  const here = new Set(members.filter(isThere).flatMap(({ contact }) => (contact === null ? [] : [contact])));
  const invite = async (): Promise<void> => {
    for (const contact of chosen) await app.attempt(() => app.chat.groups.invite(group.id, contact, role));
    onClose();
  };
  const roles = GIVEN_ROLES.filter((one) => isAtLeast(group.role, one)).map((one) => [one, said.roles[one]] as const);
  return (
    <Dialog title={said.inviteMember} onClose={onClose}>
      <div class="card"><ContactChoice chosen={chosen} onChange={setChosen} without={here} /></div>
      <Choice label={said.role} value={role} options={roles} onChange={setRole} />
      <Button kind="main" disabled={chosen.size === 0} onClick={invite}>{said.inviteMember}</Button>
    </Dialog>
  );
}

function MemberDialog({ group, member, onClose }: {
  readonly group: GroupRecord;
  readonly member: Member;
  readonly onClose: () => void;
}): VNode {
  const app = useApp();
  const name = displayName(member.name);
  const isThere = member.status !== "left" && member.status !== "removed";
  const mayRule = isThere && isAtLeast(group.role, "admin") && isAtLeast(group.role, member.role);
  const { groups } = app.chat;
  const remove = async (): Promise<void> => {
    const choice = await app.questions.choose({
      title: said.removeTitle(name),
      text: said.removeText,
      answers: [
        { id: "member", label: said.removeMember, isDangerous: true },
        { id: "messages", label: said.removeWithMessages, isDangerous: true },
      ],
    });
    if (choice !== null) await app.attempt(() => groups.remove(group.id, member.id, { messages: choice === "messages" }));
  };
  const roles = GIVEN_ROLES.filter((one) => isAtLeast(group.role, one)).map((one) => [one, said.roles[one]] as const);
  return (
    <Dialog title={name} onClose={onClose}>
      <div class="face">
        <Avatar name={name} image={member.profile.image} size="large" />
        <p class="soft">{said.roles[member.role]} · {said.memberStates[member.status]}</p>
      </div>
      {mayRule && (
        <Choice
          label={said.role}
          value={member.role}
          options={roles}
          onChange={(role) => app.attempt(() => groups.setRole(group.id, member.id, role))}
        />
      )}
      <div class="card">
        {member.contact !== null && app.people.lines.value.has(member.contact) && (
          <RowButton
            icon="person"
            label={said.writeTo(name)}
            onClick={() => app.go({ page: "chat", chat: member.contact ?? "" })}
          />
        )}
        <RowButton
          icon="block"
          label={member.isBlocked ? said.unblock : said.blockMember}
          note={said.blockMemberNote}
          onClick={() => app.attempt(() => groups.setMember(group.id, member.id, { isBlocked: !member.isBlocked }))}
        />
        {mayRule && <RowButton icon="door" label={said.removeMember} isDangerous onClick={() => {
          onClose();
          setTimeout(() => void remove());
        }} />}
      </div>
    </Dialog>
  );
}
