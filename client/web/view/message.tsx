import { Component, type VNode } from "preact";
import { useState } from "preact/hooks";
import type { Item } from "../../chat/records.ts";
import { now } from "../state/clock.ts";
import { clockTime, remaining, wholeTime } from "../state/dates.ts";
import { eventText } from "../state/excerpt.ts";
import { displayLine, displayText } from "../../chat/wire/rules/display.ts";
import type { Talk } from "../state/talk.ts";
import { words } from "../words/words.ts";
import { Avatar } from "./avatar.tsx";
import { focusComposer } from "./composer-focus.ts";
import { IconButton } from "./controls.tsx";
import { Icon } from "./icon.tsx";
import { isMessage } from "./is-message.ts";
import { MessageBody } from "./message-body.tsx";
import { MessageMenu } from "./message-menu.tsx";
import { Reactions } from "./reactions.tsx";
import { Ticks } from "./ticks.tsx";
import { useLongPress } from "./use-long-press.ts";

const { talk: said } = words;

interface MessageProps {
  readonly talk: Talk;
  readonly item: Item;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** Whether Tab leads here. */
  readonly isStop: boolean;
}

/** One item of a conversation. It is drawn again only when something of it changed. */
export class Message extends Component<MessageProps> {
  override shouldComponentUpdate(next: MessageProps): boolean {
    const { item, isFirst, isLast, isStop } = this.props;
    return next.item !== item || next.isFirst !== isFirst || next.isLast !== isLast || next.isStop !== isStop;
  }

  override render(props: MessageProps): VNode {
    const { item } = props;
    return item.body.type === "message" ? <Bubble {...props} /> : <Event {...props} />;
  }
}

/** What the conversation says of itself, and what is not understood. */
function Event({ talk, item, isStop }: MessageProps): VNode {
  const { body } = item;
  const time = clockTime(item.sentAt);
  return (
    <li class="aside event" data-item={item.id} tabIndex={isStop ? 0 : -1}>
      {body.type === "event" && (
        <span>
          {eventText(body.event, body.detail, talk.author(item))}{" "}
          <time title={wholeTime(item.sentAt)}>{time}</time>
        </span>
      )}
      {body.type === "unknown" && (
        <details>
          <summary>{said.unknownEvent(displayLine(body.event.slice(0, 100)))}</summary>
          <pre tabIndex={0}>{displayText(body.json.slice(0, 4000))}</pre>
        </details>
      )}
    </li>
  );
}

function Bubble({ talk, item, isFirst, isLast, isStop }: MessageProps): VNode | null {
  const [beside, setBeside] = useState<Element | null>(null);
  const press = useLongPress(setBeside);
  if (!isMessage(item)) return null;
  const isGroup = talk.kind.value === "group";
  const author = talk.author(item);
  const member = item.member === null ? undefined : talk.members.value.get(item.member);
  const keys = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === "ContextMenu") setBeside(event.currentTarget as Element);
    else if (event.key === "r" && item.deletedAt === null) {
      talk.composer.answer(item);
      focusComposer();
    } else return;
    event.preventDefault();
  };
  return (
    <li
      class={`message ${item.isOwn ? "is-own" : ""} ${isFirst ? "is-first" : ""} ${isLast ? "is-last" : ""}`}
      data-item={item.id}
      tabIndex={isStop ? 0 : -1}
      onKeyDown={keys}
    >
      {isGroup && !item.isOwn && (
        <span class="side">{isLast && <Avatar name={author} image={member?.profile.image} size="small" />}</span>
      )}
      <div
        class="bubble"
        onContextMenu={(event) => {
          const isNative = event.target instanceof Element && event.target.closest("a, img");
          if (isNative || !getSelection()?.isCollapsed) return;
          event.preventDefault();
          setBeside(event.currentTarget);
        }}
        {...press}
      >
        <span class={isGroup && !item.isOwn && isFirst ? "author" : "unseen"}><bdi>{author}</bdi></span>
        <MessageBody talk={talk} item={item} />
        <Meta item={item} />
      </div>
      <div class="tools">
        <IconButton
          icon="more"
          label={said.actions.title}
          opens="menu"
          onClick={(event) => setBeside(event.currentTarget as Element)}
        />
      </div>
      <Reactions talk={talk} item={item} />
      {beside && <MessageMenu talk={talk} item={item} beside={beside} onClose={() => setBeside(null)} />}
    </li>
  );
}

/** When a message disappears. */
function Timer({ ttl, deleteAt }: { readonly ttl: number; readonly deleteAt: number | null }): VNode {
  const left = deleteAt === null ? remaining(ttl * 1000, 0) : remaining(deleteAt, now.value);
  return (
    <span title={deleteAt === null ? said.disappearsAfter(left) : said.disappears(left)}>
      <Icon name="timer" class="tiny" />
      {left}
    </span>
  );
}

function Meta({ item }: { readonly item: Item }): VNode {
  const { sentAt, ttl } = item;
  const isLive = item.body.type === "message" && item.body.container.live === true && !item.isOwn;
  return (
    <span class="meta">
      {isLive && <span class="live">{said.live}</span>}
      {ttl !== null && <Timer ttl={ttl} deleteAt={item.deleteAt} />}
      {item.isEdited && <span>{said.edited}</span>}
      <time dateTime={new Date(sentAt).toISOString()} title={wholeTime(sentAt)}>{clockTime(sentAt)}</time>
      <Ticks item={item} />
    </span>
  );
}
