import { EMPTY, hex } from "#crypto/bytes";
import type { AgentEvent, ConnectionEvent, ReceivedMessageEvent } from "../../agent/events.ts";
import { ChatError, LINK_GONE } from "../errors.ts";
import type { Binding, Contact } from "../records.ts";
import { codeSeen } from "../rules/contacts.ts";
import { confirmed, connected, failed, infoReceived, requestReceived } from "../rules/handshake.ts";
import { addEvent } from "../rules/items.ts";
import { memberBodyReceived, memberWantsReceipt } from "../rules/group/receive.ts";
import { bodyReceived, wantsReceipt } from "../rules/receive.ts";
import type { Step } from "../step.ts";
import { groupOfMember, TABLE } from "../tables.ts";
import { type Core, ignoringMissing, isStoreTrouble } from "./core.ts";
import { noteFate } from "./fates.ts";
import type { Transfers } from "./transfers.ts";
import type { Forgetting } from "./forgetting.ts";
import { GroupReader } from "./group-reader.ts";
import { quietenContact } from "./loudness.ts";

type Bound = ConnectionEvent & { readonly connection: string };

const STORE_RETRY = 1000;

function isUnreadable(error: unknown): error is ChatError {
  return error instanceof ChatError && error.refusal === "UNREADABLE";
}

/** The last time that a Date can hold, milliseconds since 1970. */
const LATEST = 8_640_000_000_000_000;

/** Reads what the agent tells. Every event can come a second time, and changes nothing then. */
export class Reader {
  readonly #core: Core;
  readonly #groups: GroupReader;
  readonly #forgetting: Forgetting;
  readonly #transfers: Transfers;
  #reading: Promise<void> = Promise.resolve();

  constructor(core: Core, forgetting: Forgetting, transfers: Transfers) {
    this.#transfers = transfers;
    this.#core = core;
    this.#groups = new GroupReader(core);
    this.#forgetting = forgetting;
  }

  start(): void {
    this.#reading = this.#read();
    this.#reading.catch((error: unknown) => this.#core.tellError(null, error));
  }

  async #read(): Promise<void> {
    const { events } = this.#core.agent;
    while (!this.#core.isClosed) {
      const { done, value } = await events.next();
      if (done === true || this.#core.isClosed) return;
      await this.#persist(value);
    }
  }

