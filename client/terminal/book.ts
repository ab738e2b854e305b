import type { Chat } from "../chat/chat.ts";
import { ChatError } from "../chat/errors.ts";
import type { Contact, Item, Request, User } from "../chat/records.ts";
import type { Group, Member } from "../chat/group-records.ts";
import { displayName } from "../chat/wire/rules/display.ts";
import type { Target } from "./input/forms.ts";
import { TypedError } from "./input/scanner.ts";
import { isMessage, type Place } from "./view/item.ts";
import { shownName } from "./view/words.ts";

/** Messages that are looked through for one that begins as was typed. */
const REACH = 500;

/** A conversation that somebody means. */
export interface Chosen {
  /** Of the conversation: the contact's, the group's. */
  readonly id: string;
  readonly type: Target["type"];
  readonly name: string;
}

/** What a message has to be like to be meant. */
export interface Wanted {
  readonly isOwn?: boolean;
  /** Name of who wrote it, in a group. */
  readonly member?: string | null;
  readonly start: string | null;
}

/** Who is called what. */
export class Book {
  readonly #chat: () => Chat;

  constructor(chat: () => Chat) {
    this.#chat = chat;
  }

  /** @throws TypedError when there is nobody of that name */
  async contact(user: User, name: string): Promise<Contact> {
    const contacts = await this.#chat().contacts.list(user.id);
    const same = contacts.find((one) => one.name === name) ?? contacts.find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (!same) throw new TypedError(`there is no contact ${shownName(name)}; /contacts lists them`);
    return same;
  }

  /** @throws TypedError */
  async request(user: User, name: string): Promise<Request> {
    const requests = await this.#chat().links.requests(user.id);
    const named = namesOfRequests(requests);
    const index = named.findIndex((one) => one.toLowerCase() === name.toLowerCase());
    const request = requests[index];
    if (!request) throw new TypedError(`nobody called ${shownName(name)} asks to connect; /requests lists who does`);
    return request;
  }

  /** @throws TypedError */
  async user(name: string): Promise<User> {
    const users = await this.#chat().users.list();
    const same = users.find(({ profile }) => profile.displayName === name);
    if (!same) throw new TypedError(`there is no profile ${shownName(name)}; /users lists them`);
    return same;
  }

  /** @throws TypedError */
  async conversation(user: User, target: Target): Promise<Chosen> {
    if (target.type === "notes") return { id: this.#chat().notes(user.id), type: "notes", name: "" };
    if (target.type === "contact") {
      const { id, name } = await this.contact(user, target.name);
      return { id, name, type: "contact" };
    }
    const { id, name } = await this.group(user, target.name);
    return { id, name, type: "group" };
  }

  /** @throws TypedError */
  async group(user: User, name: string): Promise<Group> {
    const group = (await this.groups(user)).find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (!group) throw new TypedError(`there is no group ${shownName(name)}; /groups lists them`);
    return group;
  }

  async groups(user: User): Promise<Group[]> {
    return this.#chat().groups.list(user.id);
  }

  async members(group: string): Promise<Member[]> {
    return this.#chat().groups.members(group);
  }

  /** @throws TypedError */
  async member(group: Group, name: string): Promise<Member> {
    const members = await this.members(group.id);
    const member = members.find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (!member) throw new TypedError(`${shownName(name)} is not in #${shownName(group.name)}; /ms ${shownName(group.name)} lists who is`);
    return member;
  }

  /** The latest message that is as wanted. @throws TypedError */
  async message(chosen: Chosen, { isOwn, member = null, start }: Wanted): Promise<Item> {
    const writer = member === null ? null : await this.#memberNamed(chosen.id, member);
    const items = await this.#chat().history.items(chosen.id, { limit: REACH });
    const fitting = items.reverse().filter((item) => {
      if (!isMessage(item) || item.deletedAt !== null) return false;
      return (isOwn === undefined || item.isOwn === isOwn) && (writer === null || item.member === writer);
    });
    const begins = (item: Item): boolean => isMessage(item) && item.body.container.content.text.startsWith(start ?? "");
    const item = fitting.find(begins);
    if (item) return item;
    if (start === null) throw new TypedError("there is no such message");
    throw new TypedError(`no message of the last ${REACH} there begins with '${start}'`);
  }

  async #memberNamed(group: string, name: string): Promise<string> {
    return (await this.member(await this.#chat().groups.get(group), name)).id;
  }

  /** What an item needs to be shown. */
  async place(item: Item, now: number, file: number | null): Promise<ItemPlace> {
    const { kind, user } = await this.#chat().history.conversation(item.chat);
    const common = { now, file, user, deletedBy: null };
    if (kind === "notes") return { ...common, type: "notes", name: "", member: null, isMuted: false };
    if (kind === "contact") {
      const { name, isMuted } = await this.#chat().contacts.get(item.chat);
      return { ...common, type: "contact", name, member: null, isMuted };
    }
    const { name, isMuted } = await this.#chat().groups.get(item.chat);
    return { ...common, type: "group", name, isMuted, member: await this.memberName(item.member), deletedBy: await this.memberName(item.deletedBy) };
  }

  /** Of a member by its id. */
  async memberName(id: string | null): Promise<string | null> {
    if (id === null) return null;
    return this.#chat().groups.member(id).then(({ name }) => name, gone);
  }
}

/** Who was forgotten has no name any more. */
function gone(error: unknown): string {
  if (error instanceof ChatError && error.refusal === "NOT_FOUND") return "somebody";
  throw error;
}

/** Where an item stands, and whose that is. */
export type ItemPlace = Place & { readonly user: string; readonly isMuted: boolean };

/** Names for those who ask to connect: the same name twice gets a number. */
export function namesOfRequests(requests: readonly Request[]): string[] {
  const counts = new Map<string, number>();
  return requests.map(({ profile }) => {
    const name = displayName(profile.displayName);
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  });
}
