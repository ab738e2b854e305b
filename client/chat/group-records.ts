import * as v from "valibot";
import {
  asText,
  count,
  form,
  type ItemStatus,
  type RecordForm,
  status as itemStatus,
  textOf,
  textOrNull,
  time,
} from "./records.ts";
import { businessChat } from "./wire/group.ts";
import { ROLES } from "./wire/preferences.ts";
import { groupProfile, profile } from "./wire/profile.ts";
import { chatVersions } from "./wire/versions.ts";

// What the chat stores of groups.

const role = v.picklist(ROLES);

const group = v.object({
  id: v.string(),
  user: v.string(),
  /** Unique among the contacts and groups of the user: the alias, or made of the name that the group has. */
  name: v.string(),
  alias: v.nullable(v.string()),
  profile: asText(groupProfile),
  status: v.picklist(["invited", "joining", "connected", "failed", "left", "removed", "deleted", "leaving"]),
  /** Why it failed. */
  failure: v.nullable(v.string()),
  /** The moderators have not let the user in yet. */
  isPending: v.boolean(),
  /** The user's own. */
  role,
  /** By which the others know the user; null until the member who lets the user in has told. */
  memberId: v.nullable(v.string()),
  /** The profile shown to the members in place of the user's. */
  incognito: v.nullable(asText(profile)),
  /** What the members were told last of the user, as JSON: they are told again only what differs. */
  shown: v.nullable(v.string()),
  /** The member who lets the user in; null in groups that the user has created. */
  host: v.nullable(v.string()),
  /** The contact who asked the user into the group. */
  invitedBy: v.nullable(v.string()),
  /** Whose the group is when it is a conversation with a business. */
  business: v.nullable(asText(businessChat)),
  /** The link of the group that is followed. */
  link: v.nullable(v.string()),
  /** Of the attempt to connect. */
  contactReqId: v.nullable(v.string()),
  isMuted: v.boolean(),
  isFavourite: v.boolean(),
  /** Whether members get receipts; null: as the user wants it for all. */
  receipts: v.nullable(v.boolean()),
  createdAt: time,
  nextMember: count,
});
export type Group = Readonly<v.InferOutput<typeof group>>;
export type GroupStatus = Group["status"];
export const groupForm: RecordForm<Group> = form<Group>(group, (value) => ({
  profile: textOf(groupProfile, value.profile),
  incognito: textOrNull(profile, value.incognito),
  business: textOrNull(businessChat, value.business),
}));

const member = v.object({
  id: v.string(),
  group: v.string(),
  /** By which all members know it; null: the member behind a link, until it has told. */
  memberId: v.nullable(v.string()),
  /** Unique in the group. */
  name: v.string(),
  role,
  profile: asText(profile),
  /**
   * How it came to be known: let in by the user (`invitee`), the one who lets the user in (`host`), there before the
   * user (`pre`) or after (`post`).
   */
  category: v.picklist(["invitee", "host", "pre", "post"]),
  /**
   * `unknown`: only something that it wrote came, passed on. `pending`: its moderators have not let it in yet.
   * `announced`: a member without a connection. `connecting`: the connection is being made.
   */
  status: v.picklist(["unknown", "invited", "pending", "announced", "connecting", "connected", "left", "removed"]),
  /** Of the agent; null before it is made and after it is gone. */
  connection: v.nullable(v.string()),
  /** The connection is made. */
  isReady: v.boolean(),
  /** What the agent is still to be asked for: to make an invitation, to follow `link`, to accept the request. */
  task: v.nullable(v.picklist(["invite", "join", "accept"])),
  /** The invitation that was made for the member, or the link that leads to it. */
  link: v.nullable(v.string()),
  /** Chat version of the connection. */
  version: count,
  /** Chat versions that the member speaks. */
  versions: asText(chatVersions),
  /** The member who let it in; null: the user, or nobody knows. */
  invitedBy: v.nullable(v.string()),
  /** Of its attempt to come through the link. */
  contactReqId: v.nullable(v.string()),
  /** The contact who it is. */
  contact: v.nullable(v.string()),
  /** By the user, for itself. */
  isBlocked: v.boolean(),
  /** By a moderator, for all. */
  isRestricted: v.boolean(),
  /** The member behind a link has told its profile, which it can do once. */
  hasIntroduced: v.boolean(),
  /** The connection goes as soon as what waits for the member was sent. */
  isEnding: v.boolean(),
  createdAt: time,
  nextOut: count,
});
export type Member = Readonly<v.InferOutput<typeof member>>;
export type MemberStatus = Member["status"];
export const memberForm: RecordForm<Member> = form<Member>(member, (value) => ({
  profile: textOf(profile, value.profile),
  versions: textOf(chatVersions, value.versions),
}));

/** What leads into a group. */
const groupLink = v.object({
  group: v.string(),
  user: v.string(),
  connection: v.string(),
  link: v.string(),
  shortLink: v.nullable(v.string()),
  /** Who comes through it gets this role. */
  role,
  /** What stands behind the short link is not what it should be. */
  isStale: v.boolean(),
});
export type GroupLink = Readonly<v.InferOutput<typeof groupLink>>;
export const groupLinkForm: RecordForm<GroupLink> = form<GroupLink>(groupLink);

/** What one member writes is passed on to another one until the two are connected. */
const passage = v.object({
  to: v.string(),
  /** The writer is the one of the two who came later. */
  isNewcomer: v.boolean(),
  /** The newcomer's invitation went to the other one. */
  isForwarded: v.boolean(),
});
export type Passage = Readonly<v.InferOutput<typeof passage>>;
export const passageForm: RecordForm<Passage> = form<Passage>(passage);

/** A message that came; `by`: the member who passed it on, null when it came from its author. */
const seen = v.object({ by: v.nullable(v.string()) });
export type Seen = Readonly<v.InferOutput<typeof seen>>;
export const seenForm: RecordForm<Seen> = form<Seen>(seen);

/** A moderator deleted a message that is not here yet. */
const moderation = v.object({ by: v.string(), at: time });
export type Moderation = Readonly<v.InferOutput<typeof moderation>>;
export const moderationForm: RecordForm<Moderation> = form<Moderation>(moderation);

/** How far an own message is on its way to each member whom it goes to. */
const deliveries = v.object({ members: v.record(v.string(), itemStatus) });
export interface Deliveries {
  /** By id of the member. */
  readonly members: Readonly<Record<string, ItemStatus>>;
}
export const deliveriesForm: RecordForm<Deliveries> = form<Deliveries>(deliveries as v.GenericSchema<unknown, Deliveries>);

