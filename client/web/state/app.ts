import { batch, computed, signal } from "@preact/signals";
import type { ChatHappening } from "../../chat/events.ts";
import type { Item, User } from "../../chat/records.ts";
import type { Session, SessionStatus } from "../session/api.ts";
import { words } from "../words/words.ts";
import { Composers } from "./composer.ts";
import { closeAll, closeShown, closeStale, notify } from "./notifications.ts";
import { goneIn } from "./gone.ts";
import { People } from "./people.ts";
import { Push } from "./push.ts";
import { Questions } from "./questions.ts";
import { formatRoute, linkInFragment, parentOf, parseRoute, type Route } from "./route.ts";
import { Talk } from "./talk.ts";
import { explain, needsPassphrase } from "./trouble.ts";

/** How far the program has come. */
export type Stage =
  | { readonly is: "opening" }
  | { readonly is: "locked"; readonly wasWrong: boolean }
  | { readonly is: "broken"; readonly error: unknown }
  /** There is no profile yet. */
  | { readonly is: "welcome" }
  | { readonly is: "open" };

export type Opener = (options: { readonly passphrase?: string }) => Promise<Session>;

const KEPT_TROUBLES = 20;
const WIDE = "(min-width: 52rem)";

/** All that the views show, and what they can have done. */
export class App {
  readonly stage = signal<Stage>({ is: "opening" });
  readonly route = signal<Route>({ page: "list" });
  /** A link that leads to somebody. It stands in the address no longer than it takes to read it. */
  readonly link = signal<string | null>(null);
  readonly user = signal<User | null>(null);
  readonly users = signal<readonly User[]>([]);
  readonly status = signal<SessionStatus | null>(null);
  readonly isWide = signal(matchMedia(WIDE).matches);
  /** The newest messages, for those who hear the page. */
  readonly heard = signal<readonly { readonly id: string; readonly chat: string; readonly text: string }[]>([]);
  /** What could not be used or done in the background, the latest last. */
  readonly troubles = signal<readonly { readonly at: number; readonly text: string }[]>([]);
  /** A new version of the page waits; calling it loads that. */
  readonly update = signal<(() => void) | null>(null);
  readonly questions = new Questions();
  readonly people: People;
  readonly composers = new Composers();
  readonly push = new Push(this);
  /** The conversation that is open. */
  readonly talk = signal<Talk | null>(null);
  readonly unread = computed(() => this.people.unread.value);
  /** The conversation that was open last. */
  lastChat: string | null = null;
  readonly #open: Opener;
  readonly #erase: () => Promise<void>;
  #session: Session | null = null;
  #ends: (() => void)[] = [];

