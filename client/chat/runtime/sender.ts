import { AgentError } from "../../agent/errors.ts";
import { eraseContact } from "../rules/contacts.ts";
import { memberEnded } from "../rules/group/manage.ts";
import { isMember, ownerOf } from "../rules/owners.ts";
import { dropOutbox, firstWaiting, handingOver, refused } from "../rules/outbox.ts";
import type { Step } from "../step.ts";
import { TABLE } from "../tables.ts";
import { nextBody } from "./bodies.ts";
import { type Core, ignoringMissing, isStoreTrouble } from "./core.ts";

/** Messages that are packed at once. */
export const AT_ONCE = 50;
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
    if (!isRunning) this.#core.background(isMember(contact) ? null : contact, () => this.#run(contact));
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
        this.#core.tellError(isMember(contact) ? null : contact, error);
        await this.#core.pause(STORE_RETRY);
      }
    }
  }

  /** Hands the first body over. */
  async #next(step: Step, id: string): Promise<Next> {
    const owner = await ownerOf(step, id);
    if (!owner || (!owner.canSend && !owner.isEnding)) return "wait";
    if (!owner.canSend || owner.connection === null) {
      if (!owner.isEnding) return "wait";
      await dropOutbox(step, id, "the connection was given up before it was made");
      return "gone";
    }
    const outgoing = await firstWaiting(step, id, AT_ONCE);
    if (outgoing.length === 0) return owner.isEnding ? "gone" : "wait";
    const next = await nextBody(step, owner, outgoing);
    const { rows } = next;
    if (next.type === "refused") {
      await refused(step, id, rows, next.detail);
      return "more";
    }
    const { body, notification } = next;
    const note = await handingOver(step, id, rows);
    try {
      note(await this.#core.agent.send(owner.connection, body, { notification }));
      return "more";
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      if (error.refusal === "CLOSED") return "wait";
      // The encryption is being repaired, or the connection is not made yet.
      if (error.refusal === "PROHIBITED" && !owner.isEnding) return "wait";
      await refused(step, id, rows, error.message);
      return "more";
    }
  }

  /** What was said is on its way: the connection goes after it, then the contact. */
  async #leave(id: string): Promise<void> {
    if (isMember(id)) return this.#leaveMember(id);
    const contact = await this.#core.read(TABLE.contacts, id);
    if (!contact) return;
    if (contact.origin === "request" && contact.connection !== null) {
      await ignoringMissing(this.#core.agent.reject(contact.connection));
    }
    if (contact.connection !== null) await ignoringMissing(this.#core.agent.delete(contact.connection, { wait: true }));
    await this.#core.step((step) => eraseContact(step, id));
  }

  async #leaveMember(id: string): Promise<void> {
    const { agent } = this.#core;
    const member = await this.#core.read(TABLE.members, id);
    if (!member) return;
    const { connection } = member;
    if (connection !== null) {
      // One who came through the link of the group and was not accepted yet.
      await ignoringMissing(agent.reject(connection));
      await ignoringMissing(agent.delete(connection, { wait: true }));
    }
    await this.#core.step((step) => memberEnded(step, id));
  }
}
