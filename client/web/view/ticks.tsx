import type { VNode } from "preact";
import type { Item } from "../../chat/records.ts";
import { words } from "../words/words.ts";
import { Icon } from "./icon.tsx";

const { status: said } = words.talk;

export function statusText({ status }: Item): string {
  return status.type === "delivered" && !status.isIntact ? said.changed : said[status.type];
}

/** How far an own message has come. */
export function Ticks({ item }: { readonly item: Item }): VNode | null {
  if (!item.isOwn || item.body.type !== "message") return null;
  const { type } = item.status;
  const text = statusText(item);
  const mark = {
    new: <Icon name="clock" />,
    sending: <Icon name="clock" />,
    sent: <Icon name="check" />,
    delivered: <Icon name="twice" />,
    error: <Icon name="warning" />,
    read: null,
    unread: null,
  }[type];
  if (!mark) return null;
  const isOdd = type === "error" || (item.status.type === "delivered" && !item.status.isIntact);
  const style = `ticks is-${type} ${isOdd ? "is-trouble" : ""}`;
  return <span class={style} role="img" aria-label={text} title={text}>{mark}</span>;
}
