import { AgentError } from "../agent/errors.ts";
import { type Link, parseLink } from "../agent/wire/link.ts";
import { LinkError } from "../agent/wire/link-error.ts";
import { ChatError, translating } from "./errors.ts";
import type { Address, Contact, Request } from "./records.ts";
import { beginContact, bind, eraseContact, newId } from "./rules/contacts.ts";
import { acceptRequest, failed, introduce, rejectRequest } from "./rules/handshake.ts";
import { addItem } from "./rules/items.ts";
import { randomProfile } from "./rules/names.ts";
import { connInfo } from "./rules/outbox.ts";
import { introduction } from "./rules/profile.ts";
import { contactOf, updateContact, userOf } from "./rules/records.ts";
import type { Core } from "./runtime/core.ts";
import type { Step } from "./step.ts";
import { TABLE } from "./tables.ts";
import type { MsgContent } from "./wire/content.ts";
import { newRandomId, newSharedId } from "./wire/ids.ts";
import { chatMessage } from "./wire/message.ts";
import type { Profile } from "./wire/profile.ts";
import { fullPreferences } from "./wire/rules/preferences.ts";
import { decodeShortLinkData, encodeShortLinkData, readGroupLinkId, type ShortLinkUserData } from "./wire/short-link-data.ts";

export interface Invitation {
  readonly contact: Contact;
  /** Works everywhere. */
  readonly link: string;
  /** Easier to show; null where the relay has none. */
  readonly shortLink: string | null;
}

export interface InviteOptions {
  /** The other side sees a random profile. */
  readonly incognito?: boolean;
  /** False: no short link, for relays that do not have them. */
  readonly short?: boolean;
}

export interface AddressOptions {
  /** Requests are accepted without asking. */
  readonly autoAccept?: boolean;
  /** Who is accepted automatically sees a random profile. */
  readonly incognito?: boolean;
  /** Sent to everybody who is accepted; null: nothing. */
  readonly welcome?: string | null;
}

export interface ConnectOptions {
  /** The other side sees a random profile. */
  readonly incognito?: boolean;
  /** Sent along with the request; only to addresses. */
  readonly message?: string;
}

/** What a link leads to. */
export interface LinkLook {
  readonly type: "invitation" | "contact" | "group";
  /** What its owner shows; null when a link shows nothing. */
  readonly data: ShortLinkUserData | null;
}

function kindOf(link: Link): "invitation" | "contact" | "group" {
  if (link.type === "short") return link.mode === "contact" && link.kind !== "contact" ? "group" : link.mode;
  const isGroup = link.type === "contact" && link.clientData !== null && readGroupLinkId(link.clientData) !== null;
  return isGroup ? "group" : link.type;
}

/** How people find each other: invitations for one, an address for many, and following both. */
export class Links {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** A link for one other person. @throws ChatError, and the errors of relays */
  invite(user: string, { incognito = false, short = true }: InviteOptions = {}): Promise<Invitation> {
    const core = this.#core;
    return core.making(async () => {
      const owner = await core.step((step) => userOf(step, user));
      const shown = incognito ? randomProfile() : null;
      const profile = { ...(shown ?? owner.profile), preferences: fullPreferences(shown ? undefined : owner.profile.preferences) };
      const data = translating(() => encodeShortLinkData({ profile, business: false }, core.compression));
      const made = await core.agent.invite({ profile: user, data, short });
      return core.step(async (step) => {
        const contact = await beginContact(step, {
          id: newId(),
          user,
          incognito: shown,
          connection: made.connection,
          link: made.shortLink ?? made.link,
          status: "invited",
          origin: "invitation",
        });
        bind(step, contact.id, made.connection);
        return { contact, link: made.link, shortLink: made.shortLink };
      });
    });
  }

