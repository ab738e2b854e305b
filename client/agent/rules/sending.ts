import type { Connection, SyncState } from "../records.ts";
import { AGENT_VERSION } from "../versions.ts";

/** States in which only keys for a new ratchet may go out (agent protocol, ratchet re-synchronisation). */
export function isSendingProhibited(state: SyncState): boolean {
  return state === "required" || state === "started" || state === "agreed";
}

/**
 * Whether messages may be numbered and encrypted: not before the own confirmation was, which has to be the first item.
 * The initiator can read what comes right after it from version 7 on, when the joiner has secured its queue.
 */
export function canSend({ status, send: [queue], info, agentVersion, sync }: Connection): boolean {
  if (!queue || info !== null || isSendingProhibited(sync.state)) return false;
  const isEarly = queue.mode === "messaging" && agentVersion >= AGENT_VERSION.ratchetOnConfirmation;
  return status === "connected" || status === "leaving" || (status === "pending" && isEarly);
}
