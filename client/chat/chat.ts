import { Contacts } from "./contacts.ts";
import type { ChatHappening } from "./events.ts";
import { History } from "./history.ts";
import { Links } from "./links.ts";
import { Messages } from "./messages.ts";
import type { ChatOptions } from "./options.ts";
import { Core } from "./runtime/core.ts";
import { Expiry } from "./runtime/expiry.ts";
import { Reader } from "./runtime/reader.ts";
import { recover } from "./runtime/recovery.ts";
import { Sender } from "./runtime/sender.ts";
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
  /** Sending, editing, deleting, reacting. */
  readonly messages: Messages;
  /** Conversations and what was said in them. */
  readonly history: History;
  readonly #core: Core;
  readonly #expiry: Expiry;

  private constructor(core: Core, expiry: Expiry) {
    this.#core = core;
    this.#expiry = expiry;
    this.links = new Links(core);
    this.users = new Users(core, this.links);
    this.contacts = new Contacts(core);
    this.messages = new Messages(core);
    this.history = new History(core);
  }

  /** Goes on with what was under way, and reads the events of the agent from then on. */
  static async open(options: ChatOptions): Promise<Chat> {
    const core = new Core(options);
    const [sender, expiry] = [new Sender(core), new Expiry(core)];
    const chat = new Chat(core, expiry);
    core.employ({
      send: (contact) => sender.wake(contact),
      accept: (contact) => core.background(contact, () => chat.links.acceptNow(contact)),
      expire: () => expiry.wake(),
    });
    await chat.users.sweep();
    await recover(core, chat.links);
    new Reader(core).start();
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
    await this.#core.close();
  }
}
