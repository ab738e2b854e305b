import type { VNode } from "preact";
import { displayLine } from "../../chat/wire/rules/display.ts";
import { standingOf } from "../state/standing.ts";
import type { Talk } from "../state/talk.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Button } from "./controls.tsx";

/** Over the composer, while something keeps messages from going as usual. */
export function Standing({ talk }: { readonly talk: Talk }): VNode | null {
  const app = useApp();
  const line = talk.line.value;
  const text = line && standingOf(line);
  if (!line || !text) return null;
  const { contact, group } = line;
  const failure = contact?.failure ?? group?.failure;
  const showsLink = contact?.status === "invited" && contact.link !== null;
  return (
    <div class="standing" role="status">
      <p>{text}</p>
      {failure && <p class="small">{displayLine(failure)}</p>}
      {showsLink && (
        <Button kind="quiet" onClick={() => app.go({ page: "details", chat: line.id })}>{words.people.showLink}</Button>
      )}
      {contact?.isBlocked && (
        <Button kind="quiet" onClick={() => app.attempt(() => app.chat.contacts.set(contact.id, { isBlocked: false }))}>
          {words.people.unblock}
        </Button>
      )}
      {group?.status === "invited" && (
        <>
          <Button kind="main" onClick={() => app.attempt(() => app.chat.groups.accept(group.id))}>
            {words.people.join}
          </Button>
          <Button kind="quiet" onClick={() => app.attempt(() => app.chat.groups.delete(group.id))}>
            {words.people.decline}
          </Button>
        </>
      )}
    </div>
  );
}
