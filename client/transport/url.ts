import type { Server } from "#protocol/address";
import { challengeQuery } from "#protocol/handshake";
import { UsageError } from "../errors.ts";

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

export function isLoopback(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}

function baseUrl(server: Server): URL {
  // Onion hosts are reached through other networks than a WebSocket's.
  const host = server.hosts.find((name) => !name.endsWith(".onion"));
  if (host === undefined) throw new UsageError("the relay's address has only onion hosts; pass the URL to connect to");
  const port = server.port === "" ? "" : `:${server.port}`;
  const name = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return new URL(`${isLoopback(name) ? "ws" : "wss"}://${name}${port}/`);
}

function givenUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== "ws:" && url?.protocol !== "wss:") {
    throw new UsageError(`'${text}' is not a WebSocket URL; it must begin with wss:// or ws://`);
  }
  return url;
}

/**
 * Where to connect, with the challenge (32 bytes) that the relay has to sign. `path`: below the relay's URL, with its slash.
 * @throws UsageError
 */
export function connectUrl(server: Server, given: string | undefined, challenge: Uint8Array, path = ""): URL {
  const url = given === undefined ? baseUrl(server) : givenUrl(given);
  if (path !== "") url.pathname = `${url.pathname.replace(/\/$/, "")}${path}`;
  // The router takes the first `challenge=` it finds, so no other query may stand before it.
  url.search = challengeQuery(challenge);
  url.hash = "";
  return url;
}