  /** Looks what is behind a link. The short link of an invitation is taken by that: nobody else can use it then. */
  async look(user: string, text: string): Promise<LinkLook> {
    const type = kindOf(parseLink(text));
    const { data } = await this.#core.agent.preview(text, { profile: user });
    if (data === null || data.length === 0) return { type, data: null };
    return { type, data: translating(() => decodeShortLinkData(data, this.#core.compression)) };
  }

  /**
   * Follows a link. The contact is there at once; `connected` tells when it can be written to.
   * @throws ChatError, LinkError, and the errors of relays
   */
  async connect(user: string, text: string, { incognito = false, message }: ConnectOptions = {}): Promise<Contact> {
    const kind = kindOf(parseLink(text));
    if (kind === "group") throw new ChatError("UNSUPPORTED", "this is the link of a group, not of a person");
    if (message !== undefined && kind !== "contact") {
      throw new ChatError("PROHIBITED", "a first message goes with a request to an address only");
    }
    const core = this.#core;
    const content: MsgContent | null = message === undefined ? null : { type: "text", text: message };
    const contact = await core.making(async () => {
      const made = await core.step(async (step) => {
        await this.#checkNew(step, user, text.trim());
        const begun = await beginContact(step, {
          id: newId(),
          user,
          incognito: incognito ? randomProfile() : null,
          link: text.trim(),
          status: "joining",
          origin: kind === "invitation" ? "link" : "address",
          contactReqId: kind === "contact" ? newRandomId() : null,
        });
        if (content) await this.#firstMessage(step, begun, content);
        // Nothing is made for a profile that does not fit.
        await this.#info(step, begun);
        return begun;
      });
      try {
        await this.join(made.id);
      } catch (error) {
        if (!core.isClosed) await core.step((step) => eraseContact(step, made));
        throw error;
      }
      return made;
    });
    return core.step((step) => contactOf(step, contact.id));
  }

  async #checkNew(step: Step, user: string, link: string): Promise<void> {
    await userOf(step, user);
    const contacts = (await step.list(TABLE.contacts)).filter((one) => one.user === user);
    const known = contacts.find((one) => one.link === link && one.status !== "failed" && one.status !== "leaving");
    if (known) {
      const own = known.origin === "invitation";
      throw new ChatError("PROHIBITED", own ? "this is your own invitation" : `you are connecting through this link already: ${known.name}`);
    }
    const address = await step.read(TABLE.addresses, user);
    if (address?.link === link || address?.shortLink === link) throw new ChatError("PROHIBITED", "this is your own address");
  }

  async #firstMessage(step: Step, contact: Contact, content: MsgContent): Promise<void> {
    await addItem(step, contact.id, {
      isOwn: true,
      body: { type: "message", container: { content } },
      status: { type: "sending" },
      msgId: newSharedId(),
    });
  }

  /** What a request or a confirmation says. */
  async #info(step: Step, contact: Contact): Promise<Uint8Array> {
    if (contact.origin !== "address") return introduce(step, contact);
    const user = await userOf(step, contact.user);
    const { profile, shown } = introduction(user, contact);
    updateContact(step, contact, { shown });
    const [first] = await step.list(TABLE.items, { prefix: `${contact.id}/` });
    const message = first?.body.type === "message" && first.msgId !== null
      ? { msgId: first.msgId, content: first.body.container.content }
      : null;
    const params = {
      profile,
      ...(contact.contactReqId !== null && { contactReqId: contact.contactReqId }),
      ...(message && { message }),
    };
    return connInfo(step, chatMessage({ type: "x.contact", params }));
  }

