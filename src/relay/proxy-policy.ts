import { KEY_HASH_LENGTH, type Server } from "#protocol/address";

/** Both ends belong to it. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Whether, and to whom, this relay forwards. */
export interface ProxyPolicy {
  readonly isOn: boolean;
  readonly ports: readonly PortRange[];
  /** `example.org`: that host; `.example.org`: all below it. Null: any host. */
  readonly hosts: readonly string[] | null;
  /** Whether private, loopback and link-local addresses and local names may be reached. */
  readonly allowsPrivate: boolean;
}

export const DEFAULT_PROXY_PORTS: readonly PortRange[] = [{ from: 443, to: 443 }, { from: 5223, to: 5223 }];

function readRange(text: string): PortRange | null {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  return match && from >= 1 && from <= to && to <= MAX_PORT ? { from, to } : null;
}

/** `port[-port][,...]`, null for anything else. */
export function parsePorts(text: string): readonly PortRange[] | null {
  const ranges = text.split(",").map((range) => readRange(range.trim()));
  return ranges.includes(null) ? null : ranges.flatMap((range) => range ?? []);
}

/** `host[,...]`, a dot before a name for all below it; null when one could never be a destination. */
export function parseHosts(text: string): readonly string[] | null {
  const entries = text.split(",").map((entry) => entry.trim().toLowerCase());
  const areHosts = entries.every((entry) => readHost(entry.replace(/^\./, "")).reach !== "nowhere");
  return areHosts ? entries.map((entry) => (entry.startsWith(".") ? entry : readHost(entry).host)) : null;
}

/** Another relay as a proxy knows it. Plain data. */
export interface DestinationAddress {
  /** A name in lower case or an address, IPv6 without brackets. */
  readonly host: string;
  /** Null: the default of whichever way is taken. */
  readonly port: number | null;
  /** SHA-256 of its identity certificate, 32 bytes. */
  readonly keyHash: Uint8Array;
  readonly isPrivate: boolean;
}

/** A way to a destination. `origin` is what stands before the path of a URL. */
export type Route =
  | { readonly kind: "tls"; readonly host: string; readonly port: number }
  | { readonly kind: "websocket"; readonly origin: string };

type Reach = "public" | "private" | "nowhere";

const MAX_PORT = 65_535;
const DEFAULT_TLS_PORT = 5223;
const DEFAULT_WEB_PORT = 443;

const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const MAX_NAME_LENGTH = 253;
/** What the URL standard takes for the last part of an IPv4 address: decimal, octal or hexadecimal. */
const NUMERIC_LABEL = /^(?:\d+|0x[0-9a-f]*)$/;
const BYTE = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`);
const IPV6 = /^[0-9a-f:]*:[0-9a-f:.]*$/;

/** Names that only mean something in one's own network (RFC 6761, RFC 6762, RFC 8375 and custom). */
const LOCAL_SUFFIXES: readonly string[] = [
  "localhost",
  "localdomain",
  "local",
  "internal",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
  "home.arpa",
];
/** Names of other networks than the Internet. */
const FOREIGN_SUFFIXES: readonly string[] = ["onion", "i2p", "exit"];

type Range4 = readonly [network: string, bits: number];
/** IANA's register of special addresses: those of one's own network, and those that lead nowhere. */
const PRIVATE4: readonly Range4[] = [
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
];
const NOWHERE4: readonly Range4[] = [
  ["0.0.0.0", 8],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

function toNumber(ipv4: string): number {
  return ipv4.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

function isWithin(address: number, [network, bits]: Range4): boolean {
  const size = 2 ** (32 - bits);
  return Math.floor(address / size) === Math.floor(toNumber(network) / size);
}

function reachOfIpv4(text: string): Reach {
  const address = toNumber(text);
  if (PRIVATE4.some((range) => isWithin(address, range))) return "private";
  return NOWHERE4.some((range) => isWithin(address, range)) ? "nowhere" : "public";
}

/** The eight groups of an address in the form of a URL, where no IPv4 address stands in it any more. */
function groupsOf(ipv6: string): readonly number[] {
  const [head = "", tail] = ipv6.split("::");
  const read = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [first, last] = [read(head), read(tail ?? "")];
  return tail === undefined ? first : [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}

/**
 * Only global unicast is public, and of that nothing that wraps another address (6to4, Teredo) or is for documents:
 * what maps or translates to IPv4 (`::ffff:0:0/96`, `64:ff9b::/96`) is refused whatever it leads to.
 */
function reachOfIpv6(groups: readonly number[]): Reach {
  const [first = 0, second = 0] = groups;
  const isLoopback = groups.slice(0, 7).every((group) => group === 0) && groups[7] === 1;
  if (isLoopback || (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80) return "private";
  if ((first & 0xe000) !== 0x2000 || first === 0x2002 || (first === 0x3fff && second < 0x1000)) return "nowhere";
  return first === 0x2001 && (second < 0x200 || second === 0xdb8) ? "nowhere" : "public";
}

function endsWith(host: string, suffixes: readonly string[]): boolean {
  return suffixes.some((suffix) => host === suffix || host.endsWith(`.${suffix}`));
}

function reachOfName(host: string): Reach {
  const last = host.slice(host.lastIndexOf(".") + 1);
  if (host.length > MAX_NAME_LENGTH || !NAME.test(host) || NUMERIC_LABEL.test(last)) return "nowhere";
  if (endsWith(host, FOREIGN_SUFFIXES)) return "nowhere";
  return !host.includes(".") || endsWith(host, LOCAL_SUFFIXES) ? "private" : "public";
}

/**
 * A host as it is connected to, and how far away it is. Names are only what DNS takes: no user names, escapes,
 * letters beyond ASCII, dot at the end, and no IPv4 address in another form than four decimal numbers.
 */
export function readHost(text: string): { readonly host: string; readonly reach: Reach } {
  const host = text.toLowerCase();
  if (IPV4.test(host)) return { host, reach: reachOfIpv4(host) };
  if (!host.includes(":")) return { host, reach: reachOfName(host) };
  const url = `http://[${host}]/`;
  if (!IPV6.test(host) || !URL.canParse(url)) return { host, reach: "nowhere" };
  const shortest = new URL(url).hostname.slice(1, -1);
  return { host: shortest, reach: reachOfIpv6(groupsOf(shortest)) };
}

