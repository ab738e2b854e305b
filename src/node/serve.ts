import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { GatewayOptions, WebEntrance } from "./gateway/gateway.ts";
import { serveLocal, SMP_PORT, takeTlsPort, tellOperator } from "./gateway/local.ts";
import { type LocalRelay, startLocalRelay } from "./local-relay.ts";
import { localSettings } from "./settings.ts";
import { untilStopped } from "./until-stopped.ts";
import { parseCommandLine, parseCount, parsePort, UsageError } from "./usage.ts";

const OPTIONS = {
  host: { type: "string" },
  data: { type: "string", default: "data" },
  "tls-port": { type: "string", default: String(SMP_PORT) },
  port: { type: "string", default: "8787" },
  bind: { type: "string", default: "127.0.0.1" },
  "https-cert": { type: "string" },
  "https-key": { type: "string" },
  "max-connections": { type: "string" },
  json: { type: "boolean", default: false },
} as const;

function readPem(option: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UsageError(`--${option}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** @throws UsageError when only one of the two is given, or they are not what they should be */
function readWeb(cert: string | undefined, key: string | undefined): WebEntrance | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new UsageError("--https-cert and --https-key belong together");
  const web = { cert: readPem("https-cert", cert), key: readPem("https-key", key) };
  try {
    createSecureContext(web);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`--https-cert and --https-key make no HTTPS: ${why}`, { cause });
  }
  return web;
}

function describe(relay: LocalRelay, port: number, web: string | null, notifications: string | null): string {
  return [
    "The relay is running.",
    `  address  ${relay.address}`,
    `  for      official apps${web === null ? "" : " and web clients"}, at port ${port} of all interfaces`,
    ...(notifications === null ? [] : [`  push     ${notifications}  (notification server, at the same port)`]),
    ...(web === null ? [] : [`  page     ${web}`, `  chat     ${web}app/  (in a browser)`]),
    `  inside   ${relay.pages}/`,
    `  data     ${relay.data}`,
    "Stop it with Ctrl-C: everything is on disk.",
    "",
  ].join("\n");
}

/** Runs a relay that can be reached from outside, until a signal ends it. */
export async function serveCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseCommandLine(args, OPTIONS);
  if (positionals.length > 0) throw new UsageError(`serve takes no '${positionals.join(" ")}'`);
  if (!values.host) throw new UsageError("serve needs --host NAME, by which others reach this machine");
  const max = values["max-connections"];
  const options: GatewayOptions = {
    port: parsePort(values["tls-port"]),
    web: readWeb(values["https-cert"], values["https-key"]),
    onTrouble: tellOperator,
    ...(max === undefined ? {} : { maxConnections: parseCount("max-connections", max) }),
  };
  const port = parsePort(values.port);
  // First: the relay's address names the port.
  const gateway = await takeTlsPort(options, options.port);
  const settings = { ...localSettings(process.env), PUBLIC_HOSTS: `${values.host}:${gateway.port}` };
  let relay: LocalRelay | null = null;
  try {
    relay = await startLocalRelay({ host: values.bind, port, data: values.data, settings });
    await serveLocal(gateway, relay);
  } catch (error) {
    await gateway.stop();
    await relay?.stop();
    throw error;
  }
  const stopped = untilStopped();
  const { address, url, fingerprint, data } = relay;
  const web = options.web ? `https://${values.host.split(",")[0]}:${gateway.port}/` : null;
  // The same hosts and port as in the relay's own.
  const notifications = settings.PUSH === "off" ? null : address.replace(/^smp:/, "ntf:");
  const app = web === null ? relay.app : `${web}app/`;
  process.stdout.write(values.json
    ? `${JSON.stringify({ address, url, fingerprint, data, gateway: address, notifications, web, app })}\n`
    : describe(relay, gateway.port, web, notifications));
  await stopped;
  await gateway.stop();
  await relay.stop();
  process.exit(0);
}
