import { formatServerAddress } from "#protocol/address";
import { ChatError } from "../../chat/errors.ts";
import type { Contact } from "../../chat/records.ts";
import { displayName } from "../../chat/wire/rules/display.ts";
import { readTarget } from "../input/forms.ts";
import type { Scanner } from "../input/scanner.ts";
import { TypedError } from "../input/scanner.ts";
import type { Session } from "../session.ts";
import { cyan, dim, green, type Line, line, red } from "../text/styled.ts";
import { shownPlace } from "../view/item.ts";
import { preview, shownDateTime, shownName } from "../view/words.ts";
import { isGroupLink } from "./connecting.ts";
import { commandsOf } from "./command.ts";
import { groupMember, memberCode, verifyMember } from "./members.ts";

/** `incognito` or `i`. */
function readIncognito(typed: Scanner): boolean {
  return typed.takes("incognito") || typed.takes("i");
}

async function connect(session: Session, typed: Scanner): Promise<void> {
  const incognito = readIncognito(typed);
  const link = typed.word();
  if (link === "") return invite(session, incognito);
  const message = typed.text();
  const { chat, user } = session;
  if (isGroupLink(link)) {
    const group = await chat.groups.connect(user.id, link, { incognito });
    return session.say(`#${shownName(group.name)}: joining the group...`);
  }
  const contact = await chat.links.connect(user.id, link, { incognito, ...(message !== "" && { message }) });
  const what = contact.origin === "address" ? "connection request sent" : "connecting";
  session.say(`${what}${incognito ? ` incognito as ${shownName(contact.incognito?.displayName ?? "")}` : ""}; a line will say when the connection is made`);
}

async function invite(session: Session, incognito: boolean): Promise<void> {
  const { link, shortLink } = await session.chat.links.invite(session.user.id, { incognito });
  const best = shortLink ?? link;
  session.lastLink = best;
  session.say(
    "give this invitation to one person, on any way that you trust:",
    "",
    line(cyan(best)),
    "",
    line("who has it connects with ", green("/c <link>"), ", or scans it: ", green("/qr"), " shows it as a picture"),
    ...(shortLink === null ? [] : [line(dim("for clients that do not know short links:")), line(dim(link)), ""]),
  );
}

const STATUS: Readonly<Record<Contact["status"], string>> = {
  invited: "the invitation was not used yet",
  joining: "connecting",
  accepting: "connecting",
  pending: "connecting",
  connected: "",
  failed: "never connected",
  left: "has deleted the contact",
  leaving: "being deleted",
};

function contactLine(contact: Contact): Line {
  const { name, alias, profile, status, isMuted, isBlocked, isFavourite, incognito } = contact;
  const own = alias !== null && profile ? [`calls itself ${displayName(profile.displayName)}`] : [];
  const signs = [
    ...own,
    STATUS[status],
    isFavourite ? "favourite" : "",
    isMuted ? `muted, /unmute @${shownName(name)}` : "",
    isBlocked ? `blocked, /unblock @${shownName(name)}` : "",
    incognito ? `knows you as ${displayName(incognito.displayName)}` : "",
  ].filter((one) => one !== "");
  const full = profile && profile.fullName !== "" ? ` (${preview(profile.fullName, 40)})` : "";
  return line(cyan(`@${shownName(name)}`), full, signs.length > 0 ? dim(` ${signs.join("; ")}`) : "");
}

async function contacts(session: Session, typed: Scanner): Promise<void> {
  typed.end();
  const all = await session.chat.contacts.list(session.user.id);
  if (all.length === 0) return session.say(line("you have no contacts; ", green("/c"), " makes an invitation"));
  session.say(...all.map(contactLine));
}

/** `@name`, or the name alone. */
async function readContact(session: Session, typed: Scanner): Promise<Contact> {
  typed.skip();
  typed.take(/^@/u);
  return session.book.contact(session.user, typed.name("a contact"));
}

function isGroup(typed: Scanner): boolean {
  typed.skip();
  return typed.rest.startsWith("#");
}

async function remove(session: Session, typed: Scanner): Promise<void> {
  if (isGroup(typed)) {
    const { id, name } = await session.book.conversation(session.user, readTarget(typed));
    typed.end();
    await session.chat.groups.delete(id);
    return session.say(`#${shownName(name)}: you deleted the group`);
  }
  const contact = await readContact(session, typed);
  const notify = !typed.takes("notify=off");
  typed.end();
  await session.chat.contacts.delete(contact.id, { notify });
  if (session.active?.id === contact.id) session.setActive(null);
  session.say(`${shownName(contact.name)}: contact is deleted`);
}