function readPort(text: string): number | null {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= MAX_PORT ? Number(text) : null;
}

/** Whether an operator's list has the host. */
export function isListed(host: string, hosts: ProxyPolicy["hosts"]): boolean {
  return hosts === null || hosts.some((entry) => (entry.startsWith(".") ? host.endsWith(entry) : host === entry));
}

export function isOpen(port: number, { ports }: Pick<ProxyPolicy, "ports">): boolean {
  return ports.some(({ from, to }) => port >= from && port <= to);
}

/**
 * The relay that a client names, null when this proxy does not connect to it. Of several hosts the first that is no
 * onion counts.
 */
export function readDestination(server: Server, policy: ProxyPolicy): DestinationAddress | null {
  const named = server.hosts.find((name) => !name.endsWith(".onion"));
  const port = server.port === "" ? null : readPort(server.port);
  const isAddress = (server.port === "" || port !== null) && server.keyHash.length === KEY_HASH_LENGTH;
  if (named === undefined || !isAddress) return null;
  const { host, reach } = readHost(named);
  const isReachable = reach === "public" || (reach === "private" && policy.allowsPrivate);
  if (!isReachable || !isListed(host, policy.hosts)) return null;
  const destination = { host, port, keyHash: server.keyHash, isPrivate: reach === "private" };
  return routesTo(destination, policy).length > 0 ? destination : null;
}

/**
 * The ways to a destination that policy allows, the likelier first: classic servers have TLS on 5223, relays on the
 * web are on 443. In one's own network a WebSocket is a plain one: nobody certifies names there.
 */
export function routesTo({ host, port, isPrivate }: DestinationAddress, policy: ProxyPolicy): readonly Route[] {
  const [tlsPort, webPort] = [port ?? DEFAULT_TLS_PORT, port ?? DEFAULT_WEB_PORT];
  const name = host.includes(":") ? `[${host}]` : host;
  const tls: Route = { kind: "tls", host, port: tlsPort };
  const web: Route = { kind: "websocket", origin: `${isPrivate ? "http" : "https"}://${name}:${webPort}` };
  const tlsFirst: readonly [Route, number][] = [[tls, tlsPort], [web, webPort]];
  const routes = port === DEFAULT_WEB_PORT ? tlsFirst.toReversed() : tlsFirst;
  return routes.filter(([, used]) => isOpen(used, policy)).map(([route]) => route);
}
