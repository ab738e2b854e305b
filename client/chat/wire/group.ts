import type { VersionRange } from "#protocol/version";
import { type Id, id } from "./ids.ts";
import { type JsonCodec, natural, object, oneOf, type Open, open, optional, text } from "./json.ts";
import { type Role, role } from "./preferences.ts";
import { type GroupProfile, groupProfile, type Profile, profile } from "./profile.ts";
import { chatVersions } from "./versions.ts";

/** A member and what it may do. */
export interface MemberIdRole {
  readonly memberId: Id;
  readonly memberRole: Role;
}

const memberIdRole = object<MemberIdRole>({ memberId: id, memberRole: role });

export interface BusinessChat {
  readonly chatType: "business" | "customer";
  readonly businessId: Id;
  readonly customerId: Id;
}

export const businessChat: JsonCodec<BusinessChat> = object<BusinessChat>({
  chatType: oneOf("business", "customer"),
  businessId: id,
  customerId: id,
});

const business = optional(businessChat);

/** Asks a contact into a group. */
export interface GroupInvitation {
  readonly fromMember: MemberIdRole;
  readonly invitedMember: MemberIdRole;
  /** Link of the connection to the member who invites. */
  readonly connRequest: string;
  readonly groupProfile: GroupProfile;
  readonly business?: BusinessChat;
  readonly groupLinkId?: Id;
  readonly groupSize?: number;
}

export const groupInvitation: JsonCodec<GroupInvitation> = object<GroupInvitation>({
  fromMember: memberIdRole,
  invitedMember: memberIdRole,
  connRequest: text,
  groupProfile,
  business,
  groupLinkId: optional(id),
  groupSize: optional(natural),
});

export type Acceptance = "accepted" | "pending" | "pending_review";

export const acceptance: JsonCodec<Acceptance> = oneOf("accepted", "pending", "pending_review");

/** Takes in somebody who came by the link of a group. */
export interface GroupLinkInvitation {
  readonly fromMember: MemberIdRole;
  readonly fromMemberName: string;
  readonly invitedMember: MemberIdRole;
  readonly groupProfile: GroupProfile;
  readonly accepted?: Acceptance;
  readonly business?: BusinessChat;
  readonly groupSize?: number;
}

export const groupLinkInvitation: JsonCodec<GroupLinkInvitation> = object<GroupLinkInvitation>({
  fromMember: memberIdRole,
  fromMemberName: text,
  invitedMember: memberIdRole,
  groupProfile,
  accepted: optional(acceptance),
  business,
  groupSize: optional(natural),
});

/** Refuses somebody who came by the link of a group. */
export interface GroupLinkRejection {
  readonly fromMember: MemberIdRole;
  readonly invitedMember: MemberIdRole;
  readonly groupProfile: GroupProfile;
  readonly rejectionReason: Open<"long_name" | "blocked_name">;
}

export const groupLinkRejection: JsonCodec<GroupLinkRejection> = object<GroupLinkRejection>({
  fromMember: memberIdRole,
  invitedMember: memberIdRole,
  groupProfile,
  rejectionReason: open,
});

export interface MemberInfo {
  readonly memberId: Id;
  readonly memberRole: Role;
  /** Chat versions of the member; absent when they are not known. */
  readonly v?: VersionRange;
  readonly profile: Profile;
}

export const memberInfo: JsonCodec<MemberInfo> = object<MemberInfo>({
  memberId: id,
  memberRole: role,
  v: optional(chatVersions),
  profile,
});

export interface MemberRestrictions {
  readonly restriction: Open<"blocked" | "unrestricted">;
}

export const memberRestrictions: JsonCodec<MemberRestrictions> = object<MemberRestrictions>({ restriction: open });

/** How a new member can be reached by another one. */
export interface MemberIntro {
  readonly groupConnReq: string;
  /** Of old clients, which made a contact of each member. */
  readonly directConnReq?: string;
}

export const memberIntro: JsonCodec<MemberIntro> = object<MemberIntro>({
  groupConnReq: text,
  directConnReq: optional(text),
});
