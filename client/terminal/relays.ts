import { AddressError, formatServerAddress, parseServerAddress, type Server, type ServerAddress } from "#protocol/address";
import { equal } from "#crypto/bytes";
import { CommandLineError } from "./options.ts";

/** A relay to receive at. */
export interface Relay {
  readonly server: ServerAddress;
  /** Where its WebSocket is, if not at the address; null: there. */
  readonly url: string | null;
}

/** Where `npx smp-edge start` listens unless told otherwise. */
export const LOCAL_RELAY = "http://127.0.0.1:8787/";
const TIMEOUT = 10_000;

/** Said to who has none. */
export const NO_RELAY = [
  "no relay is known yet: say where to receive messages, once, with",
  "  --relay local                     the relay of this machine (npx smp-edge start)",
  "  --relay https://relay.example.org the page of a relay",
  "  --relay smp://FINGERPRINT@HOST    its address",
].join("\n");

function hostOf({ hostname }: URL): string {
  return hostname;
}

const isLocal = (url: URL): boolean => /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/u.test(hostOf(url));

/** What a relay says of itself. Its page vouches for the address, so it has to come over https or from this machine. */
async function ask(place: URL): Promise<Relay> {
  if (place.protocol !== "https:" && !isLocal(place)) {
    throw new CommandLineError(`${place.href} is not https: anybody in between could name another relay`);
  }
  const url = new URL("/relay.json", place);
  let address: unknown;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT), redirect: "error" });
    address = (await response.json() as { readonly address?: unknown }).address;
  } catch (cause) {
    const hint = isLocal(place) ? "start it with: npx smp-edge start" : "is this the page of a relay?";
    throw new CommandLineError(`no relay answers at ${place.href} (${hint})`, { cause });
  }
  if (typeof address !== "string") throw new CommandLineError(`${place.href} answers, but not as a relay`);
  const socket = new URL("/", place);
  socket.protocol = place.protocol === "https:" ? "wss:" : "ws:";
  return { server: readAddress(address), url: socket.href };
}

function readAddress(text: string): ServerAddress {
  try {
    return parseServerAddress(text);
  } catch (cause) {
    if (!(cause instanceof AddressError)) throw cause;
    throw new CommandLineError(`'${text.slice(0, 100)}' is not the address of a relay: ${cause.message}`, { cause });
  }
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== "ws:" && url?.protocol !== "wss:") throw new CommandLineError(`'${text}' is not ws:// or wss://`);
  return url.href;
}

/**
 * A relay as a person names it: `local`, the URL of its page, its address, or its address and, after a space or comma,
 * the WebSocket to reach it by. @throws CommandLineError
 */
export async function findRelay(text: string): Promise<Relay> {
  if (text === "local") return ask(new URL(LOCAL_RELAY));
  if (/^https?:/u.test(text)) {
    if (!URL.canParse(text)) throw new CommandLineError(`'${text}' is not a URL`);
    return ask(new URL(text));
  }
  return parseRelay(text);
}

/** The form in which relays are kept. @throws CommandLineError */
export function parseRelay(text: string): Relay {
  const [address = "", url, ...others] = text.split(/[\s,]+(?=wss?:)|\s+/u);
  if (others.length > 0) throw new CommandLineError(`'${text}' names more than one relay`);
  return { server: readAddress(address), url: url === undefined ? null : readUrl(url) };
}

export function formatRelay({ server, url }: Relay): string {
  return formatServerAddress(server) + (url === null ? "" : ` ${url}`);
}

/** Where to connect to a server, for the agent. */
export function urlFinder(relays: readonly Relay[]): (server: Server) => string | undefined {
  return ({ keyHash, hosts, port }) => {
    const known = relays.find(({ server }) => {
      return equal(server.keyHash, keyHash) && server.port === port && server.hosts[0] === hosts[0];
    });
    return known?.url ?? undefined;
  };
}
