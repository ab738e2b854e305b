import { ChatError } from "../../errors.ts";
import type { Group, Member } from "../../group-records.ts";
import type { User } from "../../records.ts";
import type { MemberInfo } from "../../wire/group.ts";
import {
  type GroupProfile,
  groupProfile as groupProfileCodec,
  type Profile,
  profile as profileCodec,
} from "../../wire/profile.ts";
import { displayName } from "../../wire/rules/display.ts";
import { MAX_PROFILE_IMAGE_LENGTH, MAX_SHORT_DESCR_LENGTH } from "../../wire/rules/limits.ts";
import { nameProblem } from "../../wire/rules/names.ts";
import { MAX_FORWARDED_NAME } from "./limits.ts";

/** What members of a group see of each other: no address, no preferences. */
export function memberProfile({ displayName: name, fullName, shortDescr, image, peerType }: Profile): Profile {
  return {
    displayName: name,
    fullName,
    ...(shortDescr !== undefined && { shortDescr }),
    ...(image !== undefined && { image }),
    ...(peerType !== undefined && { peerType }),
  };
}

/** How the user shows itself in a group. */
export function ownProfile(user: User, group: Group): Profile {
  return memberProfile(group.incognito ?? user.profile);
}

export const profileText = (profile: Profile): string => JSON.stringify(profileCodec.write(profile));

export const groupProfileText = (profile: GroupProfile): string => JSON.stringify(groupProfileCodec.write(profile));

/** What others are told of a member. */
export function memberInfoOf({ memberId, role, versions, profile }: Member): MemberInfo {
  return { memberId: memberId ?? "", memberRole: role, v: versions, profile: memberProfile(profile) };
}

/** The name that goes with what is passed on. */
export function shortName({ profile }: Pick<Member, "profile">): string {
  const letters = [...displayName(profile.displayName)];
  return letters.length <= MAX_FORWARDED_NAME ? letters.join("") : `${letters.slice(0, MAX_FORWARDED_NAME).join("")}…`;
}

/** @throws ChatError "CONTENT", "LARGE" when a profile cannot be that of a group. */
export function checkGroupProfile({ displayName: name, shortDescr = "", image = "" }: GroupProfile): void {
  const problem = nameProblem(name);
  if (problem !== null) throw new ChatError("CONTENT", problem);
  if ([...shortDescr].length > MAX_SHORT_DESCR_LENGTH) {
    throw new ChatError("CONTENT", `a description must not be longer than ${MAX_SHORT_DESCR_LENGTH} characters`);
  }
  if (image !== "" && !image.startsWith("data:image/")) throw new ChatError("CONTENT", "the image is not a data URI");
  if (image.length > MAX_PROFILE_IMAGE_LENGTH) {
    throw new ChatError("LARGE", `the image takes ${image.length} characters, ${MAX_PROFILE_IMAGE_LENGTH} fit`);
  }
}
