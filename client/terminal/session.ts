import type { Agent } from "../agent/agent.ts";
import type { Chat } from "../chat/chat.ts";
import type { Item, User } from "../chat/records.ts";
import { Book, type Chosen } from "./book.ts";
import type { Profile } from "./profile.ts";
import type { Face } from "./screen/face.ts";
import { red, type Line, line } from "./text/styled.ts";
import { isMessage, shownPlace } from "./view/item.ts";
import { itemLines } from "./view/events.ts";

/** Items whose earlier state is remembered, to say what changed. */
const REMEMBERED = 2000;

/** What commands and events work with: who uses the program, and where it shows itself. */
export class Session {
  readonly profile: Profile;
  readonly face: Face;
  readonly book: Book;
  #user: User;
  /** The conversation that was written to last. */
  #active: Chosen | null = null;
  readonly #known = new Map<string, Item>();
  /** Items with files, by the numbers they are shown with. */
  readonly #files: string[] = [];
  /** Where files are to be saved that are still on their way, by item. */
  readonly wishes = new Map<string, string>();
  /** The link that was shown last. */
  lastLink: string | null = null;
  isEnding = false;
  /** Relays that are connected, by host. */
  readonly connected = new Set<string>();
  /** Starts to read the events of the chat, again after it was restarted. */
  listen: () => void = () => undefined;

  constructor(profile: Profile, face: Face, user: User) {
    this.profile = profile;
    this.face = face;
    this.book = new Book(() => profile.chat);
    this.#user = user;
  }

  get chat(): Chat {
    return this.profile.chat;
  }

  get agent(): Agent {
    return this.profile.agent;
  }

  /** Whose conversations are shown. */
  get user(): User {
    return this.#user;
  }

  setUser(user: User): void {
    if (user.id !== this.#user.id) this.setActive(null);
    this.#user = user;
  }

  get active(): Chosen | null {
    return this.#active;
  }

  setActive(chosen: Chosen | null): void {
    this.#active = chosen;
    this.face.setPrefix(chosen === null ? "" : `${shownPlace(chosen)} `);
  }

  say(...lines: readonly (Line | string)[]): void {
    this.face.print(lines.map((one) => (typeof one === "string" ? line(one) : one)));
  }

  complain(message: string): void {
    this.face.print(message.split("\n").map((one) => line(red(one))));
  }

  /** Does something that ends the chat and starts it again. */
  async around(work: () => Promise<void>): Promise<void> {
    this.connected.clear();
    try {
      await work();
    } finally {
      this.listen();
    }
  }

  restart(): Promise<void> {
    return this.around(() => this.profile.restart());
  }

  /** How the item was when it was seen last; undefined: it was not. */
  known(id: string): Item | undefined {
    return this.#known.get(id);
  }

  remember(item: Item): void {
    this.#known.delete(item.id);
    this.#known.set(item.id, item);
    const [oldest] = this.#known.keys();
    if (this.#known.size > REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
  }

  /** The number of the item's file; null when it has none. */
  fileNumber(item: Item): number | null {
    if (!isMessage(item) || !item.body.container.file) return null;
    const index = this.#files.indexOf(item.id);
    return index >= 0 ? index + 1 : this.#files.push(item.id);
  }

  /** The item whose file has the number. */
  fileItem(number: number): string | undefined {
    return this.#files[number - 1];
  }

  /** Items as they are listed; they count as read. */
  async list(items: readonly Item[]): Promise<void> {
    const lines: Line[] = [];
    for (const item of items) {
      this.remember(item);
      lines.push(...itemLines(item, await this.book.place(item, Date.now(), this.fileNumber(item)), true));
    }
    this.face.print(lines);
  }
}
