import { isSecret } from "../input/input.ts";
import { readTyping } from "../input/forms.ts";
import { Scanner, TypedError } from "../input/scanner.ts";
import { SimplexError } from "../../errors.ts";
import { StoreError } from "../../store/store.ts";
import { CommandLineError } from "../options.ts";
import { LateError, StoppedError, UnsentError } from "../script/exit.ts";
import type { Session } from "../session.ts";
import { dim, line } from "../text/styled.ts";
import { ADDRESS_COMMANDS } from "./address.ts";
import type { Command } from "./command.ts";
import { CONTACT_COMMANDS } from "./contacts.ts";
import { DATABASE_COMMANDS } from "./database.ts";
import { FILE_COMMANDS } from "./files.ts";
import { GROUP_COMMANDS } from "./groups.ts";
import { helpCommands } from "./help.ts";
import { MESSAGE_COMMANDS } from "./messages.ts";
import { NETWORK_COMMANDS } from "./network.ts";
import { PREFERENCE_COMMANDS } from "./preferences.ts";
import { PROFILE_COMMANDS } from "./profiles.ts";
import { runTyping } from "./typing.ts";

/** Every command with a slash. */
export const COMMANDS: readonly Command[] = [
  ...CONTACT_COMMANDS,
  ...ADDRESS_COMMANDS,
  ...MESSAGE_COMMANDS,
  ...FILE_COMMANDS,
  ...GROUP_COMMANDS,
  ...PROFILE_COMMANDS,
  ...PREFERENCE_COMMANDS,
  ...NETWORK_COMMANDS,
  ...DATABASE_COMMANDS,
  ...helpCommands(() => COMMANDS),
];

/** Names of all commands, the longest first: "set voice" before "set". */
const NAMES = COMMANDS.flatMap((command) => [command.name, ...command.also].map((name) => ({ name, command })))
  .toSorted((a, b) => b.name.length - a.name.length);

/** The command that the words begin with, and what follows it. */
export function findCommand(words: string): { readonly command: Command; readonly rest: string } | null {
  for (const { name, command } of NAMES) {
    if (!words.startsWith(name)) continue;
    const rest = words.slice(name.length);
    if (rest === "" || /^\s/u.test(rest)) return { command, rest };
  }
  return null;
}

function suggestion(words: string): string {
  const [first = ""] = words.split(/\s/u);
  const close = NAMES.filter(({ name }) => first !== "" && name.startsWith(first.slice(0, 3))).map(({ name }) => `/${name}`);
  return close.length === 0 ? "/help lists what there is" : `did you mean ${[...new Set(close)].slice(0, 5).join(", ")}?`;
}

async function runCommand(session: Session, words: string): Promise<void> {
  const found = findCommand(words);
  if (!found) throw new TypedError(`there is no command /${words.split(/\s/u)[0]?.slice(0, 40) ?? ""}; ${suggestion(words)}`);
  // It stays visible what was asked for.
  if (!isSecret(`/${words}`)) session.say(line(dim(`> /${words.split("\n")[0] ?? ""}`)));
  try {
    await found.command.run(session, new Scanner(found.rest));
  } catch (error) {
    if (!(error instanceof TypedError)) throw error;
    throw new TypedError(`${error.message}\nusage: /${found.command.name} ${found.command.usage}`, { cause: error });
  }
}

/** Does what a line asks for; what is wrong with it is said. */
export async function runLine(session: Session, text: string): Promise<void> {
  try {
    const typing = readTyping(text);
    if (typing.type === "nothing") return;
    if (typing.type === "command") await runCommand(session, typing.words);
    else await runTyping(session, typing);
  } catch (error) {
    session.complain(messageOf(error));
  }
}

/** Errors whose message says it all. */
const OWN = [TypedError, CommandLineError, SimplexError, StoreError, LateError, UnsentError, StoppedError];

/** What a person is told of something that went wrong. */
export function messageOf(error: unknown): string {
  if (OWN.some((kind) => error instanceof kind)) return (error as Error).message;
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  return String(error);
}
