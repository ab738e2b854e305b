import type { Allow, Feature, GroupFeature, GroupPreferences, Preferences } from "../../chat/wire/preferences.ts";
import { ROLES } from "../../chat/wire/preferences.ts";
import type { Contact } from "../../chat/records.ts";
import type { Scanner } from "../input/scanner.ts";
import { TypedError } from "../input/scanner.ts";
import type { Session } from "../session.ts";
import { readTtl, shownName, shownSpan, TTL_WORDS } from "../view/words.ts";
import { type Command, commandsOf } from "./command.ts";
import { readGroup } from "./members.ts";

interface Names {
  /** As it is typed. */
  readonly word: string;
  readonly says: string;
  /** Null: not for that. */
  readonly contact: Exclude<Feature, "sessions"> | null;
  readonly group: GroupFeature | null;
}

const FEATURES: readonly Names[] = [
  { word: "voice", says: "voice messages", contact: "voice", group: "voice" },
  { word: "files", says: "files and media", contact: "files", group: "files" },
  { word: "delete", says: "deleting messages fully, on both sides", contact: "fullDelete", group: "fullDelete" },
  { word: "reactions", says: "reactions", contact: "reactions", group: "reactions" },
  { word: "calls", says: "calls", contact: "calls", group: null },
  { word: "disappear", says: "messages that disappear", contact: "timedMessages", group: "timedMessages" },
  { word: "direct", says: "direct messages between members", contact: null, group: "directMessages" },
  { word: "history", says: "recent messages for new members", contact: null, group: "history" },
  { word: "links", says: "SimpleX links in messages", contact: null, group: "simplexLinks" },
  { word: "reports", says: "reports to moderators", contact: null, group: "reports" },
];

function readAllow(typed: Scanner): Allow {
  const word = typed.word();
  if (word === "always" || word === "yes" || word === "no") return word;
  throw new TypedError("say always, yes or no");
}

/** `[yes] time`, `yes` or `no`. */
function readTimed(typed: Scanner, before: { readonly ttl?: number } | undefined): Preferences["timedMessages"] & object {
  if (typed.takes("no")) return { allow: "no", ...before };
  typed.takes("yes");
  const word = typed.word();
  if (word === "") return { ...before, allow: "yes" };
  const ttl = readTtl(word);
  if (ttl === null) throw new TypedError(`say after which time: ${TTL_WORDS}, or seconds`);
  return { allow: "yes", ttl };
}

function changed(feature: Exclude<Feature, "sessions">, typed: Scanner, before: Preferences): Preferences {
  if (feature === "timedMessages") return { ...before, timedMessages: readTimed(typed, before.timedMessages) };
  return { ...before, [feature]: { allow: readAllow(typed) } };
}

async function ofContact(session: Session, typed: Scanner, feature: Exclude<Feature, "sessions">): Promise<void> {
  const contact: Contact = await session.book.contact(session.user, typed.name("a contact"));
  const { [feature]: _, ...others } = contact.preferences;
  const preferences: Preferences = typed.isDone ? others : changed(feature, typed, contact.preferences);
  typed.end();
  await session.chat.contacts.setPreferences(contact.id, preferences);
  const set = preferences[feature];
  session.say(`${shownName(contact.name)}: ${set ? `${words(set)}` : "as for all contacts"}; /i @${shownName(contact.name)} shows what both agree on`);
}

function words(set: { readonly allow: Allow; readonly ttl?: number }): string {
  return `you allow it: ${set.allow}${set.ttl === undefined ? "" : `, after ${shownSpan(set.ttl)}`}`;
}

async function ofGroup(session: Session, typed: Scanner, feature: GroupFeature): Promise<void> {
  const group = await readGroup(session, typed);
  const word = typed.word();
  if (word !== "on" && word !== "off") throw new TypedError("say on or off");
  let more: { readonly ttl?: number; readonly role?: (typeof ROLES)[number] } = {};
  const rest = typed.word();
  if (rest !== "" && feature === "timedMessages") {
    const ttl = readTtl(rest);
    if (ttl === null) throw new TypedError(`say after which time: ${TTL_WORDS}, or seconds`);
    more = { ttl };
  } else if (rest !== "") {
    const role = ROLES.find((one) => one === rest);
    if (!role) throw new TypedError(`say which role: ${ROLES.join(", ")}`);
    more = { role };
  }
  typed.end();
  if (word === "on" && feature === "timedMessages" && more.ttl === undefined) throw new TypedError(`say after which time: ${TTL_WORDS}, or seconds`);
  const preferences: GroupPreferences = { ...group.profile.groupPreferences, [feature]: { enable: word, ...more } };
  await session.chat.groups.setPreferences(group.id, preferences);
  session.say(`#${shownName(group.name)}: ${word}`);
}

async function ofAll(session: Session, typed: Scanner, feature: Exclude<Feature, "sessions">): Promise<void> {
  const preferences = changed(feature, typed, session.user.profile.preferences ?? {});
  typed.end();
  session.setUser(await session.chat.users.update(session.user.id, { preferences }));
  session.say("changed for all contacts for whom nothing else is set");
}

function command({ word, says, contact, group }: Names): Command[] {
  const forContact = contact === null ? [] : ["@name always|yes|no", "always|yes|no"];
  const usage = [...forContact, ...(group === null ? [] : ["#group on|off"])].join(" | ").replaceAll("always|yes", contact === "timedMessages" ? "yes [time]" : "always|yes");
  return commandsOf("settings", {
    name: `set ${word}`,
    takes: ["chat", contact === null ? "onOff" : "allow"],
    usage,
    says,
    run: async (session, typed) => {
      typed.skip();
      if (typed.rest.startsWith("#")) {
        if (group === null) throw new TypedError("this is nothing that groups have");
        return ofGroup(session, typed, group);
      }
      if (contact === null) throw new TypedError("say which group: #group");
      return typed.take(/^@/u) ? ofContact(session, typed, contact) : ofAll(session, typed, contact);
    },
  });
}

async function receipts(session: Session, typed: Scanner): Promise<void> {
  if (!typed.takes("all")) typed.takes("contacts");
  const word = typed.word();
  typed.end();
  if (word !== "on" && word !== "off") throw new TypedError("say on or off");
  session.setUser(await session.chat.users.setReceipts(session.user.id, word === "on"));
  session.say(`your contacts are ${word === "on" ? "" : "not "}told that their messages arrived`);
}

async function bell(session: Session, typed: Scanner): Promise<void> {
  const word = typed.word();
  typed.end();
  if (word !== "on" && word !== "off") throw new TypedError("say on or off");
  await session.profile.set({ hasBell: word === "on" });
  session.say(`the bell is ${word}`);
}

export const PREFERENCE_COMMANDS = [
  ...FEATURES.flatMap(command),
  ...commandsOf(
    "settings",
    { name: "set receipts", takes: ["onOff"], usage: "[all] on|off", says: "whether contacts are told that their messages arrived", run: receipts },
    { name: "bell", takes: ["onOff"], usage: "on|off", says: "ring the terminal's bell for new messages", run: bell },
  ),
];
