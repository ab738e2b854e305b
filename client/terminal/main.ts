import { chatInteractively } from "./interactive.ts";
import { messageOf } from "./commands/all.ts";
import { chooseProfile, COMMON, CommandLineError, parseOptions } from "./options.ts";
import { EXIT, exitCodeOf } from "./script/exit.ts";
import { connectCommand, inviteCommand } from "./script/links.ts";
import { listenCommand, recvCommand } from "./script/receive.ts";
import { sendCommand } from "./script/send.ts";
import { USAGE } from "./usage.ts";

async function chatCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseOptions(args, {
    ...COMMON,
    "no-color": { type: "boolean", default: false },
    "no-bell": { type: "boolean", default: false },
    notify: { type: "boolean", default: false },
  });
  if (positionals.length > 0) throw new CommandLineError(`chat takes no '${positionals.join(" ")}'`);
  const { env } = process;
  // https://no-color.org
  const isPlain = values["no-color"] || (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  await chatInteractively(chooseProfile(values, env), {
    hasColours: !isPlain,
    hasBell: !values["no-bell"],
    notifies: values.notify,
  });
}

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  chat: chatCommand,
  send: sendCommand,
  recv: recvCommand,
  listen: listenCommand,
  invite: inviteCommand,
  connect: connectCommand,
};

/** Runs one command line. */
async function main([name = "", ...args]: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    process.stdout.write(USAGE);
    return EXIT.done;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    process.stderr.write(USAGE);
    return EXIT.usage;
  }
  try {
    await command(args);
    return EXIT.done;
  } catch (error) {
    // Whoever read what was printed has ended, and wants no more.
    if (error instanceof Error && "code" in error && error.code === "EPIPE") return EXIT.failed;
    process.stderr.write(`smp-edge ${name}: ${messageOf(error)}\n`);
    return exitCodeOf(error);
  }
}

// Told to whoever writes.
process.stdout.on("error", () => undefined);
// Everything is on disk and closed; what still waits for the network may not keep the process.
process.exitCode = await main(process.argv.slice(2));
