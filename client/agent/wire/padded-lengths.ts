import { AGENT_VERSION } from "../versions.ts";

// A header with KEM keys is longer; what is padded is shorter then, so that the whole fits into a queue's message
// (ratchet specification, section 5.4). `pq`: the connection supports the KEM.

const hasKem = (agentVersion: number, pq: boolean): boolean => pq && agentVersion >= AGENT_VERSION.pqRatchet;

/** What a message is padded to before the ratchet encrypts it: 2 bytes more than the longest. */
export function messagePaddedLength(agentVersion: number, pq: boolean): number {
  return hasKem(agentVersion, pq) ? 13_618 : 15_840;
}

/** What connection information is padded to before the ratchet encrypts it. */
export function connInfoPaddedLength(agentVersion: number, pq: boolean): number {
  return hasKem(agentVersion, pq) ? 11_106 : 14_832;
}
