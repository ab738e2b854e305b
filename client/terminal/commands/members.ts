import type { Group, Member } from "../../chat/group-records.ts";
import { codeText, isSameCode } from "../../chat/rules/security-code.ts";
import type { Scanner } from "../input/scanner.ts";
import { TypedError } from "../input/scanner.ts";
import type { Session } from "../session.ts";
import { cyan, dim, green, line, red } from "../text/styled.ts";
import { preview, shownDateTime, shownName } from "../view/words.ts";

/** `#group`, or its name alone. */
export async function readGroup(session: Session, typed: Scanner): Promise<Group> {
  typed.skip();
  typed.take(/^#/u);
  return session.book.group(session.user, typed.name("a group"));
}

/** `@member`, or its name alone. */
export async function readMember(session: Session, typed: Scanner, group: Group): Promise<Member> {
  typed.skip();
  typed.take(/^@/u);
  return session.book.member(group, typed.name("a member"));
}

/** `/info #group` and `/info #group @member`. */
export async function groupMember(session: Session, typed: Scanner): Promise<void> {
  const group = await readGroup(session, typed);
  if (typed.isDone) {
    const { profile, status, role, createdAt } = group;
    session.say(
      line(cyan(`#${shownName(group.name)}`), profile.fullName === "" ? "" : ` (${preview(profile.fullName, 40)})`),
      ...(profile.shortDescr ? [`  ${preview(profile.shortDescr, 200)}`] : []),
      ...(profile.description ? [`  welcome: ${preview(profile.description, 200)}`] : []),
      `  you are ${role}; ${status}; since ${shownDateTime(createdAt)}`,
    );
    return;
  }
  const member = await readMember(session, typed, group);
  typed.end();
  session.say(
    line(cyan(shownName(member.name)), member.profile.fullName === "" ? "" : ` (${preview(member.profile.fullName, 40)})`),
    `  ${member.role}; ${member.status}${member.isBlocked ? "; blocked by you" : ""}${member.isRestricted ? "; blocked for all" : ""}`,
    ...(member.profile.shortDescr ? [`  says: ${preview(member.profile.shortDescr, 200)}`] : []),
  );
}

async function codeOf(session: Session, member: Member): Promise<Uint8Array> {
  if (member.connection === null) throw new TypedError(`there is no connection to ${shownName(member.name)}`);
  const { securityCode } = await session.agent.connection(member.connection);
  if (securityCode === null) throw new TypedError("there is no code before the connection is made");
  return securityCode;
}

export async function memberCode(session: Session, typed: Scanner): Promise<void> {
  const group = await readGroup(session, typed);
  const member = await readMember(session, typed, group);
  typed.end();
  session.say(
    `#${shownName(group.name)} ${shownName(member.name)}: compare this security code with what the member sees, on another way:`,
    line(cyan(codeText(await codeOf(session, member)))),
    line(dim("to compare: "), green(`/verify #${shownName(group.name)} @${shownName(member.name)} <the code of the member>`)),
  );
}

export async function verifyMember(session: Session, typed: Scanner): Promise<void> {
  const group = await readGroup(session, typed);
  const member = await readMember(session, typed, group);
  const text = typed.text();
  if (text === "") throw new TypedError("say the code that the member sees");
  const isSame = isSameCode(await codeOf(session, member), text);
  session.say(line(isSame ? green(`${shownName(member.name)}: the codes are the same`) : red(`${shownName(member.name)}: the codes are NOT the same`)));
}
