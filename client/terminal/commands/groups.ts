import type { Group, Member } from "../../chat/group-records.ts";
import { type GroupPreferences, type Role, ROLES } from "../../chat/wire/preferences.ts";
import type { Scanner } from "../input/scanner.ts";
import { TypedError } from "../input/scanner.ts";
import type { Session } from "../session.ts";
import { cyan, dim, green, type Line, line } from "../text/styled.ts";
import { preview, shownName } from "../view/words.ts";
import { commandsOf } from "./command.ts";
import { readGroup, readMember } from "./members.ts";

const tag = ({ name }: Pick<Group, "name">): string => `#${shownName(name)}`;

function readRole(typed: Scanner, otherwise: Role | null): Role {
  const word = typed.word();
  if (word === "" && otherwise !== null) return otherwise;
  const role = ROLES.find((one) => one === word);
  if (!role) throw new TypedError(`say which role: ${ROLES.join(", ")}`);
  return role;
}

async function create(session: Session, typed: Scanner): Promise<void> {
  typed.skip();
  typed.take(/^#/u);
  const displayName = typed.name("the new group");
  const shortDescr = typed.text();
  const preferences: GroupPreferences = { directMessages: { enable: "on" }, history: { enable: "on" } };
  const profile = { displayName, fullName: "", groupPreferences: preferences, ...(shortDescr !== "" && { shortDescr }) };
  const group = await session.chat.groups.create(session.user.id, profile);
  const name = shownName(group.name);
  session.setActive({ id: group.id, type: "group", name: group.name });
  session.say(
    `group ${tag(group)} is created`,
    line("to add members: ", green(`/a ${name} <contact>`), " or ", green(`/create link #${name}`)),
  );
}

async function add(session: Session, typed: Scanner): Promise<void> {
  const group = await readGroup(session, typed);
  typed.skip();
  typed.take(/^@/u);
  const contact = await session.book.contact(session.user, typed.name("a contact"));
  const role = readRole(typed, "member");
  typed.end();
  await session.chat.groups.invite(group.id, contact.id, role);
  session.say(`invitation to join ${tag(group)} sent to ${shownName(contact.name)}`);
}

async function join(session: Session, typed: Scanner): Promise<void> {
  const group = await readGroup(session, typed);
  typed.end();
  await session.chat.groups.accept(group.id);
  session.say(`${tag(group)}: joining the group...`);
}

function memberLine({ name, profile, role, status, isBlocked, isRestricted }: Member): Line {
  const full = profile.fullName === "" ? "" : ` (${preview(profile.fullName, 40)})`;
  const signs = [role, status, ...(isBlocked ? ["blocked by you"] : []), ...(isRestricted ? ["blocked for all"] : [])];
  return line(cyan(shownName(name)), full, `: ${signs.join(", ")}`);
}

async function members(session: Session, typed: Scanner): Promise<void> {
  const group = await readGroup(session, typed);
  typed.end();
  const own = line(cyan(shownName(session.user.profile.displayName)), `: ${group.role}, you`);
  session.say(own, ...(await session.book.members(group.id)).map(memberLine));
}

async function setRole(session: Session, typed: Scanner): Promise<void> {
  const group = await readGroup(session, typed);
  const member = await readMember(session, typed, group);
  const wanted = readRole(typed, null);
  typed.end();
  await session.chat.groups.setRole(group.id, member.id, wanted);
  session.say(`${tag(group)}: you changed the role of ${shownName(member.name)} to ${wanted}`);
}

async function remove(session: Session, typed: Scanner): Promise<void> {
  const group = await readGroup(session, typed);
  const names = typed.names("a member");
  const messages = typed.takes("messages=on");
  typed.end();
  const gone = await Promise.all(names.map((name) => session.book.member(group, name)));
  for (const member of gone) await session.chat.groups.remove(group.id, member.id, { messages });
  const who = gone.map(({ name }) => shownName(name)).join(", ");
  session.say(`${tag(group)}: you removed ${who}${messages ? " with all messages" : ""}`);
}

async function leave(session: Session, typed: Scanner): Promise<void> {
  const group = await readGroup(session, typed);
  typed.end();
  await session.chat.groups.leave(group.id);
  session.say(line(`${tag(group)}: you left the group; `, green(`/d ${tag(group)}`), " deletes it here"));
}

const STATUS: Readonly<Partial<Record<Group["status"], string>>> = {
  joining: "joining",
  failed: "could not be joined",
  left: "you left",
  removed: "you were removed",
  deleted: "deleted by its owner",
};

function groupLine(group: Group, count: number): Line {
  const { status, isMuted, isFavourite } = group;
  if (status === "invited") {
    return line(cyan(tag(group)), ": you are invited; ", green(`/j ${shownName(group.name)}`), " joins, ", green(`/d ${tag(group)}`), " declines");
  }
  const signs = [
    STATUS[status] ?? `${count + 1} member${count === 0 ? "" : "s"}`,
    ...(isFavourite ? ["favourite"] : []),
    ...(isMuted ? [`muted, /unmute ${tag(group)}`] : []),
  ];
  return line(cyan(tag(group)), group.profile.shortDescr ? ` ${preview(group.profile.shortDescr, 60)}` : "", dim(` (${signs.join("; ")})`));
}

const isThere = ({ status }: Member): boolean => !["invited", "left", "removed", "unknown"].includes(status);

async function list(session: Session, typed: Scanner): Promise<void> {
  typed.end();
  const groups = await session.book.groups(session.user);
  if (groups.length === 0) return session.say(line("you are in no groups; ", green("/g <name>"), " makes one"));
  const lines = groups.map(async (group) => groupLine(group, (await session.book.members(group.id)).filter(isThere).length));
  session.say(...await Promise.all(lines));
}

async function changeProfile(session: Session, typed: Scanner): Promise<void> {
  const group = await readGroup(session, typed);
  if (typed.isDone) {
    const { displayName, fullName, shortDescr = "" } = group.profile;
    return session.say(`${tag(group)}: ${shownName(displayName)} ${preview(fullName, 60)} ${preview(shortDescr, 200)}`.trimEnd());
  }
  const displayName = typed.name("the group");
  const shortDescr = typed.text();
  await session.chat.groups.update(group.id, { displayName, ...(shortDescr !== "" && { shortDescr }) });
  session.say(`${tag(group)}: the group profile is changed`);
}

async function welcome(session: Session, typed: Scanner): Promise<void> {
  const group = await readGroup(session, typed);
  const description = typed.text();
  if (description === "") throw new TypedError("say the welcome text");
  await session.chat.groups.update(group.id, { description });
  session.say(`${tag(group)}: the welcome text is changed`);
}

async function showWelcome(session: Session, typed: Scanner): Promise<void> {
  const group = await readGroup(session, typed);
  typed.end();
  session.say(`${tag(group)}: ${group.profile.description === undefined ? "there is no welcome text" : preview(group.profile.description, 1000)}`);
}

function linkLines(session: Session, group: Group, { link, shortLink, role: given }: { readonly link: string; readonly shortLink: string | null; readonly role: Role }): Line[] {
  const best = shortLink ?? link;
  session.lastLink = best;
  return [
    line(cyan(best)),
    line(""),
    line(`anybody can join as ${given} with `, green("/c <link>"), "; ", green("/qr"), " shows it as a picture, ", green(`/delete link ${tag(group)}`), " deletes it"),
    ...(shortLink === null ? [] : [line(dim("for clients that do not know short links:")), line(dim(link))]),
  ];
}

async function createLink(session: Session, typed: Scanner): Promise<void> {
  const group = await readGroup(session, typed);
  const given = readRole(typed, "member");
  typed.end();
  const link = await session.chat.groups.createLink(group.id, given);
  session.say(`the link of ${tag(group)}:`, "", ...linkLines(session, group, link));
}

async function showLink(session: Session, typed: Scanner): Promise<void> {
  const group = await readGroup(session, typed);
  typed.end();
  const link = await session.chat.groups.link(group.id);
  if (!link) return session.say(line(`${tag(group)} has no link; `, green(`/create link ${tag(group)}`), " makes one"));
  session.say(`the link of ${tag(group)}:`, "", ...linkLines(session, group, link));
}

async function deleteLink(session: Session, typed: Scanner): Promise<void> {
  const group = await readGroup(session, typed);
  typed.end();
  await session.chat.groups.deleteLink(group.id);
  session.say(`the link of ${tag(group)} is deleted; members who came through it stay`);
}

export const GROUP_COMMANDS = commandsOf(
  "groups",
  { name: "group", also: ["g"], usage: "name [<description>]", says: "create a group", run: create },
  { name: "add", also: ["a"], takes: ["group", "contact", "role"], usage: "#group @contact [<role>]", says: "invite a contact", run: add },
  { name: "join", also: ["j"], takes: ["group"], usage: "#group", says: "accept an invitation", run: join },
  { name: "groups", also: ["gs"], usage: "", says: "list groups", run: list },
  { name: "members", also: ["ms"], takes: ["group"], usage: "#group", says: "list members", run: members },
  { name: "member role", also: ["mr"], takes: ["group", "member", "role"], usage: "#group @member <role>", says: "change what a member may do", run: setRole },
  { name: "remove", also: ["rm"], takes: ["group", "member"], usage: "#group @member[,@member...] [messages=on]", says: "remove members, with their messages if you say so", run: remove },
  { name: "leave", also: ["l"], takes: ["group"], usage: "#group", says: "leave a group", run: leave },
  { name: "group_profile", also: ["gp"], takes: ["group", "text"], usage: "#group [name [<description>]]", says: "show or change its profile", run: changeProfile },
  { name: "set welcome", takes: ["group", "text"], usage: "#group text", says: "what new members are told", run: welcome },
  { name: "show welcome", takes: ["group"], usage: "#group", says: "show that", run: showWelcome },
  { name: "create link", takes: ["group", "role"], usage: "#group [<role>]", says: "make a link through which anybody can join", run: createLink },
  { name: "show link", takes: ["group"], usage: "#group", says: "show it", run: showLink },
  { name: "delete link", takes: ["group"], usage: "#group", says: "delete it; members stay", run: deleteLink },
);
