import {
  DEFAULT_GROUP_PREFERENCES,
  DEFAULT_PREFERENCES,
  type Feature,
  type FullGroupPreferences,
  type FullPreferences,
  type GroupPreferences,
  type Preference,
  type Preferences,
  type Role,
  type RoleGroupPreference,
  ROLES,
} from "../preferences.ts";

/**
 * What one side wants of every feature: what is set for this contact, else what its profile says, else the default.
 * These go into the profile that the contact gets.
 */
export function fullPreferences(profile: Preferences | undefined, forContact: Preferences = {}): FullPreferences {
  const { commands: _, ...features } = { ...DEFAULT_PREFERENCES, ...profile, ...forContact };
  return features;
}

/** Who of the two may use a feature. */
export interface Effective {
  readonly forMe: boolean;
  readonly forContact: boolean;
}

/** Messages disappear for both or for nobody. */
const SYMMETRIC: ReadonlySet<Feature> = new Set<Feature>(["timedMessages"]);

/** What two sides agree on who want this of a feature (chat specification, section 2). */
export function effectivePreference(feature: Feature, mine: Preference, theirs: Preference): Effective {
  if (mine.allow !== "no" && theirs.allow !== "no") return { forMe: true, forContact: true };
  if (SYMMETRIC.has(feature)) return { forMe: false, forContact: false };
  return { forMe: theirs.allow === "always", forContact: mine.allow === "always" };
}

/** Of every feature who may use it. */
export function effectivePreferences(
  mine: FullPreferences,
  theirs: FullPreferences,
): Readonly<Record<Feature, Effective>> {
  const of = (feature: Feature): Effective => effectivePreference(feature, mine[feature], theirs[feature]);
  return {
    timedMessages: of("timedMessages"),
    fullDelete: of("fullDelete"),
    reactions: of("reactions"),
    voice: of("voice"),
    files: of("files"),
    calls: of("calls"),
    sessions: of("sessions"),
  };
}

/**
 * Whether messages disappear in a conversation, and after how many seconds own ones do (null: when a message says
 * so).
 */
export interface Timed {
  readonly isOn: boolean;
  readonly ttl: number | null;
}

export function timedMessages(mine: FullPreferences, theirs: FullPreferences): Timed {
  const isOn = effectivePreference("timedMessages", mine.timedMessages, theirs.timedMessages).forMe;
  return { isOn, ttl: isOn ? (mine.timedMessages.ttl ?? null) : null };
}

/** Seconds: ten years. Longer ones would make times that nothing can hold. */
export const MAX_TTL = 315_360_000;

/** The seconds after which a received message disappears; null when it stays. */
export function receivedTtl(isOn: boolean, ttl: number | undefined): number | null {
  return isOn && ttl !== undefined && ttl > 0 ? Math.min(ttl, MAX_TTL) : null;
}

export function fullGroupPreferences(preferences: GroupPreferences = {}): FullGroupPreferences {
  const { commands: _, ...features } = { ...DEFAULT_GROUP_PREFERENCES, ...preferences };
  return features;
}

/** Whether a role may do all that the other one may. */
export function isAtLeast(role: Role, other: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(other);
}

/** Whether a member of this role may use a feature of the group. */
export function isAllowedInGroup({ enable, role: lowest }: RoleGroupPreference, role: Role): boolean {
  return enable === "on" && (lowest === undefined || isAtLeast(role, lowest));
}
