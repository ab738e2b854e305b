import { AgentError } from "../../agent/errors.ts";
import { TooLargeError } from "../wire/errors.ts";
import type { Outgoing } from "../records.ts";
import { eraseContact } from "../rules/contacts.ts";
import { carrierOf, handedOver, refused } from "../rules/outbox.ts";
import type { Step } from "../step.ts";
import { prefixOf, TABLE } from "../tables.ts";
import { type PackedBody, packMessages } from "../wire/pack.ts";
import { type Core, ignoringMissing, isStoreTrouble } from "./core.ts";

/** Messages that are packed at once. */
const AT_ONCE = 50;
const STORE_RETRY = 1000;

type Next = "more" | "wait" | "gone";

/**
 * Hands what waits for contacts to the agent, in order. What was handed over and not noted, because the program ended
 * in between, is handed over again: it has the same id, and the contact ignores the second.
 */
export class Sender {
  readonly #core: Core;
  readonly #wanted = new Map<string, boolean>();

  constructor(core: Core) {
    this.#core = core;
  }

  wake(contact: string): void {
    const isRunning = this.#wanted.has(contact);
    this.#wanted.set(contact, true);
    if (!isRunning) this.#core.background(contact, () => this.#run(contact));
  }

  async #run(contact: string): Promise<void> {
    try {
      while (this.#wanted.get(contact) === true && !this.#core.isClosed) {
        this.#wanted.set(contact, false);
        await this.#empty(contact);
      }
    } finally {
      this.#wanted.delete(contact);
    }
  }

  async #empty(contact: string): Promise<void> {
    while (!this.#core.isClosed) {
      try {
        const next = await this.#core.step((step) => this.#next(step, contact));
        if (next === "wait") return;
        if (next === "gone") return await this.#leave(contact);
      } catch (error) {
        if (this.#core.isClosed) return;
        if (!isStoreTrouble(error)) throw error;
        this.#core.tellError(contact, error);
        await this.#core.pause(STORE_RETRY);
      }
    }
  }

  /** Hands the first body over. */
  async #next(step: Step, id: string): Promise<Next> {
    const contact = await step.read(TABLE.contacts, id);
    if (!contact || (contact.status !== "connected" && contact.status !== "leaving")) return "wait";
    const keys = (await step.keys(TABLE.outbox, { prefix: prefixOf(id) })).slice(0, AT_ONCE);
    const outgoing: Outgoing[] = [];
    for (const key of keys) {
      const one = await step.read(TABLE.outbox, key);
      if (one) outgoing.push(one);
    }
    if (outgoing.length === 0) return contact.status === "leaving" ? "gone" : "wait";
    const itemsOf = (count: number): string[] =>
      outgoing.slice(0, count).flatMap(({ item }) => (item === null ? [] : [item]));
    let packed: PackedBody | undefined;
    try {
      [packed] = packMessages(outgoing.map(({ message }) => message), carrierOf(contact), step.compression);
    } catch (error) {
      if (!(error instanceof TooLargeError)) throw error;
      const tooLong = outgoing.findIndex(({ message }) => !fits(message, carrierOf(contact), step));
      const item = outgoing[tooLong]?.item;
      await refused(step, keys.slice(tooLong, tooLong + 1), item ? [item] : [], error.message);
      return "more";
    }
    if (!packed || contact.connection === null) return "wait";
    const { body, count, notification } = packed;
    try {
      const agentItem = await this.#core.agent.send(contact.connection, body, { notification });
      await handedOver(step, id, keys.slice(0, count), itemsOf(count), agentItem);
      return "more";
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      if (error.refusal === "CLOSED") return "wait";
      // The encryption is being repaired, or the connection is not made yet.
      if (error.refusal === "PROHIBITED" && contact.status === "connected") return "wait";
      await refused(step, keys.slice(0, count), itemsOf(count), error.message);
      return "more";
    }
  }

  /** What was said is on its way: the connection goes after it, then the contact. */
  async #leave(id: string): Promise<void> {
    const contact = await this.#core.read(TABLE.contacts, id);
    if (!contact) return;
    if (contact.connection !== null) await ignoringMissing(this.#core.agent.delete(contact.connection, { wait: true }));
    await this.#core.step((step) => eraseContact(step, contact));
  }
}

function fits(message: Outgoing["message"], carrier: ReturnType<typeof carrierOf>, step: Step): boolean {
  try {
    packMessages([message], carrier, step.compression);
    return true;
  } catch (error) {
    if (error instanceof TooLargeError) return false;
    throw error;
  }
}
