import { parseLink } from "../../../agent/wire/link.ts";
import { LinkError } from "../../../agent/wire/link-error.ts";
import type { Group } from "../../group-records.ts";
import type { MsgContent } from "../../wire/content.ts";
import type { FullGroupPreferences, GroupFeature, Role } from "../../wire/preferences.ts";
import { fullGroupPreferences, isAllowedInGroup, isAtLeast } from "../../wire/rules/preferences.ts";

export function preferencesOf({ profile }: Group): FullGroupPreferences {
  return fullGroupPreferences(profile.groupPreferences);
}

/** Whether a member with this role may use a feature. */
export function mayUse(group: Group, feature: GroupFeature, role: Role): boolean {
  return isAllowedInGroup(preferencesOf(group)[feature], role);
}

/** Whether messages disappear, and after how many seconds unless they say so. */
export function timedIn(group: Group): { readonly isOn: boolean; readonly ttl: number | null } {
  const { enable, ttl } = preferencesOf(group).timedMessages;
  return { isOn: enable === "on", ttl: enable === "on" ? (ttl ?? null) : null };
}

const LINK = /(?:simplex:\/|https:\/\/)\S+/gu;
const AFTER = /[).,;:!?\]}>'"]+$/u;

/** Whether a text holds a link that leads to somebody. */
export function hasSimplexLink(text: string): boolean {
  return (text.match(LINK) ?? []).some((found) => {
    if (found.startsWith("simplex:/")) return true;
    try {
      parseLink(found.replace(AFTER, ""));
      return true;
    } catch (error) {
      // It is one, though it leads nowhere.
      if (error instanceof LinkError) return error.failure !== "SYNTAX";
      throw error;
    }
  });
}

/** What the group does not let a member of this role send; null: it may send it. `isOwn`: the user is the member. */
export function prohibitedFeature(
  group: Group,
  role: Role,
  content: MsgContent,
  { hasFile, isOwn, isScoped }: { readonly hasFile: boolean; readonly isOwn: boolean; readonly isScoped: boolean },
): GroupFeature | null {
  const isVoice = content.type === "voice";
  if (isVoice && !mayUse(group, "voice", role)) return "voice";
  if (isScoped) return null;
  if (hasFile && !isVoice && !mayUse(group, "files", role)) return "files";
  if (content.type === "report") {
    const isModerator = isAtLeast(group.role, "moderator");
    // Moderators get reports and send none.
    if (isOwn === isModerator || preferencesOf(group).reports.enable === "off") return "reports";
  }
  return holdsProhibitedLink(group, role, content) ? "simplexLinks" : null;
}

/** Whether the text, of whatever kind of message, holds a link that a member of this role may not send. */
export function holdsProhibitedLink(group: Group, role: Role, { text }: MsgContent): boolean {
  return !mayUse(group, "simplexLinks", role) && hasSimplexLink(text);
}
