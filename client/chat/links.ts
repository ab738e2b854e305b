import { AgentError } from "../agent/errors.ts";
import { type Link, parseLink } from "../agent/wire/link.ts";
import { LinkError } from "../agent/wire/link-error.ts";
import { ChatError, followingLink, translating } from "./errors.ts";
import type { Address, Contact, Request } from "./records.ts";
import { beginContact, bind, eraseContact, newId } from "./rules/contacts.ts";
import { checkContent } from "./rules/compose.ts";
import { acceptRequest, failed, introduce, rejectRequest, SHOWN_PROFILE } from "./rules/handshake.ts";
import { addItem } from "./rules/items.ts";
import { checkInvitation, checkPlaces, placesOf } from "./rules/link-places.ts";
import { randomProfile } from "./rules/names.ts";
import { connInfo } from "./rules/outbox.ts";
import { changeAddress, introduction, isSameProfile } from "./rules/profile.ts";
import { contactOf, isMessage, updateContact, userOf } from "./rules/records.ts";
import type { Core } from "./runtime/core.ts";
import { addressData } from "./runtime/publisher.ts";
import type { Step } from "./step.ts";
import { TABLE } from "./tables.ts";
import type { MsgContent } from "./wire/content.ts";
import { newRandomId, newSharedId } from "./wire/ids.ts";
import { chatMessage } from "./wire/message.ts";
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
  /** Who is accepted automatically sees a random profile. Not with a short link, which shows the user's own. */
  readonly incognito?: boolean;
  /** Sent to everybody who is accepted; null: nothing. */
  readonly welcome?: string | null;
}

export interface NewAddressOptions extends AddressOptions {
  /** False: no short link, and no profile behind it. */
  readonly short?: boolean;
}