async function clear(session: Session, typed: Scanner): Promise<void> {
  if (typed.isDone) return session.face.clear();
  typed.skip();
  const target = /^[@#*]/u.test(typed.rest) ? readTarget(typed) : { type: "contact", name: typed.name("a contact") } as const;
  const chosen = await session.book.conversation(session.user, target);
  typed.end();
  await session.chat.history.clear(chosen.id);
  session.say(`${shownPlace(chosen)}: all messages are removed here, and only here`);
}

const AGREED: Readonly<Record<string, string>> = {
  timedMessages: "disappearing messages",
  fullDelete: "full deletion",
  reactions: "reactions",
  voice: "voice messages",
  files: "files",
  calls: "calls",
};

async function preferenceLines(session: Session, contact: Contact): Promise<Line[]> {
  const { mine, theirs, effective } = await session.chat.contacts.agreement(contact.id);
  return Object.entries(AGREED).map(([feature, words]) => {
    const key = feature as keyof typeof effective;
    const { forMe, forContact } = effective[key];
    const who = forMe && forContact ? "on" : forMe ? "on for you" : forContact ? "on for the contact" : "off";
    return line(`  ${words}: ${who}`, dim(` (you: ${mine[key].allow}, contact: ${theirs[key].allow})`));
  });
}

async function info(session: Session, typed: Scanner): Promise<void> {
  if (isGroup(typed)) return groupMember(session, typed);
  const contact = await readContact(session, typed);
  typed.end();
  const { profile, incognito, connection } = contact;
  const lines = [contactLine(contact), line(`  since ${shownDateTime(contact.createdAt)}`)];
  if (profile?.shortDescr) lines.push(line(`  says: ${preview(profile.shortDescr, 200)}`));
  if (profile?.contactLink) lines.push(line(`  address: ${preview(profile.contactLink, 2000)}`));
  if (incognito) lines.push(line(`  sees you as ${shownName(incognito.displayName)}`));
  if (contact.failure !== null) lines.push(line(red(`  ${preview(contact.failure, 200)}`)));
  if (connection !== null) {
    const { receivesAt, sendsTo, quantumSafe, sync, isMoving } = await session.chat.contacts.connection(contact.id);
    const places = (servers: typeof receivesAt): string => servers.map((one) => formatServerAddress(one)).join(" ");
    lines.push(line(`  receiving at ${places(receivesAt)}`), line(`  sending to ${places(sendsTo)}`));
    const safe = quantumSafe.sending && quantumSafe.receiving;
    lines.push(line(`  encryption: ${safe ? "safe against quantum computers" : "standard"}${sync === "ok" ? "" : `, ${sync}`}${isMoving ? ", moving to another relay" : ""}`));
  }
  if (contact.status === "connected") {
    const { isVerified } = await session.chat.contacts.securityCode(contact.id);
    lines.push(line(`  security code: ${isVerified ? "verified" : "not compared yet"} (/code @${shownName(contact.name)})`));
    lines.push(...await preferenceLines(session, contact));
  }
  session.say(...lines);
}

async function code(session: Session, typed: Scanner): Promise<void> {
  if (isGroup(typed)) return memberCode(session, typed);
  const contact = await readContact(session, typed);
  typed.end();
  const { code: shown, isVerified } = await session.chat.contacts.securityCode(contact.id);
  const name = shownName(contact.name);
  session.say(
    `${name}: ${isVerified ? "the security code was compared:" : "compare this security code with what your contact sees, on another way:"}`,
    line(cyan(shown)),
    line("when it is the same: ", green(`/verify @${name} <the code of your contact>`)),
  );
}

async function verify(session: Session, typed: Scanner): Promise<void> {
  if (isGroup(typed)) return verifyMember(session, typed);
  const contact = await readContact(session, typed);
  const text = typed.text();
  if (text === "") {
    await session.chat.contacts.unverify(contact.id);
    return session.say(`${shownName(contact.name)}: no longer marked as verified`);
  }
  if (await session.chat.contacts.verify(contact.id, text)) return session.say(line(green(`${shownName(contact.name)}: connection verified`)));
  const { code: ours } = await session.chat.contacts.securityCode(contact.id);
  session.say(line(red(`${shownName(contact.name)}: connection NOT verified, the code here is ${ours}`)));
}

interface Setting {
  readonly isMuted?: boolean;
  readonly isBlocked?: boolean;
  readonly isFavourite?: boolean;
}

/** A command that sets something of a contact or a group. */
function settingOf(setting: Setting, says: string) {
  return async (session: Session, typed: Scanner): Promise<void> => {
    // For moderators, who block for everybody.
    const forAll = setting.isBlocked !== undefined && typed.take(/^\s*for all\s+(?=#)/u) !== null;
    typed.skip();
    const target = /^[@#]/u.test(typed.rest) ? readTarget(typed) : { type: "contact", name: typed.name("a contact") } as const;
    const chosen = await session.book.conversation(session.user, target);
    if (chosen.type === "contact") {
      typed.end();
      await session.chat.contacts.set(chosen.id, setting);
    } else if (setting.isBlocked !== undefined) {
      typed.skip();
      typed.take(/^@/u);
      const group = await session.book.group(session.user, chosen.name);
      const member = await session.book.member(group, typed.name("a member"));
      typed.end();
      const { isBlocked } = setting;
      await session.chat.groups.setMember(group.id, member.id, forAll ? { isRestricted: isBlocked } : { isBlocked });
    } else {
      typed.end();
      await session.chat.groups.set(chosen.id, setting);
    }
    session.say(`${shownPlace(chosen)}: ${says}`);
  };
}

async function rename(session: Session, typed: Scanner): Promise<void> {
  const contact = await readContact(session, typed);
  const name = typed.isDone ? null : typed.name("your name for the contact");
  typed.end();
  const changed = await session.chat.contacts.set(contact.id, { alias: name });
  session.say(`${shownName(contact.name)} is called ${shownName(changed.name)} now`);
}

/** Something about the connection of a contact. */
function ofConnection(act: (session: Session, connection: string) => Promise<void>, says: string) {
  return async (session: Session, typed: Scanner): Promise<void> => {
    const contact = await readContact(session, typed);
    if (contact.connection === null) throw new ChatError("PROHIBITED", `there is no connection to ${shownName(contact.name)}`);
    await act(session, contact.connection);
    session.say(`${shownName(contact.name)}: ${says}`);
  };
}

async function receipts(session: Session, typed: Scanner): Promise<void> {
  const contact = await readContact(session, typed);
  const word = typed.word();
  if (!["on", "off", "default"].includes(word)) throw new TypedError("say on, off or default");
  await session.chat.contacts.set(contact.id, { receipts: word === "default" ? null : word === "on" });
  session.say(`${shownName(contact.name)}: receipts ${word}`);
}

export const CONTACT_COMMANDS = commandsOf(
  "contacts",
  { name: "connect", also: ["c"], usage: "[incognito] [<link> [<first message>]]", says: "make an invitation for one person, or follow a link", run: connect },
  { name: "contacts", usage: "", says: "list contacts", run: contacts },
  { name: "info", also: ["i"], takes: ["chat", "member"], usage: "@name | #group [@member]", says: "connection, encryption, preferences", run: info },
  { name: "code", takes: ["chat", "member"], usage: "@name | #group @member", says: "security code, to be compared", run: code },
  { name: "verify", takes: ["chat", "member"], usage: "@name [<code>]", says: "compare the code of your contact; without it take the mark back", run: verify },
  { name: "alias", takes: ["contact", "text"], usage: "@name [<your name for it>]", says: "call a contact otherwise; nobody is told", run: rename },
  { name: "mute", takes: ["chat"], usage: "@name | #group", says: "do not show its messages", run: settingOf({ isMuted: true }, "muted; what comes is in /unread") },
  { name: "unmute", takes: ["chat"], usage: "@name | #group", says: "show its messages", run: settingOf({ isMuted: false }, "messages are shown") },
  { name: "block", takes: ["chat", "member"], usage: "@name | [for all] #group @member", says: "throw away what comes", run: settingOf({ isBlocked: true }, "blocked") },
  { name: "unblock", takes: ["chat", "member"], usage: "@name | [for all] #group @member", says: "take messages again", run: settingOf({ isBlocked: false }, "unblocked") },
  { name: "favourite", takes: ["chat"], usage: "@name | #group", says: "mark as a favourite", run: settingOf({ isFavourite: true }, "is a favourite") },
  { name: "unfavourite", takes: ["chat"], usage: "@name | #group", says: "take that back", run: settingOf({ isFavourite: false }, "is no favourite any more") },
  { name: "clear", takes: ["chat"], usage: "[@name | #group | *]", says: "remove all messages here; alone: empty the screen", run: clear },
  { name: "delete", also: ["d"], takes: ["chat"], usage: "@name [notify=off] | #group", says: "delete a contact or a group with all messages", run: remove },
  { name: "switch", takes: ["contact"], usage: "@name", says: "receive from the contact at another relay", run: ofConnection((session, id) => session.agent.rotate(id), "switch started") },
  { name: "abort switch", takes: ["contact"], usage: "@name", says: "take that back", run: ofConnection((session, id) => session.agent.abortRotation(id), "switch aborted") },
  { name: "sync", takes: ["contact"], usage: "@name", says: "repair the encryption", run: ofConnection((session, id) => session.agent.synchronise(id, { force: true }), "the encryption is being repaired") },
  { name: "receipts", takes: ["contact", "onOff"], usage: "@name on|off|default", says: "whether the contact is told that its messages arrived", run: receipts },
);
