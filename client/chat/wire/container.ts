import { type MsgContent, msgContent } from "./content.ts";
import { MessageError } from "./errors.ts";
import { type FileInvitation, fileInvitation } from "./file.ts";
import { type Id, id } from "./ids.ts";
import {
  bool,
  expectObject,
  inField,
  isObject,
  type Json,
  type JsonCodec,
  mapped,
  natural,
  object,
  optional,
  tagged,
  text,
} from "./json.ts";
import { type UtcTime, utcTime } from "./time.ts";

/** Names a message. */
export interface MsgRef {
  readonly msgId?: Id;
  readonly sentAt: UtcTime;
  /** Whether who sends the reference sent the message as well. */
  readonly sent: boolean;
  /** Its author; always there in groups. */
  readonly memberId?: Id;
}

export const msgRef: JsonCodec<MsgRef> = object<MsgRef>({
  msgId: optional(id),
  sentAt: utcTime,
  sent: bool,
  memberId: optional(id),
});

/** Who of a group sees a message, if not all: the moderators and this member. */
export interface MsgScope {
  readonly type: "member";
  readonly memberId: Id;
}

export const msgScope: JsonCodec<MsgScope> = tagged<MsgScope>({ member: object({ memberId: id }) });

/** A member named in the text, by the name as it stands there after the `@`. */
export interface Mention {
  readonly name: string;
  readonly memberId: Id;
}

const mentioned = object<{ readonly memberId: Id }>({ memberId: id });

/** In JSON an object whose fields are the names. The order is kept. */
export const mentions: JsonCodec<readonly Mention[]> = {
  read(json) {
    const source: [string, Json][] = Object.entries(expectObject(json));
    return source.map(([name, member]) => ({
      name: text.read(name),
      memberId: inField(JSON.stringify(name.slice(0, 40)), () => mentioned.read(member).memberId),
    }));
  },
  // fromEntries makes fields of their own, also of "__proto__".
  write: (list) => Object.fromEntries(list.map(({ name, memberId }) => [text.write(name), { memberId }])),
};

export interface Quote {
  readonly msgRef: MsgRef;
  /** What is quoted of it. */
  readonly content: MsgContent;
}

/** True or an object: the message is forwarded. */
const forwarded: JsonCodec<boolean> = {
  read(json) {
    if (typeof json === "boolean") return json;
    if (isObject(json)) return true;
    throw new MessageError("must be true, false or an object");
  },
  write: (value) => value,
};

/** The params of `x.msg.new` (chat specification, section 4.1). */
export interface MsgContainer {
  readonly content: MsgContent;
  readonly file?: FileInvitation;
  /** Seconds until the message disappears. */
  readonly ttl?: number;
  /** The text is still being typed; updates follow. */
  readonly live?: boolean;
  readonly mentions?: readonly Mention[];
  readonly scope?: MsgScope;
  /** The message that this one answers. */
  readonly quote?: Quote;
  /** The message that this one comments. */
  readonly parent?: MsgRef;
  readonly forward?: true;
}

interface WireContainer extends Omit<MsgContainer, "forward"> {
  readonly forward?: boolean;
}

/** Without mentions that name nobody. */
export function withoutEmptyMentions<T extends { readonly mentions?: readonly Mention[] }>(
  codec: JsonCodec<T>,
): JsonCodec<T> {
  const cleaned = (value: T): T => {
    if (value.mentions?.length !== 0) return value;
    const { mentions: _, ...others } = value;
    return others as T;
  };
  return mapped(codec, cleaned, cleaned);
}

const wireContainer = object<WireContainer>({
  content: msgContent,
  file: optional(fileInvitation),
  ttl: optional(natural),
  live: optional(bool),
  mentions: optional(mentions),
  scope: optional(msgScope),
  quote: optional(object<Quote>({ msgRef, content: msgContent })),
  parent: optional(msgRef),
  forward: optional(forwarded),
});

export const msgContainer: JsonCodec<MsgContainer> = mapped(
  withoutEmptyMentions(wireContainer),
  ({ forward, ...container }): MsgContainer => (forward ? { ...container, forward } : container),
  (container) => container,
);

/** What a message is to others. A container that holds several is the first of them. */
export function relationOf(container: MsgContainer): "quote" | "comment" | "forward" | "plain" {
  if (container.quote) return "quote";
  if (container.parent) return "comment";
  return container.forward ? "forward" : "plain";
}
