import { hex } from "#crypto/bytes";
import type { ConnectionInfo } from "../agent/options.ts";
import { ChatError } from "./errors.ts";
import type { Contact } from "./records.ts";
import { type ContactSettings, leaveContact, setContact, setPreferences, setVerified } from "./rules/contacts.ts";
import { enqueue } from "./rules/outbox.ts";
import { type Agreement, agreementOf } from "./rules/preferences.ts";
import { checkCalls } from "./rules/compose.ts";
import { contactOf, userOf } from "./rules/records.ts";
import { codeText, isSameCode } from "./rules/security-code.ts";
import type { Core } from "./runtime/core.ts";
import { changingContact } from "./runtime/loudness.ts";
import { TABLE } from "./tables.ts";
import type { KnownEvent } from "./wire/event.ts";
import { newSharedId } from "./wire/ids.ts";
import { chatMessage } from "./wire/message.ts";
import type { Preferences } from "./wire/preferences.ts";

export interface SecurityCode {
  /** Digits in groups of five, as official apps show it: the same on both sides unless somebody sits in between. */
  readonly code: string;
  /** Whether it was compared, and is still the same. */
  readonly isVerified: boolean;
}

/** The people of a user. */
export class Contacts {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** By name. Those that are being deleted are not among them. */
  async list(user: string): Promise<Contact[]> {
    const all = await this.#core.listSound(TABLE.contacts);
    return all
      .filter((one) => one.user === user && one.status !== "leaving")
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws ChatError "NOT_FOUND" */
  get(id: string): Promise<Contact> {
    return this.#core.step((step) => contactOf(step, id));
  }

  async named(user: string, name: string): Promise<Contact | null> {
    const all = await this.list(user);
    return all.find((one) => one.name === name) ?? null;
  }

  async set(id: string, settings: ContactSettings): Promise<Contact> {
    const contact = await this.get(id);
    return changingContact(this.#core, contact, settings, () => this.#core.step((step) => setContact(step, id, settings)));
  }

  /** What the user wants with this contact, in place of what it wants with all. The contact is told. */
  setPreferences(id: string, preferences: Preferences): Promise<Contact> {
    return this.#core.step((step) => setPreferences(step, id, preferences));
  }

  /** What both sides want, and who may use what. */
  agreement(id: string): Promise<Agreement> {
    return this.#core.step(async (step) => {
      const contact = await contactOf(step, id);
      return agreementOf(await userOf(step, contact.user), contact);
    });
  }

  /** @param options `notify`: the contact is told, which is the default */
  delete(id: string, { notify = true }: { readonly notify?: boolean } = {}): Promise<void> {
    return this.#core.step((step) => leaveContact(step, id, notify));
  }

  /** Of the agent: relays, encryption. @throws ChatError when the contact has no connection */
  async connection(id: string): Promise<ConnectionInfo> {
    const { connection, name } = await this.get(id);
    if (connection === null) throw new ChatError("PROHIBITED", `there is no connection to ${name}`);
    return this.#core.agent.connection(connection);
  }

  /** To be compared on another way. @throws ChatError before the connection is made */
  async securityCode(id: string): Promise<SecurityCode> {
    const [contact, code] = [await this.get(id), await this.#code(id)];
    return { code: codeText(code), isVerified: contact.verified === hex(code) };
  }

  /** Compares the code with what the other side shows, in digits or in hex; blanks do not count. */
  async verify(id: string, shown: string): Promise<boolean> {
    const code = await this.#code(id);
    const isSame = isSameCode(code, shown);
    if (isSame) await this.#core.step((step) => setVerified(step, id, hex(code)));
    return isSame;
  }

  async #code(id: string): Promise<Uint8Array> {
    const { securityCode } = await this.connection(id);
    if (securityCode === null) throw new ChatError("PROHIBITED", "there is no code before the connection is made");
    return securityCode;
  }

  async unverify(id: string): Promise<void> {
    await this.#core.step((step) => setVerified(step, id, null));
  }

  /**
   * Sends any event as it is: for the layers that make calls and groups.
   * @throws ChatError "FEATURE" for an invitation to a call that was not agreed on
   */
  signal(id: string, event: KnownEvent): Promise<void> {
    return this.#core.step(async (step) => {
      if (event.type === "x.call.inv") await checkCalls(step, id);
      await enqueue(step, id, chatMessage(event, newSharedId()));
    });
  }
}
