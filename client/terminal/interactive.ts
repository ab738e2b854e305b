import { readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { ReadStream, WriteStream } from "node:tty";
import { nameProblem } from "../chat/wire/rules/names.ts";
import { namesOfRequests } from "./book.ts";
import { chooseUser } from "./choose-user.ts";
import { COMMANDS, messageOf, runLine } from "./commands/all.ts";
import { TOPICS } from "./commands/command.ts";
import { readPath } from "./commands/files.ts";
import { welcome } from "./commands/help.ts";
import { unreadLines } from "./commands/messages.ts";
import { Events } from "./events.ts";
import { complete, type Completable, type Completion, type Names } from "./input/complete.ts";
import { isSecret } from "./input/input.ts";
import { CommandLineError, type ProfileChoice } from "./options.ts";
import { askHidden } from "./passphrase.ts";
import { Profile } from "./profile.ts";
import type { Face, Helper } from "./screen/face.ts";
import { Pipe } from "./screen/pipe.ts";
import { Terminal } from "./screen/terminal.ts";
import { Session } from "./session.ts";
import { LineHistory } from "./settings.ts";
import { bold, dim, line } from "./text/styled.ts";
import { isMessage, shownPlace } from "./view/item.ts";

/** Milliseconds in which a second ^C ends the program. */
const TWICE = 2000;

export interface Appearance {
  readonly hasColours: boolean;
  readonly hasBell: boolean;
  readonly notifies: boolean;
}

/** Profile names that can be used, with what is wrong with this one. */
async function askName(face: Face): Promise<string | null> {
  face.print([
    line(bold("No profile yet.")),
    line("Choose a name that your contacts will see. It is not registered anywhere."),
  ]);
  for (;;) {
    const name = (await face.ask("name: ", false))?.trim();
    if (name === undefined) return null;
    const problem = nameProblem(name);
    if (problem === null) return name;
    face.print([line(problem)]);
  }
}

/** Where completion finds names. */
function namesIn(session: Session): Names {
  const { chat, book } = session;
  return {
    contacts: async () => (await chat.contacts.list(session.user.id)).map(({ name }) => name),
    groups: async () => (await book.groups(session.user)).map(({ name }) => name),
    members: async (name) => {
      const group = (await book.groups(session.user)).find((one) => one.name === name);
      return group ? (await book.members(group.id)).map((one) => one.name) : [];
    },
    requests: async () => namesOfRequests(await chat.links.requests(session.user.id)),
    users: async () => (await chat.users.list()).map(({ profile }) => profile.displayName),
    files: pathsLike,
    topics: () => TOPICS,
  };
}

/** Paths that begin as was typed; folders end with a slash. */
async function pathsLike(typed: string): Promise<readonly string[]> {
  const start = typed.replace(/^['"]/u, "");
  const folder = start.endsWith("/") || start === "" ? readPath(start === "" ? "." : start) : dirname(readPath(start));
  const head = start.slice(0, start.length - (start.endsWith("/") || start === "" ? 0 : basename(start).length));
  const isHidden = basename(start).startsWith(".");
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter(({ name }) => isHidden || !name.startsWith("."))
    .map((entry) => `${head}${entry.name}${entry.isDirectory() ? "/" : ""}`);
}

const COMPLETABLE: readonly Completable[] = COMMANDS.flatMap(({ name, also, takes }) => {
  // Short names are typed as they are; completing them would only be in the way.
  return [{ name, takes }, ...also.filter((one) => one.length > 1).map((one) => ({ name: one, takes }))];
});
const SHORT: readonly Completable[] = COMMANDS.flatMap(({ also, takes }) => {
  return also.filter((one) => one.length === 1).map((one) => ({ name: one, takes }));
});

function helperOf(session: Session): Helper {
  return {
    complete: (text): Promise<Completion | null> => {
      const isShort = /^\/\S\s/u.test(text);
      return complete(text, isShort ? SHORT : COMPLETABLE, namesIn(session));
    },
    editLast: async () => {
      const { active } = session;
      if (!active) return null;
      const items = await session.chat.history.items(active.id, { limit: 100 });
      const last = items.findLast((item) => item.isOwn && isMessage(item) && item.deletedAt === null);
      return last && isMessage(last) ? `! ${shownPlace(active)} ${last.body.container.content.text}` : null;
    },
  };
}

function makeFace(appearance: Appearance): { readonly face: Face; readonly terminal: Terminal | null } {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) return { face: new Pipe(stdin, stdout), terminal: null };
  const terminal = new Terminal({ input: stdin as ReadStream, output: stdout as WriteStream, ...appearance });
  return { face: terminal, terminal };
}

/** Reads lines until the end. */
async function converse(session: Session, history: LineHistory): Promise<void> {
  let interruptedAt = 0;
  while (!session.isEnding) {
    const typed = await session.face.next();
    if (typed.type === "end") return;
    if (typed.type === "interrupt") {
      if (Date.now() - interruptedAt < TWICE) return;
      interruptedAt = Date.now();
      session.say(line(dim("once more, or /q, quits")));
      continue;
    }
    if (typed.text.trim() !== "" && !isSecret(typed.text)) await history.add(typed.text);
    await runLine(session, typed.text);
  }
}

/** The program for a person. */
export async function chatInteractively(choice: ProfileChoice, appearance: Appearance): Promise<void> {
  const profile = await Profile.open({ choice, ask: askHidden });
  const { face, terminal } = makeFace(appearance);
  try {
    const isNew = (await profile.chat.users.list()).length === 0;
    const user = await chooseUser(profile, choice.user, () => askName(face));
    if (!user) {
      throw new CommandLineError("the profile has no name yet: give one with --user NAME");
    }
    const session = new Session(profile, face, user);
    terminal?.help(helperOf(session));
    // Kept by the profile, whose store may be closed and opened again.
    const history = await LineHistory.open(() => profile.store);
    face.setHistory(history.lines);
    face.print([...welcome(user.profile.displayName, isNew), ...await unreadLines(session)]);
    session.listen = () => {
      new Events(session).read().catch((error: unknown) => session.complain(messageOf(error)));
    };
    session.listen();
    const onSignal = (): void => face.close();
    process.once("SIGTERM", onSignal);
    process.once("SIGHUP", onSignal);
    await converse(session, history);
  } finally {
    face.close();
    await profile.close();
  }
}

