import type { Contact, User } from "../records.ts";
import type { Feature, FullPreferences } from "../wire/preferences.ts";
import type { Profile } from "../wire/profile.ts";
import {
  type Effective,
  effectivePreferences,
  fullPreferences,
  type Timed,
  timedMessages,
} from "../wire/rules/preferences.ts";

/** What the two sides of a contact want, and what follows from it. */
export interface Agreement {
  readonly mine: FullPreferences;
  readonly theirs: FullPreferences;
  readonly effective: Readonly<Record<Feature, Effective>>;
  readonly timed: Timed;
}

/** Who sees a random profile does not see the user's preferences in it either. */
function minePreferences(user: User, contact: Contact): FullPreferences {
  return fullPreferences(contact.incognito ? undefined : user.profile.preferences, contact.preferences);
}

export function agreementOf(user: User, contact: Contact): Agreement {
  const mine = minePreferences(user, contact);
  const theirs = fullPreferences(contact.profile?.preferences);
  const effective = effectivePreferences(mine, theirs);
  return { mine, theirs, effective, timed: timedMessages(mine, theirs) };
}

/** How the user shows itself to a contact. */
export function shownProfile(user: User, contact: Contact): Profile {
  return { ...(contact.incognito ?? user.profile), preferences: minePreferences(user, contact) };
}

/** Features on which two agreements differ. */
export function differences(before: Agreement, after: Agreement): Feature[] {
  const features = Object.keys(before.effective) as Feature[];
  return features.filter((feature) => {
    const [a, b] = [before.effective[feature], after.effective[feature]];
    const isTtl = feature === "timedMessages" && before.theirs.timedMessages.ttl !== after.theirs.timedMessages.ttl;
    return a.forMe !== b.forMe || a.forContact !== b.forContact || isTtl;
  });
}
