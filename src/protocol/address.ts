import { base64url, fromBase64url } from "#crypto/bytes";
import { decodePublicKey, encodePublicKey, type PublicKey } from "#crypto/keys";
import { SMP_CLIENT_VERSION } from "./client-version.ts";
import { type Codec, latin1, str, transform } from "./codec.ts";
import { nonEmpty, struct } from "./combine.ts";
import type { QueueMode } from "./commands/queue.ts";
import { formatVersions, parseVersions, percentEncode } from "./link-text.ts";
import { withKnownOnion } from "./onion.ts";
import type { VersionRange } from "./version.ts";

/** A text is not an address of this kind; the message says what is wrong with it. */
export class AddressError extends Error {
  override readonly name = "AddressError";
}

/** A router: who it is (SHA-256 of its identity certificate, 32 bytes) and where it listens. */
export interface Server {
  readonly hosts: readonly string[];
  /** Decimal, or empty for the default. */
  readonly port: string;
  readonly keyHash: Uint8Array;
}

export const KEY_HASH_LENGTH = 32;

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}\d+$/;
const IPV6 = /^[0-9a-fA-F:]*:[0-9a-fA-F:.]*$/;
const DOMAIN = /^[^:#,;/ \n\r\t[\]]+$/;

/** The shortest form of an IPv6 address, without brackets; null when it is none. */
function readIpv6(text: string): string | null {
  const url = `http://[${text}]/`;
  return IPV6.test(text) && URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : null;
}

/** A host as the official parser takes it: IPv4, IPv6 (brackets are dropped), an onion name or a domain name. */
function readHost(text: string): string {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  const ipv6 = readIpv6(bare);
  if (ipv6 !== null) return ipv6;
  const isOnion = text.endsWith(".onion");
  const isHost = bare === text && (isOnion ? /^[a-z0-9]*\.onion$/.test(text) : IPV4.test(text) || DOMAIN.test(text));
  if (!isHost) throw new AddressError(`'${text}' is not a host`);
  return text;
}

/** Str host. */
export const transportHost: Codec<string> = transform(latin1(str), readHost, (text) => text);

/** NonEmpty Str hosts, Str port, Str key hash, which no one checks here to be 32 bytes. */
export const server: Codec<Server> = struct<Server>({
  hosts: nonEmpty(transportHost) as Codec<readonly string[]>,
  port: latin1(str),
  keyHash: str,
});

/** A server's text form may carry the password for creating queues on it. */
export interface ServerAddress extends Server {
  readonly password: string | null;
}

/** What people may write for a host; stricter than what peers may send. */
const HOST = /^(?:\[[0-9a-fA-F:.]+\]|[0-9a-fA-F:]*:[0-9a-fA-F:]*|[A-Za-z0-9_-](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?)$/;
/** IPv6 without brackets, as official clients write it: what follows its last colon is no port. */
const BARE_IPV6 = /^[0-9a-fA-F]*(?::[0-9a-fA-F]*){2,}$/;
const ADDRESS = /^smp:\/\/(?<hash>[A-Za-z0-9_-]+=*)(?::(?<password>[^\s@:/]+))?@(?<authority>[^/?#\s]+)$/;

function readBytes(what: string, text: string): Uint8Array {
  try {
    return fromBase64url(text);
  } catch (cause) {
    throw new AddressError(`${what} is not base64url`, { cause });
  }
}

function readKey(text: string): PublicKey<"X25519"> {
  const der = readBytes("the key of the queue address", text);
  try {
    return decodePublicKey(der, "X25519");
  } catch (cause) {
    throw new AddressError("the key of the queue address is not an X25519 key", { cause });
  }
}

function readKeyHash(text: string): Uint8Array {
  const keyHash = readBytes("the fingerprint", text);
  if (keyHash.length !== KEY_HASH_LENGTH) {
    throw new AddressError(`the fingerprint must be ${KEY_HASH_LENGTH} bytes in base64url, it is ${keyHash.length}`);
  }
  return keyHash;
}

/** A host travels as a Str. The limit also bounds what the patterns cost on a hostile text. */
const MAX_HOST_LENGTH = 255;

/** A host as people may write it; IPv6 with or without brackets. @throws AddressError */
export function parseHost(text: string): string {
  if (text.length > MAX_HOST_LENGTH) throw new AddressError(`a host name of ${text.length} characters is too long`);
  if (!HOST.test(text)) throw new AddressError(`'${text}' is not a host name`);
  return readHost(text);
}

function readAuthority(authority: string): { hosts: string[]; port: string } {
  const isBare = BARE_IPV6.test(authority);
  const match = isBare ? null : /^(.*?)(?::(\d+))?$/.exec(authority);
  const hosts = (match?.[1] ?? authority).split(",");
  const port = match?.[2] ?? "";
  if (port !== "" && (Number(port) < 1 || Number(port) > 65_535)) throw new AddressError(`${port} is not a port`);
  return { hosts: hosts.map(parseHost), port };
}

/** `smp://<fingerprint>[:password]@host[,host...][:port]`. @throws AddressError */
export function parseServerAddress(text: string): ServerAddress {
  const groups = ADDRESS.exec(text)?.groups;
  if (!groups) throw new AddressError("a server address looks like smp://<fingerprint>@host[:port]");
  const { hash = "", password, authority = "" } = groups as Record<string, string | undefined>;
  return { ...readAuthority(authority), keyHash: readKeyHash(hash), password: password ?? null };
}

/** The text form; the password only when there is one. */
export function formatServerAddress(address: Server & { readonly password?: string | null }): string {
  const password = address.password ? `:${address.password}` : "";
  const port = address.port === "" ? "" : `:${address.port}`;
  // The official form has no brackets; among others or before a port only brackets can be read again.
  const needsBrackets = port !== "" || address.hosts.length > 1;
  const hosts = address.hosts.map((name) => (IPV6.test(name) && needsBrackets ? `[${name}]` : name));
  return `smp://${base64url(address.keyHash)}${password}@${hosts.join(",")}${port}`;
}

/** The same place, as the official agent decides it: hosts in order and port; the key hash is not compared. */
export function sameServer(a: Server, b: Server): boolean {
  return a.port === b.port && a.hosts.length === b.hosts.length && a.hosts.every((host, i) => host === b.hosts[i]);
}

/** What a recipient shares so that others can send to a queue. `mode` null: not known. */
export interface QueueUri {
  readonly clientVersions: VersionRange;
  readonly server: Server;
  readonly senderId: Uint8Array;
  readonly dhKey: PublicKey<"X25519">;
  readonly mode: QueueMode | null;
}

export function formatQueueUri(uri: QueueUri): string {
  const { min } = uri.clientVersions;
  const [firstHost = "", ...otherHosts] = uri.server.hosts;
  const onlyFirst = min < SMP_CLIENT_VERSION.hostNames;
  const authority = onlyFirst ? { ...uri.server, hosts: [firstHost] } : uri.server;
  const query = [
    `v=${formatVersions(uri.clientVersions)}`,
    `dh=${percentEncode(base64url(encodePublicKey(uri.dhKey)))}`,
    ...(uri.mode === null ? [] : [`q=${uri.mode === "messaging" ? "m" : "c"}`]),
    ...(uri.mode === "messaging" && min < SMP_CLIENT_VERSION.shortLinks ? ["k=s"] : []),
    ...(onlyFirst && otherHosts.length > 0 ? [`srv=${percentEncode(otherHosts.join(","))}`] : []),
  ];
  return `${formatServerAddress(authority)}/${base64url(uri.senderId)}#/?${query.join("&")}`;
}

function readRange(text: string | null): VersionRange {
  // An address without a version comes from a time with only one.
  const range = parseVersions(text ?? `${SMP_CLIENT_VERSION.initial}`);
  if (!range) throw new AddressError(`'${text}' is not a version range`);
  return range;
}

function parseMode(query: URLSearchParams): QueueMode | null {
  const mode = query.get("q");
  if (mode === "m") return "messaging";
  if (mode === "c") return "contact";
  return query.get("k") === "s" ? "messaging" : null;
}

/**
 * Reads a queue address in its current form and in the two older ones (`#<key>?v=...`, `#<key>`).
 * @throws AddressError
 */
export function parseQueueUri(text: string): QueueUri {
  const match = /^(?<address>smp:\/\/[^/]+)\/(?<id>[A-Za-z0-9_-]+=*)\/?#(?<fragment>.*)$/.exec(text);
  if (!match?.groups) throw new AddressError("a queue address looks like smp://<fingerprint>@host/<id>#/?v=...&dh=...");
  const { address = "", id = "", fragment = "" } = match.groups as Record<string, string | undefined>;
  const [path = "", ...rest] = fragment.split("?");
  const query = new URLSearchParams(rest.join("?"));
  const key = path === "" || path === "/" ? query.get("dh") : path;
  if (!key) throw new AddressError("the queue address has no key");
  const { password, ...first } = parseServerAddress(address);
  if (password !== null) throw new AddressError("a queue address has no password");
  const clientVersions = readRange(query.get("v"));
  const hosts = [...first.hosts, ...(query.get("srv")?.split(",").map(parseHost) ?? [])];
  const isOld = clientVersions.max < SMP_CLIENT_VERSION.hostNames;
  return {
    clientVersions,
    server: { ...first, hosts: isOld ? withKnownOnion(hosts) : hosts },
    senderId: readBytes("the queue id", id),
    dhKey: readKey(key),
    mode: parseMode(query),
  };
}
