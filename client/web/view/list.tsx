import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { shortMoment, wholeTime } from "../state/dates.ts";
import type { Filter, Line } from "../state/people.ts";
import { formatRoute, type Route } from "../state/route.ts";
import { displayName } from "../../chat/wire/rules/display.ts";
import { words } from "../words/words.ts";
import { useApp } from "./app-context.ts";
import { Avatar } from "./avatar.tsx";
import { Button, IconButton } from "./controls.tsx";
import { Icon, type IconName } from "./icon.tsx";
import { FoundMessages } from "./found-messages.tsx";
import { LineMenu } from "./line-menu.tsx";
import { StatusBadge } from "./status.tsx";
import { Ticks } from "./ticks.tsx";

const { people } = words;

const FILTERS: readonly (readonly [Filter, string])[] = [
  ["all", people.filterAll],
  ["unread", people.filterUnread],
  ["favourites", people.filterFavourites],
  ["groups", people.filterGroups],
];

function nextRow(list: HTMLElement, by: number): void {
  const rows = [...list.querySelectorAll<HTMLElement>("a")];
  const now = rows.indexOf(document.activeElement as HTMLElement);
  rows[Math.max(0, Math.min(rows.length - 1, now + by))]?.focus();
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -Infinity, End: Infinity,
};

function focusLine(chat: string | null): void {
  if (chat === null) return;
  const address = formatRoute({ page: "chat", chat });
  const lines = [...document.querySelectorAll<HTMLElement>(".lines a")];
  lines.find((one) => one.getAttribute("href") === address)?.focus();
}

/** All conversations, who asks for one, and the ways to everything else. */
export function List(): VNode {
  const app = useApp();
  const me = app.me;
  const isPlace = app.route.value.page === "list";
  // Whoever comes back from a conversation is where they were.
  useEffect(() => {
    if (isPlace && document.activeElement === document.body) focusLine(app.lastChat);
  }, [isPlace]);
  const name = displayName(me.profile.displayName);
  return (
    <nav class="list" aria-label={people.list}>
      <header class="bar">
        <a class="me" href={formatRoute({ page: "profiles" })} aria-label={people.myProfiles(name)}>
          <Avatar name={name} image={me.profile.image} size="small" />
        </a>
        <h1>{people.chats}</h1>
        <StatusBadge />
        <IconLink icon="gear" route={{ page: "settings" }} label={words.settings.title} />
        <IconLink icon="plus" route={{ page: "new" }} label={people.begin} class="main" />
      </header>
      <SearchBox />
      {app.update.value && (
        <div class="strip" role="status">
          <span>{words.newVersion}</span>
          <Button kind="quiet" onClick={app.update.value}>{words.reload}</Button>
        </div>
      )}
      <div class="scroll">
        <Requests />
        <Lines />
        <FoundMessages />
      </div>
    </nav>
  );
}

interface IconLinkProps {
  readonly icon: IconName;
  readonly route: Route;
  readonly label: string;
  readonly class?: string;
}

function IconLink({ icon, route, label, class: style = "" }: IconLinkProps): VNode {
  return (
    <a class={`icon-button ${style}`} href={formatRoute(route)} aria-label={label} title={label}>
      <Icon name={icon} />
    </a>
  );
}

