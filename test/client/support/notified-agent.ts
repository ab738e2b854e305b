import { hex } from "#crypto/bytes";
import { dh, generateKeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { Message } from "#protocol/commands";
import { sealNotification } from "#protocol/message";
import { type MessageNotification, type NotificationData, sealMessages } from "#protocol/ntf/notification";
import { Agent } from "../../../client/agent/agent.ts";
import type { AgentEvent } from "../../../client/agent/events.ts";
import type { OpenedPush } from "../../../client/agent/notifications/open.ts";
import { MemoryFile, MemoryStore } from "../../../client/store/memory.ts";
import type { Store } from "../../../client/store/store.ts";
import { FailingStore } from "../../scenario/agent/failing-store.ts";
import { FakeClock, settle } from "./fake-clock.ts";
import { FakeNtfServer } from "./fake-ntf-server.ts";
import type { FakeRequest } from "./fake-router.ts";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

interface Notifier {
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
}

/** A relay that makes queues and notifiers and keeps no message, its notification server, and a profile with an agent. */
export class NotifiedAgent {
  readonly clock = new FakeClock();
  readonly ntf = new FakeNtfServer();
  readonly file = new MemoryFile();
  readonly events: AgentEvent[] = [];
  /** Commands about notifiers that the relay got. */
  readonly commands: string[] = [];
  /** By the recipient id of their queue. */
  readonly notifiers = new Map<string, Notifier>();
  /** In place of the relay's usual answer; null: silence. */
  answer: (request: FakeRequest) => Message | null | undefined = () => undefined;
  /** The disk fails at so many writes that come next. */
  failingWrites = 0;
  #agent: Agent | null = null;
  #store: Store | null = null;

  constructor() {
    this.ntf.now = () => this.clock.now();
    this.ntf.router.answer = (request) => {
      const { tag } = request.parsed;
      if (tag === "NKEY" || tag === "NDEL") this.commands.push(tag);
      const chosen = this.answer(request);
      return chosen === undefined ? this.#usual(request) : chosen;
    };
  }

  #usual({ parsed, entityId }: FakeRequest): Message {
    const { publicKey, secretKey } = generateKeyPair("X25519");
    switch (parsed.tag) {
      case "NEW": {
        const rest = { queueMode: "messaging" as const, linkId: null, serviceId: null, serverNtfCreds: null };
        return { tag: "IDS", rcvId: randomBytes(24), sndId: randomBytes(24), rcvPublicDhKey: publicKey, ...rest };
      }
      case "NKEY": {
        const notifier = { id: randomBytes(24), secret: dh(secretKey, parsed.dhKey) };
        this.notifiers.set(hex(entityId), notifier);
        return { tag: "NID", notifierId: notifier.id, dhKey: publicKey };
      }
      case "NDEL":
      case "DEL":
        this.notifiers.delete(hex(entityId));
        return { tag: "OK" };
      case "SUB":
        return { tag: "SOK", serviceId: null };
      default:
        return { tag: "OK" };
    }
  }

  get agent(): Agent {
    if (!this.#agent) throw new Error("the program does not run");
    return this.#agent;
  }

  async start(): Promise<this> {
    this.#store = new FailingStore(new MemoryStore(this.file), (operation) => {
      if (operation !== "write" || this.failingWrites === 0) return null;
      this.failingWrites--;
      return "FULL";
    });
    const agent = await Agent.open({
      store: this.#store,
      servers: [{ ...this.ntf.server, password: null }],
      openSocket: this.ntf.openSocket,
      clock: this.clock,
    });
    this.#agent = agent;
    void (async () => {
      for await (const event of agent.events) this.events.push(event);
    })();
    await this.calm();
    return this;
  }

  async stop(): Promise<void> {
    await this.agent.close();
    await this.#store?.close();
    this.#agent = null;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Lets all happen that waits for no time. */
  async calm(): Promise<void> {
    for (let turn = 0; turn < 60; turn++) await settle();
  }

  async pass(milliseconds: number): Promise<void> {
    await this.clock.advance(milliseconds);
    await this.calm();
  }

  /** Connections that wait for somebody to join them. */
  async invite(count: number): Promise<string[]> {
    const made: string[] = [];
    for (let index = 0; index < count; index++) made.push((await this.agent.invite({ short: false, pq: false })).connection);
    await this.calm();
    return made;
  }

  open(push: NotificationData | null = this.ntf.push()): Promise<OpenedPush> {
    return this.agent.notifications.open(push);
  }

  /** The push with the code comes. */
  async verify(): Promise<void> {
    const opened = await this.open();
    if (opened.type !== "verification") throw new Error(`a push of type ${opened.type} came`);
    await this.agent.notifications.verify(opened.code);
    await this.calm();
  }

  async register(mode: "instant" | "periodic" = "instant", token = "ab"): Promise<void> {
    await this.agent.notifications.register(
      { provider: "apns_prod", token: token.repeat(32) },
      mode,
      this.ntf.server,
    );
    await this.verify();
  }

  /** A push about messages of these queues, the newest last; seconds since 1970. */
  messages(...about: readonly { readonly notifier: Notifier; readonly ts: number; readonly msgId?: Uint8Array }[]): NotificationData {
    const secret = this.ntf.device.record()?.dhSecret ?? new Uint8Array(32);
    const all = about.map(({ notifier, ts, msgId = randomBytes(24) }): MessageNotification => {
      const nonce = randomBytes(24);
      const queue = { server: this.ntf.server, notifierId: notifier.id };
      return { queue, ts, nonce, encMeta: sealNotification(notifier.secret, nonce, { msgId, ts }) };
    });
    return sealMessages(secret, randomBytes(24), all);
  }

  /** What was asked since the last time. */
  asked(): { readonly relay: string[]; readonly server: string[] } {
    return { relay: this.commands.splice(0).toSorted(), server: this.ntf.commands.splice(0) };
  }

  async followed(): Promise<(string | null)[]> {
    return (await this.agent.notifications.followed()).map(({ status }) => status);
  }
}
