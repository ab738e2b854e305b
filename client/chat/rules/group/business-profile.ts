import type { Group, Member } from "../../group-records.ts";
import type { Step } from "../../step.ts";
import type { Profile } from "../../wire/profile.ts";
import { updateGroup } from "./records.ts";

/** The group of a business shows itself as the business, or as the customer, does. */
export async function businessProfileReceived(
  step: Step,
  group: Group,
  member: Member,
  profile: Profile,
): Promise<void> {
  const { business } = group;
  const shown = business?.chatType === "business" ? business.businessId : business?.customerId;
  if (shown === undefined || shown !== member.memberId) return;
  const { displayName, fullName, shortDescr, image } = profile;
  const { shortDescr: _, image: __, ...others } = group.profile;
  await updateGroup(step, group.id, {
    profile: {
      ...others,
      displayName,
      fullName,
      ...(shortDescr !== undefined && { shortDescr }),
      ...(image !== undefined && { image }),
    },
  });
}
