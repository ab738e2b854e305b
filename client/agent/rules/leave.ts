import { listRecords } from "../../store/record.ts";
import { checkDelivery, type Removal } from "../records.ts";
import type { Step } from "../step.ts";
import { erase, outboxKey, TABLE } from "../tables.ts";
import { newId } from "./establish.ts";
import { LEAVING_EXPIRY } from "./retry.ts";

const OWNED = [TABLE.skipped, TABLE.outbox, TABLE.sent, TABLE.hashes] as const;

/** Everything that belongs to the connection goes with it. */
export async function eraseConnection(step: Step): Promise<void> {
  const prefix = `${step.connection.id}/`;
  for (const table of OWNED) step.changes.push(...await erase(step.store, table, prefix));
  step.isGone = true;
}

/** A queue that the connection has no use for: its relay is asked to delete it, and nothing waits for that. */
export function removeLater(step: Step, { server, rcvId, authKey }: Pick<Removal, "server" | "rcvId" | "authKey">): void {
  const removal: Removal = { profile: step.connection.profile, server, rcvId, authKey, attempts: 0 };
  step.write(TABLE.removals, newId(), removal);
  step.effect({ type: "remove" });
}

/** A connection that only waited for its messages to be sent goes with the last of them. */
export async function leaveIfDone(step: Step, queue: number, item: number): Promise<void> {
  if (step.connection.status !== "leaving") return;
  const waiting = await step.store.list(TABLE.outbox, { prefix: `${step.connection.id}/`, limit: 2 });
  const others = waiting.filter(({ key }) => key !== outboxKey(step.connection.id, queue, item));
  if (others.length === 0) await eraseConnection(step);
}

/** The same after a start. */
export async function leaveIfEmpty(step: Step): Promise<void> {
  if (step.connection.status !== "leaving") return;
  const waiting = await step.store.list(TABLE.outbox, { prefix: `${step.connection.id}/`, limit: 1 });
  if (waiting.length === 0) await eraseConnection(step);
}

/** What has waited for two days in such a connection is waited for no longer. */
export async function leaveIfOverdue(step: Step): Promise<void> {
  if (step.connection.status !== "leaving") return;
  const waiting = await listRecords(step.store, TABLE.outbox, checkDelivery, { prefix: `${step.connection.id}/` });
  if (waiting.every(({ value }) => step.now - value.at > LEAVING_EXPIRY)) await eraseConnection(step);
}
