import { RatchetError } from "../../ratchet/errors.ts";
import type { PeerError } from "../errors.ts";
import type { SyncState } from "../records.ts";
import type { Step } from "../step.ts";
import { AGENT_VERSION } from "../versions.ts";
import { synchronise } from "./resync.ts";
import { REPAIR_INTERVAL } from "./retry.ts";

/** What a failure of the ratchet says about it; null: nothing. */
function stateAfter(error: unknown): SyncState | null {
  if (!(error instanceof RatchetError)) return null;
  switch (error.code) {
    case "BODY":
    case "EARLIER":
      return "allowed";
    case "HEADER":
    case "SKIPPED":
      return "required";
    default:
      return null;
  }
}

/** A message could not be decrypted. */
export function syncAfterFailure(step: Step, fault: PeerError): void {
  const { sync, send } = step.connection;
  const state = stateAfter(fault.cause);
  if (state === null || send.length === 0 || sync.state === "started" || sync.state === "agreed") return;
  step.update({ sync: { ...sync, state } });
  step.tell({ type: "sync", state, detail: fault.message });
  if (isSafe(step, state)) synchronise(step, false);
}

/**
 * When repairing needs nobody's decision: nothing can be read any more, so that nothing gets lost by new keys, and no
 * other attempt was made lately, so that two sides cannot keep each other busy.
 */
function isSafe(step: Step, state: SyncState): boolean {
  const { sync, agentVersion } = step.connection;
  return step.policy.repairs && state === "required" && agentVersion >= AGENT_VERSION.ratchetSync
    && step.now - sync.triedAt >= REPAIR_INTERVAL;
}

/** A message was decrypted: whatever was wrong is over. */
export function syncAfterSuccess(step: Step): void {
  const { sync } = step.connection;
  if (sync.state === "ok" || sync.state === "started") return;
  step.update({ sync: { ...sync, state: "ok", keys: null } });
  step.tell({ type: "sync", state: "ok", detail: "a message was decrypted" });
}
