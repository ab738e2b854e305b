import type { Scanner } from "../input/scanner.ts";
import { TypedError } from "../input/scanner.ts";
import type { Session } from "../session.ts";
import { bold, cyan, green, type Line, line } from "../text/styled.ts";
import { widthOf } from "../text/width.ts";
import { shownName } from "../view/words.ts";
import { type Command, commandsOf, type Topic, TOPICS } from "./command.ts";

/** Lines of help: what is typed, and what it does. */
function table(rows: readonly (readonly [string, string])[]): Line[] {
  const width = Math.min(44, Math.max(...rows.map(([typed]) => widthOf(typed))));
  return rows.map(([typed, says]) => line("  ", cyan(typed), " ".repeat(Math.max(1, width - widthOf(typed) + 2)), says));
}

const WRITING: readonly (readonly [string, string])[] = [
  ["@name text", "write to a contact; #group text to a group, * text a note to yourself"],
  ["> @name (begin) text", "answer the last message of the contact that begins so"],
  [">> @name (begin) text", "answer your own one"],
  ["> #group @name (begin) text", "answer a member of a group"],
  ["! @name (begin) text", "edit your message; without the bracket the last one"],
  ["\\ @name begin", "delete your message for all; \\\\ #group @member begin as a moderator"],
  ["+1 @name begin", "react: +1 +- +) +D +, +* +^ +v or + and an emoji; - takes it back"],
  ["@name <- @other begin", "forward a message"],
  ["@#group @member text", "write to a member alone, who becomes a contact"],
];

const KEYS: readonly (readonly [string, string])[] = [
  ["Tab", "complete commands, names and files; once more lists them"],
  ["Up, Down, Ctrl-R", "lines typed before; search in them"],
  ["Alt-Up", "edit the last message"],
  ["Alt-Enter, Ctrl-J", "a new line in the message; a pasted text stays one message"],
  ["Ctrl-L", "empty the screen"],
  ["Ctrl-C", "throw away what is typed; twice, or Ctrl-D: quit"],
];

const QUICK: readonly (readonly [string, string])[] = [
  ["/c", "make an invitation for one person"],
  ["/c <link>", "follow one"],
  ["@name text", "write; when nothing else is said, to whom you wrote last"],
  ["/chats, /unread", "conversations; what was not read yet"],
  ["/g team", "create a group"],
  ["/ad", "make an address for everybody"],
  ["/q", "quit"],
];

function commandLines(commands: readonly Command[], topic: Topic): Line[] {
  const own = commands.filter((one) => one.topic === topic);
  return table(own.map(({ name, also, usage, says }) => {
    const names = [name, ...also].map((one) => `/${one}`).join(", ");
    return [`${names} ${usage}`.trim(), says];
  }));
}

function topicLines(commands: readonly Command[], topic: Topic): Line[] {
  const extra = topic === "messages" ? [...table(WRITING), line("")] : [];
  return [line(bold(topic)), ...extra, ...commandLines(commands, topic)];
}

/** `/help`, by the table of all commands. */
export function helpCommands(all: () => readonly Command[]): Command[] {
  async function help(session: Session, typed: Scanner): Promise<void> {
    const word = typed.text().toLowerCase();
    if (word === "") {
      session.say(line(bold("quick start")), ...table(QUICK), line(""), line(bold("keys")), ...table(KEYS), line(""), line("more: ", green(`/help ${TOPICS.join("|")}`)));
      return;
    }
    const topic = TOPICS.find((one) => one === word || one === `${word}s` || one.startsWith(word));
    const command = all().find(({ name, also }) => [name, ...also].includes(word.replace(/^\//u, "")));
    if (command) return session.say(...table([[`/${command.name} ${command.usage}`, command.says]]));
    if (!topic) throw new TypedError(`there is no help on '${word.slice(0, 40)}'; topics: ${TOPICS.join(", ")}`);
    session.say(...topicLines(all(), topic));
  }
  async function version(session: Session, typed: Scanner): Promise<void> {
    typed.end();
    session.say(`smp-edge chat, Node ${process.versions.node}`);
  }
  async function quit(session: Session): Promise<void> {
    session.isEnding = true;
  }
  return commandsOf(
    null,
    { name: "help", also: ["h"], takes: ["topic"], usage: "[topic | command]", says: "this", run: help },
    { name: "version", also: ["v"], usage: "", says: "the version", run: version },
    { name: "quit", also: ["q", "exit"], usage: "", says: "quit", run: quit },
  );
}

/** What who starts the program sees. */
export function welcome(name: string, isNew: boolean): Line[] {
  const hello = line("you are ", cyan(shownName(name)), "; ", green("/help"), " tells what can be typed");
  if (!isNew) return [hello];
  return [hello, line(green("/c"), " makes an invitation for one person, ", green("/c <link>"), " follows one")];
}
