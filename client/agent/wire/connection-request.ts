import { utf8 } from "#crypto/bytes";
import { AddressError, formatQueueUri, parseHost, parseQueueUri, type QueueUri } from "#protocol/address";
import { type Codec, large, transform } from "#protocol/codec";
import { maybe, struct } from "#protocol/combine";
import { formatVersions, parseVersions, percentEncode } from "#protocol/link-text";
import { queueUri } from "#protocol/queue-address";
import { type VersionRange, versionRange } from "#protocol/version";
import { type E2eUri, e2eUri, formatE2eUri, parseE2eUri } from "../../ratchet/parameters.ts";
import { AGENT_VERSIONS } from "../versions.ts";
import { LinkError, readingLink } from "./link-error.ts";
import { type NonEmpty, nonEmpty } from "./non-empty.ts";
import { union } from "./union.ts";

export type ConnectionMode = "invitation" | "contact";

interface RequestData {
  readonly agentVersions: VersionRange;
  /** Only the first is used for joining. */
  readonly queues: NonEmpty<QueueUri>;
  /** For the application: in contact links its JSON. */
  readonly clientData: string | null;
}

/** A one-time invitation: whoever joins it first has it. */
export interface InvitationRequest extends RequestData {
  readonly type: "invitation";
  readonly e2e: E2eUri;
}

/** An address that anybody may ask to connect to. */
export interface ContactRequest extends RequestData {
  readonly type: "contact";
}

/** What a long link says, whatever scheme it is written in. */
export type ConnectionRequest = InvitationRequest | ContactRequest;

const lenient = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/** As the official parser does, broken UTF-8 is repaired and not refused. */
const clientData: Codec<string> = transform(large, (bytes) => lenient.decode(bytes), utf8);

/** Addresses that leave out their mode stand in contact links (agent specification, section 2.3). */
const linkQueue: Codec<QueueUri> = transform(
  queueUri,
  (uri): QueueUri => (uri.mode === null ? { ...uri, mode: "contact" } : uri),
  (uri) => uri,
);

const requestData = { agentVersions: versionRange, queues: nonEmpty(linkQueue), clientData: maybe(clientData) };

/**
 * In short link data: `I` or `C`, range, NonEmpty queue address, Maybe Large client data, and for `I` the ratchet
 * parameters (agent specification, section 2.6). A queue without a mode reads as a contact queue.
 */
export const connectionRequest: Codec<ConnectionRequest> = union<ConnectionRequest>({
  invitation: ["I", struct<Omit<InvitationRequest, "type">>({ ...requestData, e2e: e2eUri })],
  contact: ["C", struct<Omit<ContactRequest, "type">>(requestData)],
});

/** `simplex:`, or `https://host[:port]` of a web page that shows the link. */
export type LinkScheme = "simplex:" | `https://${string}`;

/** The text of a long link (agent specification, section 2.5). */
export function formatConnectionRequest(request: ConnectionRequest, scheme: LinkScheme = "simplex:"): string {
  const parameters = [
    ["v", formatVersions(request.agentVersions)],
    // Commas stand between the hosts of one queue.
    ["smp", request.queues.map(formatQueueUri).join(";")],
    ...(request.type === "invitation" ? [["e2e", formatE2eUri(request.e2e)]] : []),
    ...(request.clientData === null ? [] : [["data", request.clientData]]),
  ] as const;
  const query = parameters.map(([name = "", value = ""]) => `${name}=${percentEncode(value)}`).join("&");
  return `${scheme}/${request.type}#/?${query}`;
}

const LONG_LINK = new RegExp(
  String.raw`^(?:simplex:|https://(?<host>\[[^\]]*\]|[^/?#:\s]+)(?::\d{1,5})?)`
    + String.raw`/(?<mode>invitation|contact)/?#/\?(?<query>\S*)$`,
  "i",
);

/** Whether the text has the outer form of a long link. */
export function isConnectionRequest(text: string): boolean {
  return LONG_LINK.test(text);
}

/** Old addresses that were published live on: their range is raised to what is still spoken. */
function raised({ min, max }: VersionRange): VersionRange {
  const oldest = AGENT_VERSIONS.min;
  return { min: Math.max(oldest, min), max: Math.max(oldest, max) };
}

/** Reads a long link in any scheme, which is then forgotten. @throws LinkError */
export function parseConnectionRequest(text: string): ConnectionRequest {
  const groups = LONG_LINK.exec(text)?.groups;
  if (!groups) throw new LinkError("SYNTAX", "a long link looks like simplex:/invitation#/?v=...&smp=...");
  const { host, mode = "", query = "" } = groups as Record<string, string | undefined>;
  return readingLink("the link cannot be read", (): ConnectionRequest => {
    if (host !== undefined) parseHost(host);
    const parameters = new URLSearchParams(query);
    const required = (name: string): string => {
      const value = parameters.get(name);
      if (!value) throw new AddressError(`it has no '${name}'`);
      return value;
    };
    const agentVersions = parseVersions(required("v"));
    if (!agentVersions) throw new AddressError(`'${required("v")}' is not a version range`);
    const [first = "", ...others] = required("smp").split(";");
    const queues = [parseQueueUri(first), ...others.map(parseQueueUri)] as const;
    const data = { queues, clientData: parameters.get("data") };
    return mode.toLowerCase() === "contact"
      ? { type: "contact", agentVersions: raised(agentVersions), ...data }
      : { type: "invitation", agentVersions, ...data, e2e: parseE2eUri(required("e2e")) };
  });
}
