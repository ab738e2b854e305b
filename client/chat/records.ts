import * as v from "valibot";
import { type MsgContainer, msgContainer } from "./wire/container.ts";
import { type MsgContent, msgContent } from "./wire/content.ts";
import type { Json, JsonCodec } from "./wire/json.ts";
import { type ChatMessage, messageJson, readMessage } from "./wire/message.ts";
import { preferences } from "./wire/preferences.ts";
import { profile } from "./wire/profile.ts";
import { type Reaction, reaction } from "./wire/reaction.ts";

// What the chat stores. What came from others stands in the records as JSON text: their numbers and fields are theirs.

/** How a record is read and written. */
export interface RecordForm<T> {
  /** @throws any error when the value is not of that form. */
  check(value: unknown): T;
  /** Plain data, as `encodeRecord` takes it. */
  plain(value: T): unknown;
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const time = count;

function asText<T>(codec: JsonCodec<T>): v.GenericSchema<unknown, T> {
  return v.pipe(v.string(), v.transform((text): T => codec.read(JSON.parse(text) as Json)));
}

const textOf = <T>(codec: JsonCodec<T>, value: T): string => JSON.stringify(codec.write(value));
const textOrNull = <T>(codec: JsonCodec<T>, value: T | null): string | null => value && textOf(codec, value);

function form<T extends object>(
  schema: v.GenericSchema<unknown, T>,
  texts: (value: T) => object = () => ({}),
): RecordForm<T> {
  return { check: (value) => v.parse(schema, value), plain: (value) => ({ ...value, ...texts(value) }) };
}

const user = v.object({
  id: v.string(),
  /** As it is shown to contacts, with the preferences for all of them. */
  profile: asText(profile),
  createdAt: time,
  /** Whether contacts are told that their messages arrived. */
  receipts: v.boolean(),
  /** Its contacts are being deleted, and it goes after them. */
  isLeaving: v.boolean(),
});
export type User = Readonly<v.InferOutput<typeof user>>;
export const userForm: RecordForm<User> = form<User>(user, (value) => ({ profile: textOf(profile, value.profile) }));

const contact = v.object({
  id: v.string(),
  user: v.string(),
  /** Unique among the contacts of the user: the alias, or made of the name that the contact goes by. */
  name: v.string(),
  alias: v.nullable(v.string()),
  /** Null until the other side has told. */
  profile: v.nullable(asText(profile)),
  /** The profile shown to this contact in place of the user's. */
  incognito: v.nullable(asText(profile)),
  /** What the contact was told last of this side, as JSON: it is told again only what differs. */
  shown: v.nullable(v.string()),
  /** What is set for this contact alone. */
  preferences: asText(preferences),
  /** Of the agent; null before it is made and after it is gone. */
  connection: v.nullable(v.string()),
  status: v.picklist(["invited", "joining", "accepting", "pending", "connected", "failed", "left", "leaving"]),
  /** Why it failed. */
  failure: v.nullable(v.string()),
  origin: v.picklist(["invitation", "link", "address", "request"]),
  /** The link that was made or is followed. */
  link: v.nullable(v.string()),
  version: count,
  /** SHA-256 of the security code in hex, as it was compared; null when it was not. */
  verified: v.nullable(v.string()),
  /** Null: as the user wants it for all. */
  receipts: v.nullable(v.boolean()),
  isBlocked: v.boolean(),
  isMuted: v.boolean(),
  isFavourite: v.boolean(),
  /** Of the attempt to connect, either side's. */
  contactReqId: v.nullable(v.string()),
  createdAt: time,
  nextOut: count,
});
export type Contact = Readonly<v.InferOutput<typeof contact>>;
export type ContactStatus = Contact["status"];
export const contactForm: RecordForm<Contact> = form<Contact>(contact, (value) => ({
  profile: textOrNull(profile, value.profile),
  incognito: textOrNull(profile, value.incognito),
  preferences: textOf(preferences, value.preferences),
}));

/** Whose a connection of the agent is, and the last of its messages that was stored. */
const binding = v.object({ kind: v.picklist(["contact", "address"]), id: v.string(), lastItem: count });
export type Binding = Readonly<v.InferOutput<typeof binding>>;
export const bindingForm: RecordForm<Binding> = form<Binding>(binding);

const address = v.object({
  user: v.string(),
  connection: v.string(),
  link: v.string(),
  shortLink: v.nullable(v.string()),
  /** Requests are accepted without asking. */
  autoAccept: v.boolean(),
  /** Those who are accepted automatically see a random profile. */
  incognito: v.boolean(),
  /** Sent to everybody who is accepted. */
  welcome: v.nullable(asText(msgContent)),
});
export type Address = Readonly<v.InferOutput<typeof address>>;
export const addressForm: RecordForm<Address> = form<Address>(address, (value) => ({
  welcome: textOrNull(msgContent, value.welcome),
}));

const firstMessage = v.object({ msgId: v.string(), content: asText(msgContent) });

const request = v.object({
  id: v.string(),
  user: v.string(),
  /** The latest one of the agent. */
  request: v.string(),
  profile: asText(profile),
  version: count,
  contactReqId: v.nullable(v.string()),
  welcomeMsgId: v.nullable(v.string()),
  message: v.nullable(firstMessage),
  at: time,
});
/** Somebody asks to become a contact. */
export type Request = Readonly<v.InferOutput<typeof request>>;
export const requestForm: RecordForm<Request> = form<Request>(request, (value) => ({
  profile: textOf(profile, value.profile),
  message: value.message && { ...value.message, content: textOf(msgContent, value.message.content) },
}));

const conversation = v.object({
  /** The contact's id; of notes to self an id of its own. */
  id: v.string(),
  user: v.string(),
  kind: v.picklist(["contact", "notes"]),
  /** Of the last item, or when it began. */
  lastAt: time,
  lastItem: v.nullable(v.string()),
  nextItem: count,
  unread: count,
  /** Marked as unread by the user. */
  isMarked: v.boolean(),
  /** Everything up to this item was read; empty: nothing. */
  readUpTo: v.string(),
  draft: v.string(),
});
export type Conversation = Readonly<v.InferOutput<typeof conversation>>;
export const conversationForm: RecordForm<Conversation> = form<Conversation>(conversation);

const status = v.variant("type", [
  /** Received, or written as a note. */
  v.object({ type: v.literal("unread") }),
  v.object({ type: v.literal("read") }),
  /** Waits for the connection. */
  v.object({ type: v.literal("new") }),
  /** Is on its way to the relay. */
  v.object({ type: v.literal("sending") }),
  /** The contact's relay has it. */
  v.object({ type: v.literal("sent"), isProxied: v.boolean() }),
  /** The contact's program has it; or something else in its place. */
  v.object({ type: v.literal("delivered"), isIntact: v.boolean() }),
  v.object({ type: v.literal("error"), reason: v.string(), detail: v.string() }),
]);
export type ItemStatus = Readonly<v.InferOutput<typeof status>>;

/** What an item says of the conversation itself. */
export const ITEM_EVENTS = [
  "connected", "failed", "contactLeft", "profileChanged", "preferencesChanged", "codeChanged", "voiceRefused",
  "filePart", "unreadable", "lost",
] as const;
export type ItemEvent = (typeof ITEM_EVENTS)[number];

const body = v.variant("type", [
  v.object({ type: v.literal("message"), container: asText(msgContainer) }),
  v.object({ type: v.literal("event"), event: v.picklist(ITEM_EVENTS), detail: v.string() }),
  /** Of a later version of the protocol; `json` is the whole message. */
  v.object({ type: v.literal("unknown"), event: v.string(), json: v.string() }),
]);
export type ItemBody = Readonly<v.InferOutput<typeof body>>;

const itemReaction = v.object({ isOwn: v.boolean(), reaction: asText(reaction) });
export interface ItemReaction {
  readonly isOwn: boolean;
  readonly reaction: Reaction;
}

const item = v.object({
  /** Sorts after all earlier ones of the conversation. */
  id: v.string(),
  chat: v.string(),
  isOwn: v.boolean(),
  /** When it was stored here. */
  at: time,
  /** When the relay got it; of own items when they were written. */
  sentAt: time,
  /** By which both sides know it. */
  msgId: v.nullable(v.string()),
  body,
  status,
  isEdited: v.boolean(),
  /** Deleted by one who could not have it removed here: the body stays. */
  deletedAt: v.nullable(time),
  reactions: v.array(itemReaction),
  /** Seconds after reading (own: after writing) until it disappears. */
  ttl: v.nullable(count),
  deleteAt: v.nullable(time),
});
export type Item = Readonly<v.InferOutput<typeof item>>;
/** An item that is a message. */
export type MessageItem = Item & { readonly body: { readonly type: "message"; readonly container: MsgContainer } };

const plainReaction = ({ isOwn, reaction: value }: ItemReaction): object => ({ isOwn, reaction: textOf(reaction, value) });

export const itemForm: RecordForm<Item> = form<Item>(item, ({ body: value, reactions }) => ({
  reactions: reactions.map(plainReaction),
  body: value.type === "message" ? { ...value, container: textOf(msgContainer, value.container) } : value,
}));

/** What a message said before it was edited. */
const edition = v.object({ content: asText(msgContent), at: time });
export interface Edition {
  readonly content: MsgContent;
  readonly at: number;
}
export const editionForm: RecordForm<Edition> = form<Edition>(edition, ({ content }) => ({
  content: textOf(msgContent, content),
}));

/** Reactions to a message that is not here yet. */
const earlyReactions = v.object({ reactions: v.array(itemReaction) });
export interface EarlyReactions {
  readonly reactions: readonly ItemReaction[];
}
export const earlyForm: RecordForm<EarlyReactions> = form<EarlyReactions>(
  earlyReactions as v.GenericSchema<unknown, EarlyReactions>,
  ({ reactions }) => ({ reactions: reactions.map(plainReaction) }),
);

const messageText: JsonCodec<ChatMessage> = { read: readMessage, write: messageJson };

/** A message to a contact that the agent has not taken yet. */
const outgoing = v.object({ message: asText(messageText), item: v.nullable(v.string()) });
export interface Outgoing {
  readonly message: ChatMessage;
  /** Whose status follows from it. */
  readonly item: string | null;
}
export const outgoingForm: RecordForm<Outgoing> = form<Outgoing>(outgoing, ({ message }) => ({
  message: textOf(messageText, message),
}));

/** Items that went to the agent in one of its messages. */
const sentItems = v.object({ items: v.array(v.string()) });
export interface SentItems {
  readonly items: readonly string[];
}
export const sentForm: RecordForm<SentItems> = form<SentItems>(sentItems as v.GenericSchema<unknown, SentItems>);

/** Names the place of something else. */
const pointer = v.object({ to: v.string() });
export type Pointer = Readonly<v.InferOutput<typeof pointer>>;
export const pointerForm: RecordForm<Pointer> = form<Pointer>(pointer);