  /** Has the agent follow the link of a contact; again after a crash. To be called while nothing else is made. */
  async join(id: string): Promise<void> {
    const core = this.#core;
    const { link, user, info } = await core.step(async (step) => {
      const contact = await contactOf(step, id);
      return { ...contact, info: await this.#info(step, contact) };
    });
    const connection = await core.agent.join(link ?? "", info, { profile: user });
    await core.step((step) => this.joined(step, id, connection));
  }

  /** As {@link join}; there is nobody any more to tell that it fails, so that the contact says so. */
  async joinAgain(id: string): Promise<void> {
    try {
      await this.#core.making(() => this.join(id));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!this.#core.isClosed) await this.#core.step((step) => failed(step, id, why));
      throw error;
    }
  }

  async joined(step: Step, id: string, connection: string): Promise<void> {
    const contact = await contactOf(step, id);
    bind(step, id, connection);
    updateContact(step, contact, { connection, status: "pending" });
  }

  /** A link through which anybody may ask. A user has one at most. */
  createAddress(user: string, options: AddressOptions = {}): Promise<Address> {
    const core = this.#core;
    return core.making(async () => {
      const owner = await core.step((step) => userOf(step, user));
      if (await core.read(TABLE.addresses, user)) throw new ChatError("PROHIBITED", "the user has an address already");
      const { autoAccept = false, incognito = false, welcome = null } = options;
      const message = welcome === null ? null : { type: "text", text: welcome } as const;
      const data = this.#addressData(owner.profile, message);
      const made = await core.agent.createAddress({ profile: user, data });
      const { connection, link, shortLink } = made;
      const address: Address = { user, connection, link, shortLink, autoAccept, incognito, welcome: message };
      await core.step((step) => {
        step.put(TABLE.addresses, user, address);
        step.put(TABLE.bindings, connection, { kind: "address", id: user, lastItem: 0 });
      });
      return address;
    });
  }

  #addressData(profile: Profile, message: MsgContent | null): Uint8Array {
    const full = { ...profile, preferences: fullPreferences(profile.preferences) };
    const data = { profile: full, business: false, ...(message && { message }) };
    return translating(() => encodeShortLinkData(data, this.#core.compression));
  }

  address(user: string): Promise<Address | null> {
    return this.#core.read(TABLE.addresses, user);
  }

  /** @throws ChatError "NOT_FOUND" when the user has no address, and the errors of relays */
  async setAddress(user: string, options: AddressOptions): Promise<Address> {
    const core = this.#core;
    const before = await this.#addressOf(user);
    const { welcome: text, ...others } = options;
    const welcome = text === undefined ? before.welcome : text === null ? null : { type: "text", text } as const;
    const changed: Address = { ...before, ...others, welcome };
    await core.step((step) => step.put(TABLE.addresses, user, changed));
    if (text !== undefined) await this.refreshAddress(user);
    return changed;
  }

  /** Puts the profile and the welcome of now behind the short link of the address. */
  async refreshAddress(user: string): Promise<void> {
    const { shortLink, connection, welcome } = await this.#addressOf(user);
    if (shortLink === null) return;
    const { profile } = await this.#core.step((step) => userOf(step, user));
    await this.#core.agent.setLinkData(connection, this.#addressData(profile, welcome));
  }

  /** Nobody can come through it any more. Contacts stay. */
  async deleteAddress(user: string): Promise<void> {
    const { connection } = await this.#addressOf(user);
    await this.#core.step((step) => {
      step.erase(TABLE.addresses, user);
      step.erase(TABLE.bindings, connection);
      step.effect({ type: "drop", connection });
    });
  }

  async #addressOf(user: string): Promise<Address> {
    const address = await this.address(user);
    if (!address) throw new ChatError("NOT_FOUND", "the user has no address");
    return address;
  }

  /** Requests that wait for an answer, the oldest first. */
  async requests(user: string): Promise<Request[]> {
    const all = await this.#core.list(TABLE.requests);
    return all.filter((one) => one.user === user).toSorted((a, b) => a.at - b.at);
  }

  accept(request: string, options: { readonly incognito?: boolean } = {}): Promise<Contact> {
    return this.#core.step((step) => acceptRequest(step, request, options));
  }

  /** Whoever asked is not told. */
  reject(request: string): Promise<void> {
    return this.#core.step((step) => rejectRequest(step, request));
  }

  /** Has the agent accept what was accepted here; again after a crash. */
  async acceptNow(id: string): Promise<void> {
    const core = this.#core;
    const accepting = await core.step(async (step) => {
      const contact = await step.read(TABLE.contacts, id);
      if (contact?.status !== "accepting" || contact.connection === null) return null;
      return { connection: contact.connection, info: await introduce(step, contact) };
    });
    if (!accepting) return;
    try {
      await core.agent.accept(accepting.connection, accepting.info);
    } catch (error) {
      if (!(error instanceof AgentError || error instanceof LinkError)) throw error;
      // The program ends: it goes on at the next start.
      if (error instanceof AgentError && error.refusal === "CLOSED") return;
      await core.step((step) => failed(step, id, error.message));
      return;
    }
    await core.step(async (step) => {
      const now = await contactOf(step, id);
      if (now.status === "accepting") updateContact(step, now, { status: "pending" });
    });
  }
}
