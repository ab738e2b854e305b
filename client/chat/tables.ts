import { hex, utf8 } from "#crypto/bytes";
import { sha256 } from "#crypto/hash";
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
  outbox: table("outbox", form.outgoingForm),
  /** By number of the agent. */
  sent: table("sent", form.sentForm),
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

/** Everything that belongs to a conversation or a contact begins with this in the tables of items and messages. */
export function prefixOf(id: string): string {
  return `${id}/`;
}

const MAX_PLAIN_ID = 64;

/** Ids of others can be of any length. */
export function sharedKey(chat: string, isOwn: boolean, msgId: Id): string {
  const name = msgId.length <= MAX_PLAIN_ID ? msgId : `#${hex(sha256(utf8(msgId)))}`;
  return `${prefixOf(chat)}${isOwn ? "own" : "their"}/${name}`;
}

export function editionKey(item: string, number: number): string {
  return prefixOf(item) + ordinal(number);
}

export function expiryKey(at: number, item: string): string {
  return `${ordinal(at, TIME_DIGITS)}/${item}`;
}

/** The time in the key of an item that disappears. */
export function expiryTime(key: string): number {
  return Number(key.slice(0, TIME_DIGITS));
}

export function outboxKey(contact: string, number: number): string {
  return prefixOf(contact) + ordinal(number);
}

export function sentKey(contact: string, item: number): string {
  return prefixOf(contact) + ordinal(item);
}

/** Name of the setting that holds the active user. */
export const ACTIVE_USER = "activeUser";
