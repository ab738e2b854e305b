import type { AgentEvent } from "../agent/events.ts";
import type { ChatHappening } from "../chat/events.ts";
import type { Group } from "../chat/group-records.ts";
import type { Item } from "../chat/records.ts";
import { displayName } from "../chat/wire/rules/display.ts";
import { ChatError } from "../chat/errors.ts";
import { namesOfRequests } from "./book.ts";
import { saveWished } from "./save-file.ts";
import type { Session } from "./session.ts";
import { cyan, dim, green, type Line, line, red } from "./text/styled.ts";
import { arrivalLines, changeLines, isMessage, summary } from "./view/item.ts";
import { itemLines } from "./view/events.ts";
import { preview, shownName } from "./view/words.ts";

/** Milliseconds in which the same trouble with the same contact is not told again. */
const QUIET = 60_000;

/** Shows what happens. */
export class Events {
  readonly #session: Session;
  readonly #told = new Map<string, number>();
  readonly #invitations = new Set<string>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** Reads all of the events there are, until the chat is closed. */
  async read(): Promise<void> {
    for await (const event of this.#session.chat.events) {
      try {
        await this.#show(event);
      } catch (error) {
        // What it tells of may be gone already.
        if (!(error instanceof ChatError && (error.refusal === "NOT_FOUND" || error.refusal === "CLOSED"))) {
          this.#session.complain(error instanceof Error ? error.message : String(error));
        }
      }
    }
  }

