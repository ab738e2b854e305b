import fc from "fast-check";
import { base64url } from "#crypto/bytes";
import type { ChatLink, LinkContent, LinkPreview, MsgContent } from "../../../../client/chat/wire/content.ts";
import type { JsonObject, Unknown } from "../../../../client/chat/wire/json.ts";
import {
  type Allow,
  type BotCommand,
  type GroupPreferences,
  type Preferences,
  type Role,
  ROLES,
} from "../../../../client/chat/wire/preferences.ts";
import type { GroupProfile, Profile } from "../../../../client/chat/wire/profile.ts";

type OptionalKeys<T> = { [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? K : never }[keyof T];
type Model<T> = { readonly [K in keyof T]-?: fc.Arbitrary<Exclude<T[K], undefined>> };

/** A record of which the fields named second may be missing. */
export function record<T extends object>(model: Model<T>, ...optional: readonly OptionalKeys<T>[]): fc.Arbitrary<T> {
  const requiredKeys = (Object.keys(model) as (keyof T)[]).filter(
    (key) => !(optional as readonly (keyof T)[]).includes(key),
  );
  return fc.record(model as never, {
    requiredKeys: requiredKeys as never,
    noNullPrototype: true,
  }) as unknown as fc.Arbitrary<T>;
}
export const exactly = <const T>(value: T): fc.Arbitrary<T> => fc.constant(value);
/** Any well-formed text, also with what JSON has to escape. */
export const text = fc.oneof(fc.string({ unit: "binary", maxLength: 30 }), fc.string({ unit: "grapheme", maxLength: 20 }));
export const natural = fc.maxSafeInteger().map(Math.abs);
export const id = fc.uint8Array({ minLength: 1, maxLength: 40 }).map(base64url);
export const time = fc
  .tuple(
    fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true }),
    fc.stringMatching(/^(?:\.\d{1,12})?$/),
  )
  .map(([date, fraction]) => `${date.toISOString().slice(0, 19)}${fraction}Z`);

const anyName = fc.oneof(text, fc.constantFrom("__proto__", "hasOwnProperty", "text", "type"));
/** Any object, as it comes out of JSON, where zero has no sign. */
export const jsonObject: fc.Arbitrary<JsonObject> = fc
  .dictionary(anyName, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 })
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonObject);
export const unknown = fc
  .tuple(
    text.map((tag) => `not ${tag}`),
    jsonObject,
  )
  .map(([tag, json]): Unknown => ({ type: "unknown", tag, json: { ...json, type: tag } }));

const allow = fc.constantFrom<Allow[]>("always", "yes", "no");
const allowed = record({ allow });
const botCommand: fc.Arbitrary<BotCommand> = fc.letrec<{ command: BotCommand; menu: BotCommand; any: BotCommand }>(
  (tie) => ({
    any: fc.oneof({ depthSize: "small", withCrossShrink: true }, tie("command"), tie("menu")),
    command: record<Extract<BotCommand, { type: "command" }>>(
      { type: exactly("command"), keyword: text, label: text, params: text },
      "params",
    ),
    menu: record({ type: exactly("menu"), label: text, commands: fc.array(tie("any"), { maxLength: 3 }) }),
  }),
).any;
const commands = fc.array(botCommand, { maxLength: 2 });

export const preferences: fc.Arbitrary<Preferences> = record<Preferences>(
  {
    timedMessages: record<{ allow: Allow; ttl?: number }>({ allow, ttl: natural }, "ttl"),
    fullDelete: allowed,
    reactions: allowed,
    voice: allowed,
    files: allowed,
    calls: allowed,
    sessions: allowed,
    commands,
  },
  "timedMessages",
  "fullDelete",
  "reactions",
  "voice",
  "files",
  "calls",
  "sessions",
  "commands",
);

export const role: fc.Arbitrary<Role> = fc.constantFrom(...ROLES);
const enable = fc.constantFrom<("on" | "off")[]>("on", "off");
const switched = record({ enable });
const switchedFor = record<{ enable: "on" | "off"; role?: Role }>({ enable, role }, "role");
export const groupPreferences: fc.Arbitrary<GroupPreferences> = record<GroupPreferences>(
  {
    timedMessages: record<{ enable: "on" | "off"; ttl?: number }>({ enable, ttl: natural }, "ttl"),
    directMessages: switchedFor,
    fullDelete: switchedFor,
    reactions: switched,
    voice: switchedFor,
    files: switchedFor,
    simplexLinks: switchedFor,
    reports: switched,
    history: switched,
    sessions: switchedFor,
    commands,
  },
  "timedMessages",
  "directMessages",
  "fullDelete",
  "reactions",
  "voice",
  "files",
  "simplexLinks",
  "reports",
  "history",
  "sessions",
  "commands",
);

export const profile: fc.Arbitrary<Profile> = record<Profile>(
  {
    displayName: text,
    fullName: text,
    shortDescr: text,
    image: text,
    contactLink: text,
    preferences,
    peerType: text,
  },
  "shortDescr",
  "image",
  "contactLink",
  "preferences",
  "peerType",
);
export const groupProfile: fc.Arbitrary<GroupProfile> = record<GroupProfile>(
  {
    displayName: text,
    fullName: text,
    shortDescr: text,
    description: text,
    image: text,
    groupPreferences,
    memberAdmission: record<{ review?: string }>({ review: text }, "review"),
  },
  "shortDescr",
  "description",
  "image",
  "groupPreferences",
  "memberAdmission",
);

const linkContent: fc.Arbitrary<LinkContent | Unknown> = fc.oneof(
  record({ type: exactly("page") }),
  record({ type: exactly("image") }),
  record<Extract<LinkContent, { type: "video" }>>({ type: exactly("video"), duration: natural }, "duration"),
  unknown,
);
const preview = record<LinkPreview>(
  { uri: text, title: text, description: text, image: text, content: linkContent },
  "content",
);
const chatLink: fc.Arbitrary<ChatLink> = fc.oneof<fc.Arbitrary<ChatLink>[]>(
  record({ type: exactly("contact"), connLink: text, profile, business: fc.boolean() }),
  record({ type: exactly("invitation"), invLink: text, profile }),
  record({ type: exactly("group"), connLink: text, groupProfile }),
);
export const content: fc.Arbitrary<MsgContent> = fc.oneof<fc.Arbitrary<MsgContent>[]>(
  record({ type: exactly("text"), text }),
  record({ type: exactly("link"), text, preview }),
  record({ type: exactly("image"), text, image: text }),
  record({ type: exactly("video"), text, image: text, duration: natural }),
  record({ type: exactly("voice"), text, duration: natural }),
  record({ type: exactly("file"), text }),
  record({ type: exactly("report"), text, reason: text }),
  record({ type: exactly("chat"), text, chatLink }),
  fc.tuple(unknown, text).map(([{ tag, json }, words]) => ({
    type: "unknown" as const,
    tag,
    text: words,
    json: { ...json, text: words },
  })),
);
