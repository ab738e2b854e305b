import { isGroupLink } from "../commands/connecting.ts";
import { CommandLineError, COMMON, parseOptions } from "../options.ts";
import { shownName } from "../view/words.ts";
import { UnsentError } from "./exit.ts";
import { chatJson } from "./json.ts";
import { jsonLine, type Program, until, withProgram, write } from "./program.ts";

const OPTIONS = {
  ...COMMON,
  incognito: { type: "boolean", default: false },
  timeout: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

/** `smp-edge invite` */
export async function inviteCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseOptions(args, OPTIONS);
  if (positionals.length > 0) throw new CommandLineError(`invite takes no '${positionals.join(" ")}'`);
  await withProgram(values, async ({ profile, user }) => {
    const { contact, link, shortLink } = await profile.chat.links.invite(user.id, { incognito: values.incognito });
    await write(values.json ? jsonLine({ type: "invitation", id: contact.id, link, shortLink }) : `${shortLink ?? link}\n`);
  });
}

async function connected(program: Program, link: string, incognito: boolean): Promise<ReturnType<typeof chatJson>> {
  const { profile, user } = program;
  const { chat } = profile;
  if (isGroupLink(link)) {
    const { id } = await chat.groups.connect(user.id, link, { incognito });
    return until(program, async () => {
      const { status, failure, name } = await chat.groups.get(id);
      if (status === "failed") throw new UnsentError(`the group was not joined: ${failure ?? ""}`);
      return status === "connected" ? chatJson(id, { type: "group", name }) : null;
    });
  }
  const { id } = await chat.links.connect(user.id, link, { incognito });
  return until(program, async () => {
    const { status, failure, name } = await chat.contacts.get(id);
    if (status === "failed") throw new UnsentError(`the connection was not made: ${failure ?? ""}`);
    return status === "connected" ? chatJson(id, { type: "contact", name }) : null;
  });
}

/** `smp-edge connect` */
export async function connectCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseOptions(args, OPTIONS);
  const [link, ...others] = positionals;
  if (link === undefined || others.length > 0) throw new CommandLineError("say which link: smp-edge connect LINK");
  await withProgram(values, async (program) => {
    const chat = await connected(program, link, values.incognito);
    await write(values.json ? jsonLine({ type: "connected", chat }) : `${shownName(chat.name)}\n`);
  });
}
