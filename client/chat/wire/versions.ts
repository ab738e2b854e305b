import { formatVersions, parseVersions } from "#protocol/link-text";
import { agreedVersion, type VersionRange } from "#protocol/version";
import { MessageError } from "./errors.ts";
import type { JsonCodec } from "./json.ts";

/** Chat versions at which something changes (chat specification, section 1.4). */
export const CHAT_VERSION = {
  initial: 1,
  groupDirectInvitation: 2,
  groupFastJoin: 3,
  groupForward: 4,
  groupBatch: 5,
  groupWelcomeInHistory: 6,
  memberProfileUpdate: 7,
  compressionAndPq: 8,
  directBatch: 9,
  businessChats: 10,
  businessPreferences: 11,
  reports: 12,
  joinRejection: 14,
  messageScopes: 15,
  shortLinkData: 16,
} as const;

/** What this client speaks. */
export const CHAT_VERSIONS: VersionRange = { min: CHAT_VERSION.initial, max: CHAT_VERSION.shortLinkData };
/** What a message says that names no versions. */
export const INITIAL_VERSIONS: VersionRange = { min: CHAT_VERSION.initial, max: CHAT_VERSION.initial };

/** From this agent version on a peer whose chat versions are not known yet speaks chat version 8. */
const PQ_AGENT_VERSION = 5;

/** `1-16`, or `1` for one version. */
export const chatVersions: JsonCodec<VersionRange> = {
  read(json) {
    const range = typeof json === "string" ? parseVersions(json) : null;
    if (range === null) throw new MessageError("must be a range of versions, as 1-16");
    return range;
  },
  write: formatVersions,
};

/**
 * The version of a connection after a message from the peer with these versions: it is raised, never lowered. With no
 * version in common it stays what it was, or 1 if nothing was agreed before.
 */
export function connectionVersion(peer: VersionRange, before: number = CHAT_VERSION.initial): number {
  return Math.max(agreedVersion(CHAT_VERSIONS, peer) ?? CHAT_VERSION.initial, before);
}

/** The version of a connection to a peer of which only the agent version is known. */
export function versionFromAgent(agentVersion: number): number {
  return agentVersion < PQ_AGENT_VERSION ? CHAT_VERSION.initial : CHAT_VERSION.compressionAndPq;
}
