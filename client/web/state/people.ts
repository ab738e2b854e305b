import { computed, signal } from "@preact/signals";
import type { ChatHappening } from "../../chat/events.ts";
import type { Overview } from "../../chat/history.ts";
import type { Group } from "../../chat/group-records.ts";
import type { Contact, Conversation, Item, Request } from "../../chat/records.ts";
import { displayName } from "../../chat/wire/rules/display.ts";
import { words } from "../words/words.ts";
import type { App } from "./app.ts";
import { excerptOf } from "./excerpt.ts";
import { shownName } from "./names.ts";

/** A line of the list of conversations. */
export interface Line extends Overview {
  readonly id: string;
  /** As it is shown. */
  readonly name: string;
  readonly isMuted: boolean;
  readonly isFavourite: boolean;
}

export type Filter = "all" | "unread" | "favourites" | "groups";

function lineOf(overview: Overview): Line {
  const { conversation, contact, group } = overview;
  const own = contact ?? group;
  return {
    ...overview,
    id: conversation.id,
    name: shownName(overview),
    isMuted: own?.isMuted ?? false,
    isFavourite: own?.isFavourite ?? false,
  };
}

const isUnread = ({ conversation }: Line): boolean => conversation.unread > 0 || conversation.isMarked;

/** The conversations of the active profile, and who asks to begin one. */
export class People {
  readonly lines = signal<ReadonlyMap<string, Line>>(new Map());
  readonly requests = signal<readonly Request[]>([]);
  readonly wanted = signal("");
  readonly filter = signal<Filter>("all");
  /** Conversations that the search and the filter leave; favourites first, then the latest. */
  readonly shown = computed(() => this.#shown());
  /** Unread messages of conversations that are not muted. */
  readonly unread = computed(() => {
    const lines = [...this.lines.value.values()];
    const unread = lines.reduce((sum, { isMuted, conversation }) => sum + (isMuted ? 0 : conversation.unread), 0);
    return unread + this.requests.value.length;
  });
  /** Of members of groups who wrote something last. */
  readonly #names = signal<ReadonlyMap<string, string>>(new Map());
  readonly #app: App;
  #loading: Promise<void> | null = null;
  #isStale = false;

  constructor(app: App) {
    this.#app = app;
  }

  forget(): void {
    this.lines.value = new Map();
    this.requests.value = [];
    this.wanted.value = "";
    this.filter.value = "all";
    this.#names.value = new Map();
  }

  /** Reads everything; what changes meanwhile has it read once more. */
  load(): Promise<void> {
    this.#isStale = true;
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<void> {
    try {
      while (this.#isStale) await this.#read();
    } finally {
      // Together with the last look at whether it is stale: who asks from now on begins anew.
      this.#loading = null;
    }
    const groups = [...this.lines.value.values()].filter(({ group }) => group !== null);
    for (const { id } of groups) void this.#app.attempt(() => this.#learnNames(id));
  }

  async #read(): Promise<void> {
    this.#isStale = false;
    const { chat } = this.#app;
    const user = this.#app.user.value?.id;
    if (user === undefined) return;
    const [overviews, requests] = await Promise.all([chat.history.conversations(user), chat.links.requests(user)]);
    if (this.#app.user.value?.id !== user) {
      this.#isStale = true;
      return;
    }
    this.lines.value = new Map(overviews.map((one) => [one.conversation.id, lineOf(one)]));
    this.requests.value = requests;
  }

  async #learnNames(group: string): Promise<void> {
    const members = await this.#app.chat.groups.members(group);
    const names = members.map(({ id, name }) => [id, displayName(name)] as const);
    this.#names.value = new Map([...this.#names.value, ...names]);
  }

  /** What is said of a conversation under its name. */
  excerpt({ lastItem, conversation }: Line): string {
    if (!lastItem) return "";
    const isMessage = lastItem.body.type === "message" && conversation.kind !== "notes";
    const who = lastItem.member === null ? words.you : (this.#names.value.get(lastItem.member) ?? "");
    const text = excerptOf(lastItem, who);
    const isSaidBy = isMessage && (lastItem.isOwn || lastItem.member !== null) && who !== "";
    return isSaidBy ? `${who}: ${text}` : text;
  }

  /** How a conversation stands, in a few words. */
  states({ contact, group }: Line): string {
    const { people } = words;
    if (group) return people.groupStates[group.status];
    if (!contact) return people.notesState;
    return contact.isBlocked ? people.blockedState : people.states[contact.status];
  }

  /** Whoever one may write to or has written to, for a choice of one of them. */
  named(wanted: string): readonly Line[] {
    const folded = fold(wanted);
    return this.#sorted().filter((line) => fold(line.name).includes(folded));
  }

  #sorted(): Line[] {
    return [...this.lines.value.values()].toSorted((a, b) =>
      Number(b.isFavourite) - Number(a.isFavourite) || b.conversation.lastAt - a.conversation.lastAt);
  }

  #shown(): readonly Line[] {
    const filter = this.filter.value;
    return this.named(this.wanted.value).filter((line) => {
      if (filter === "unread") return isUnread(line);
      if (filter === "favourites") return line.isFavourite;
      return filter === "all" || line.conversation.kind === "group";
    });
  }

