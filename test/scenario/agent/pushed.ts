import { parseNtfServer } from "#protocol/ntf/server";
import type { Server } from "#protocol/address";
import type { OpenedPush } from "../../../client/agent/notifications/open.ts";
import type { PushService, PushSubscriber } from "../../support/push-service.ts";
import { RelayProcess } from "../../support/relay-process.ts";
import type { Person } from "./person.ts";

/** Starts a relay that pushes to services on this machine and follows queues of relays on it. */
export function startPushingRelay(data: string, service: PushService, port = 0): Promise<RelayProcess> {
  const local = { PUSH_PRIVATE: "on", PROXY_PRIVATE: "on", PROXY_PORTS: "1-65535" };
  const env = { ...local, NODE_EXTRA_CA_CERTS: service.caFile };
  return RelayProcess.start(data, env, port);
}

/** The notification server of a relay. */
export async function ntfServerOf(relay: RelayProcess): Promise<Server> {
  const info = await (await relay.page("/relay.json")).json() as { readonly notifications: { readonly address: string } | null };
  if (!info.notifications) throw new Error("the relay offers no notifications");
  return parseNtfServer(info.notifications.address);
}

/** A person's device: what comes to it is opened by the agent. */
export class Device {
  readonly subscriber: PushSubscriber;
  readonly #person: Person;

  constructor(person: Person, service: PushService) {
    this.#person = person;
    this.subscriber = service.subscribe();
  }

  async open(): Promise<OpenedPush> {
    const { text } = await this.subscriber.next();
    return this.#person.agent.notifications.open(JSON.parse(text));
  }

  /** The next push, which has to tell of messages. The connections. */
  async messages(): Promise<string[]> {
    const opened = await this.open();
    if (opened.type !== "messages") throw new Error(`a push of type ${opened.type} came`);
    return opened.messages.map(({ connection }) => connection);
  }

  async verify(): Promise<void> {
    const opened = await this.open();
    if (opened.type !== "verification") throw new Error(`a push of type ${opened.type} came`);
    await this.#person.agent.notifications.verify(opened.code);
  }

  /** Registers and verifies. */
  async register(server: Server, mode: "instant" | "periodic" = "instant"): Promise<void> {
    await this.#person.agent.notifications.register(this.subscriber.token, mode, server);
    await this.verify();
  }

  /** Waits until the notification server was asked to tell of so many queues. */
  async following(count: number): Promise<void> {
    await until(`${count} followed queues`, async () => {
      const all = await this.#person.agent.notifications.followed();
      return all.length === count && all.every(({ status }) => status !== null);
    });
  }
}

/** @throws when it does not come true within 20 seconds */
export async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!await isTrue()) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => void setTimeout(resolve, 50));
  }
}
