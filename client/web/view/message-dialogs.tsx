import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Edition, ItemStatus, MessageItem } from "../../chat/records.ts";
import { displayName } from "../../chat/wire/rules/display.ts";
import { wholeTime } from "../state/dates.ts";
import type { Talk } from "../state/talk.ts";
import { words } from "../words/words.ts";
import { Avatar } from "./avatar.tsx";
import { Field } from "./controls.tsx";
import { Dialog } from "./dialog.tsx";
import { Rich } from "./rich.tsx";
import { statusText } from "./ticks.tsx";

const { talk: said } = words;

interface DialogProps {
  readonly talk: Talk;
  readonly item: MessageItem;
  readonly onClose: () => void;
}

/** What a message said before it was changed. */
export function Editions({ talk, item, onClose }: DialogProps): VNode {
  const [editions, setEditions] = useState<readonly Edition[]>([]);
  useEffect(() => {
    void talk.app.attempt(async () => setEditions(await talk.app.chat.history.editions(item.id)));
  }, [item]);
  return (
    <Dialog title={said.history} onClose={onClose}>
      <ol class="editions">
        <li><small>{said.historyNow}</small><Rich text={item.body.container.content.text} /></li>
        {editions.toReversed().map(({ content, at }) => (
          <li key={at}><small>{wholeTime(at)}</small><Rich text={content.text} /></li>
        ))}
      </ol>
    </Dialog>
  );
}

interface Delivery {
  readonly member: string;
  readonly status: ItemStatus;
}

/** When it was sent, and how far it came. */
export function MessageInfo({ talk, item, onClose }: DialogProps): VNode {
  const [deliveries, setDeliveries] = useState<readonly Delivery[]>([]);
  const isGroup = talk.line.value?.conversation.kind === "group";
  useEffect(() => {
    if (!isGroup || !item.isOwn) return;
    void talk.app.attempt(async () => setDeliveries(await talk.app.chat.history.deliveries(item.id)));
  }, [item]);
  const isProxied = item.status.type === "sent" && item.status.isProxied;
  return (
    <Dialog title={said.info} onClose={onClose}>
      <dl class="facts">
        <dt>{said.infoSent}</dt><dd>{wholeTime(item.sentAt)}</dd>
        {!item.isOwn && <><dt>{said.infoReceived}</dt><dd>{wholeTime(item.at)}</dd></>}
        {item.isOwn && <><dt>{said.infoStatus}</dt><dd>{statusText(item)}</dd></>}
        {item.deleteAt !== null && <><dt>{said.infoGone}</dt><dd>{wholeTime(item.deleteAt)}</dd></>}
      </dl>
      {isProxied && <p class="hint">{said.infoProxied}</p>}
      {deliveries.length > 0 && (
        <>
          <h3>{said.infoDeliveries}</h3>
          <dl class="facts">
            {deliveries.map(({ member, status }) => (
              <div key={member}>
                <dt><bdi>{displayName(talk.members.value.get(member)?.name ?? "")}</bdi></dt>
                <dd>{statusText({ ...item, status })}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </Dialog>
  );
}

/** Whom to send a message on to. */
export function ForwardTo({ talk, item, onClose }: DialogProps): VNode {
  const [wanted, setWanted] = useState("");
  const { app } = talk;
  const forward = async (chat: string): Promise<void> => {
    onClose();
    const isDone = await app.attempt(() => app.chat.messages.forward(item.id, chat));
    if (isDone) app.go({ page: "chat", chat });
  };
  return (
    <Dialog title={said.actions.forwardTo} onClose={onClose}>
      <Field label={words.search} type="search" value={wanted} onInput={setWanted} />
      <ul class="lines choose">
        {app.people.named(wanted).map((line) => (
          <li key={line.id}>
            <button type="button" class="line" onClick={() => void forward(line.id)}>
              <Avatar
                name={line.name}
                size="small"
                image={line.contact?.profile?.image ?? line.group?.profile.image}
                icon={line.conversation.kind === "notes" ? "bookmark" : line.group ? "people" : undefined}
              />
              <bdi class="name">{line.name}</bdi>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
