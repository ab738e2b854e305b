/** A link that an app would not take; the message says what is wrong with it in words for everybody. */
export class LinkError extends Error {
  override readonly name = "LinkError";
}

/** Where a page with a link stands, as `location` of a browser names it. */
export interface Place {
  /** With the port, if it is not the default one. */
  readonly host: string;
  readonly hostname: string;
  readonly pathname: string;
  /** The fragment with its `#`, or nothing. */
  readonly hash: string;
}

/** One link in its two forms. */
export interface SharedLink {
  /** `https://...` */
  readonly web: string;
  /** `simplex:/...` */
  readonly app: string;
  /** Where the link leads: hosts of relays. */
  readonly hosts: readonly string[];
  /** Whether a contact address says that it is the one of a group. */
  readonly isGroup: boolean;
}

/** Characters of base64url without padding that this many bytes take. */
const base64Length = (bytes: number): number => Math.ceil((bytes * 4) / 3);

const LINK_ID = base64Length(24);
const KEY = base64Length(32);
const FINGERPRINT = base64Length(32);
/** DER of an X25519 key. */
const QUEUE_KEY = base64Length(44);
/** DER of an X448 key. */
const RATCHET_KEY = base64Length(68);
/** Public key of sntrup761. */
const KEM_KEY = base64Length(1158);

/** Nothing in a link needs another character: whatever has to be escaped is. */
const TEXT = /^[\w.~%=&?/,;:@+-]*$/;
const HOST = /^(?:[\w-]+(?:\.[\w-]+)*|\[?[\da-fA-F.]*:[\da-fA-F:.]*\]?)$/;
const RANGE = /^\d{1,5}(?:-\d{1,5})?$/;
const QUEUE = /^smp:\/\/(?<hash>[^@/]+)@(?<hosts>[^@/]+?)(?::\d{1,5})?\/[\w-]+=*\/?#\/?\?(?<query>[^#?]*)$/;

/** @throws LinkError when `text` is not this many characters of base64url */
function check(what: string, text: string | null | undefined, length: number): void {
  const value = text?.replace(/=+$/, "") ?? "";
  if (value === "") throw new LinkError(`Its ${what} is missing.`);
  if (!/^[\w-]+$/.test(value)) throw new LinkError(`Its ${what} contains a character that does not belong there.`);
  if (value.length === length) return;
  throw new LinkError(`Its ${what} has ${value.length} characters, but ${length} belong there.`);
}

function checkHosts(hosts: readonly string[]): void {
  if (!hosts.every((host) => HOST.test(host))) throw new LinkError("The host of its relay is none.");
}

/** `<linkId>/<key>` of an invitation, `<key>` of the others. */
function checkIds(type: string, ids: string): void {
  const parts = ids.split("/");
  if (type === "i") check("link id", parts.shift(), LINK_ID);
  check("key", parts.shift(), KEY);
  if (parts.length > 0) throw new LinkError("It has more parts than such a link has.");
}

/** `<ids>?h=...&p=...&c=...` */
function readShort(type: string, { hostname }: Place, fragment: string): SharedLink {
  const [ids = "", query = "", ...more] = fragment.split("?");
  if (more.length > 0) throw new LinkError("It has more parts than such a link has.");
  checkIds(type, ids);
  const params = new URLSearchParams(query);
  check("relay's fingerprint (c=...)", params.get("c"), FINGERPRINT);
  const port = params.get("p");
  if (port !== null && !/^[1-9]\d{0,4}$/.test(port)) throw new LinkError("The port of its relay is none.");
  // The web link names its first host only as the host of the page.
  const others = params.get("h")?.split(",") ?? [];
  const hosts = [hostname.replace(/^\[|\]$/g, ""), ...others.filter((host) => host !== "")];
  checkHosts(hosts);
  const rest = query.split("&").filter((part) => !part.startsWith("h="));
  return {
    web: `https://${hostname}/${type}#${fragment}`,
    app: `simplex:/${type}#${ids}?${[`h=${encodeURIComponent(hosts.join(","))}`, ...rest].join("&")}`,
    hosts,
    isGroup: false,
  };
}

function readQueue(text: string): string[] {
  const groups = QUEUE.exec(text)?.groups;
  if (!groups) throw new LinkError("The address of its queue is damaged.");
  check("relay's fingerprint", groups["hash"], FINGERPRINT);
  check("queue's key", new URLSearchParams(groups["query"]).get("dh"), QUEUE_KEY);
  const hosts = groups["hosts"]?.split(",") ?? [];
  checkHosts(hosts);
  return hosts;
}

/** `v=...&x3dh=<key>,<key>[&kem_key=...]` */
function checkRatchet(text: string): void {
  const params = new URLSearchParams(text);
  const keys = params.get("x3dh")?.split(",") ?? [];
  check("first encryption key", keys[0], RATCHET_KEY);
  check("second encryption key", keys[1], RATCHET_KEY);
  if (params.has("kem_key")) check("post-quantum key", params.get("kem_key"), KEM_KEY);
}

/** `/?v=...&smp=...`, for an invitation with `&e2e=...`. */
function readLong(type: string, { host }: Place, fragment: string): SharedLink {
  if (!fragment.startsWith("/?")) throw new LinkError("Its beginning is missing.");
  const params = new URLSearchParams(fragment.slice(2));
  if (!RANGE.test(params.get("v") ?? "")) throw new LinkError("Its version is missing.");
  const queues = (params.get("smp") ?? "").split(";").map(readQueue);
  if (type === "invitation") checkRatchet(params.get("e2e") ?? "");
  return {
    web: `https://${host}/${type}#${fragment}`,
    app: `simplex:/${type}#${fragment}`,
    // An app uses the first queue.
    hosts: queues[0] ?? [],
    isGroup: /"groupLinkId" *: *"/.test(params.get("data") ?? ""),
  };
}

/**
 * Reads the link that a page stands for; null when there is nothing after `#`. The forms of it that are returned hold
 * nothing but characters of links, and the one for apps begins with `simplex:/`.
 *
 * @throws LinkError
 */
export function readLink(place: Place): SharedLink | null {
  const fragment = place.hash.slice(1);
  if (fragment === "") return null;
  if (!TEXT.test(fragment)) throw new LinkError("It contains a character that does not belong into a link.");
  const type = place.pathname.replaceAll("/", "");
  return type.length === 1 ? readShort(type, place, fragment) : readLong(type, place, fragment);
}
