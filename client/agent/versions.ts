import { SMP_CLIENT_VERSION } from "#protocol/client-version";
import { isInRange, type VersionRange } from "#protocol/version";
import { PQ_VERSION } from "../ratchet/parameters.ts";

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
