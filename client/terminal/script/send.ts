import { text as allOf } from "node:stream/consumers";
import type { Item } from "../../chat/records.ts";
import { readTarget } from "../input/forms.ts";
import { Scanner, TypedError } from "../input/scanner.ts";
import { CommandLineError, COMMON, parseOptions } from "../options.ts";
import { LateError, UnsentError } from "./exit.ts";
import { itemJson } from "./json.ts";
import { jsonLine, type Program, until, withProgram, write } from "./program.ts";

/** Statuses that are waited for, and those that are as good. */
const ENOUGH: Readonly<Record<string, readonly Item["status"]["type"][]>> = {
  sent: ["sent", "delivered", "read"],
  delivered: ["delivered", "read"],
};

async function waitFor(program: Program, id: string, enough: readonly Item["status"]["type"][]): Promise<Item> {
  try {
    return await until(program, async () => {
      const item = await program.profile.chat.history.item(id);
      if (item.status.type === "error") throw new UnsentError(`not sent: ${item.status.detail}`);
      return enough.includes(item.status.type) ? item : null;
    });
  } catch (error) {
    if (!(error instanceof LateError)) throw error;
    throw new LateError(`${error.message}; the message is kept, and is sent at the next start`, { cause: error });
  }
}

/** A name as scripts give it: the shell has taken the quotes away. */
export function readTo(text: string): ReturnType<typeof readTarget> {
  const [sign, name] = [text.charAt(0), text.slice(1)];
  if (text === "*") return { type: "notes" };
  if (name !== "" && !/^['"]/u.test(name)) {
    if (sign === "@") return { type: "contact", name };
    if (sign === "#") return { type: "group", name };
  }
  try {
    return readTarget(new Scanner(text));
  } catch (cause) {
    if (!(cause instanceof TypedError)) throw cause;
    throw new CommandLineError(`'${text}' is nobody: say @NAME, #GROUP or *`, { cause });
  }
}

/** `smp-edge send` */
export async function sendCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseOptions(args, {
    ...COMMON,
    wait: { type: "string", default: "sent" },
    timeout: { type: "string" },
    json: { type: "boolean", default: false },
  });
  const [to, ...words] = positionals;
  const enough = ENOUGH[values.wait];
  if (to === undefined || words.length === 0) throw new CommandLineError("say to whom and what: smp-edge send @NAME TEXT (or - for stdin)");
  if (!enough) throw new CommandLineError(`--wait must be sent or delivered, not '${values.wait}'`);
  const target = readTo(to);
  const text = words.length === 1 && words[0] === "-" ? (await allOf(process.stdin)).replace(/\r?\n$/u, "") : words.join(" ");
  await withProgram(values, async (program) => {
    const { book, profile, user } = program;
    const chosen = await book.conversation(user, target);
    const { id } = await profile.chat.messages.send(chosen.id, text);
    const item = await waitFor(program, id, enough);
    if (values.json) await write(jsonLine(itemJson(item, await book.place(item, Date.now(), null))));
  });
}
