import { gatewayCommand } from "./gateway/command.ts";
import { identityCommand } from "./identity.ts";
import { pushCommand } from "./push-keys.ts";
import { serveCommand } from "./serve.ts";
import { startCommand } from "./start.ts";
import { UsageError } from "./usage.ts";

const USAGE = `smp-edge: a SimpleX relay on this machine

  smp-edge start [--port PORT] [--host HOST] [--data DIR] [--tls-port PORT|off] [--json]
      Runs the relay for this machine until it is stopped (Ctrl-C, SIGTERM), with a gateway for official apps.
  smp-edge serve --host NAME [--data DIR] [--tls-port PORT] [--port PORT] [--bind HOST]
                 [--https-cert FILE --https-key FILE] [--max-connections N] [--json]
      Runs relay and gateway for others, who reach this machine by NAME.
  smp-edge gateway --relay URL [--listen [HOST]:PORT] [--identity FILE] [--max-connections N] [--json]
      Runs a gateway in front of a relay that is elsewhere. Without --identity, SMP_EDGE_GATEWAY_TOKEN must hold that
      relay's GATEWAY_TOKEN (or SMP_EDGE_ADMIN_TOKEN its ADMIN_TOKEN).
  smp-edge identity make [--host NAME]            a new identity, printed as JSON
  smp-edge identity print  [--data DIR | --relay URL] [FILE]
  smp-edge identity export [--data DIR | --relay URL] [--gateway]
      With --gateway only what a gateway needs: no CA key, no secret of the queue ids.
  smp-edge identity import [--data DIR | --relay URL] [--force] FILE
      With --relay, SMP_EDGE_ADMIN_TOKEN must hold that relay's ADMIN_TOKEN.
  smp-edge push keys  [--json]                    a key pair for Web Push
  smp-edge push check [--connect]
      Says what the settings for push notifications amount to; with --connect APNs and FCM are asked too.
`;

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  start: startCommand,
  serve: serveCommand,
  gateway: gatewayCommand,
  identity: identityCommand,
  push: pushCommand,
};

/** Runs one command line. Mistakes of the user are told in one line, with the exit code 2. */
async function main([name = "", ...args]: readonly string[]): Promise<void> {
  if (name === "help" || [name, ...args].includes("--help")) return void process.stdout.write(USAGE);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  try {
    await command(args);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`smp-edge ${name}: ${message}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

await main(process.argv.slice(2));
