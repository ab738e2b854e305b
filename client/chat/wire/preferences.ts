import { type Json, type JsonCodec, list, natural, object, oneOf, optional, tagged, text } from "./json.ts";

/** What one side wants of a feature: `always` allows it to the other side even when that one forbids it. */
export type Allow = "always" | "yes" | "no";

const allow: JsonCodec<Allow> = oneOf("always", "yes", "no");

export interface Preference {
  readonly allow: Allow;
}

export interface TimedPreference extends Preference {
  /** Seconds after which messages disappear; absent when none is proposed. */
  readonly ttl?: number;
}

/** What a person can send to a bot, as its profile lists it. */
export type BotCommand =
  | { readonly type: "command"; readonly keyword: string; readonly label: string; readonly params?: string }
  | { readonly type: "menu"; readonly label: string; readonly commands: readonly BotCommand[] };

type CommandFields = Omit<Extract<BotCommand, { readonly type: "command" }>, "type">;
type MenuFields = Omit<Extract<BotCommand, { readonly type: "menu" }>, "type">;

const botCommands: JsonCodec<readonly BotCommand[]> = {
  read: (json: Json) => list(botCommand).read(json),
  write: (commands) => list(botCommand).write(commands),
};

const botCommand: JsonCodec<BotCommand> = tagged<BotCommand>({
  command: object<CommandFields>({ keyword: text, label: text, params: optional(text) }),
  menu: object<MenuFields>({ label: text, commands: botCommands }),
});

/** Of a profile. What is absent is as in {@link DEFAULT_PREFERENCES}. */
export interface Preferences {
  readonly timedMessages?: TimedPreference;
  readonly fullDelete?: Preference;
  readonly reactions?: Preference;
  readonly voice?: Preference;
  readonly files?: Preference;
  readonly calls?: Preference;
  readonly sessions?: Preference;
  readonly commands?: readonly BotCommand[];
}

export type Feature = Exclude<keyof Preferences, "commands">;

const preference = optional(object<Preference>({ allow }));

export const preferences: JsonCodec<Preferences> = object<Preferences>({
  timedMessages: optional(object<TimedPreference>({ allow, ttl: optional(natural) })),
  fullDelete: preference,
  reactions: preference,
  voice: preference,
  files: preference,
  calls: preference,
  sessions: preference,
  commands: optional(botCommands),
});

/** Every feature with what a side wants of it. */
export type FullPreferences = Required<Pick<Preferences, Feature>>;

/** What a profile wants that does not say (chat specification, section 2). */
export const DEFAULT_PREFERENCES: FullPreferences = {
  timedMessages: { allow: "yes" },
  fullDelete: { allow: "no" },
  reactions: { allow: "yes" },
  voice: { allow: "yes" },
  files: { allow: "always" },
  calls: { allow: "yes" },
  sessions: { allow: "no" },
};

/** Switched on or off for a group. */
export interface GroupPreference {
  readonly enable: "on" | "off";
}

export interface TimedGroupPreference extends GroupPreference {
  /** Seconds. */
  readonly ttl?: number;
}

export interface RoleGroupPreference extends GroupPreference {
  /** The lowest role that may use it; absent: every member. */
  readonly role?: Role;
}

/** Lowest first: each may do all that those before it may. */
export const ROLES = ["observer", "author", "member", "moderator", "admin", "owner"] as const;
export type Role = (typeof ROLES)[number];

export const role: JsonCodec<Role> = oneOf(...ROLES);

/** Of a group. What is absent is as in {@link DEFAULT_GROUP_PREFERENCES}. */
export interface GroupPreferences {
  readonly timedMessages?: TimedGroupPreference;
  readonly directMessages?: RoleGroupPreference;
  readonly fullDelete?: RoleGroupPreference;
  readonly reactions?: GroupPreference;
  readonly voice?: RoleGroupPreference;
  readonly files?: RoleGroupPreference;
  readonly simplexLinks?: RoleGroupPreference;
  readonly reports?: GroupPreference;
  readonly history?: GroupPreference;
  readonly sessions?: RoleGroupPreference;
  readonly commands?: readonly BotCommand[];
}

export type GroupFeature = Exclude<keyof GroupPreferences, "commands">;

const enable = oneOf("on", "off");
const plain = optional(object<GroupPreference>({ enable }));
const withRole = optional(object<RoleGroupPreference>({ enable, role: optional(role) }));

export const groupPreferences: JsonCodec<GroupPreferences> = object<GroupPreferences>({
  timedMessages: optional(object<TimedGroupPreference>({ enable, ttl: optional(natural) })),
  directMessages: withRole,
  fullDelete: withRole,
  reactions: plain,
  voice: withRole,
  files: withRole,
  simplexLinks: withRole,
  reports: plain,
  history: plain,
  sessions: withRole,
  commands: optional(botCommands),
});

export type FullGroupPreferences = Required<Pick<GroupPreferences, GroupFeature>>;

/** What a group wants whose profile does not say (chat specification, section 2). */
export const DEFAULT_GROUP_PREFERENCES: FullGroupPreferences = {
  timedMessages: { enable: "off", ttl: 86_400 },
  directMessages: { enable: "off" },
  fullDelete: { enable: "off" },
  reactions: { enable: "on" },
  voice: { enable: "on" },
  files: { enable: "on" },
  simplexLinks: { enable: "on" },
  reports: { enable: "on" },
  history: { enable: "off" },
  sessions: { enable: "off" },
};
