import { msgContent } from "../../chat/wire/content.ts";
import { idFrom } from "../../chat/wire/ids.ts";
import { ROLES } from "../../chat/wire/preferences.ts";
import { reaction as reactionCodec } from "../../chat/wire/reaction.ts";
import { ArchiveError } from "../errors.ts";
import type {
  OfficialAddress,
  OfficialContact,
  OfficialEdition,
  OfficialGroup,
  OfficialItem,
  OfficialItemFile,
  OfficialMember,
  OfficialReaction,
  OfficialServer,
  OfficialUser,
} from "./chat-types.ts";
import { keyHashIn, maybeTimeIn, nameIn, serverIn, timeIn, wordIn } from "./columns.ts";
import { collected, readable, type RowFailure } from "./failures.ts";
import { chatIn, itemFileIn, itemIn, jsonIn, maybeId, understood } from "./items.ts";
import { type NamedProfile, preferencesIn, readGroupProfiles, readProfiles, type Unread } from "./profiles.ts";
import type { Database, Row } from "./sqlite/database.ts";

/** What the chat notes of a connection of the agent. */
interface Binding {
  readonly connection: string;
  readonly row: Row;
}

interface Bindings {
  readonly contacts: ReadonlyMap<number, Binding>;
  readonly members: ReadonlyMap<number, Binding>;
  readonly addresses: ReadonlyMap<number, Binding>;
}

const NOTIFICATIONS = ["none", "all", "mentions"] as const;
const notificationsIn = (row: Row): OfficialContact["notifications"] =>
  NOTIFICATIONS[row.maybeInt("enable_ntfs") ?? 1] ?? "all";

function known<T>(map: ReadonlyMap<number, T>, number: number, what: string): T {
  const value = map.get(number);
  if (value !== undefined) return value;
  throw new ArchiveError("DAMAGED", `the chat database is damaged: there is no ${what} ${number}; export it again`);
}

function isReady({ row }: Binding): boolean {
  return ["ready", "snd-ready"].includes(row.text("conn_status"));
}

function versionOf({ row }: Binding): NonNullable<OfficialContact["version"]> {
  const [min, max] = [row.int("peer_chat_min_version"), row.int("peer_chat_max_version")];
  return { current: row.maybeInt("conn_chat_version") ?? min, min, max };
}

/** The chat's database of an official program. Every method reads its tables anew, row by row. */
export class OfficialChat {
  readonly #db: Database;
  readonly #unread = new Map<string, number>();
  readonly #failures: RowFailure[] = [];

  constructor(db: Database) {
    this.#db = db;
  }

  /** Values that this version does not understand and left out, by column, of what was read until now. */
  get notUnderstood(): ReadonlyMap<string, number> {
    return this.#unread;
  }

  /** Rows that could not be used and were left out, of what was read until now. */
  get failures(): readonly RowFailure[] {
    return this.#failures;
  }

  #rows<T extends object>(table: string, read: (row: Row) => T | null): AsyncGenerator<T, void, undefined> {
    return readable(table, this.#db.rows(table), this.#failures, read);
  }

