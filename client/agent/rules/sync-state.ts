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
    // What came twice is known by its hash, so this is another message with the number of an old one.
    case "DUPLICATE":
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
  const found = stateAfter(fault.cause);
  if (found === null || send.length === 0 || sync.state === "started") return;
  // What comes right after an agreement may have been sent before it.
  if (sync.state === "agreed" && step.now - sync.triedAt < REPAIR_INTERVAL) return;
  // The second in a row: not one message is wrong, but the ratchet of a peer that was restored from an old copy.
  const state = sync.state === "ok" ? found : "required";
  step.update({ sync: { ...sync, state } });
  step.tell({ type: "sync", state, detail: fault.message });
  // Nothing can be read any more, so nothing gets lost by new keys.
  if (state === "required" && mayRepair(step)) synchronise(step, false);
}

/** Whether to try without asking: not when that was done lately, so that two sides cannot keep each other busy. */
function mayRepair(step: Step): boolean {
  const { sync, agentVersion } = step.connection;
  return step.policy.repairs && agentVersion >= AGENT_VERSION.ratchetSync && step.now - sync.triedAt >= REPAIR_INTERVAL;
}

/** A message was decrypted: whatever was wrong is over. */
export function syncAfterSuccess(step: Step): void {
  const { sync } = step.connection;
  if (sync.state === "ok") return;
  if (sync.state === "started") {
    // The peer has not used what was offered, or has forgotten it: it was restored from an old copy.
    if (mayRepair(step)) synchronise(step, true);
    return;
  }
  step.update({ sync: { ...sync, state: "ok", keys: null } });
  // Some tasks wait for it.
  step.effect({ type: "work" });
  step.tell({ type: "sync", state: "ok", detail: "a message was decrypted" });
}
