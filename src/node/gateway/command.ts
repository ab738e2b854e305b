import { hostname } from "node:os";
import { untilStopped } from "../until-stopped.ts";
import { parseCommandLine, parseCount, parsePort, UsageError } from "../usage.ts";
import { chooseSource } from "./credentials.ts";
import { Gateway } from "./gateway.ts";
import { gatewayAddress, SMP_PORT, tellOperator } from "./local.ts";
import { parseRelayUrl } from "./relay-url.ts";

const OPTIONS = {
  relay: { type: "string" },
  listen: { type: "string", default: `:${SMP_PORT}` },
  identity: { type: "string" },
  "max-connections": { type: "string" },
  json: { type: "boolean", default: false },
} as const;

/** `[HOST]:PORT`; without a host all interfaces. @throws UsageError */
function parseListen(text: string): { host: string | undefined; port: number } {
  const match = /^(?<host>\[[0-9a-fA-F:.]+\]|[^:]*):(?<port>\d+)$/.exec(text);
  if (!match?.groups) throw new UsageError(`'${text}' is not [HOST]:PORT, as in :5223 or 127.0.0.1:5223`);
  const { host = "", port = "" } = match.groups;
  return { host: host === "" ? undefined : host.replaceAll(/[[\]]/g, ""), port: parsePort(port) };
}

/** Where links of the relay lead if not to this gateway. */
function hint(relayAddress: string, port: number): string[] {
  if (relayAddress.endsWith(`:${port}`) || (port === SMP_PORT && !/:\d+$/.test(relayAddress))) return [];
  return [`The relay's links name ${relayAddress}: set its PUBLIC_HOSTS to this gateway's host and port.`];
}

/** Runs a gateway in front of a relay that is elsewhere, until a signal ends it. */
export async function gatewayCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseCommandLine(args, OPTIONS);
  if (positionals.length > 0) throw new UsageError(`gateway takes no '${positionals.join(" ")}'`);
  if (!values.relay) throw new UsageError("gateway needs --relay URL");
  const place = parseRelayUrl(values.relay);
  const { host, port } = parseListen(values.listen);
  const source = chooseSource(place, values.identity, process.env);
  const max = values["max-connections"];
  const limit = max === undefined ? {} : { maxConnections: parseCount("max-connections", max) };
  const gateway = await Gateway.listen({ host, port, onTrouble: tellOperator, ...limit });
  try {
    if (place.isOpen) tellOperator(`${place.pages} is not https: who stands in between sees who connects when, and can repeat what opens sessions`);
    const facts = await gateway.serve(place, source);
    const address = gatewayAddress(facts.fingerprint, host ?? hostname(), gateway.port);
    const stopped = untilStopped();
    process.stdout.write(values.json
      ? `${JSON.stringify({ gateway: address, relay: place.pages, fingerprint: facts.fingerprint })}\n`
      : [
        "The gateway is running.",
        `  gateway  ${address}  (for official apps)`,
        `  relay    ${place.pages}`,
        ...hint(facts.address, gateway.port),
        "Stop it with Ctrl-C.",
        "",
      ].join("\n"));
    await stopped;
  } finally {
    await gateway.stop();
  }
}
