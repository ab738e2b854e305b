import { batch, computed, signal } from "@preact/signals";
import type { ChatHappening } from "../../chat/events.ts";
import type { Agreement } from "../../chat/rules/preferences.ts";
import type { Member } from "../../chat/group-records.ts";
import type { Conversation, Item } from "../../chat/records.ts";
import type { MsgRef } from "../../chat/wire/container.ts";
import { displayName } from "../../chat/wire/rules/display.ts";
import { words } from "../words/words.ts";
import type { App } from "./app.ts";
import type { Composer } from "./composer.ts";

const PAGE = 50;
const CONTEXT = 25;
/** Items that are shown at once; what is farther away is read again when somebody comes there. */
const WINDOW = 300;
const SCAN = 200;
/** Items that are looked through for one that is quoted. */
const MAX_SCANNED = 20_000;

/** Where the view is to go. Each one is gone to once. */
export interface Target {
  readonly item: string | null;
  /** `mark`: it is the one that was looked for. `unread`: the line above it. `end`: the latest. */
  readonly how: "mark" | "unread" | "end";
}

interface Found {
  readonly items: readonly Item[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
}

/** A conversation that is open: a window into its items. */
export class Talk {
  readonly chat: string;
  readonly items = signal<readonly Item[]>([]);
  readonly isReady = signal(false);
  readonly hasOlder = signal(false);
  readonly hasNewer = signal(false);
  /** The first item that was unread when the conversation was opened. */
  readonly firstUnread = signal<string | null>(null);
  readonly target = signal<Target | null>(null);
  readonly members = signal<ReadonlyMap<string, Member>>(new Map());
  /** What both sides want; null in groups and notes. */
  readonly agreement = signal<Agreement | null>(null);
  readonly line = computed(() => this.app.people.lines.value.get(this.chat) ?? null);
  /** These change less often than the line does, and every message that is shown depends on them. */
  readonly kind = computed(() => this.line.value?.conversation.kind ?? null);
  readonly name = computed(() => this.line.value?.name ?? "");
  readonly composer: Composer;
  readonly app: App;
  #missed: ChatHappening[] | null = null;
  #work: Promise<void> = Promise.resolve();
  #hasLeft = false;
  #isStale = false;
  #loading: Promise<void> | null = null;

  constructor(app: App, chat: string) {
    this.app = app;
    this.chat = chat;
    this.composer = app.composers.of(this);
  }

  get #history(): App["chat"]["history"] {
    return this.app.chat.history;
  }

