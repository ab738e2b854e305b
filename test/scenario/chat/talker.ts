import { Agent } from "../../../client/agent/agent.ts";
import type { AgentOptions } from "../../../client/agent/options.ts";
import { Chat } from "../../../client/chat/chat.ts";
import type { ChatHappening } from "../../../client/chat/events.ts";
import type { Contact, Item, MessageItem, User } from "../../../client/chat/records.ts";
import { systemClock } from "../../../client/clock.ts";
import { nodeZstd } from "../../../client/node/zstd.ts";
import { MemoryFile, MemoryStore } from "../../../client/store/memory.ts";
import type { Store } from "../../../client/store/store.ts";
import { type Death, Mortal } from "../agent/mortal.ts";
import { type RelayPlace, urlsOf } from "../agent/person.ts";

type HappeningOf<T extends ChatHappening["type"]> = Extract<ChatHappening, { readonly type: T }>;

const PATIENCE = 20_000;
const POLL = 10;

export function isMessage(item: Item): item is MessageItem {
  return item.body.type === "message";
}

/** What a message says; of anything else what it is. */
export function textOf(item: Item): string {
  const { body } = item;
  if (body.type === "message") return body.container.content.text;
  return body.type === "event" ? `(${body.event})` : `(${body.event}?)`;
}

/** Somebody with a chat program that is started, ended and killed. */
export class Talker {
  readonly name: string;
  readonly #relays: readonly RelayPlace[];
  readonly #options: Partial<AgentOptions>;
  readonly #openStore: () => Promise<Store>;
  readonly history: ChatHappening[] = [];
  #mortal: Mortal | null = null;
  #agent: Agent | null = null;
  #chat: Chat | null = null;
  #user: User | null = null;

  constructor(
    name: string,
    relays: readonly RelayPlace[],
    { openStore, ...options }: Partial<AgentOptions> & { readonly openStore?: () => Promise<Store> } = {},
  ) {
    this.name = name;
    this.#relays = relays;
    this.#options = options;
    const file = new MemoryFile();
    this.#openStore = openStore ?? (() => Promise.resolve(new MemoryStore(file)));
  }

  get chat(): Chat {
    if (!this.#chat) throw new Error(`${this.name} is not running`);
    return this.#chat;
  }

  get agent(): Agent {
    if (!this.#agent) throw new Error(`${this.name} is not running`);
    return this.#agent;
  }

  get mortal(): Mortal {
    if (!this.#mortal) throw new Error(`${this.name} is not running`);
    return this.#mortal;
  }

  get user(): User {
    if (!this.#user) throw new Error(`${this.name} has no profile`);
    return this.#user;
  }

  get errors(): string[] {
    return this.history.flatMap((event) => (event.type === "error" ? [String(event.error)] : []));
  }

  /** @param death when this life ends by itself */
  async start(death: Death | null = null): Promise<this> {
    const { clock = systemClock } = this.#options;
    const mortal = new Mortal(clock, await this.#openStore(), death);
    this.#mortal = mortal;
    const shared = { store: mortal.store, clock: mortal.clock };
    const agent = await Agent.open({
      ...urlsOf(this.#relays),
      openSocket: mortal.openSocket,
      backoff: { first: 50, cap: 500 },
      ...this.#options,
      ...shared,
    });
    this.#agent = agent;
    const chat = await Chat.open({ agent, compression: nodeZstd, ...shared });
    this.#chat = chat;
    void this.#read(chat, mortal);
    this.#user = await chat.users.active() ?? await chat.users.create({ displayName: this.name, fullName: "" });
    return this;
  }

  /** Starts a life that may end at any write, even in starting. False: it has ended already. */
  async live(death: Death): Promise<boolean> {
    const before = this.#mortal;
    const starting = this.start(death).then(() => true);
    const mortal = await this.until("a life", () => (this.#mortal === before ? null : this.#mortal));
    return Promise.race([starting, mortal.died.then(() => false)]);
  }

  async #read(chat: Chat, mortal: Mortal): Promise<void> {
    for await (const event of chat.events) {
      if (mortal.isDead) return;
      this.history.push(event);
    }
  }

  async stop(): Promise<void> {
    const [chat, agent, mortal] = [this.#chat, this.#agent, this.#mortal];
    this.#chat = null;
    if (!chat || !agent || !mortal || mortal.isDead) return;
    const ending = chat.close().then(() => agent.close()).then(() => mortal.store.close());
    // Ending writes as well, and may be when it dies.
    await Promise.race([ending, mortal.died]);
  }

  kill(): void {
    this.mortal.kill();
    this.#chat = null;
  }

  async restart(): Promise<this> {
    await this.stop();
    return this.start();
  }

  /** Waits until something is so. */
  async until<T>(what: string, look: () => Promise<T | null | undefined | false> | T | null | undefined | false): Promise<T> {
    const end = Date.now() + PATIENCE;
    for (;;) {
      const found = await look();
      if (found !== null && found !== undefined && found !== false) return found;
      if (Date.now() > end) {
        const seen = this.history.map(({ type }) => type).join(", ");
        throw new Error(`${this.name} waited in vain for ${what}; there were: ${seen}; ${this.errors.join("; ")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL));
    }
  }

  happened<T extends ChatHappening["type"]>(type: T, matches: (event: HappeningOf<T>) => boolean = () => true): Promise<HappeningOf<T>> {
    return this.until(type, () => {
      return this.history.find((event): event is HappeningOf<T> => event.type === type && matches(event as HappeningOf<T>));
    });
  }

  /** The contact of this name, once it is connected. */
  friend(name: string): Promise<Contact> {
    return this.until(`the contact ${name}`, async () => {
      const contact = await this.chat.contacts.named(this.user.id, name);
      return contact?.status === "connected" ? contact : null;
    });
  }

  async say(name: string, text: string): Promise<Item> {
    return this.chat.messages.send((await this.friend(name)).id, text);
  }

  async items(name: string): Promise<Item[]> {
    const contact = await this.chat.contacts.named(this.user.id, name);
    return contact ? this.chat.history.items(contact.id, { limit: 1000 }) : [];
  }

  /** The texts of all messages of a conversation. */
  async texts(name: string): Promise<string[]> {
    return (await this.items(name)).filter(isMessage).map(textOf);
  }

  /** The message that says this, once it is there and is as wanted. */
  message(name: string, text: string, isWanted: (item: Item) => boolean = () => true): Promise<MessageItem> {
    return this.until(`'${text}'`, async () => {
      return (await this.items(name)).filter(isMessage).find((item) => textOf(item) === text && isWanted(item));
    });
  }

  /** The event in a conversation. */
  event(name: string, event: string): Promise<Item> {
    return this.until(event, async () => (await this.items(name)).find((item) => textOf(item) === `(${event})`));
  }
}

/** Connects two people through an invitation. */
export async function befriend(alice: Talker, bob: Talker): Promise<void> {
  const { link } = await alice.chat.links.invite(alice.user.id, { short: false });
  await bob.chat.links.connect(bob.user.id, link);
  await Promise.all([alice.friend(bob.name), bob.friend(alice.name)]);
}