  happened(happening: ChatHappening): void {
    switch (happening.type) {
      case "conversation":
        this.#conversation(happening.conversation);
        break;
      case "contact":
      case "connected":
        this.#contact(happening.contact);
        break;
      case "group":
        this.#group(happening.group);
        break;
      case "member":
        this.#names.value = new Map(this.#names.value).set(happening.member.id, displayName(happening.member.name));
        break;
      case "item":
      case "itemChanged":
        this.#item(happening.item);
        break;
      case "itemGone":
        this.#itemGone(happening.chat, happening.item);
        break;
      case "contactDeleted":
        this.#without(happening.contact);
        break;
      case "groupDeleted":
        this.#without(happening.group);
        break;
      case "request":
      case "requestGone":
        this.#reload();
        break;
      default:
    }
  }

  #reload(): void {
    if (this.#app.user.value) void this.#app.attempt(() => this.load());
  }

  #set(line: Line): void {
    // What is being read may be older than this.
    this.#isStale = this.#loading !== null;
    this.lines.value = new Map(this.lines.value).set(line.id, line);
  }

  #without(id: string): void {
    this.#isStale = this.#loading !== null;
    const lines = new Map(this.lines.value);
    lines.delete(id);
    this.lines.value = lines;
    if (this.#app.talk.value?.chat === id) this.#app.go({ page: "list" }, { replace: true });
  }

  #conversation(conversation: Conversation): void {
    if (conversation.user !== this.#app.user.value?.id) return;
    const line = this.lines.value.get(conversation.id);
    if (!line || (conversation.lastItem !== null && line.lastItem?.id !== conversation.lastItem)) this.#reload();
    if (!line) return;
    this.#set(lineOf({ ...line, conversation, lastItem: conversation.lastItem === null ? null : line.lastItem }));
  }

  #contact(contact: Contact): void {
    const line = this.lines.value.get(contact.id);
    if (contact.status === "leaving") this.#without(contact.id);
    else if (line) this.#set(lineOf({ ...line, contact }));
    else if (contact.user === this.#app.user.value?.id) this.#reload();
  }

  #group(group: Group): void {
    const line = this.lines.value.get(group.id);
    if (group.status === "leaving") this.#without(group.id);
    else if (line) this.#set(lineOf({ ...line, group }));
    else if (group.user === this.#app.user.value?.id) this.#reload();
  }

  #item(item: Item): void {
    const line = this.lines.value.get(item.chat);
    if (!line || (line.lastItem !== null && line.lastItem.id > item.id)) return;
    this.#set(lineOf({ ...line, lastItem: item }));
  }

  #itemGone(chat: string, item: string): void {
    if (this.lines.value.get(chat)?.lastItem?.id === item) this.#reload();
  }
}

/** Letters as a search compares them: without case and marks. */
export function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase();
}