  readonly #note: Unread = (kind) => {
    this.#unread.set(kind, (this.#unread.get(kind) ?? 0) + 1);
  };

  async #bindings(): Promise<Bindings> {
    const contacts = new Map<number, Binding>();
    const members = new Map<number, Binding>();
    const addresses = new Map<number, Binding>();
    const put = (map: Map<number, Binding>, id: number | null, binding: Binding): void => {
      const before = id === null ? undefined : map.get(id);
      // Of several connections of one contact the latest that is ready is in use, else the latest.
      if (id !== null && (before === undefined || isReady(binding) || !isReady(before))) map.set(id, binding);
    };
    for await (const row of this.#db.rows("connections")) {
      const binding = { connection: nameIn(row, "agent_conn_id"), row };
      if (row.text("conn_status") === "deleted") continue;
      put(contacts, row.maybeInt("contact_id"), binding);
      put(members, row.maybeInt("group_member_id"), binding);
      put(addresses, row.maybeInt("user_contact_link_id"), binding);
    }
    return { contacts, members, addresses };
  }

  /** @throws ArchiveError DAMAGED, READ */
  async users(): Promise<OfficialUser[]> {
    const profiles = await readProfiles(this.#db, this.#note, this.#failures);
    const own = new Map<number, number>();
    for await (const row of this.#db.rows("contacts")) {
      if (row.flag("is_user")) own.set(row.int("contact_id"), row.int("contact_profile_id"));
    }
    const ttls = new Map<number, number | null>();
    for await (const row of this.#db.rows("settings")) ttls.set(row.int("user_id"), row.maybeInt("chat_item_ttl"));
    const out: OfficialUser[] = [];
    for await (const row of this.#db.rows("users")) {
      const id = row.int("user_id");
      const profile = known(own, row.int("contact_id"), "contact");
      out.push({
        id,
        agentUser: row.int("agent_user_id"),
        profile: known(profiles, profile, "profile").profile,
        isActive: row.flag("active_user"),
        isHidden: row.value("view_pwd_hash") !== null,
        isMuted: !row.flag("show_ntfs"),
        receipts: { contacts: row.flag("send_rcpts_contacts"), groups: row.flag("send_rcpts_small_groups") },
        itemTtl: ttls.get(id) ?? null,
        createdAt: timeIn(row, "created_at"),
      });
    }
    return out;
  }

  /** @throws ArchiveError DAMAGED, READ */
  async *contacts(): AsyncGenerator<OfficialContact, void, undefined> {
    const profiles = await readProfiles(this.#db, this.#note, this.#failures);
    const { contacts } = await this.#bindings();
    yield* this.#rows("contacts", (row) => {
      if (row.flag("is_user") || row.flag("deleted")) return null;
      const profile = known(profiles, row.int("contact_profile_id"), "profile");
      return this.#contact(row, profile, contacts.get(row.int("contact_id")), profiles);
    });
  }

  #contact(
    row: Row,
    { profile, alias }: NamedProfile,
    binding: Binding | undefined,
    profiles: ReadonlyMap<number, NamedProfile>,
  ): OfficialContact {
    const incognito = binding?.row.maybeInt("custom_user_profile_id") ?? null;
    const code = binding?.row.maybeText("security_code") ?? null;
    const verifiedAt = binding && maybeTimeIn(binding.row, "security_code_verified_at");
    return {
      id: row.int("contact_id"),
      user: row.int("user_id"),
      name: row.text("local_display_name"),
      alias,
      profile,
      incognito: incognito === null ? null : known(profiles, incognito, "profile").profile,
      preferences: preferencesIn(row, "user_preferences", this.#note),
      connection: binding?.connection ?? null,
      connectionStatus: binding?.row.text("conn_status") ?? null,
      status: wordIn(row, "contact_status", "active", "deleted", "deletedByUser", "rejected"),
      version: binding ? versionOf(binding) : null,
      security: code !== null && typeof verifiedAt === "number" ? { code, verifiedAt } : null,
      notifications: notificationsIn(row),
      receipts: row.maybeFlag("send_rcpts"),
      isFavourite: row.flag("favorite"),
      isUnread: row.flag("unread_chat"),
      itemTtl: row.maybeInt("chat_item_ttl"),
      contactReqId: maybeId(row, "xcontact_id"),
      createdAt: timeIn(row, "created_at"),
      lastAt: maybeTimeIn(row, "chat_ts"),
    };
  }

  /** Of users, and of their groups. @throws ArchiveError DAMAGED, READ */
  async addresses(): Promise<OfficialAddress[]> {
    const { addresses } = await this.#bindings();
    const read = (row: Row): OfficialAddress => {
      const id = row.int("user_contact_link_id");
      const hasWelcome = row.value("auto_reply_msg_content") !== null;
      return {
        id,
        user: row.int("user_id"),
        group: row.maybeInt("group_id"),
        role: row.maybeText("group_link_member_role"),
        connection: addresses.get(id)?.connection ?? null,
        link: row.text("conn_req_contact"),
        shortLink: row.maybeText("short_link_contact"),
        autoAccept: row.flag("auto_accept"),
        incognito: row.flag("auto_accept_incognito"),
        welcome: hasWelcome ? understood(() => msgContent.read(jsonIn(row, "auto_reply_msg_content"))) : null,
      };
    };
    return collected(this.#rows("user_contact_links", read));
  }

  /** All members of all groups, the user included. @throws ArchiveError DAMAGED, READ */
  async *members(): AsyncGenerator<OfficialMember, void, undefined> {
    const profiles = await readProfiles(this.#db, this.#note, this.#failures);
    const { members } = await this.#bindings();
    yield* this.#rows("group_members", (row) => {
      const id = row.int("group_member_id");
      const number = row.maybeInt("member_profile_id") ?? row.int("contact_profile_id");
      return {
        id,
        group: row.int("group_id"),
        memberId: idFrom(row.bytes("member_id")),
        role: wordIn(row, "member_role", ...ROLES),
        category: row.text("member_category"),
        status: row.text("member_status"),
        name: row.text("local_display_name"),
        profile: known(profiles, number, "profile").profile,
        connection: members.get(id)?.connection ?? null,
        contact: row.maybeInt("contact_id"),
        invitedBy: row.maybeInt("invited_by_group_member_id"),
        isBlocked: row.maybeInt("show_messages") === 0,
        isRestricted: row.maybeText("member_restriction") === "blocked",
        versions: { min: row.int("peer_chat_min_version"), max: row.int("peer_chat_max_version") },
      };
    });
  }

  /** @throws ArchiveError DAMAGED, READ */
  async *groups(): AsyncGenerator<OfficialGroup, void, undefined> {
    const profiles = await readGroupProfiles(this.#db, this.#note, this.#failures);
    const own = new Map<number, OfficialMember>();
    for await (const member of this.members()) if (member.category === "user") own.set(member.group, member);
    yield* this.#rows("groups", (row) => {
      const id = row.int("group_id");
      return {
        id,
        user: row.int("user_id"),
        name: row.text("local_display_name"),
        alias: row.maybeText("local_alias") ?? "",
        profile: known(profiles, row.int("group_profile_id"), "group profile"),
        own: own.get(id) ?? null,
        notifications: notificationsIn(row),
        receipts: row.maybeFlag("send_rcpts"),
        isFavourite: row.flag("favorite"),
        isUnread: row.flag("unread_chat"),
        itemTtl: row.maybeInt("chat_item_ttl"),
        createdAt: timeIn(row, "created_at"),
        lastAt: maybeTimeIn(row, "chat_ts"),
      };
    });
  }

  /** Notes to self: the number of the conversation and of its user. @throws ArchiveError DAMAGED, READ */
  async notes(): Promise<{ readonly id: number; readonly user: number }[]> {
    const out = [];
    for await (const row of this.#db.rows("note_folders")) out.push({ id: row.int("note_folder_id"), user: row.int("user_id") });
    return out;
  }

  /** In the order in which they were stored. @throws ArchiveError DAMAGED, READ */
  async *items(): AsyncGenerator<OfficialItem, void, undefined> {
    const files = new Map<number, OfficialItemFile>();
    const read = (row: Row): { readonly item: number | null; readonly file: OfficialItemFile } => {
      return { item: row.maybeInt("chat_item_id"), file: itemFileIn(row) };
    };
    for await (const { item, file } of this.#rows("files", read)) if (item !== null) files.set(item, file);
    yield* this.#rows("chat_items", (row) => {
      const item = itemIn(row, files.get(row.int("chat_item_id")) ?? null);
      if (item === null) this.#note("chat_items");
      return item;
    });
  }

  /** @throws ArchiveError DAMAGED, READ */
  async *editions(): AsyncGenerator<OfficialEdition, void, undefined> {
    yield* this.#rows("chat_item_versions", (row) => {
      const content = understood(() => msgContent.read(jsonIn(row, "msg_content")));
      if (content === null) this.#note("msg_content");
      return content && { item: row.int("chat_item_id"), content, at: timeIn(row, "item_version_ts") };
    });
  }

  /** @throws ArchiveError DAMAGED, READ */
  async *reactions(): AsyncGenerator<OfficialReaction, void, undefined> {
    yield* this.#rows("chat_item_reactions", (row) => {
      const chat = chatIn(row);
      const reaction = understood(() => reactionCodec.read(jsonIn(row, "reaction")));
      if (chat === null || reaction === null) {
        this.#note("reaction");
        return null;
      }
      return {
        chat,
        msgId: idFrom(row.bytes("shared_msg_id")),
        author: maybeId(row, "item_member_id"),
        isOwn: row.flag("reaction_sent"),
        member: row.maybeInt("group_member_id"),
        reaction,
        at: timeIn(row, "reaction_ts"),
      };
    });
  }

  /** @throws ArchiveError DAMAGED, READ */
  async servers(): Promise<OfficialServer[]> {
    const read = (row: Row): OfficialServer => {
      return {
        user: row.int("user_id"),
        protocol: wordIn(row, "protocol", "smp", "xftp"),
        server: serverIn(row, keyHashIn(row, "key_hash")),
        password: row.maybeText("basic_auth"),
        isPreset: row.flag("preset"),
        isEnabled: row.flag("enabled"),
      };
    };
    return collected(this.#rows("protocol_servers", read));
  }

  /** Settings of the app as JSON, as it stored them last; null: never. @throws ArchiveError DAMAGED, READ */
  async appSettings(): Promise<string | null> {
    let settings: string | null = null;
    for await (const row of this.#db.rows("app_settings")) settings = row.text("app_settings");
    return settings;
  }
}
