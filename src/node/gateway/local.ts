import type { LocalRelay } from "../local-relay.ts";
import { fromRelay } from "./credentials.ts";
import { Gateway, type GatewayOptions } from "./gateway.ts";
import { GatewayError } from "./reason.ts";
import { parseRelayUrl } from "./relay-url.ts";

/** The port of SMP servers when an address names none. */
export const SMP_PORT = 5223;

/** What `--tls-port` says: a port (0: any free one), nothing, or that there shall be no gateway. */
export type TlsPort = number | "default" | "off";

/**
 * Takes the port of a gateway that runs beside its relay. The default port may be another's: then any free one will do.
 * @throws GatewayError when the port that was asked for cannot be had
 */
export async function takeTlsPort(options: Omit<GatewayOptions, "port">, port: number | "default"): Promise<Gateway> {
  try {
    return await Gateway.listen({ ...options, port: port === "default" ? SMP_PORT : port });
  } catch (error) {
    if (port !== "default" || !(error instanceof GatewayError)) throw error;
    const gateway = await Gateway.listen({ ...options, port: 0 });
    options.onTrouble(`port ${SMP_PORT} is in use, so official apps are served at port ${gateway.port}`);
    return gateway;
  }
}

/** Lets clients in to a relay of this process. */
export async function serveLocal(gateway: Gateway, relay: LocalRelay): Promise<void> {
  const place = parseRelayUrl(relay.pages);
  await gateway.serve(place, fromRelay(place, relay.gatewayToken));
}

/** `smp://<fingerprint>@host:port`, or that of the notification server, which answers at the same port. */
export function gatewayAddress(fingerprint: string, host: string, port: number, scheme: "smp" | "ntf" = "smp"): string {
  return `${scheme}://${fingerprint}@${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}

/** Troubles of a gateway are for who runs it. */
export function tellOperator(text: string): void {
  process.stderr.write(`smp-edge gateway: ${text}\n`);
}
