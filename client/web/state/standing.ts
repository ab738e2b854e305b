import { fullGroupPreferences, isAllowedInGroup, isAtLeast } from "../../chat/wire/rules/preferences.ts";
import { words } from "../words/words.ts";
import type { Line } from "./people.ts";
import type { Talk } from "./talk.ts";

const { cannot } = words.talk;

/** What is to be known before one writes in a conversation; null when there is nothing. */
export function standingOf({ contact, group }: Line): string | null {
  if (group) {
    switch (group.status) {
      case "invited":
        return cannot.groupInvited;
      case "joining":
        return cannot.groupJoining;
      case "failed":
        return cannot.groupFailed;
      case "left":
      case "leaving":
        return cannot.groupLeft;
      case "removed":
        return cannot.groupRemoved;
      case "deleted":
        return cannot.groupDeleted;
      default:
        if (group.isPending) return cannot.groupPending;
        return isAtLeast(group.role, "author") ? null : cannot.observer;
    }
  }
  if (!contact) return null;
  if (contact.isBlocked) return cannot.blocked;
  switch (contact.status) {
    case "connected":
      return null;
    case "invited":
      return cannot.invited;
    case "failed":
      return cannot.failed;
    case "left":
      return cannot.left;
    case "leaving":
      return cannot.leaving;
    default:
      return cannot.connecting;
  }
}

/** Whether there is any sense in writing. */
export function mayWrite({ contact, group }: Line): boolean {
  if (group) return group.status === "connected" && isAtLeast(group.role, "author");
  return !contact || !["failed", "left", "leaving"].includes(contact.status);
}

/** Whether the other side, or the group, lets one use a feature. */
export function mayUse({ line, agreement }: Talk, feature: "voice" | "reactions"): boolean {
  const group = line.value?.group;
  if (group) return isAllowedInGroup(fullGroupPreferences(group.profile.groupPreferences)[feature], group.role);
  return agreement.value?.effective[feature].forMe ?? true;
}
