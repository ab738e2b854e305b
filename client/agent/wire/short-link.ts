import { base64urlUnpadded, EMPTY, equal, fromBase64url } from "#crypto/bytes";
import { AddressError, KEY_HASH_LENGTH, parseHost, sameServer, type Server, server } from "#protocol/address";
import { type Codec, letter, strOf } from "#protocol/codec";
import { struct } from "#protocol/combine";
import { ID_LENGTH } from "#protocol/limits";
import { percentEncode } from "#protocol/link-text";
import { LinkError, readingLink } from "./link-error.ts";

export const LINK_KEY_LENGTH = 32;

/** What a short contact link is for. All are joined in the same way. */
export type ContactKind = "contact" | "channel" | "group" | "relay";

/** A short link to an invitation: its id was given by the server. */
export interface InvitationShortLink {
  readonly type: "short";
  readonly mode: "invitation";
  readonly server: Server;
  /** 24 bytes. */
  readonly linkId: Uint8Array;
  /** SHA3-256 of the fixed data, 32 bytes. */
  readonly linkKey: Uint8Array;
}

/** A short link to an address: its id is derived from its key. */
export interface ContactShortLink {
  readonly type: "short";
  readonly mode: "contact";
  readonly kind: ContactKind;
  /** Shortened links say only the host: then there is no key hash. */
  readonly server: Server;
  readonly linkKey: Uint8Array;
}

export type ShortLink = InvitationShortLink | ContactShortLink;

const KINDS = { contact: "A", channel: "C", group: "G", relay: "R" } as const satisfies Record<ContactKind, string>;

const invitation = struct<Pick<InvitationShortLink, "server" | "linkId" | "linkKey">>({
  server,
  linkId: strOf(ID_LENGTH),
  linkKey: strOf(LINK_KEY_LENGTH),
});

const contact = struct<Pick<ContactShortLink, "kind" | "server" | "linkKey">>({
  kind: letter<ContactKind>(KINDS),
  server,
  linkKey: strOf(LINK_KEY_LENGTH),
});

const I = 0x49;
const C = 0x43;

/** `I`, server, Str link id, Str key; or `C`, kind `A C G R`, server, Str key (agent specification, section 2.7). */
export const shortLink: Codec<ShortLink> = {
  write(writer, value, version) {
    writer.byte(value.mode === "invitation" ? I : C);
    if (value.mode === "invitation") invitation.write(writer, value, version);
    else contact.write(writer, value, version);
  },
  read(reader, version) {
    const mode = reader.byte();
    if (mode === I) return { type: "short", mode: "invitation", ...invitation.read(reader, version) };
    return mode === C
      ? { type: "short", mode: "contact", ...contact.read(reader, version) }
      : reader.fail("a short link must be I or C");
  },
};

/** `simplex`: all of the server in the query. `https`: the server's first host in front, as apps show short links. */
export type ShortLinkScheme = "simplex" | "https";

export function formatShortLink(link: ShortLink, scheme: ShortLinkScheme = "simplex"): string {
  const { hosts, port, keyHash } = link.server;
  const [first = "", ...others] = hosts;
  const authority = scheme === "simplex" ? "simplex:" : `https://${first.includes(":") ? `[${first}]` : first}`;
  const shown = scheme === "simplex" ? hosts : others;
  const query = [
    ...(shown.length === 0 ? [] : [`h=${percentEncode(shown.join(","))}`]),
    ...(port === "" ? [] : [`p=${percentEncode(port)}`]),
    ...(keyHash.length === 0 ? [] : [`c=${base64urlUnpadded(keyHash)}`]),
  ];
  const key = base64urlUnpadded(link.linkKey);
  const path = link.mode === "invitation"
    ? `i#${base64urlUnpadded(link.linkId)}/${key}`
    : `${KINDS[link.kind].toLowerCase()}#${key}`;
  return `${authority}/${path}${query.length === 0 ? "" : `?${query.join("&")}`}`;
}

const SHORT_LINK = new RegExp(
  String.raw`^(?:simplex:|https://(?<host>\[[^\]]*\]|[^/?#\s]+))/(?:(?<kind>[acgr])/?#|i/?#(?<id>[\w-]+=*)/)`
    + String.raw`(?<key>[\w-]+=*)(?:\?(?<query>\S*))?$`,
  "i",
);

