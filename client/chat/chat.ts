import { Attachments } from "./attachments.ts";
import { Contacts } from "./contacts.ts";
import type { ChatHappening } from "./events.ts";
import { Groups } from "./groups.ts";
import { History } from "./history.ts";
import { Links } from "./links.ts";
import { Messages } from "./messages.ts";
import type { ChatOptions } from "./options.ts";
import { Core } from "./runtime/core.ts";
import { Expiry } from "./runtime/expiry.ts";
import { Forgetting } from "./runtime/forgetting.ts";
import { GroupMaker } from "./runtime/group-maker.ts";
import { GroupPublisher } from "./runtime/group-publisher.ts";
import { Publisher } from "./runtime/publisher.ts";
import { Reader } from "./runtime/reader.ts";
import { recover } from "./runtime/recovery.ts";
import { Sender } from "./runtime/sender.ts";
import { Transfers } from "./runtime/transfers.ts";
import { notesOf, Users } from "./users.ts";

/**
 * People talking to each other: the SimpleX chat protocol on top of an agent. What a method changes is on disk when it
 * resolves; what takes the other side goes on in the background, over restarts.
 *
 * Methods throw ChatError (what was asked cannot be done; nothing was changed), StoreError, and those that make or
 * follow links also LinkError and the errors of relays.
 */
export class Chat {
  /** The profiles of this program. */
  readonly users: Users;
  /** Invitations, addresses, requests. */
  readonly links: Links;
  readonly contacts: Contacts;
  readonly groups: Groups;
  /** Sending, editing, deleting, reacting. */
  readonly messages: Messages;
  /** Of messages: their bytes. */
  readonly files: Attachments;
  /** Conversations and what was said in them. */
  readonly history: History;
  readonly #core: Core;
  readonly #expiry: Expiry;
  readonly #maker: GroupMaker;

  private constructor(core: Core, expiry: Expiry, maker: GroupMaker) {
    this.#core = core;
    this.#expiry = expiry;
    this.#maker = maker;
    this.links = new Links(core);
    this.users = new Users(core);
    this.contacts = new Contacts(core);
    this.groups = new Groups(core, maker);
    this.messages = new Messages(core);
    this.files = new Attachments(core);
    this.history = new History(core);
  }

  /** Goes on with what was under way, and reads the events of the agent from then on. */
  static async open(options: ChatOptions): Promise<Chat> {
    const core = new Core(options);
    const [sender, expiry, publisher] = [new Sender(core), new Expiry(core), new Publisher(core)];
    const transfers = new Transfers(core);
    const [maker, groupPublisher, forgetting] = [new GroupMaker(core), new GroupPublisher(core), new Forgetting(core)];
    const chat = new Chat(core, expiry, maker);
    core.employ({
      send: (contact) => sender.wake(contact),
      accept: (contact) => core.background(contact, () => chat.links.acceptNow(contact)),
      join: (contact) => core.background(contact, () => chat.links.joinAgain(contact)),
      expire: () => expiry.wake(),
      publish: (user) => publisher.wake(user),
      publishAll: () => {
        core.background(null, () => publisher.wakeAll());
        core.background(null, () => groupPublisher.wakeAll());
        core.background(null, () => maker.wakeAll());
        core.background(null, () => transfers.wakeAll());
      },
      transfer: (way, key) => transfers.wake(way, key),
      publishGroup: (group) => groupPublisher.wake(group),
      make: (member) => maker.wake(member),
    });
    await chat.users.sweep();
    await recover(core, chat.links, transfers);
    new Reader(core, forgetting, transfers).start();
    return chat;
  }

  /** What changes, the oldest first. There can be one reader. */
  get events(): AsyncIterableIterator<ChatHappening, undefined> {
    return this.#core.happenings;
  }

  /** The conversation of a user with itself. */
  notes(user: string): string {
    return notesOf(user);
  }

  /** Ends after what is being written is written. The agent and the store stay open, and are to be closed after it. */
  async close(): Promise<void> {
    this.#expiry.close();
    this.#maker.close();
    await this.#core.close();
  }
}
