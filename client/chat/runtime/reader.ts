import { EMPTY, hex } from "#crypto/bytes";
import type { AgentEvent, ConnectionEvent, ReceivedMessageEvent } from "../../agent/events.ts";
import { ChatError } from "../errors.ts";
import type { Binding } from "../records.ts";
import { codeSeen } from "../rules/contacts.ts";
import { confirmed, connected, failed, infoReceived, requestReceived } from "../rules/handshake.ts";
import { addEvent } from "../rules/items.ts";
import { fateOf } from "../rules/outbox.ts";
import { bodyReceived, wantsReceipt } from "../rules/receive.ts";
import type { Step } from "../step.ts";
import { TABLE } from "../tables.ts";
import { type Core, ignoringMissing, isStoreTrouble } from "./core.ts";

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
  #reading: Promise<void> = Promise.resolve();

  constructor(core: Core) {
    this.#core = core;
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
      case "down":
      case "moving":
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

  /** What to allow the connection with; null: nothing, as nobody can tell who is there. */
  async #introduction(id: string, info: Uint8Array): Promise<Uint8Array | null> {
    try {
      return await this.#core.step((step) => confirmed(step, id, info));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      await this.#core.step((step) => failed(step, id, error.message));
      this.#core.tellError(id, error);
      return null;
    }
  }

  async #ofContact({ id }: Binding, event: Bound): Promise<void> {
    const core = this.#core;
    const contact = await core.read(TABLE.contacts, id);
    // It is being deleted, so that nothing matters any more; its messages still have to make way for others.
    if ((!contact || contact.status === "leaving") && event.type !== "message") return;
    switch (event.type) {
      case "confirmation": {
        const info = await this.#introduction(id, event.info);
        if (info) await ignoringMissing(core.agent.allow(event.connection, event.confirmation, info));
        return;
      }
      case "info":
        return core.step((step) => infoReceived(step, id, event.info));
      case "connected":
        return core.step((step) => connected(step, id));
      case "failed":
        return core.step((step) => failed(step, id, event.detail));
      case "message":
        return this.#message(id, event);
      case "sent": {
        const status = { type: "sent", isProxied: event.isProxied ?? false } as const;
        return core.step((step) => fateOf(step, id, event.item, status, false));
      }
      case "unsent": {
        const { reason, detail } = event;
        return core.step((step) => fateOf(step, id, event.item, { type: "error", reason, detail: detail.toWellFormed() }, true));
      }
      case "receipt": {
        const status = { type: "delivered", isIntact: event.status === "ok" } as const;
        return core.step((step) => fateOf(step, id, event.item, status, true));
      }
      case "sync": {
        core.tell({ type: "agent", contact: id, event });
        const { securityCode } = await core.agent.connection(event.connection);
        await core.step(async (step) => {
          await codeSeen(step, id, securityCode && hex(securityCode));
          step.effect({ type: "send", contact: id });
        });
        return;
      }
      default:
        core.tell({ type: "agent", contact: id, event });
    }
  }

  /** Stored first, then acknowledged; one that is stored already is only acknowledged. */
  async #message(contact: string, event: ReceivedMessageEvent & { readonly connection: string }): Promise<void> {
    const { connection, item } = event;
    let isReceipt: boolean;
    try {
      isReceipt = await this.#core.step((step) => this.#store(step, contact, event));
    } catch (error) {
      if (isStoreTrouble(error) || this.#core.isClosed) throw error;
      // Whatever is wrong with this message, the next ones are waiting behind it.
      this.#core.tellError(contact, error);
      await this.#core.step(async (step) => {
        await this.#count(step, connection, item);
        if (await step.read(TABLE.contacts, contact)) await addEvent(step, contact, "unreadable", String(error));
      });
      isReceipt = false;
    }
    await ignoringMissing(this.#core.agent.acknowledge(connection, item, isReceipt ? EMPTY : undefined));
  }

  async #store(
    step: Step,
    contact: string,
    { connection, item, body, brokerTime, integrity }: ReceivedMessageEvent & { readonly connection: string },
  ): Promise<boolean> {
    const known = await step.read(TABLE.contacts, contact);
    if (!known || known.status === "leaving") return false;
    if (await this.#count(step, connection, item)) {
      const lost = integrity.type === "skipped" ? integrity.to - integrity.from + 1 : 0;
      // A relay may say any time.
      const sentAt = brokerTime >= 0 && brokerTime <= LATEST ? brokerTime : step.now;
      await bodyReceived(step, contact, { body, sentAt, lost });
    }
    return wantsReceipt(step, contact, body);
  }

  /** False: the message was counted before. */
  async #count(step: Step, connection: string, item: number): Promise<boolean> {
    const binding = await step.read(TABLE.bindings, connection);
    if (!binding || binding.lastItem >= item) return false;
    step.put(TABLE.bindings, connection, { ...binding, lastItem: item });
    return true;
  }
}