/** Whether the text has the outer form of a short link. */
export function isShortLink(text: string): boolean {
  return SHORT_LINK.test(text);
}

function readSecret(what: string, text: string, length: number): Uint8Array {
  const bytes = readBytes(what, text);
  if (bytes.length === length) return bytes;
  throw new LinkError("KEY", `${what} of the link must be ${length} bytes, it is ${bytes.length}`);
}

function readBytes(what: string, text: string): Uint8Array {
  try {
    return fromBase64url(text);
  } catch (cause) {
    throw new AddressError(`${what} is not base64url`, { cause });
  }
}

function readServer(firstHost: string | undefined, query: URLSearchParams): Server {
  const first = firstHost === undefined ? [] : [firstHost];
  const hosts = [...first, ...(query.get("h")?.split(",") ?? [])].map(parseHost);
  if (hosts.length === 0) throw new LinkError("SERVER", "the short link does not say its server");
  const port = query.get("p") ?? "";
  const isPort = port === "" || (/^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) <= 65_535);
  if (!isPort) throw new AddressError(`'${port}' is not a port`);
  const hash = query.get("c");
  const keyHash = hash === null || hash === "" ? EMPTY : readBytes("the fingerprint", hash);
  const isWhole = keyHash.length === 0 || keyHash.length === KEY_HASH_LENGTH;
  if (!isWhole) throw new AddressError(`the fingerprint must be ${KEY_HASH_LENGTH} bytes`);
  return { hosts, port: port === "" ? "" : `${Number(port)}`, keyHash };
}

function kindOf(character: string): ContactKind {
  const kinds = Object.keys(KINDS) as ContactKind[];
  const kind = kinds.find((candidate) => KINDS[candidate] === character.toUpperCase());
  if (kind === undefined) throw new AddressError(`links of kind '${character}' are not known`);
  return kind;
}

/** Reads a short link in either scheme. Its server may lack the key hash: {@link restoreShortLink}. @throws LinkError */
export function parseShortLink(text: string): ShortLink {
  const groups = SHORT_LINK.exec(text)?.groups;
  if (!groups) throw new LinkError("SYNTAX", "a short link looks like https://<host>/a#<key>");
  const { host, kind, id = "", key = "", query = "" } = groups as Record<string, string | undefined>;
  return readingLink("the short link cannot be read", (): ShortLink => {
    const place = readServer(host, new URLSearchParams(query));
    const link = { type: "short", server: place, linkKey: readSecret("the key", key, LINK_KEY_LENGTH) } as const;
    if (kind !== undefined) return { ...link, mode: "contact", kind: kindOf(kind) };
    return { ...link, mode: "invitation", linkId: readSecret("the id", id, ID_LENGTH) };
  });
}

function knownServer({ hosts }: Server, known: readonly Server[]): Server | undefined {
  return known.find((candidate) => candidate.hosts[0] === hosts[0]);
}

/** Gives back what a shortened link leaves out, from the known server with its host; other links stay as they are. */
export function restoreShortLink(link: ShortLink, known: readonly Server[]): ShortLink {
  const { hosts, port, keyHash } = link.server;
  const isShortened = hosts.length === 1 && port === "" && keyHash.length === 0;
  const full = isShortened ? knownServer(link.server, known) : undefined;
  return full ? { ...link, server: full } : link;
}

const DEFAULT_PORTS: ReadonlySet<string> = new Set(["", "443", "5223"]);

/** Leaves out of a known server all but its first host; other links stay as they are. */
export function shortenShortLink(link: ShortLink, known: readonly Server[]): ShortLink {
  const { hosts, port, keyHash } = link.server;
  const full = knownServer(link.server, known);
  const isKnown = full !== undefined
    && hosts.every((host) => full.hosts.includes(host))
    && (port === full.port || (full.port === "" && DEFAULT_PORTS.has(port)))
    && equal(keyHash, full.keyHash);
  return isKnown ? { ...link, server: { hosts: hosts.slice(0, 1), port: "", keyHash: EMPTY } } : link;
}

/** Whether two links lead to the same place, whatever else is written about the server. */
export function sameShortLink(a: ShortLink, b: ShortLink): boolean {
  if (!sameServer(a.server, b.server) || !equal(a.linkKey, b.linkKey)) return false;
  return a.mode === "invitation"
    ? b.mode === "invitation" && equal(a.linkId, b.linkId)
    : b.mode === "contact" && a.kind === b.kind;
}
