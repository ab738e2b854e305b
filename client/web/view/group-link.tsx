import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { GroupLink } from "../../chat/group-records.ts";
import { displayName } from "../../chat/wire/rules/display.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Button, RowButton } from "./controls.tsx";
import { LinkBox } from "./link-box.tsx";
import { Group, Page } from "./page.tsx";

const { people: said } = words;

/** The link through which anybody can join a group. */
export function GroupLinkPage(): VNode | null {
  const app = useApp();
  const group = app.talk.value?.line.value?.group;
  const id = group?.id;
  const [link, setLink] = useState<GroupLink | null | undefined>(undefined);
  useEffect(() => {
    if (id !== undefined) void app.attempt(async () => setLink(await app.chat.groups.link(id)));
  }, [id]);
  if (!group) return null;
  const create = (): Promise<boolean> => app.attempt(async () => setLink(await app.chat.groups.createLink(group.id)));
  const remove = async (): Promise<void> => {
    const isSure = await app.questions.confirm(said.deleteLink, said.deleteLinkText, words.delete);
    if (!isSure) return;
    await app.attempt(async () => {
      await app.chat.groups.deleteLink(group.id);
      setLink(null);
    });
  };
  return (
    <Page title={said.groupLink}>
      <p class="lead">{said.groupLinkLead}</p>
      {link === undefined && <p class="soft" role="status">{words.loading}</p>}
      {link === null && <Button kind="main" icon="link" onClick={create}>{said.createLink}</Button>}
      {link && (
        <>
          <LinkBox
            link={link.shortLink ?? link.link}
            label={said.groupLink}
            invitation={said.joinText(displayName(group.name))}
          />
          <Group><RowButton icon="trash" label={said.deleteLink} isDangerous onClick={remove} /></Group>
        </>
      )}
    </Page>
  );
}
