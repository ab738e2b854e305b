import type { Server } from "#protocol/address";
import { PRESET_SERVERS } from "../preset-servers.ts";
import {
  type ConnectionRequest,
  formatConnectionRequest,
  isConnectionRequest,
  parseConnectionRequest,
} from "./connection-request.ts";
import { LinkError } from "./link-error.ts";
import {
  formatShortLink,
  isShortLink,
  parseShortLink,
  restoreShortLink,
  type ShortLink,
  shortenShortLink,
} from "./short-link.ts";

/** Anything that a person can paste in order to connect. */
export type Link = ConnectionRequest | ShortLink;

/** No link is longer: a peer can send one only with a 16-bit length. */
export const MAX_LINK_LENGTH = 0xffff;

/**
 * Reads a long or short link in any scheme, with white space around it. A short link comes out with its whole server:
 * what it leaves out is taken from `knownServers` by its first host.
 * @throws LinkError "SYNTAX", "KEY" or "SERVER"
 */
export function parseLink(text: string, knownServers: readonly Server[] = PRESET_SERVERS): Link {
  const trimmed = text.trim();
  if (trimmed.length > MAX_LINK_LENGTH) throw new LinkError("SYNTAX", "the text is too long to be a link");
  if (isConnectionRequest(trimmed)) return parseConnectionRequest(trimmed);
  if (!isShortLink(trimmed)) {
    throw new LinkError("SYNTAX", "this is not a whole SimpleX link: such a link begins with simplex:/ or https://");
  }
  const link = restoreShortLink(parseShortLink(trimmed), knownServers);
  if (link.server.keyHash.length > 0) return link;
  const [host = ""] = link.server.hosts;
  const why = `${host} is not a known server and the short link has no fingerprint of it`;
  throw new LinkError("SERVER", `${why}; ask for the full link`);
}

export interface LinkForm {
  /** `simplex` (the default) opens an app; `https` opens a web page where there is no app. */
  readonly scheme?: "simplex" | "https";
  /** `host[:port]` of the page for long links; short links open on their own server. */
  readonly page?: string;
  /** Short links of these servers leave out all but the host. By default none do, and every client can follow them. */
  readonly knownServers?: readonly Server[];
}

export const DEFAULT_PAGE = "simplex.chat";

/** The text of a link, to be shown or shared. */
export function formatLink(link: Link, form: LinkForm = {}): string {
  const { scheme = "simplex", page = DEFAULT_PAGE, knownServers = [] } = form;
  if (link.type === "short") return formatShortLink(shortenShortLink(link, knownServers), scheme);
  return formatConnectionRequest(link, scheme === "simplex" ? "simplex:" : `https://${page}`);
}