  /** As often as the store fails. */
  async #persist(event: AgentEvent): Promise<void> {
    while (!this.#core.isClosed) {
      try {
        await this.#handle(event);
        return;
      } catch (error) {
        this.#core.tellError(null, error);
        if (!isStoreTrouble(error)) return;
        await this.#core.pause(STORE_RETRY);
      }
    }
  }

  async #handle(event: AgentEvent): Promise<void> {
    switch (event.type) {
      case "up":
        this.#core.relayUp();
        return this.#core.tell({ type: "agent", contact: null, event });
      case "down":
      case "moving":
      case "notifications":
        return this.#core.tell({ type: "agent", contact: null, event });
      case "delayed":
        return this.#core.tell({ type: "agent", contact: await this.#contactOf(event.connection), event });
      case "error":
        return this.#core.tell({ type: "error", contact: await this.#contactOf(event.connection), error: event.error });
      default:
        return this.#bound(event);
    }
  }

  async #bound(event: Bound): Promise<void> {
    const binding = await this.#bindingOf(event.connection);
    if (binding?.kind === "address" && event.type === "request") return this.#request(binding, event);
    if (binding?.kind === "groupLink" && event.type === "request") return this.#groups.request(binding, event);
    if (binding?.kind === "member") {
      return event.type === "message" ? this.#message(binding, event) : this.#groups.read(binding, event);
    }
    if (binding?.kind === "fetching" || binding?.kind === "sending") return this.#transfers.event(binding, event);
    if (binding?.kind !== "contact") return this.#core.tell({ type: "agent", contact: null, event });
    await this.#ofContact(binding, event);
  }

  async #contactOf(connection: string | null): Promise<string | null> {
    const binding = connection === null ? null : await this.#core.read(TABLE.bindings, connection);
    return binding?.kind === "contact" ? binding.id : null;
  }

  async #bindingOf(connection: string): Promise<Binding | null> {
    const binding = await this.#core.read(TABLE.bindings, connection);
    // The connection may be so new that its owner is about to be written.
    return binding ?? this.#core.making(() => this.#core.read(TABLE.bindings, connection));
  }

  async #request(binding: Binding, event: Bound & { readonly type: "request" }): Promise<void> {
    try {
      await this.#core.step(async (step) => {
        const address = await step.read(TABLE.addresses, binding.id);
        if (address) await requestReceived(step, address, event);
      });
    } catch (error) {
      if (isUnreadable(error)) await ignoringMissing(this.#core.agent.reject(event.request));
      throw error;
    }
  }

  /** A step for a contact, unless it is being deleted, so that nothing matters any more, or gone. */
  #stepFor<T>(id: string, action: (step: Step, contact: Contact) => Promise<T> | T): Promise<T | null> {
    return this.#core.step(async (step) => {
      const contact = await step.read(TABLE.contacts, id);
      return contact && contact.status !== "leaving" ? action(step, contact) : null;
    });
  }

  /** What to allow the connection with; null: nothing, as nobody can tell who is there. */
  async #introduction(id: string, info: Uint8Array): Promise<Uint8Array | null> {
    try {
      return await this.#stepFor(id, (step) => confirmed(step, id, info));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      await this.#stepFor(id, (step) => failed(step, id, error.message));
      this.#core.tellError(id, error);
      return null;
    }
  }

  async #ofContact(binding: Binding, event: Bound): Promise<void> {
    const { id } = binding;
    const core = this.#core;
    switch (event.type) {
      case "confirmation": {
        const info = await this.#introduction(id, event.info);
        if (info) await ignoringMissing(core.agent.allow(event.connection, event.confirmation, info));
        return;
      }
      case "info":
        return void await this.#stepFor(id, (step) => infoReceived(step, id, event.info));
      case "connected":
        await this.#stepFor(id, (step) => connected(step, id));
        return quietenContact(core, id, event.connection);
      case "failed":
        return void await this.#stepFor(id, (step, { origin }) => {
          const isGone = event.reason === "NOT_AVAILABLE" && (origin === "link" || origin === "address");
          return failed(step, id, isGone ? LINK_GONE : event.detail);
        });
      case "message":
        return this.#message(binding, event);
      case "sent":
      case "unsent":
      case "receipt":
        return noteFate(core, id, event);
      case "sync": {
        core.tell({ type: "agent", contact: id, event });
        return ignoringMissing(this.#synchronised(id, event.connection));
      }
      default:
        core.tell({ type: "agent", contact: id, event });
    }
  }

  async #synchronised(id: string, connection: string): Promise<void> {
    const { securityCode } = await this.#core.agent.connection(connection);
    await this.#stepFor(id, async (step) => {
      await codeSeen(step, id, securityCode && hex(securityCode));
      step.effect({ type: "send", contact: id });
    });
  }

  /** Stored first, then acknowledged; one that is stored already is only acknowledged. */
  async #message(owner: Binding, event: ReceivedMessageEvent & { readonly connection: string }): Promise<void> {
    const { connection, item } = event;
    const contact = owner.kind === "contact" ? owner.id : null;
    let isReceipt: boolean;
    try {
      isReceipt = await this.#core.step((step) => this.#store(step, owner, event));
    } catch (error) {
      if (isStoreTrouble(error) || this.#core.isClosed) throw error;
      // Whatever is wrong with this message, the next ones are waiting behind it.
      this.#core.tellError(contact, error);
      await this.#core.step(async (step) => {
        await this.#count(step, connection, item);
        await noteUnreadable(step, owner, String(error));
      });
      isReceipt = false;
    }
    await ignoringMissing(this.#core.agent.acknowledge(connection, item, isReceipt ? EMPTY : undefined));
  }

  async #store(
    step: Step,
    { kind, id }: Binding,
    { connection, item, body, brokerTime, integrity }: ReceivedMessageEvent & { readonly connection: string },
  ): Promise<boolean> {
    if (kind === "member") this.#forgetting.look();
    if (!await isThere(step, kind, id)) return false;
    if (await this.#count(step, connection, item)) {
      const lost = integrity.type === "skipped" ? integrity.to - integrity.from + 1 : 0;
      // A relay may say any time.
      const sentAt = brokerTime >= 0 && brokerTime <= LATEST ? brokerTime : step.now;
      const received = { body, sentAt, lost };
      await (kind === "member" ? memberBodyReceived(step, id, received) : bodyReceived(step, id, received));
    }
    return kind === "member" ? memberWantsReceipt(step, id, body) : wantsReceipt(step, id, body);
  }

  /** False: the message was counted before. */
  async #count(step: Step, connection: string, item: number): Promise<boolean> {
    const binding = await step.read(TABLE.bindings, connection);
    if (!binding || binding.lastItem >= item) return false;
    step.put(TABLE.bindings, connection, { ...binding, lastItem: item });
    return true;
  }
}

/** Whether anybody is interested in what comes. */
async function isThere(step: Step, kind: Binding["kind"], id: string): Promise<boolean> {
  if (kind === "member") return (await step.read(TABLE.members, id)) !== null;
  const contact = await step.read(TABLE.contacts, id);
  return contact !== null && contact.status !== "leaving";
}

async function noteUnreadable(step: Step, { kind, id }: Binding, detail: string): Promise<void> {
  const chat = kind === "member" ? groupOfMember(id) : id;
  if (chat === null || !await step.read(TABLE.conversations, chat)) return;
  await addEvent(step, chat, "unreadable", detail, kind === "member" ? id : null);
}