export interface FollowOptions {
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

function welcomeOf(text: string | null): MsgContent | null {
  if (text === null) return null;
  const welcome: MsgContent = { type: "text", text };
  checkContent(welcome, false);
  return welcome;
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
          places: placesOf(made.link, made.shortLink),
          status: "invited",
          origin: "invitation",
        });
        bind(step, contact.id, made.connection);
        return { contact, link: made.link, shortLink: made.shortLink };
      });
    });
  }

  /**
   * Looks what is behind a link. The short link of an invitation is taken by that: nobody else can use it then.
   * @throws LinkError "GONE" when it is not valid any more, ChatError "PROHIBITED" for an own invitation
   */
  async look(user: string, text: string): Promise<LinkLook> {
    const type = kindOf(parseLink(text));
    await this.#core.step((step) => checkInvitation(step, user, placesOf(text)));
    const { data } = await followingLink(this.#core.agent.preview(text, { profile: user }));
    if (data === null || data.length === 0) return { type, data: null };
    return { type, data: translating(() => decodeShortLinkData(data, this.#core.compression)) };
  }

  /**
   * Follows a link. The contact is there at once; `connected` tells when it can be written to.
   * @throws ChatError ("PROHIBITED" for an own link, and for one of somebody who is known: `contact` says who),
   * LinkError ("GONE" when it is not valid any more), and the errors of relays
   */
  async connect(user: string, text: string, { incognito = false, message }: FollowOptions = {}): Promise<Contact> {
    const kind = kindOf(parseLink(text));
    if (kind === "group") throw new ChatError("UNSUPPORTED", "this is the link of a group; groups.connect follows it");
    if (message !== undefined && kind !== "contact") {
      throw new ChatError("PROHIBITED", "a first message goes with a request to an address only");
    }
    const core = this.#core;
    const content: MsgContent | null = message === undefined ? null : { type: "text", text: message };
    const contact = await core.making(async () => {
      // An own invitation must not be taken by looking where it leads.
      await core.step((step) => checkPlaces(step, user, placesOf(text)));
      const { link } = await followingLink(core.agent.preview(text, { profile: user }));
      const places = placesOf(text, link);
      const made = await core.step(async (step) => {
        await checkPlaces(step, user, places);
        const begun = await beginContact(step, {
          id: newId(),
          user,
          incognito: incognito ? randomProfile() : null,
          // The key that the short link of an invitation gave is known by that link.
          link: kind === "contact" ? link : text.trim(),
          places,
          status: "joining",
          origin: kind === "invitation" ? "link" : "address",
          contactReqId: kind === "contact" ? newRandomId() : null,
        });
        const asking = content ? await this.#withMessage(step, begun, content) : begun;
        // Nothing is made for a profile that does not fit.
        await this.#info(step, asking);
        return begun;
      });
      try {
        await this.join(made.id);
      } catch (error) {
        if (!core.isClosed) await core.step((step) => eraseContact(step, made.id));
        throw error;
      }
      return made;
    });
    return core.step((step) => contactOf(step, contact.id));
  }

  async #withMessage(step: Step, contact: Contact, content: MsgContent): Promise<Contact> {
    checkContent(content, false);
    const { id } = await addItem(step, contact.id, {
      isOwn: true,
      body: { type: "message", container: { content } },
      status: { type: "sending" },
      msgId: newSharedId(),
    });
    return updateContact(step, contact, { requestItem: id });
  }

  /** What a request or a confirmation says. */
  async #info(step: Step, contact: Contact): Promise<Uint8Array> {
    if (contact.origin !== "address") return introduce(step, contact);
    const user = await userOf(step, contact.user);
    const { profile, shown } = introduction(user, contact);
    updateContact(step, contact, { shown });
    const first = contact.requestItem === null ? null : await step.readSound(TABLE.items, contact.requestItem);
    const message = first && isMessage(first) && first.deletedAt === null && first.msgId !== null
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
    const joining = await core.step(async (step) => {
      const contact = await step.read(TABLE.contacts, id);
      return contact?.status === "joining" ? { ...contact, info: await this.#info(step, contact) } : null;
    });
    if (!joining) return;
    const connection = await followingLink(core.agent.join(joining.link ?? "", joining.info, { profile: joining.user }));
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

  /** The agent has made a connection for a contact, which may be deleted by now. */
  async joined(step: Step, id: string, connection: string): Promise<void> {
    const contact = await step.read(TABLE.contacts, id);
    if (contact?.status !== "joining") return step.effect({ type: "drop", connection });
    bind(step, id, connection);
    updateContact(step, contact, { connection, status: "pending" });
  }

  /** A link through which anybody may ask. A user has one at most. @throws ChatError, and the errors of relays */
  createAddress(user: string, options: NewAddressOptions = {}): Promise<Address> {
    const core = this.#core;
    return core.making(async () => {
      const owner = await core.step((step) => userOf(step, user));
      if (await core.read(TABLE.addresses, user)) throw new ChatError("PROHIBITED", "the user has an address already");
      const { autoAccept = false, incognito = false, short = true } = options;
      if (incognito && short) throw new ChatError("PROHIBITED", SHOWN_PROFILE);
      const welcome = welcomeOf(options.welcome ?? null);
      const data = short ? addressData(owner.profile, welcome, core.compression) : new Uint8Array();
      const made = await core.agent.createAddress({ profile: user, data, short });
      const { connection, link, shortLink } = made;
      return core.step(async (step) => {
        // The profile may have changed while the relay was asked.
        const isStale = !isSameProfile((await userOf(step, user)).profile, owner.profile);
        step.put(TABLE.bindings, connection, { kind: "address", id: user, lastItem: 0 });
        const address = { user, connection, link, shortLink, autoAccept, incognito, welcome, isStale };
        return changeAddress(step, address, {});
      });
    });
  }

  address(user: string): Promise<Address | null> {
    return this.#core.read(TABLE.addresses, user);
  }

  /**
   * What is to be seen behind the short link follows in the background (`isStale`), as soon as its relay is reached.
   * @throws ChatError "NOT_FOUND" when the user has no address
   */
  setAddress(user: string, { welcome: text, ...others }: AddressOptions): Promise<Address> {
    return this.#core.step(async (step) => {
      const before = await this.#addressOf(step, user);
      if (others.incognito === true && before.shortLink !== null) throw new ChatError("PROHIBITED", SHOWN_PROFILE);
      if (text === undefined) return changeAddress(step, before, others);
      const welcome = welcomeOf(text);
      const { profile } = await userOf(step, user);
      // Nothing is kept that does not fit.
      if (before.shortLink !== null) addressData(profile, welcome, this.#core.compression);
      return changeAddress(step, before, { ...others, welcome, isStale: true });
    });
  }

  /** Puts what is to be seen behind the short link there once more, though it should stand there already. */
  async refreshAddress(user: string): Promise<void> {
    await this.#core.step(async (step) => changeAddress(step, await this.#addressOf(step, user), { isStale: true }));
  }

  /** Nobody can come through it any more. Contacts stay. */
  deleteAddress(user: string): Promise<void> {
    return this.#core.step(async (step) => {
      const { connection } = await this.#addressOf(step, user);
      step.erase(TABLE.addresses, user);
      step.erase(TABLE.bindings, connection);
      step.effect({ type: "drop", connection });
    });
  }

  async #addressOf(step: Step, user: string): Promise<Address> {
    const address = await step.read(TABLE.addresses, user);
    if (!address) throw new ChatError("NOT_FOUND", "the user has no address");
    return address;
  }

  /** Requests that wait for an answer, the oldest first. */
  async requests(user: string): Promise<Request[]> {
    const all = await this.#core.listSound(TABLE.requests);
    return all.filter((one) => one.user === user).toSorted((a, b) => a.at - b.at);
  }

  /** @throws ChatError; who came through an address that shows the profile is not accepted incognito */
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
      const now = await step.read(TABLE.contacts, id);
      if (now?.status === "accepting") updateContact(step, now, { status: "pending" });
      else if (!now || now.status === "leaving") step.effect({ type: "drop", connection: accepting.connection });
    });
  }
}
