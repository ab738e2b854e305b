import type { Contact, User } from "../../../../client/chat/records.ts";
import { beginContact } from "../../../../client/chat/rules/contacts.ts";
import { Step } from "../../../../client/chat/step.ts";
import { TABLE } from "../../../../client/chat/tables.ts";
import { MemoryStore } from "../../../../client/store/memory.ts";
import type { Store } from "../../../../client/store/store.ts";
import { zstd } from "../wire/platform-zstd.ts";

export const START = Date.UTC(2026, 10, 23);

/** A store with a user and a contact, and steps on it as the chat runs them. */
export class RuleWorld {
  readonly store: Store;
  now = START;
  last: Step;

  constructor(store: Store = new MemoryStore()) {
    this.store = store;
    this.last = this.#newStep();
  }

  static open(): Promise<RuleWorld> {
    return RuleWorld.over(new MemoryStore());
  }

  static async over(store: Store): Promise<RuleWorld> {
    const world = new RuleWorld(store);
    const user: User = { id: "u", profile: { displayName: "Alice", fullName: "" }, createdAt: START, receipts: true, isLeaving: false };
    await world.run(async (step) => {
      step.put(TABLE.users, user.id, user);
      await world.contact(step, "c", "Bob");
    });
    return world;
  }

  contact(step: Step, id: string, displayName: string): Promise<Contact> {
    const profile = { displayName, fullName: "" };
    return beginContact(step, { id, user: "u", profile, status: "connected", origin: "link", connection: `connection-${id}`, shown: "{}" });
  }

  /** One step, written. */
  async run<T>(action: (step: Step) => Promise<T> | T): Promise<T> {
    const step = this.#newStep();
    this.last = step;
    const result = await action(step);
    await this.store.write(step.changes);
    return result;
  }

  #newStep(): Step {
    return new Step(this.store, this.now, zstd);
  }
}
