import type { ItemStatus } from "../records.ts";

/** A better status never goes back to a worse one. */
export const RANK: Readonly<Record<ItemStatus["type"], number>> = {
  unread: 9,
  read: 9,
  new: 0,
  sending: 1,
  sent: 2,
  error: 2,
  delivered: 3,
};

export function isBetter(status: ItemStatus, than: ItemStatus): boolean {
  return RANK[status.type] > RANK[than.type];
}
