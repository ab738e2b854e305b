import { LinkError } from "../agent/wire/link-error.ts";
import { formatLink, parseLink } from "../agent/wire/link.ts";
import { ChatError, followingLink } from "./errors.ts";
import type { Group, GroupLink, Member } from "./group-records.ts";
import {
  acceptInvitation,
  checkInvitation,
  checkRole,
  createGroup,
  followLink,
  invite,
  inviteAgain,
} from "./rules/group/invite.ts";
import type { Contact } from "./records.ts";
import { eraseLink } from "./rules/group/changes.ts";
import { checkDirect, inviteDirectly } from "./rules/group/direct.ts";
import {
  blockMember,
  changeGroup,
  deleteGroup,
  eraseIfOver,
  type GroupSettings,
  leaveGroup,
  removeMember,
  setGroup,
  setRole,
} from "./rules/group/manage.ts";
import { groupOf, memberOf, membersOf, updateGroup } from "./rules/group/records.ts";
import { meet, placesOf } from "./rules/link-places.ts";
import { randomProfile } from "./rules/names.ts";
import { userOf } from "./rules/records.ts";
import type { Core } from "./runtime/core.ts";
import type { GroupMaker } from "./runtime/group-maker.ts";
import { groupLinkData } from "./runtime/group-publisher.ts";
import { changingGroup } from "./runtime/loudness.ts";
import { TABLE } from "./tables.ts";
import { newRandomId } from "./wire/ids.ts";
import type { GroupPreferences, Role } from "./wire/preferences.ts";
import type { GroupProfile } from "./wire/profile.ts";
import { isAtLeast } from "./wire/rules/preferences.ts";
import { decodeShortLinkData, groupLinkClientData, readGroupLinkId } from "./wire/short-link-data.ts";

/** What a user does with a member. */
export interface MemberSettings {
  /** What it writes is not shown to the user. */
  readonly isBlocked?: boolean;
  /** What it writes is not shown to anybody; for moderators. */
  readonly isRestricted?: boolean;
}

const GONE: ReadonlySet<Member["status"]> = new Set<Member["status"]>(["left", "removed"]);

/** Groups in which every member is connected to every other one. */
export class Groups {
  readonly #core: Core;
  readonly #maker: GroupMaker;

  constructor(core: Core, maker: GroupMaker) {
    this.#core = core;
    this.#maker = maker;
  }

  /**
   * The user is the owner. Unless preferences are given, members may write to each other and new ones are shown what was
   * said before.
   * @throws ChatError when the profile cannot be that of a group
   */
  create(user: string, profile: GroupProfile): Promise<Group> {
    return this.#core.step(async (step) => createGroup(step, await userOf(step, user), profile));
  }

