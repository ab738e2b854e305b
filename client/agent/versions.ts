import { SMP_CLIENT_VERSION } from "#protocol/client-version";
import { agreedVersion, isInRange, type VersionRange } from "#protocol/version";
import { E2E_VERSIONS, PQ_VERSION } from "../ratchet/parameters.ts";
import type { ConnectionRequest } from "./wire/connection-request.ts";
import { LinkError } from "./wire/link-error.ts";

/** Agent versions at which something changes (agent specification, section 1). */
export const AGENT_VERSION = {
  duplexHandshake: 2,
  ratchetSync: 3,
  deliveryReceipts: 4,
  pqRatchet: 5,
  securedReplyQueues: 6,
  ratchetOnConfirmation: 7,
} as const;

/** What this agent speaks. */
export const AGENT_VERSIONS: VersionRange = {
  min: AGENT_VERSION.duplexHandshake,
  max: AGENT_VERSION.ratchetOnConfirmation,
};
/** What this agent speaks with the other side of a queue. */
export const SMP_CLIENT_VERSIONS: VersionRange = {
  min: SMP_CLIENT_VERSION.initial,
  max: SMP_CLIENT_VERSION.shortLinks,
};

/** Whether both sides can use a KEM in the ratchet. */
export function isPqSupported(agentVersion: number, e2eVersion: number): boolean {
  return agentVersion >= AGENT_VERSION.pqRatchet && e2eVersion >= PQ_VERSION;
}

function agree(what: string, own: VersionRange, link: VersionRange): number {
  const version = agreedVersion(own, link);
  if (version !== null) return version;
  const toUpdate = link.min > own.max ? "this program" : "the program that made the link";
  throw new LinkError("VERSION", `no ${what} version in common with the link; ${toUpdate} must be updated`);
}

/** The versions in which the joiner of a link speaks. */
export interface JoinVersions {
  readonly agent: number;
  /** Of the link's first queue, the only one that is used. */
  readonly client: number;
  /** Null for a contact address: it is joined with an invitation of the joiner's own. */
  readonly e2e: number | null;
}

/** Checks the versions of the first queue, the ratchet and the agent, in this order. @throws LinkError "VERSION" */
export function agreeJoinVersions(request: ConnectionRequest): JoinVersions {
  const client = agree("queue", SMP_CLIENT_VERSIONS, request.queues[0].clientVersions);
  const e2e = request.type === "invitation" ? agree("encryption", E2E_VERSIONS, request.e2e.versions) : null;
  return { agent: agree("agent", AGENT_VERSIONS, request.agentVersions), client, e2e };
}

/** The version of a connection after an envelope of version `received` came: it only rises. */
export function raisedAgentVersion(stored: number, received: number): number {
  const common = Math.min(AGENT_VERSIONS.max, received);
  return common >= AGENT_VERSIONS.min && common > stored ? common : stored;
}

/** Whether a confirmation of this version may be read; `agreed`: the connection's version. */
export function acceptsAgentVersion(version: number, agreed: number): boolean {
  return isInRange(version, AGENT_VERSIONS) || version <= agreed;
}

/** Whether a per-queue envelope of this version may be read; `agreed`: the queue's version. */
export function acceptsClientVersion(version: number, agreed: number): boolean {
  return isInRange(version, SMP_CLIENT_VERSIONS) || version <= agreed;
}

/** A queue's version after an envelope of version `received` was accepted. */
export function agreedClientVersion(received: number): number {
  return Math.min(SMP_CLIENT_VERSIONS.max, received);
}
