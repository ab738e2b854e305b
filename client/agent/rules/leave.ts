import type { Step } from "../step.ts";
import { erase, outboxKey, TABLE } from "../tables.ts";

const OWNED = [TABLE.skipped, TABLE.outbox, TABLE.sent, TABLE.hashes] as const;

/** Everything that belongs to the connection goes with it. */
export async function eraseConnection(step: Step): Promise<void> {
  const prefix = `${step.connection.id}/`;
  for (const table of OWNED) step.changes.push(...await erase(step.store, table, prefix));
  step.isGone = true;
}

/** A connection that only waited for its messages to be sent goes with the last of them. */
export async function leaveIfDone(step: Step, queue: number, item: number): Promise<void> {
  if (step.connection.status !== "leaving") return;
  const waiting = await step.store.list(TABLE.outbox, { prefix: `${step.connection.id}/`, limit: 2 });
  const others = waiting.filter(({ key }) => key !== outboxKey(step.connection.id, queue, item));
  if (others.length === 0) await eraseConnection(step);
}
