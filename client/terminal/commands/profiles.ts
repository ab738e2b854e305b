import type { Profile as Shown } from "../../chat/wire/profile.ts";
import type { Scanner } from "../input/scanner.ts";
import { TypedError } from "../input/scanner.ts";
import type { Session } from "../session.ts";
import { cyan, dim, green, line } from "../text/styled.ts";
import { preview, shownName } from "../view/words.ts";
import { commandsOf } from "./command.ts";

function readProfile(typed: Scanner): Pick<Shown, "displayName" | "fullName" | "shortDescr"> {
  const displayName = typed.name("the profile");
  const shortDescr = typed.text();
  return { displayName, fullName: "", ...(shortDescr !== "" && { shortDescr }) };
}

async function list(session: Session, typed: Scanner): Promise<void> {
  typed.end();
  const { users, history } = session.chat;
  const lines = (await users.list()).map(async ({ id, profile }) => {
    const unread = (await history.conversations(id)).reduce((sum, { conversation }) => sum + conversation.unread, 0);
    const signs = [...(id === session.user.id ? ["active"] : []), ...(unread > 0 ? [`unread: ${unread}`] : [])];
    return line(cyan(shownName(profile.displayName)), signs.length > 0 ? dim(` (${signs.join(", ")})`) : "");
  });
  session.say(...await Promise.all(lines));
}

async function choose(session: Session, typed: Scanner): Promise<void> {
  if (typed.isDone) return list(session, typed);
  const user = await session.book.user(typed.name("the profile"));
  typed.end();
  session.setUser(await session.chat.users.activate(user.id));
  session.say(`you are ${shownName(user.profile.displayName)} now`);
}

async function create(session: Session, typed: Scanner): Promise<void> {
  const { users } = session.chat;
  const user = await users.create(readProfile(typed));
  session.setUser(await users.activate(user.id));
  session.say(`you are ${shownName(user.profile.displayName)} now`);
}

async function remove(session: Session, typed: Scanner): Promise<void> {
  const { users } = session.chat;
  const user = await session.book.user(typed.name("the profile"));
  typed.end();
  const other = (await users.list()).find(({ id }) => id !== user.id);
  if (!other) throw new TypedError("the last profile cannot be deleted; /create user makes another one");
  await users.delete(user.id);
  if (user.id === session.user.id) session.setUser(await users.activate(other.id));
  session.say(`the profile ${shownName(user.profile.displayName)} is deleted; you are ${shownName(session.user.profile.displayName)}`);
}

async function change(session: Session, typed: Scanner): Promise<void> {
  if (typed.isDone) {
    const { displayName, fullName, shortDescr = "" } = session.user.profile;
    session.say(
      line("you are ", cyan(shownName(displayName)), fullName === "" ? "" : ` (${preview(fullName, 40)})`, shortDescr === "" ? "" : `: ${preview(shortDescr, 200)}`),
      line(green("/p <name> [<about you>]"), " changes it; your contacts are told"),
    );
    return;
  }
  session.setUser(await session.chat.users.update(session.user.id, readProfile(typed)));
  session.say(`you are ${shownName(session.user.profile.displayName)} now; your contacts are told`);
}

export const PROFILE_COMMANDS = commandsOf(
  "profiles",
  { name: "profile", also: ["p"], usage: "[name [<about you>]]", says: "show or change how you show yourself", run: change },
  { name: "users", usage: "", says: "list your profiles; all of them are connected", run: list },
  { name: "user", also: ["u"], takes: ["user"], usage: "[name]", says: "be another one of them", run: choose },
  { name: "create user", usage: "name [<about you>]", says: "make another one", run: create },
  { name: "delete user", takes: ["user"], usage: "name", says: "delete one with all its contacts", run: remove },
);