  async #show(event: ChatHappening): Promise<void> {
    const session = this.#session;
    switch (event.type) {
      case "user":
        if (event.user.id === session.user.id) session.setUser(event.user);
        return;
      case "item":
        return this.#item(event.item, event.isLoud);
      case "itemChanged":
        await this.#changed(event.item);
        return saveWished(session, event.item);
      case "request":
        return this.#request(event.request.id, event.request.user);
      case "group":
        return this.#group(event.group);
      case "groupDeleted":
        if (session.active?.id === event.group) session.setActive(null);
        return;
      case "contactDeleted":
        if (session.active?.id === event.contact) session.setActive(null);
        return;
      case "call":
        if (event.message.event.type === "x.call.inv") session.say(`${await this.#nameOf(event.contact)} calls; this program makes no calls`);
        return;
      case "error":
        return this.#trouble(event.contact, event.error);
      case "agent":
        return this.#agent(event.contact, event.event);
      default:
    }
  }

  async #nameOf(contact: string | null): Promise<string> {
    return contact === null ? "" : shownName((await this.#session.chat.contacts.get(contact)).name);
  }

  /** The lines of somebody else than who is shown stand behind the name of whom they are for. */
  async #forUser(user: string, lines: readonly Line[]): Promise<Line[]> {
    const session = this.#session;
    if (user === session.user.id) return [...lines];
    const { profile } = await session.chat.users.get(user);
    return lines.map((one, index) => (index === 0 ? [dim(`[${shownName(profile.displayName)}] `), ...one] : one));
  }

  async #item(item: Item, isLoud: boolean): Promise<void> {
    const session = this.#session;
    const place = await session.book.place(item, Date.now(), session.fileNumber(item));
    session.remember(item);
    if (place.isMuted && !item.isOwn) return;
    session.face.print(await this.#forUser(place.user, itemLines(item, place)), item.id);
    if (isLoud) {
      if (session.profile.settings.hasBell) session.face.bell();
      if (isMessage(item)) session.face.notify(displayName(place.member ?? place.name), summary(item.body.container));
    }
    if (session.active === null && !item.isOwn && place.user === session.user.id && place.type !== "notes") {
      session.setActive({ id: item.chat, type: place.type, name: place.name });
    }
    if (!item.isOwn && item.status.type === "unread") await session.chat.history.markRead(item.chat, item.id);
  }

  async #changed(item: Item): Promise<void> {
    const session = this.#session;
    const before = session.known(item.id);
    session.remember(item);
    const place = await session.book.place(item, Date.now(), session.fileNumber(item));
    if (place.isMuted && !item.isOwn) return;
    const isInPlace = session.face.change(item.id, itemLines(item, place));
    if (!before) return this.#unseen(item, isInPlace);
    const isNewlyFailed = item.status.type === "error" && before.status.type !== "error";
    const arrival = isInPlace ? [] : arrivalLines(before, item, place);
    const lines = [...arrival, ...changeLines(before, item, place, await this.#reactor(before, item))];
    if (lines.length > 0 && !(item.isOwn && isInPlace && isSameReactions(before, item))) {
      session.face.print(await this.#forUser(place.user, lines));
    } else if (isNewlyFailed && !isInPlace) {
      session.face.print(await this.#forUser(place.user, itemLines(item, place)));
    }
  }

  /** Who changed its reactions, in a group. */
  async #reactor(before: Item, item: Item): Promise<string | null> {
    const key = (one: Item["reactions"][number]): string => JSON.stringify([one.member, one.reaction]);
    const [old, now] = [new Set(before.reactions.map(key)), new Set(item.reactions.map(key))];
    const changed = [...before.reactions, ...item.reactions].find((one) => !one.isOwn && old.has(key(one)) !== now.has(key(one)));
    return this.#session.book.memberName(changed?.member ?? null);
  }

  /** Something older than what is remembered: only what is plainly new is told. */
  async #unseen(item: Item, isInPlace: boolean): Promise<void> {
    if (isInPlace || item.isOwn || !isMessage(item) || (!item.isEdited && item.deletedAt === null)) return;
    if (item.status.type === "unread") return;
    const place = await this.#session.book.place(item, Date.now(), this.#session.fileNumber(item));
    this.#session.face.print(await this.#forUser(place.user, itemLines(item, place)));
  }

  async #request(id: string, user: string): Promise<void> {
    const session = this.#session;
    const all = await session.chat.links.requests(user);
    const index = all.findIndex((one) => one.id === id);
    const request = all[index];
    if (!request) return;
    const name = shownName(namesOfRequests(all)[index] ?? "");
    const said = request.message === null ? [] : [line("  ", preview(request.message.content.text, 400))];
    const lines = [
      line(cyan(name), " wants to connect"),
      ...said,
      line("to accept: ", green(`/ac ${name}`), ", to reject: ", green(`/rc ${name}`), " (nobody is told)"),
    ];
    session.face.print(await this.#forUser(user, lines));
    if (session.profile.settings.hasBell) session.face.bell();
  }

  /** An invitation is told once, by the name that the group has here. */
  async #group({ id, user, name, status }: Group): Promise<void> {
    if (status !== "invited" || this.#invitations.has(id)) return;
    this.#invitations.add(id);
    const shown = shownName(name);
    const lines = [line(cyan(`#${shown}`), ": you are invited; ", green(`/j ${shown}`), " joins, ", green(`/d #${shown}`), " declines")];
    this.#session.face.print(await this.#forUser(user, lines));
    if (this.#session.profile.settings.hasBell) this.#session.face.bell();
  }

  #isNew(what: string): boolean {
    const now = Date.now();
    const before = this.#told.get(what);
    this.#told.set(what, now);
    return before === undefined || now - before > QUIET;
  }

  async #trouble(contact: string | null, error: Error): Promise<void> {
    if (!this.#isNew(`${contact} ${error.message}`)) return;
    const name = await this.#nameOf(contact).catch(() => "");
    this.#session.say(line(red(`${name === "" ? "" : `${name}: `}${preview(error.message, 400)}`)));
  }

  async #agent(contact: string | null, event: AgentEvent): Promise<void> {
    const session = this.#session;
    switch (event.type) {
      case "up": {
        const host = hostOf(event.server);
        if (!session.connected.has(host)) session.say(line(dim(`connected to ${host}`)));
        session.connected.add(host);
        return;
      }
      case "down": {
        const host = hostOf(event.server);
        const wasUp = session.connected.delete(host);
        if (wasUp || this.#isNew(`down ${host}`)) session.say(line(dim(`not connected to ${host}: ${preview(event.error.message, 200)}`)));
        return;
      }
      case "delayed":
        if (this.#isNew(`delayed ${contact}`)) {
          session.say(line(dim(`${await this.#nameOf(contact)}: sending waits: ${preview(event.error.message, 200)}`)));
        }
        return;
      case "ended":
        return session.complain("a copy of this profile runs elsewhere and receives in its place: end one of the two");
      case "queueLost":
        return session.complain(`${await this.#nameOf(contact)}: the relay no longer has the queue (${preview(event.detail, 200)})`);
      case "rotation":
        return session.say(`${await this.#nameOf(contact)}: ${event.direction === "receive" ? "your" : "their"} switch to another relay: ${event.phase} ${preview(event.detail, 100)}`.trimEnd());
      case "sync":
        return session.say(`${await this.#nameOf(contact)}: encryption: ${event.state} ${preview(event.detail, 100)}`.trimEnd());
      default:
    }
  }
}

function isSameReactions(before: Item, item: Item): boolean {
  return JSON.stringify(before.reactions) === JSON.stringify(item.reactions);
}

function hostOf({ hosts, port }: { readonly hosts: readonly string[]; readonly port: string }): string {
  return `${hosts[0] ?? "?"}${port === "" ? "" : `:${port}`}`;
}

