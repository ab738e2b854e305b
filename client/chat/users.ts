import { ChatError } from "./errors.ts";
import type { User } from "./records.ts";
import { leaveContact, newId, sweepUsers } from "./rules/contacts.ts";
import { deleteGroup } from "./rules/group/manage.ts";
import { beginConversation, eraseItems } from "./rules/items.ts";
import { checkProfile, userChanged } from "./rules/profile.ts";
import { userOf } from "./rules/records.ts";
import type { Core } from "./runtime/core.ts";
import type { Step } from "./step.ts";
import { ACTIVE_USER, TABLE } from "./tables.ts";
import type { Profile } from "./wire/profile.ts";

/** The conversation of a user with itself. */
export function notesOf(user: string): string {
  return `notes-${user}`;
}

/** The profiles of this program. All of them are connected; the active one is only what is shown. */
export class Users {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** The first one becomes active. @throws ChatError when the profile cannot be shown to others */
  create(profile: Profile): Promise<User> {
    return this.#core.step(async (step) => {
      checkProfile(profile);
      const user: User = { id: newId(), profile, createdAt: step.now, receipts: true, isLeaving: false };
      step.put(TABLE.users, user.id, user);
      step.tell({ type: "user", user });
      beginConversation(step, notesOf(user.id), user.id, "notes");
      if (!await step.read(TABLE.settings, ACTIVE_USER)) step.put(TABLE.settings, ACTIVE_USER, { to: user.id });
      return user;
    });
  }

  /** The oldest first. */
  async list(): Promise<User[]> {
    const all = await this.#core.listSound(TABLE.users);
    return all.filter(({ isLeaving }) => !isLeaving).toSorted((a, b) => a.createdAt - b.createdAt);
  }

  get(id: string): Promise<User> {
    return this.#core.step((step) => userOf(step, id));
  }

  async active(): Promise<User | null> {
    const pointer = await this.#core.read(TABLE.settings, ACTIVE_USER);
    const user = pointer && await this.#core.read(TABLE.users, pointer.to);
    return user?.isLeaving === false ? user : null;
  }

  activate(id: string): Promise<User> {
    return this.#core.step(async (step) => {
      const user = await userOf(step, id);
      step.put(TABLE.settings, ACTIVE_USER, { to: id });
      return user;
    });
  }

  /** Another name, image, description or other preferences; contacts who see the profile are told. */
  update(id: string, part: Partial<Profile>): Promise<User> {
    return this.#change(id, (before) => {
      const profile = { ...before.profile, ...part };
      checkProfile(profile);
      return { ...before, profile };
    });
  }

  /** Whether contacts are told that their messages arrived, unless set otherwise for one. */
  setReceipts(id: string, receipts: boolean): Promise<User> {
    return this.#change(id, (user) => ({ ...user, receipts }));
  }

  #change(id: string, change: (user: User) => User): Promise<User> {
    return this.#core.step(async (step) => {
      const user = change(await userOf(step, id));
      await userChanged(step, user);
      return user;
    });
  }

  /** With all contacts, who are told unless `notify` is false, and the address. */
  async delete(id: string, { notify = true }: { readonly notify?: boolean } = {}): Promise<void> {
    await this.#core.step(async (step) => {
      const user = await userOf(step, id);
      if (user.isLeaving) throw new ChatError("PROHIBITED", "the user is being deleted already");
      step.put(TABLE.users, id, { ...user, isLeaving: true });
      await this.#leaveAll(step, id, notify);
      const active = await step.read(TABLE.settings, ACTIVE_USER);
      const other = (await step.listSound(TABLE.users)).find((one) => !one.isLeaving);
      if (active?.to === id && other) step.put(TABLE.settings, ACTIVE_USER, { to: other.id });
      else if (active?.to === id) step.erase(TABLE.settings, ACTIVE_USER);
      step.tell({ type: "userDeleted", user: id });
    });
    await this.sweep();
  }

  async #leaveAll(step: Step, id: string, notify: boolean): Promise<void> {
    for (const group of await step.listSound(TABLE.groups)) if (group.user === id) await deleteGroup(step, group.id);
    for (const contact of await step.listSound(TABLE.contacts)) {
      if (contact.user === id) await leaveContact(step, contact.id, notify);
    }
    for (const request of await step.listSound(TABLE.requests)) {
      if (request.user !== id) continue;
      step.erase(TABLE.requests, request.id);
      step.effect({ type: "reject", request: request.request });
    }
    const address = await step.read(TABLE.addresses, id);
    if (address) {
      step.erase(TABLE.addresses, id);
      step.erase(TABLE.bindings, address.connection);
      step.effect({ type: "drop", connection: address.connection });
    }
    await eraseItems(step, notesOf(id));
    step.erase(TABLE.conversations, notesOf(id));
  }

  /** Removes users who are leaving and whose contacts are all gone; the others go with their last contact. */
  sweep(): Promise<void> {
    return this.#core.step(sweepUsers);
  }
}
