import { type LocalRelay, startLocalRelay } from "./local-relay.ts";
import { localSettings } from "./settings.ts";
import { parseCommandLine, parsePort, UsageError } from "./usage.ts";

const OPTIONS = {
  port: { type: "string", default: "8787" },
  host: { type: "string", default: "127.0.0.1" },
  data: { type: "string", default: "data" },
  json: { type: "boolean", default: false },
} as const;

function describe(relay: LocalRelay): string {
  return [
    "The relay is running.",
    `  address  ${relay.address}`,
    `  socket   ${relay.url}`,
    `  page     ${relay.pages}/`,
    `  data     ${relay.data}`,
    "Stop it with Ctrl-C: everything is on disk.",
    "",
  ].join("\n");
}

function asJson({ address, url, fingerprint, data }: LocalRelay): string {
  return `${JSON.stringify({ address, url, fingerprint, data })}\n`;
}

/** Runs the relay until a signal ends it. */
export async function startCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseCommandLine(args, OPTIONS);
  if (positionals.length > 0) throw new UsageError(`start takes no '${positionals.join(" ")}'`);
  const relay = await startLocalRelay({
    host: values.host,
    port: parsePort(values.port),
    data: values.data,
    settings: localSettings(process.env),
  });
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      // The simulator's own handlers would end the process with the signal's exit code and leave the folder taken.
      process.removeAllListeners(signal);
      process.once(signal, () => resolve());
    }
  });
  process.stdout.write(values.json ? asJson(relay) : describe(relay));
  await stopped;
  await relay.stop();
  process.exit(0);
}
