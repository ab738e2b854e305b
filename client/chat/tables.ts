import { hex, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
import * as groups from "./group-records.ts";
import * as files from "./file-records.ts";
import * as form from "./records.ts";
import type { Id } from "./wire/ids.ts";

/** A table of the store and the form of its records. */
export interface Table<T> extends form.RecordForm<T> {
  readonly name: string;
}

function table<T>(name: string, records: form.RecordForm<T>): Table<T> {
  return { name: `chat.${name}`, ...records };
}

/** Every table of the chat, in one place. They stand in one store with those of the agent. */
export const TABLE = {
  users: table("users", form.userForm),
  /** Single values, by name. */
  settings: table("settings", form.pointerForm),
  contacts: table("contacts", form.contactForm),
  /** By connection of the agent. */
  bindings: table("bindings", form.bindingForm),
  addresses: table("addresses", form.addressForm),
  requests: table("requests", form.requestForm),
  conversations: table("conversations", form.conversationForm),
  items: table("items", form.itemForm),
  /** Of each message known to both sides its item. */
  shared: table("shared", form.pointerForm),
  editions: table("editions", form.editionForm),
  earlyReactions: table("earlyReactions", form.earlyForm),
  /** Items that disappear, by time. */
  expiry: table("expiry", form.pointerForm),
  /** The bytes of files, own and received. */
  chunks: table("chunks", files.chunkForm),
  fetchings: table("fetchings", files.fetchingForm),
  sendings: table("sendings", files.sendingForm),
  outbox: table("outbox", form.outgoingForm),
  /** Of each item what waits in the outbox because of it. */
  waiting: table("waiting", form.pointerForm),
  /** By number of the agent. */
  sent: table("sent", form.sentForm),
  groups: table("groups", groups.groupForm),
  members: table("members", groups.memberForm),
  /** Of each id that is known in a group the member. */
  memberIds: table("memberIds", form.pointerForm),
  /** Of each name in a group the member. */
  memberNames: table("memberNames", form.pointerForm),
  groupLinks: table("groupLinks", groups.groupLinkForm),
  passages: table("passages", groups.passageForm),
  seen: table("seen", groups.seenForm),
  moderations: table("moderations", groups.moderationForm),
  /** By item. */
  deliveries: table("deliveries", groups.deliveriesForm),
} as const;

const DIGITS = 12;
const TIME_DIGITS = 16;

/** A number as a part of a key: keys are ordered as text. */
export function ordinal(number: number, digits = DIGITS): string {
  return number.toString().padStart(digits, "0");
}

export function itemId(chat: string, number: number): string {
  return `${chat}/${ordinal(number)}`;
}

/** The conversation of an item. */
export function chatOf(item: string): string {
  return item.slice(0, item.lastIndexOf("/"));
}

/** Everything that belongs to a conversation or a contact begins with this in the tables of items and messages. */
export function prefixOf(id: string): string {
  return `${id}/`;
}

const MAX_PLAIN_ID = 64;

/** Ids of others can be of any length. */
const shortId = (id: Id): string => (id.length <= MAX_PLAIN_ID ? id : `#${hex(sha256(utf8(id)))}`);

/** `member`: whose the message is in a group, unless it is the user's own. */
export function sharedKey(chat: string, isOwn: boolean, msgId: Id, member: string | null = null): string {
  const author = isOwn ? "own" : member === null ? "their" : member.slice(member.lastIndexOf("/") + 1);
  return `${prefixOf(chat)}${author}/${shortId(msgId)}`;
}

export function editionKey(item: string, number: number): string {
  return prefixOf(item) + ordinal(number);
}

export function expiryKey(at: number, item: string): string {
  return `${ordinal(at, TIME_DIGITS)}/${item}`;
}

/** The item in the key of an item that disappears. */
export function expiringItem(key: string): string {
  return key.slice(TIME_DIGITS + 1);
}

const CHUNK_DIGITS = 3;

export function chunkKey(item: string, number: number): string {
  return prefixOf(item) + ordinal(number, CHUNK_DIGITS);
}

export function fetchingKey(owner: string, item: string): string {
  return prefixOf(owner) + item;
}

export function sendingKey(item: string, owner: string): string {
  return prefixOf(item) + owner;
}

/** The time in the key of an item that disappears. */
export function expiryTime(key: string): number {
  return Number(key.slice(0, TIME_DIGITS));
}

export function outboxKey(contact: string, number: number): string {
  return prefixOf(contact) + ordinal(number);
}

export function waitingKey(item: string, outbox: string): string {
  return prefixOf(item) + outbox;
}

export function sentKey(contact: string, item: number): string {
  return prefixOf(contact) + ordinal(item);
}

/** Name of the setting that holds the active user. */
export const ACTIVE_USER = "activeUser";

/** Members are numbered in their group; an id of one is no id of an item. */
export function memberKey(group: string, number: number): string {
  return `${prefixOf(group)}m${ordinal(number)}`;
}

/** The group of a member; null of the id of a contact. */
export function groupOfMember(id: string): string | null {
  const end = id.indexOf("/m");
  return end < 0 ? null : id.slice(0, end);
}

export function memberIdKey(group: string, memberId: Id): string {
  return prefixOf(group) + shortId(memberId);
}

/** Names are of any length and in any script. */
export function memberNameKey(group: string, name: string): string {
  return prefixOf(group) + hex(sha256(utf8(name)));
}

/** What a member writes is passed on to others. */
export function passageKey(from: string, to: string): string {
  return prefixOf(from) + to.slice(to.lastIndexOf("/") + 1);
}

export function seenKey(group: string, period: number, author: string, msgId: Id): string {
  return `${prefixOf(group)}${ordinal(period)}/${author.slice(author.lastIndexOf("/") + 1)}/${shortId(msgId)}`;
}

/** The period in the key of a message that was seen. */
export function seenPeriod(key: string): number {
  return Number(key.split("/")[1]);
}

/** Of a message of a member, which need not be known yet. */
export function moderationKey(group: string, memberId: Id, msgId: Id): string {
  return `${prefixOf(group)}${shortId(memberId)}/${shortId(msgId)}`;
}