  constructor(open: Opener, erase: () => Promise<void>) {
    this.#open = open;
    this.#erase = erase;
    this.people = new People(this);
    matchMedia(WIDE).addEventListener("change", ({ matches }) => (this.isWide.value = matches));
    addEventListener("hashchange", () => this.#routed());
    this.#routed();
  }

  get session(): Session {
    if (!this.#session) throw new Error("the session is not open");
    return this.#session;
  }

  get chat(): Session["chat"] {
    return this.session.chat;
  }

  /** The profile that is shown. */
  get me(): User {
    const user = this.user.value;
    if (!user) throw new Error("there is no profile");
    return user;
  }

  /** @param passphrase what somebody typed to unlock it */
  async start(passphrase?: string): Promise<void> {
    if (passphrase === undefined) this.stage.value = { is: "opening" };
    try {
      const session = await this.#open(passphrase === undefined ? {} : { passphrase });
      this.#listen(session);
      await this.#enter();
      this.push.refresh().catch((error: unknown) => this.note(error));
    } catch (error) {
      if (needsPassphrase(error)) this.stage.value = { is: "locked", wasWrong: passphrase !== undefined };
      else this.stage.value = { is: "broken", error };
    }
  }

  /** Deletes all that is stored here, also when it cannot be opened. Whoever is asked may still say no. */
  async erase(): Promise<void> {
    const { deleteAllTitle, deleteAllText, deleteAll } = words.settings;
    if (!await this.questions.confirm(deleteAllTitle, deleteAllText, deleteAll)) return;
    if (await this.attempt(this.#erase)) location.reload();
  }

  #listen(session: Session): void {
    for (const end of this.#ends.splice(0)) end();
    this.#session = session;
    this.#ends = [
      session.subscribe((happening) => this.#happened(happening)),
      session.subscribeStatus((status) => this.#statusChanged(status)),
    ];
    this.status.value = session.status;
  }

  #statusChanged(status: SessionStatus): void {
    const before = this.status.value;
    this.status.value = status;
    const hasMissed = before !== null && status.generation > before.generation;
    if (status.phase === "deleted") location.reload();
    else if (status.phase === "locked") this.#forget({ is: "locked", wasWrong: false });
    else if (status.phase === "failed") this.#forget({ is: "broken", error: status.failure });
    else if (hasMissed && this.stage.value.is === "open") void this.attempt(() => this.#catchUp());
  }

  /** Reads everything again: events may have been missed. */
  async #catchUp(): Promise<void> {
    await this.#enter();
    await this.talk.value?.refresh();
  }

  /** Shows the active profile, or asks for one. */
  async #enter(): Promise<void> {
    const [users, user] = await Promise.all([this.chat.users.list(), this.chat.users.active()]);
    this.users.value = users;
    this.user.value = user;
    if (!user) {
      this.stage.value = { is: "welcome" };
      return;
    }
    await this.people.load();
    this.stage.value = { is: "open" };
    await Promise.all([this.#follow(), closeStale()]);
  }

  /** Somebody else of one's own profiles. */
  async become(id: string): Promise<void> {
    const user = await this.chat.users.activate(id);
    batch(() => {
      this.#forgetHeard();
      this.user.value = user;
      this.go({ page: "list" });
    });
    await this.people.load();
  }

  /** Reads again who there is; after profiles were made or deleted. */
  reenter(): Promise<void> {
    return this.#enter();
  }

  /** Closes everything until the passphrase is typed again. */
  async lock(): Promise<void> {
    await this.talk.value?.leave();
    await this.session.lock();
    this.#forget({ is: "locked", wasWrong: false });
  }

  #forget(stage: Stage): void {
    if (stage.is === "locked") void this.attempt(closeAll);
    batch(() => {
      this.stage.value = stage;
      this.talk.value = null;
      this.user.value = null;
      this.users.value = [];
      this.link.value = null;
      this.#forgetHeard();
      this.people.forget();
      this.questions.forget();
      this.composers.forget();
    });
  }

  /** What belongs to conversations that are not shown any more. */
  #forgetHeard(): void {
    this.heard.value = [];
    this.troubles.value = [];
    this.lastChat = null;
  }

  /** Leaves the place for another one; `replace`: the browser's "back" does not lead here. */
  go(route: Route, { replace = false } = {}): void {
    const address = formatRoute(route);
    if (replace) history.replaceState(null, "", address);
    else if (address !== location.hash) history.pushState(null, "", address);
    this.#routed();
  }

  back(): void {
    this.go(parentOf(this.route.value), { replace: true });
  }

  /** Asks whether to connect through a link. */
  connect(link: string): void {
    this.link.value = link;
    this.go({ page: "connect" });
  }

  #routed(): void {
    const link = linkInFragment(location.hash);
    if (link !== null) {
      this.link.value = link;
      history.replaceState(null, "", formatRoute({ page: "connect" }));
    }
    this.route.value = parseRoute(location.hash);
    if (this.stage.value.is === "open") void this.attempt(() => this.#follow());
  }

  get #routedChat(): string | null {
    const route = this.route.value;
    return "chat" in route ? route.chat : null;
  }

  /** Opens the conversation that the route names. */
  async #follow(): Promise<void> {
    const chat = this.#routedChat;
    const before = this.talk.value;
    if (before?.chat === chat) return;
    const isListed = chat !== null && this.people.lines.value.has(chat);
    const talk = isListed ? new Talk(this, chat) : null;
    this.talk.value = talk;
    this.lastChat = chat ?? this.lastChat;
    await Promise.all([before?.leave(), talk?.enter()]);
    if (chat !== null && !isListed) await this.#followUnlisted(chat);
  }

  /** One that was just made may not be in the list yet. */
  async #followUnlisted(chat: string): Promise<void> {
    await this.people.load();
    // Somebody may have gone on meanwhile.
    if (this.#routedChat !== chat || this.talk.value) return;
    if (this.people.lines.value.has(chat)) await this.#follow();
    else await this.#followOther(chat);
  }

  /** A notification may be about another one of the own profiles. */
  async #followOther(chat: string): Promise<void> {
    const owners = await Promise.all(this.users.value.map(async ({ id }) => {
      const lines = await this.chat.history.conversations(id);
      return lines.some(({ conversation }) => conversation.id === chat) ? id : null;
    }));
    const owner = owners.find((id) => id !== null && id !== this.user.value?.id) ?? null;
    if (this.#routedChat !== chat) return;
    if (owner === null) return this.go({ page: "list" }, { replace: true });
    await this.become(owner);
    this.go({ page: "chat", chat }, { replace: true });
  }

  /** Does something that may fail, and then says why. True: it was done. */
  async attempt(action: () => unknown): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      this.questions.tell(explain(error), { isTrouble: true });
      return false;
    }
  }

  #happened(happening: ChatHappening): void {
    if (happening.type === "user" || happening.type === "userDeleted") void this.attempt(() => this.#usersChanged());
    this.people.happened(happening);
    this.talk.value?.happened(happening);
    if (happening.type === "item" && happening.isLoud) this.#hear(happening.item);
    if (happening.type === "error") this.note(happening.error);
    const gone = goneIn(happening);
    if (gone !== null) void this.attempt(() => closeShown(gone));
    if (happening.type === "itemGone") this.#unhear(({ id }) => id === happening.item);
    if (happening.type === "contactDeleted") this.#unhear(({ chat }) => chat === happening.contact);
    if (happening.type === "groupDeleted") this.#unhear(({ chat }) => chat === happening.group);
  }

  async #usersChanged(): Promise<void> {
    const users = await this.chat.users.list();
    const user = users.find(({ id }) => id === this.user.value?.id) ?? null;
    batch(() => {
      this.users.value = users;
      if (user) this.user.value = user;
    });
    if (!user && this.stage.value.is === "open") await this.#enter();
  }

  /** Keeps what went wrong in the background. */
  note(error: unknown): void {
    this.troubles.value = [...this.troubles.value.slice(1 - KEPT_TROUBLES), { at: Date.now(), text: explain(error) }];
  }

  #unhear(isIt: (heard: App["heard"]["value"][number]) => boolean): void {
    if (this.heard.value.some(isIt)) this.heard.value = this.heard.value.filter((one) => !isIt(one));
  }

  #hear(item: Item): void {
    const { chat, id } = item;
    const line = this.people.lines.value.get(chat);
    if (!line) return;
    const text = words.talk.announce(line.name, this.people.excerpt({ ...line, lastItem: item }));
    this.heard.value = [...this.heard.value.slice(-2), { id, chat, text }];
    void this.attempt(() => notify(this, { tag: chat, mark: id }, line.name, words.talk.newMessage));
  }
}
