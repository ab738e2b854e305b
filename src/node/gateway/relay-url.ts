import { NOTIFICATIONS_PATH } from "#protocol/ntf/limits";
import { UsageError } from "../usage.ts";

/** Where a gateway finds its relay. */
export interface RelayPlace {
  /** Base of the relay's pages, without a slash at the end. */
  readonly pages: string;
  /** For WebSockets. */
  readonly socket: string;
  /** For those to its notification server. */
  readonly notifications: string;
  /** Whether whoever stands in between can read what is not encrypted in blocks. */
  readonly isOpen: boolean;
}

const SECURE: ReadonlySet<string | undefined> = new Set(["https:", "wss:"]);
const OPEN: ReadonlySet<string | undefined> = new Set(["http:", "ws:"]);
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** @throws UsageError unless it is an http(s) or ws(s) URL. */
export function parseRelayUrl(text: string): RelayPlace {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isSecure = SECURE.has(url?.protocol);
  if (!url || !(isSecure || OPEN.has(url.protocol))) {
    throw new UsageError(`'${text}' is not the URL of a relay; it looks like https://relay.example.org`);
  }
  const path = url.pathname.replace(/\/+$/, "");
  const s = isSecure ? "s" : "";
  const sockets = `ws${s}://${url.host}${path}`;
  return {
    pages: `http${s}://${url.host}${path}`,
    socket: `${sockets}/`,
    notifications: sockets + NOTIFICATIONS_PATH,
    isOpen: !isSecure && !LOOPBACK.test(url.hostname),
  };
}