  async enter(): Promise<void> {
    const conversation = await this.#history.conversation(this.chat);
    this.composer.restore(conversation.draft);
    await Promise.all([this.#load(() => this.#begin(conversation)), this.#loadOthers()]);
  }

  /** Shows the first unread messages with some before them, or else the latest ones. */
  async #begin({ unread: count, readUpTo }: Conversation): Promise<void> {
    if (count === 0) return this.#show(await this.#latest(), { item: null, how: "end" });
    // Before all of them when nothing was read yet.
    const unread = await this.#history.items(this.chat, { after: readUpTo || " ", limit: PAGE });
    const first = unread.find(({ isOwn }) => !isOwn)?.id ?? null;
    if (first === null) return this.#show(await this.#latest(), { item: null, how: "end" });
    const before = await this.#history.items(this.chat, { before: first, limit: CONTEXT });
    this.firstUnread.value = first;
    this.#show({
      items: [...before, ...unread.filter(({ id }) => id >= first)],
      hasOlder: before.length === CONTEXT,
      hasNewer: unread.length === PAGE,
    }, { item: first, how: "unread" });
  }

  /** Reads who else is here; when that changes meanwhile, once more. */
  #loadOthers(): Promise<void> {
    this.#isStale = true;
    this.#loading ??= this.#loadUntilFresh();
    return this.#loading;
  }

  async #loadUntilFresh(): Promise<void> {
    try {
      while (this.#isStale) await this.#readOthers();
    } finally {
      this.#loading = null;
    }
  }

  async #readOthers(): Promise<void> {
    this.#isStale = false;
    const { contact, group } = this.line.peek() ?? {};
    if (contact) this.agreement.value = await this.app.chat.contacts.agreement(contact.id);
    if (group) this.members.value = new Map((await this.app.chat.groups.members(group.id)).map((one) => [one.id, one]));
  }

  /** Keeps what was typed. */
  async leave(): Promise<void> {
    this.#hasLeft = true;
    await this.app.composers.leave(this);
  }

  /** Reads again what is shown. */
  refresh(): Promise<void> {
    return this.#load(async () => {
      const last = this.hasNewer.value ? this.items.value.at(-1)?.id : undefined;
      // A space after a key is the next one: the last item is among them.
      const before = last === undefined ? {} : { before: `${last} ` };
      const items = await this.#history.items(this.chat, { ...before, limit: WINDOW });
      this.#show({ items, hasOlder: items.length === WINDOW, hasNewer: last !== undefined }, null);
      await this.#loadOthers();
    });
  }

  /** One after the other; what happens meanwhile is done after it. */
  async #load(action: () => Promise<void>): Promise<void> {
    const before = this.#work;
    const done = Promise.withResolvers<void>();
    this.#work = done.promise;
    await before;
    try {
      if (!this.#hasLeft) await this.#alone(action);
    } finally {
      done.resolve();
    }
  }

  async #alone(action: () => Promise<void>): Promise<void> {
    this.#missed = [];
    try {
      await action();
    } finally {
      const missed = this.#missed;
      this.#missed = null;
      for (const happening of missed) this.happened(happening);
    }
  }

  #show({ items, hasOlder, hasNewer }: Found, target: Target | null): void {
    batch(() => {
      this.items.value = items;
      this.hasOlder.value = hasOlder;
      this.hasNewer.value = hasNewer;
      this.target.value = target;
      this.isReady.value = true;
    });
  }

  async #latest(): Promise<Found> {
    const items = await this.#history.items(this.chat, { limit: PAGE });
    return { items, hasOlder: items.length === PAGE, hasNewer: false };
  }

  async #around(item: string): Promise<Found> {
    const [before, found, after] = await Promise.all([
      this.#history.items(this.chat, { before: item, limit: CONTEXT }),
      this.#history.item(item),
      this.#history.items(this.chat, { after: item, limit: PAGE }),
    ]);
    const hasOlder = before.length === CONTEXT;
    return { items: [...before, found, ...after], hasOlder, hasNewer: after.length === PAGE };
  }

  older(): Promise<void> {
    return this.#load(async () => {
      const [first] = this.items.value;
      if (!this.hasOlder.value || !first) return;
      const more = await this.#history.items(this.chat, { before: first.id, limit: PAGE });
      const items = [...more, ...this.items.value];
      batch(() => {
        this.items.value = items.slice(0, WINDOW);
        this.hasOlder.value = more.length === PAGE;
        this.hasNewer.value ||= items.length > WINDOW;
      });
    });
  }

  newer(): Promise<void> {
    return this.#load(async () => {
      const last = this.items.value.at(-1);
      if (!this.hasNewer.value || !last) return;
      const more = await this.#history.items(this.chat, { after: last.id, limit: PAGE });
      const items = [...this.items.value, ...more];
      batch(() => {
        this.items.value = items.slice(-WINDOW);
        this.hasNewer.value = more.length === PAGE;
        this.hasOlder.value ||= items.length > WINDOW;
      });
    });
  }

  toLatest(): Promise<void> {
    return this.#load(async () => {
      this.firstUnread.value = null;
      if (this.hasNewer.value) this.#show(await this.#latest(), { item: null, how: "end" });
      else this.target.value = { item: null, how: "end" };
    });
  }

  /** Shows an item, and marks it for a moment. */
  jumpTo(item: string): Promise<void> {
    return this.#load(async () => {
      const isHere = this.items.value.some(({ id }) => id === item);
      const target = { item, how: "mark" } as const;
      if (isHere) this.target.value = target;
      else this.#show(await this.#around(item), target);
    });
  }

  /** Shows the message that a quote is of; false: it is not there any more. */
  async jumpToQuoted({ msgId, sentAt }: MsgRef, from: string): Promise<boolean> {
    if (msgId === undefined) return false;
    const isIt = (item: Item): boolean => item.msgId === msgId;
    let found = this.items.value.find(isIt);
    const oldest = Date.parse(sentAt) - 86_400_000;
    let before = from;
    for (let scanned = 0; !found && scanned < MAX_SCANNED; scanned += SCAN) {
      const items = await this.#history.items(this.chat, { before, limit: SCAN });
      found = items.findLast(isIt);
      const [first] = items;
      if (!first || items.length < SCAN || first.at < oldest) break;
      before = first.id;
    }
    if (!found) return false;
    await this.jumpTo(found.id);
    return true;
  }

  /** Everything up to an item was seen; null: all of it. */
  async seen(upTo: string | null): Promise<void> {
    const conversation = this.line.peek()?.conversation;
    if (!conversation) return;
    if (conversation.unread === 0 && !conversation.isMarked) return;
    if (upTo !== null && upTo <= conversation.readUpTo) return;
    await this.#history.markRead(this.chat, upTo);
  }

  /** Who wrote a message, as it is shown. */
  author(item: Item): string {
    if (item.isOwn) return words.talk.you;
    const member = item.member === null ? null : this.members.value.get(item.member);
    if (item.member !== null) return displayName(member?.name ?? "");
    return this.name.value;
  }

  happened(happening: ChatHappening): void {
    if (this.#missed) {
      this.#missed.push(happening);
      return;
    }
    switch (happening.type) {
      case "item":
        if (happening.item.chat === this.chat) this.#added(happening.item);
        break;
      case "itemChanged":
        this.#changed(happening.item);
        break;
      case "itemGone":
        this.items.value = this.items.value.filter(({ id }) => id !== happening.item);
        break;
      case "member":
        this.#member(happening.member);
        break;
      case "memberGone":
        this.#memberGone(happening);
        break;
      case "group":
        this.#othersChanged(happening.group.id === this.chat);
        break;
      case "contact":
      case "connected":
        this.#othersChanged(happening.contact.id === this.chat);
        break;
      case "user":
        this.#othersChanged(this.agreement.peek() !== null);
        break;
      default:
    }
  }

  #othersChanged(isHere: boolean): void {
    if (isHere && !this.#hasLeft) void this.app.attempt(() => this.#loadOthers());
  }

  #memberGone({ group, member }: { readonly group: string; readonly member: string }): void {
    if (group !== this.chat) return;
    // What is being read may be older than this.
    this.#isStale = this.#loading !== null;
    this.members.value = new Map([...this.members.value].filter(([id]) => id !== member));
  }

  #member(member: Member): void {
    if (member.group !== this.chat) return;
    this.#isStale = this.#loading !== null;
    this.members.value = new Map(this.members.value).set(member.id, member);
  }

  #added(item: Item): void {
    const last = this.items.value.at(-1);
    if (this.hasNewer.value || (last && last.id >= item.id)) return;
    batch(() => {
      this.items.value = [...this.items.value, item].slice(-WINDOW);
      if (item.isOwn) this.firstUnread.value = null;
      // Nobody looks: the line shows later where it began.
      else if (!document.hasFocus()) this.firstUnread.value ??= item.id;
    });
  }

  #changed(item: Item): void {
    if (item.chat !== this.chat) return;
    this.items.value = this.items.value.map((one) => (one.id === item.id ? item : one));
  }
}