  /** By name. Those that are being deleted are not among them. */
  async list(user: string): Promise<Group[]> {
    const all = await this.#core.listSound(TABLE.groups);
    return all
      .filter((one) => one.user === user && one.status !== "leaving")
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws ChatError "NOT_FOUND" */
  get(id: string): Promise<Group> {
    return this.#core.step((step) => groupOf(step, id));
  }

  async named(user: string, name: string): Promise<Group | null> {
    const all = await this.list(user);
    return all.find((one) => one.name === name) ?? null;
  }

  /** Without the user; by name, those who left or were removed last. */
  members(id: string): Promise<Member[]> {
    return this.#core.step(async (step) => {
      await groupOf(step, id);
      const weight = ({ status }: Member): number => (GONE.has(status) ? 1 : 0);
      const all = await membersOf(step, id);
      return all.toSorted((a, b) => weight(a) - weight(b) || (a.name < b.name ? -1 : 1));
    });
  }

  /** @throws ChatError "NOT_FOUND" */
  member(id: string): Promise<Member> {
    return this.#core.step((step) => memberOf(step, id));
  }

  /**
   * Asks a contact into the group; again while it has not answered, perhaps with another role. For admins.
   * @throws ChatError, and the errors of relays
   */
  invite(id: string, contact: string, role: Role = "member"): Promise<Member> {
    const core = this.#core;
    return core.making(async () => {
      const { known, user } = await core.step(async (step) => ({
        known: await checkInvitation(step, id, contact, role),
        user: (await groupOf(step, id)).user,
      }));
      if (known) return core.step((step) => inviteAgain(step, known.id, role));
      const made = await core.agent.invite({ profile: user, pq: false, short: false });
      return core.step(async (step) => {
        await checkInvitation(step, id, contact, role);
        return invite(step, id, contact, role, made);
      });
    });
  }

  /** Accepts an invitation; `delete` declines it. */
  accept(id: string): Promise<Group> {
    return this.#core.step((step) => acceptInvitation(step, id));
  }

  /**
   * Follows the link of a group. The group is there at once; its status tells when the user belongs to it.
   * @throws ChatError, LinkError, and the errors of relays
   */
  async connect(user: string, text: string, { incognito = false }: { readonly incognito?: boolean } = {}): Promise<Group> {
    const core = this.#core;
    const link = parseLink(text);
    const isGroup = link.type === "short"
      ? link.mode === "contact" && link.kind === "group"
      : link.type === "contact" && link.clientData !== null && readGroupLinkId(link.clientData) !== null;
    if (!isGroup) throw new ChatError("UNSUPPORTED", "this is not the link of a group; contacts are made with links.connect");
    const behind = await this.#behind(user, text);
    const group = await core.step(async (step) => {
      const places = placesOf(text, behind.link);
      const known = (await step.listSound(TABLE.groups)).filter((one) => one.user === user && meet(places, placesOf(one.link)));
      const there = known.find(({ status }) => status === "connected" || status === "joining");
      if (there) throw new ChatError("PROHIBITED", `you came through this link already: ${there.name}`);
      const links = (await step.listSound(TABLE.groupLinks)).filter((one) => one.user === user);
      const isOwn = links.some((one) => meet(places, placesOf(one.link, one.shortLink)));
      if (isOwn) throw new ChatError("PROHIBITED", "this is the link of a group in which you are");
      return followLink(step, await userOf(step, user), {
        ...behind,
        incognito: incognito ? randomProfile() : null,
        contactReqId: newRandomId(),
      });
    });
    try {
      if (group.host !== null) await this.#maker.make(group.host);
    } catch (error) {
      if (!core.isClosed) await this.#forget(group.id);
      throw error;
    }
    return this.get(group.id);
  }

  /** Where a link leads, and what it shows of the group. */
  async #behind(user: string, text: string): Promise<{ readonly link: string; readonly profile: GroupProfile }> {
    const { data, link } = await followingLink(this.#core.agent.preview(text, { profile: user }));
    if (data === null || data.length === 0) return { link, profile: { displayName: "new group", fullName: "" } };
    const shown = decodeShortLinkData(data, this.#core.compression);
    if (!("groupProfile" in shown)) throw new LinkError("SYNTAX", "behind the link of a group is none");
    return { link, profile: shown.groupProfile };
  }

  /** Nothing came of it. */
  #forget(id: string): Promise<void> {
    return this.#core.step(async (step) => {
      await updateGroup(step, id, { status: "leaving" });
      await eraseIfOver(step, id);
    });
  }

  /** For admins; nobody gives more than it has. */
  setRole(id: string, member: string, role: Role): Promise<Member> {
    return this.#core.step((step) => setRole(step, id, member, role));
  }

  /** For admins. `messages`: what the member wrote is deleted as well. */
  remove(id: string, member: string, { messages = false }: { readonly messages?: boolean } = {}): Promise<void> {
    return this.#core.step((step) => removeMember(step, id, member, messages));
  }

  setMember(id: string, member: string, settings: MemberSettings): Promise<Member> {
    return this.#core.step((step) => blockMember(step, id, member, settings));
  }

  /**
   * The contact who a member is, or becomes: it is asked over the group, with a first text if one is given.
   * @throws ChatError, and the errors of relays
   */
  contact(member: string, text: string | null = null): Promise<Contact> {
    const core = this.#core;
    return core.making(async () => {
      const { contact, group } = await core.step((step) => checkDirect(step, member));
      if (contact) return contact;
      const made = await core.agent.invite({ profile: group.user, short: false });
      return core.step((step) => inviteDirectly(step, member, made, text));
    });
  }

  /** The members are told; the conversation stays. */
  leave(id: string): Promise<void> {
    return this.#core.step((step) => leaveGroup(step, id));
  }

  /** The owner ends the group for all, others leave it; nothing of it remains here. Declines an invitation. */
  delete(id: string): Promise<void> {
    return this.#core.step((step) => deleteGroup(step, id));
  }

  /** For owners. An empty description takes the welcome text away. */
  update(id: string, part: Partial<GroupProfile>): Promise<Group> {
    return this.#core.step((step) => changeGroup(step, id, part));
  }

  /** For owners. What is not given stays as it is. */
  setPreferences(id: string, preferences: GroupPreferences): Promise<Group> {
    return this.#core.step(async (step) => {
      const { profile } = await groupOf(step, id);
      return changeGroup(step, id, { groupPreferences: { ...profile.groupPreferences, ...preferences } });
    });
  }

  async set(id: string, settings: GroupSettings): Promise<Group> {
    const group = await this.get(id);
    return changingGroup(this.#core, group, settings, () => this.#core.step((step) => setGroup(step, id, settings)));
  }

  /** A link through which anybody may join with this role. For admins. @throws ChatError, and the errors of relays */
  createLink(id: string, role: Role = "member"): Promise<GroupLink> {
    const core = this.#core;
    return core.making(async () => {
      const group = await core.step(async (step) => {
        const known = await groupOf(step, id);
        checkRole(known, "admin");
        if (isAtLeast(role, "moderator")) throw new ChatError("PROHIBITED", "nobody becomes more than a member by a link");
        if (known.profile.memberAdmission?.review !== undefined) {
          throw new ChatError("UNSUPPORTED", "moderators of this group review who joins, which this program does not do yet");
        }
        if (await step.read(TABLE.groupLinks, id)) throw new ChatError("PROHIBITED", "the group has a link already");
        return known;
      });
      const { user, profile } = group;
      const data = groupLinkData(profile, core.compression);
      const clientData = groupLinkClientData(newRandomId());
      const { connection, link, shortLink } = await core.agent.createAddress({ profile: user, pq: false, data, clientData });
      const made: GroupLink = { group: id, user, connection, link, shortLink: shortLink && asGroupLink(shortLink), role, isStale: false };
      await core.step(async (step) => {
        checkRole(await groupOf(step, id), "admin");
        step.put(TABLE.groupLinks, id, made);
        step.put(TABLE.bindings, connection, { kind: "groupLink", id, lastItem: 0 });
      });
      return made;
    });
  }

  link(id: string): Promise<GroupLink | null> {
    return this.#core.read(TABLE.groupLinks, id);
  }

  /** Nobody can come through it any more. */
  deleteLink(id: string): Promise<void> {
    return this.#core.step(async (step) => {
      if (!await step.read(TABLE.groupLinks, id)) throw new ChatError("NOT_FOUND", "the group has no link");
      await eraseLink(step, id);
    });
  }
}

/** The short link of an address as one of a group. */
function asGroupLink(text: string): string {
  const link = parseLink(text);
  if (link.type !== "short" || link.mode !== "contact") throw new LinkError("SYNTAX", "the agent gave no link of an address");
  return formatLink({ ...link, kind: "group" }, { scheme: "https" });
}
