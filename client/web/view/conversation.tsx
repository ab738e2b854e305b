import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { formatRoute } from "../state/route.ts";
import type { Talk } from "../state/talk.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Avatar } from "./avatar.tsx";
import { ComposerBar } from "./composer-bar.tsx";
import { IconButton } from "./controls.tsx";
import { Icon } from "./icon.tsx";
import { MessageList } from "./message-list.tsx";
import { SearchBar } from "./search-bar.tsx";
import { Standing } from "./standing.tsx";

/** A conversation that is open. */
export function Conversation(): VNode | null {
  const { talk } = useApp();
  return talk.value && <OpenConversation talk={talk.value} key={talk.value.chat} />;
}

function OpenConversation({ talk }: { readonly talk: Talk }): VNode {
  const [isSearching, search] = useState(false);
  const [isOver, setOver] = useState(false);
  const drop = (event: DragEvent): void => {
    setOver(false);
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    void talk.composer.attach(file);
  };
  return (
    <section
      class={`conversation ${isOver ? "is-over" : ""}`}
      aria-label={words.talk.landmark}
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (event.target === event.currentTarget) setOver(false);
      }}
      onDrop={drop}
    >
      <Head talk={talk} onSearch={() => search(true)} />
      {isSearching && <SearchBar talk={talk} onClose={() => search(false)} />}
      <MessageList talk={talk} />
      <Standing talk={talk} />
      <ComposerBar talk={talk} />
      {isOver && <div class="drop-here"><Icon name="clip" />{words.talk.dropHere}</div>}
    </section>
  );
}

function Head({ talk, onSearch }: { readonly talk: Talk; readonly onSearch: () => void }): VNode | null {
  const app = useApp();
  const line = talk.line.value;
  if (!line) return null;
  const { contact, group, conversation } = line;
  const icon = conversation.kind === "notes" ? "bookmark" : group && !group.profile.image ? "people" : undefined;
  const here = [...talk.members.value.values()].filter(({ status }) => status !== "left" && status !== "removed");
  const standing = group?.status === "connected" ? words.people.memberCount(here.length + 1) : app.people.states(line);
  const details = formatRoute({ page: "details", chat: talk.chat });
  const face = (
    <>
      <Avatar name={line.name} image={contact?.profile?.image ?? group?.profile.image} icon={icon} size="small" />
      <span class="who">
        <span class="name">
          <bdi>{line.name}</bdi>
          {contact?.verified && <Icon name="shieldCheck" class="tiny accent" />}
          {contact?.incognito && <Icon name="mask" class="tiny" />}
        </span>
        <small>{standing}</small>
      </span>
    </>
  );
  return (
    <header class="bar">
      <IconButton icon="back" label={words.back} onClick={() => app.back()} class="back" />
      <h1 class="head-name">
        {conversation.kind === "notes"
          ? <span class="head-link">{face}</span>
          : <a class="head-link" href={details} title={words.people.details}>{face}</a>}
      </h1>
      <IconButton icon="search" label={words.talk.searchHere} onClick={onSearch} />
      {conversation.kind === "notes" && (
        <IconButton icon="trash" label={words.people.clear} onClick={() => app.attempt(async () => {
          const { clearTitle, clearText, clear } = words.people;
          const isSure = await app.questions.confirm(clearTitle, clearText, clear);
          if (isSure) await app.chat.history.clear(talk.chat);
        })} />
      )}
    </header>
  );
}
