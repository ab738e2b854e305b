import type { Gateway } from "./gateway/gateway.ts";
import { gatewayAddress, serveLocal, takeTlsPort, tellOperator, type TlsPort } from "./gateway/local.ts";
import { type LocalRelay, startLocalRelay } from "./local-relay.ts";
import { localSettings } from "./settings.ts";
import { untilStopped } from "./until-stopped.ts";
import { parseCommandLine, parsePort, UsageError } from "./usage.ts";

const OPTIONS = {
  port: { type: "string", default: "8787" },
  host: { type: "string", default: "127.0.0.1" },
  data: { type: "string", default: "data" },
  "tls-port": { type: "string" },
  json: { type: "boolean", default: false },
} as const;

/** Where official apps connect. */
interface Entrances {
  readonly gateway: string | null;
  /** The notification server; null: it is off. */
  readonly notifications: string | null;
}

function describe(relay: LocalRelay, { gateway, notifications }: Entrances): string {
  return [
    "The relay is running.",
    `  address  ${relay.address}`,
    `  socket   ${relay.url}`,
    `  page     ${relay.pages}/`,
    `  chat     ${relay.app}  (in a browser)`,
    ...(gateway === null ? [] : [`  gateway  ${gateway}  (for official apps)`]),
    ...(notifications === null ? [] : [`  push     ${notifications}  (notification server, for apps)`]),
    `  data     ${relay.data}`,
    "Stop it with Ctrl-C: everything is on disk.",
    "",
  ].join("\n");
}

function asJson({ address, url, fingerprint, data, app }: LocalRelay, entrances: Entrances): string {
  return `${JSON.stringify({ address, url, fingerprint, data, ...entrances, app })}\n`;
}

/** `off`, or a port; the default one gives way to whoever has it. @throws UsageError */
function parseTlsPort(text: string | undefined): TlsPort {
  if (text === undefined) return "default";
  return text === "off" ? "off" : parsePort(text);
}

/** Runs the relay, and with it a gateway for official apps, until a signal ends them. */
export async function startCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseCommandLine(args, OPTIONS);
  if (positionals.length > 0) throw new UsageError(`start takes no '${positionals.join(" ")}'`);
  const { host, data } = values;
  const port = parsePort(values.port);
  const tlsPort = parseTlsPort(values["tls-port"]);
  const settings = localSettings(process.env);
  let gateway: Gateway | null = null;
  let relay: LocalRelay | null = null;
  try {
    relay = await startLocalRelay({ host, port, data, settings });
    gateway = tlsPort === "off" ? null : await takeTlsPort({ host, onTrouble: tellOperator }, tlsPort);
    if (gateway) await serveLocal(gateway, relay);
  } catch (error) {
    await gateway?.stop();
    await relay?.stop();
    throw error;
  }
  const stopped = untilStopped();
  const entrances: Entrances = {
    gateway: gateway && gatewayAddress(relay.fingerprint, host, gateway.port),
    notifications: gateway && settings.PUSH !== "off" ? gatewayAddress(relay.fingerprint, host, gateway.port, "ntf") : null,
  };
  process.stdout.write(values.json ? asJson(relay, entrances) : describe(relay, entrances));
  await stopped;
  await gateway?.stop();
  await relay.stop();
  process.exit(0);
}