function SearchBox(): VNode {
  const { people: state } = useApp();
  const box = useRef<HTMLInputElement>(null);
  const hasMany = state.lines.value.size > 1;
  return (
    <div class="finding">
      <search class="search">
        <Icon name="search" />
        <input
          ref={box}
          id="search"
          type="search"
          placeholder={people.searchAll}
          aria-label={people.searchAll}
          value={state.wanted.value}
          dir="auto"
          onInput={(event) => (state.wanted.value = event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape" && state.wanted.value !== "") {
              event.stopPropagation();
              state.wanted.value = "";
            }
            if (event.key === "ArrowDown") {
              event.preventDefault();
              document.querySelector<HTMLElement>(".lines a")?.focus();
            }
          }}
        />
        {state.wanted.value !== "" && (
          <IconButton icon="close" label={words.clear} onClick={() => {
            state.wanted.value = "";
            box.current?.focus();
          }} />
        )}
      </search>
      {hasMany && (
        <div class="filters" role="group" aria-label={people.filter}>
          {FILTERS.map(([id, label]) => (
            <button
              key={id}
              type="button"
              aria-pressed={state.filter.value === id}
              onClick={() => (state.filter.value = id)}
            >
              {label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function Requests(): VNode | null {
  const { people: state } = useApp();
  const requests = state.requests.value;
  if (requests.length === 0) return null;
  return (
    <ul class="lines requests" aria-label={people.requests}>
      {requests.map((request) => {
        const name = displayName(request.profile.displayName);
        return (
          <li key={request.id}>
            <a class="line" href={formatRoute({ page: "request", request: request.id })}>
              <Avatar name={name} image={request.profile.image} />
              <span class="said">
                <span class="first"><bdi class="name">{name}</bdi></span>
                <span class="second"><span class="excerpt accent">{people.asksToConnect}</span></span>
              </span>
              <Icon name="person" class="accent" />
            </a>
          </li>
        );
      })}
    </ul>
  );
}

function Lines(): VNode {
  const app = useApp();
  const state = app.people;
  const shown = state.shown.value;
  if (shown.length === 0) return <NoLines />;
  const route = app.route.value;
  const open = "chat" in route ? route.chat : null;
  // One of them is reached by Tab, the others by the arrows.
  const stop = shown.some(({ id }) => id === open) ? open : shown[0]?.id;
  return (
    <ul
      class="lines"
      aria-label={people.conversations}
      onKeyDown={(event) => {
        const by = STEPS[event.key];
        if (by === undefined) return;
        event.preventDefault();
        nextRow(event.currentTarget, by);
      }}
    >
      {shown.map((line) => <LineRow key={line.id} line={line} isOpen={line.id === open} isStop={line.id === stop} />)}
    </ul>
  );
}

function NoLines(): VNode | null {
  const { people: state } = useApp();
  if (state.wanted.value !== "") return null;
  return <p class="nothing">{people.nothing[state.filter.value]}</p>;
}

function heardOf(line: Line): string {
  const { unread, isMarked } = line.conversation;
  const parts = [
    line.isFavourite ? people.favourite : "",
    line.isMuted ? people.muted : "",
    unread > 0 ? people.unread(unread) : isMarked ? people.markedUnread : "",
  ];
  return parts.filter((one) => one !== "").join(", ");
}

interface LineRowProps {
  readonly line: Line;
  readonly isOpen: boolean;
  /** Whether Tab leads here. */
  readonly isStop: boolean;
}

function LineRow({ line, isOpen, isStop }: LineRowProps): VNode {
  const app = useApp();
  const [beside, setBeside] = useState<Element | null>(null);
  const { conversation, contact, group, lastItem } = line;
  const moment = lastItem?.at ?? conversation.lastAt;
  const draft = isOpen ? "" : conversation.draft.trim();
  const icon = conversation.kind === "notes" ? "bookmark" : group && !group.profile.image ? "people" : undefined;
  return (
    <li>
      <a
        class={`line ${isOpen ? "is-open" : ""}`}
        href={formatRoute({ page: "chat", chat: line.id })}
        aria-current={isOpen ? "true" : undefined}
        onContextMenu={(event) => {
          event.preventDefault();
          setBeside(event.currentTarget);
        }}
        tabIndex={isStop ? 0 : -1}
      >
        <Avatar name={line.name} image={contact?.profile?.image ?? group?.profile.image} icon={icon} />
        <span class="said">
          <span class="first">
            <bdi class="name">{line.name}</bdi>
            {line.isFavourite && <Icon name="star" class="tiny filled" />}
            {line.isMuted && <Icon name="mute" class="tiny" />}
            {contact?.isBlocked && <Icon name="block" class="tiny" />}
            <time dateTime={new Date(moment).toISOString()} title={wholeTime(moment)}>{shortMoment(moment)}</time>
          </span>
          <span class="second">
            {draft === "" && lastItem?.isOwn && <Ticks item={lastItem} />}
            <span class="excerpt" dir="auto">
              {draft === ""
                ? (app.people.excerpt(line) || app.people.states(line))
                : <><em>{words.talk.draft}</em> {draft.slice(0, 100)}</>}
            </span>
            {(conversation.unread > 0 || conversation.isMarked) && (
              <span class={`badge ${line.isMuted ? "is-quiet" : ""}`} aria-hidden="true">
                {conversation.unread > 0 ? conversation.unread : ""}
              </span>
            )}
          </span>
        </span>
        <span class="unseen">{heardOf(line)}</span>
      </a>
      {beside && <LineMenu line={line} beside={beside} onClose={() => setBeside(null)} />}
    </li>
  );
}
