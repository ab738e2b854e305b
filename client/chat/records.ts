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

export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const time = count;

export function asText<T>(codec: JsonCodec<T>): v.GenericSchema<unknown, T> {
  return v.pipe(v.string(), v.transform((text): T => codec.read(JSON.parse(text) as Json)));
}

export const textOf = <T>(codec: JsonCodec<T>, value: T): string => JSON.stringify(codec.write(value));
export const textOrNull = <T>(codec: JsonCodec<T>, value: T | null): string | null => value && textOf(codec, value);

export function form<T extends object>(
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
  /** Where that link leads, kept to know it again (rules/link-places.ts). */
  places: v.optional(v.array(v.string()), []),
  version: count,
  /** The security code in hex, as it was compared; null when it was not. */
  verified: v.nullable(v.string()),
  /** Null: as the user wants it for all. */
  receipts: v.nullable(v.boolean()),
  isBlocked: v.boolean(),
  isMuted: v.boolean(),
  isFavourite: v.boolean(),
  /** Of the attempt to connect, either side's. */
  contactReqId: v.nullable(v.string()),
  /** The item of the message that goes with the own request. */
  requestItem: v.nullable(v.string()),
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
const binding = v.object({ kind: v.picklist(["contact", "address", "member", "groupLink", "fetching", "sending"]), id: v.string(), lastItem: count });
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
  /** What stands behind the short link is not what it should be. */
  isStale: v.boolean(),
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
  /** Whoever asks has seen the user's profile behind the short link. */
  sawProfile: v.boolean(),
  at: time,
});
/** Somebody asks to become a contact. */
export type Request = Readonly<v.InferOutput<typeof request>>;
export const requestForm: RecordForm<Request> = form<Request>(request, (value) => ({
  profile: textOf(profile, value.profile),
  message: value.message && { ...value.message, content: textOf(msgContent, value.message.content) },
}));

const conversation = v.object({
  /** The id of the contact or the group; of notes to self an id of its own. */
  id: v.string(),
  user: v.string(),
  kind: v.picklist(["contact", "notes", "group"]),
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

export const status = v.variant("type", [
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
  "connected", "failed", "contactLeft", "profileChanged", "preferencesChanged", "codeChanged", "voiceRefused", "callRefused",
  "filePart", "unreadable", "lost", "invited", "memberJoined", "memberLeft", "memberRemoved", "memberRole", "memberBlocked",
  "groupUpdated", "groupDeleted", "removed", "refused",
] as const;
export type ItemEvent = (typeof ITEM_EVENTS)[number];

const body = v.variant("type", [
  v.object({ type: v.literal("message"), container: asText(msgContainer) }),
  v.object({ type: v.literal("event"), event: v.picklist(ITEM_EVENTS), detail: v.string() }),
  /** Of a later version of the protocol; `json` is the whole message. */
  v.object({ type: v.literal("unknown"), event: v.string(), json: v.string() }),
]);
export type ItemBody = Readonly<v.InferOutput<typeof body>>;

const itemReaction = v.object({ isOwn: v.boolean(), member: v.nullable(v.string()), reaction: asText(reaction) });
export interface ItemReaction {
  readonly isOwn: boolean;
  /** The member who reacts; null: the user, or a conversation of two. */
  readonly member: string | null;
  readonly reaction: Reaction;
}

const itemFile = v.object({
  /** `unsupported`: it cannot be fetched by this program. */
  state: v.picklist(["sending", "sent", "receiving", "received", "cancelled", "unsupported"]),
  /** Bytes that are here. */
  received: count,
});
export type ItemFile = Readonly<v.InferOutput<typeof itemFile>>;

const item = v.object({
  /** Sorts after all earlier ones of the conversation. */
  id: v.string(),
  chat: v.string(),
  isOwn: v.boolean(),
  /** The member who wrote it or did what it says; null: the user, or a conversation of two. */
  member: v.nullable(v.string()),
  /** When it was stored here. */
  at: time,
  /** When the relay got it; of own items when they were written. */
  sentAt: time,
  /** By which both sides know it. */
  msgId: v.nullable(v.string()),
  body,
  status,
  isEdited: v.boolean(),
  /** How often what it said was replaced. */
  editionCount: count,
  /** Deleted by one who could not have it removed here: the body stays. */
  deletedAt: v.nullable(time),
  /** The moderator of a group who deleted what somebody else wrote. */
  deletedBy: v.nullable(v.string()),
  reactions: v.array(itemReaction),
  /** Seconds after reading (own: after writing) until it disappears. */
  ttl: v.nullable(count),
  deleteAt: v.nullable(time),
  /** Where the file of the message is; name and size are in the message. Null: it has none. */
  file: v.nullable(itemFile),
});
export type Item = Readonly<v.InferOutput<typeof item>>;
/** An item that is a message. */
export type MessageItem = Item & { readonly body: { readonly type: "message"; readonly container: MsgContainer } };

const plainReaction = ({ reaction: value, ...others }: ItemReaction): object => ({ ...others, reaction: textOf(reaction, value) });

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
const earlyReactions = v.object({ reactions: v.array(itemReaction), at: v.optional(count, 0) });
export interface EarlyReactions {
  readonly reactions: readonly ItemReaction[];
  /** When the last one came: milliseconds since 1970. */
  readonly at: number;
}
export const earlyForm: RecordForm<EarlyReactions> = form<EarlyReactions>(
  earlyReactions as v.GenericSchema<unknown, EarlyReactions>,
  ({ reactions, at }) => ({ reactions: reactions.map(plainReaction), at }),
);

const messageText: JsonCodec<ChatMessage> = { read: readMessage, write: messageJson };

/** A part of a file that goes between the messages; its bytes are looked up when it goes. */
const outgoingChunk = v.object({
  /** By which the other side knows the message with the file. */
  msgId: v.string(),
  /** 1, 2, 3...; 0: the sending is cancelled. */
  number: count,
  isLast: v.boolean(),
});

/** A message or a part of a file for a contact that the agent has not taken yet. */
const outgoing = v.object({
  message: v.nullable(asText(messageText)),
  chunk: v.nullable(outgoingChunk),
  item: v.nullable(v.string()),
  subject: v.nullable(v.string()),
  isDoubtful: v.boolean(),
});
export interface Outgoing {
  /** Null: a chunk. */
  readonly message: ChatMessage | null;
  /** Null: a message. */
  readonly chunk: Readonly<v.InferOutput<typeof outgoingChunk>> | null;
  /** Whose status follows from it. */
  readonly item: string | null;
  /** The item that it speaks of: when that goes, this is not sent any more. */
  readonly subject: string | null;
  /** It may have been handed over when an earlier program ended. */
  readonly isDoubtful: boolean;
}
export const outgoingForm: RecordForm<Outgoing> = form<Outgoing>(outgoing, ({ message }) => ({
  message: textOrNull(messageText, message),
}));

/** What went to the agent in one of its messages. */
const sentItems = v.object({
  items: v.array(v.string()),
  chunk: v.nullable(v.object({ item: v.string(), isLast: v.boolean() })),
});
export interface SentItems {
  readonly items: readonly string[];
  /** A part of the file of an item; null: messages. */
  readonly chunk: { readonly item: string; readonly isLast: boolean } | null;
}
export const sentForm: RecordForm<SentItems> = form<SentItems>(sentItems as v.GenericSchema<unknown, SentItems>);

/** Names the place of something else. */
const pointer = v.object({ to: v.string() });
export type Pointer = Readonly<v.InferOutput<typeof pointer>>;
export const pointerForm: RecordForm<Pointer> = form<Pointer>(pointer);

