import type { ItemStatus } from "../../chat/records.ts";
import type { MsgContainer } from "../../chat/wire/container.ts";
import type { MsgContent } from "../../chat/wire/content.ts";
import type { Id } from "../../chat/wire/ids.ts";
import type { Preferences, Role } from "../../chat/wire/preferences.ts";
import type { GroupProfile, Profile } from "../../chat/wire/profile.ts";
import type { Reaction } from "../../chat/wire/reaction.ts";
import type { Server } from "#protocol/address";

/** A profile of the user. Numbers are those of the database. */
export interface OfficialUser {
  readonly id: number;
  /** By which the agent knows it. */
  readonly agentUser: number;
  readonly profile: Profile;
  readonly isActive: boolean;
  /** A passphrase hides it in the app. */
  readonly isHidden: boolean;
  readonly isMuted: boolean;
  /** Whether contacts, and members of small groups, get receipts. */
  readonly receipts: { readonly contacts: boolean; readonly groups: boolean };
  /** Seconds after which items are deleted; null: never. */
  readonly itemTtl: number | null;
  readonly createdAt: number;
}

export interface OfficialContact {
  readonly id: number;
  readonly user: number;
  /** Unique among the contacts and groups of the user. */
  readonly name: string;
  /** Empty: none. */
  readonly alias: string;
  readonly profile: Profile;
  /** The profile shown to this contact in place of the user's. */
  readonly incognito: Profile | null;
  /** Set for this contact alone. */
  readonly preferences: Preferences;
  /** Of the agent; null: a contact card without one, or it is gone. */
  readonly connection: string | null;
  /** How far the connection is: `ready` when messages can go both ways. */
  readonly connectionStatus: string | null;
  readonly status: "active" | "deleted" | "deletedByUser" | "rejected";
  /** Chat version of the connection and those of the other side. */
  readonly version: { readonly current: number; readonly min: number; readonly max: number } | null;
  readonly security: { readonly code: string; readonly verifiedAt: number } | null;
  readonly notifications: "all" | "none" | "mentions";
  readonly receipts: boolean | null;
  readonly isFavourite: boolean;
  readonly isUnread: boolean;
  readonly itemTtl: number | null;
  readonly contactReqId: Id | null;
  readonly createdAt: number;
  readonly lastAt: number | null;
}

/** A link that many may use: of the user, or of a group. */
export interface OfficialAddress {
  readonly id: number;
  readonly user: number;
  readonly group: number | null;
  readonly role: string | null;
  readonly connection: string | null;
  readonly link: string;
  readonly shortLink: string | null;
  readonly autoAccept: boolean;
  readonly incognito: boolean;
  readonly welcome: MsgContent | null;
}

export interface OfficialGroup {
  readonly id: number;
  readonly user: number;
  readonly name: string;
  readonly alias: string;
  readonly profile: GroupProfile;
  /** The member who the user is. */
  readonly own: OfficialMember | null;
  readonly notifications: "all" | "none" | "mentions";
  readonly receipts: boolean | null;
  readonly isFavourite: boolean;
  readonly isUnread: boolean;
  readonly itemTtl: number | null;
  readonly createdAt: number;
  readonly lastAt: number | null;
}

export interface OfficialMember {
  readonly id: number;
  readonly group: number;
  readonly memberId: Id;
  readonly role: Role;
  /** `user`, `invitee`, `host`, `pre`, `post`. */
  readonly category: string;
  /** `connected`, `left`, `removed` and the steps before. */
  readonly status: string;
  readonly name: string;
  readonly profile: Profile;
  /** Of the agent. */
  readonly connection: string | null;
  readonly contact: number | null;
  readonly invitedBy: number | null;
  /** The user hides what it writes. */
  readonly isBlocked: boolean;
  /** A moderator hides it from all. */
  readonly isRestricted: boolean;
  readonly versions: { readonly min: number; readonly max: number };
}

export type OfficialChatRef =
  | { readonly type: "contact"; readonly id: number }
  | { readonly type: "group"; readonly id: number }
  | { readonly type: "notes"; readonly id: number };

/** Where the file of an item is. */
export interface OfficialItemFile {
  readonly id: number;
  /** As it was sent. */
  readonly name: string;
  readonly size: number;
  /** In the archive's folder of files; null: it was never fetched. */
  readonly path: string | null;
  /** `snd_complete`, `rcv_complete`, `rcv_invitation`... */
  readonly status: string;
  /** It was encrypted on the device. */
  readonly crypto: FileKey | null;
}

export interface FileKey {
  /** 32 bytes */
  readonly key: Uint8Array;
  /** 24 bytes */
  readonly nonce: Uint8Array;
}

export type OfficialItemBody =
  | { readonly type: "message"; readonly container: MsgContainer }
  /** What the app says of the conversation: its tag, and the words for it. `json`: all of it. */
  | { readonly type: "event"; readonly tag: string; readonly json: string };

export interface OfficialDeletion {
  readonly at: number | null;
  readonly kind: "deleted" | "blocked" | "moderated";
  /** The member who did it. */
  readonly by: number | null;
}

export interface OfficialItem {
  readonly id: number;
  readonly user: number;
  readonly chat: OfficialChatRef;
  readonly isOwn: boolean;
  /** The member of a group who wrote it. */
  readonly member: number | null;
  /** When the relay got it; own items: when they were written. */
  readonly sentAt: number;
  readonly createdAt: number;
  /** By which both sides know it. */
  readonly msgId: Id | null;
  readonly body: OfficialItemBody;
  /** As the app shows it. */
  readonly text: string;
  readonly status: ItemStatus;
  readonly isEdited: boolean;
  /** Deleted by one who could not have it removed: the body stays. */
  readonly deleted: OfficialDeletion | null;
  /** Seconds. */
  readonly ttl: number | null;
  readonly deleteAt: number | null;
  readonly file: OfficialItemFile | null;
}

/** What a message said, the last time included. */
export interface OfficialEdition {
  readonly item: number;
  readonly content: MsgContent;
  readonly at: number;
}

export interface OfficialReaction {
  readonly chat: OfficialChatRef;
  readonly msgId: Id;
  /** The author of the message in a group. */
  readonly author: Id | null;
  readonly isOwn: boolean;
  readonly member: number | null;
  readonly reaction: Reaction;
  readonly at: number;
}

/** A relay of the user's own choice. */
export interface OfficialServer {
  readonly user: number;
  readonly protocol: "smp" | "xftp";
  readonly server: Server;
  readonly password: string | null;
  readonly isPreset: boolean;
  readonly isEnabled: boolean;
}
