import type { Deliveries } from "../../group-records.ts";
import type { Item, ItemStatus } from "../../records.ts";
import type { Step } from "../../step.ts";
import { TABLE } from "../../tables.ts";
import { changeItem } from "../records.ts";
import { isBetter, RANK } from "../statuses.ts";

/** An own message goes to these members. */
export function beginDeliveries(step: Step, item: string, members: readonly { readonly id: string }[]): void {
  const statuses = members.map(({ id }): [string, ItemStatus] => [id, { type: "new" }]);
  step.put(TABLE.deliveries, item, { members: Object.fromEntries(statuses) });
}

/**
 * What an own message is to the user, given what it is to each member: received when all have it who can, sent as soon
 * as it is on its way to one.
 */
export function overall(statuses: readonly ItemStatus[]): ItemStatus {
  const alive = statuses.filter(({ type }) => type !== "error");
  const [first] = alive;
  if (!first) return statuses[0] ?? { type: "sent", isProxied: false };
  const delivered = alive.filter((one) => one.type === "delivered");
  if (delivered.length === alive.length) return delivered.find(({ isIntact }) => !isIntact) ?? first;
  const sent = alive.find(({ type }) => type === "sent");
  if (sent) return sent;
  if (delivered.length > 0) return { type: "sent", isProxied: false };
  return alive.reduce((best, one) => (RANK[one.type] > RANK[best.type] ? one : best), first);
}

/** How far an own message is on its way to one member. `known`: what is kept of it. */
export function noteDelivery(
  step: Step,
  item: Item,
  known: Deliveries | null,
  member: string,
  status: ItemStatus,
): void {
  const before = known?.members[member];
  if (!known || !before || !isBetter(status, before)) return;
  const members = { ...known.members, [member]: status };
  step.put(TABLE.deliveries, item.id, { members });
  const now = overall(Object.values(members));
  if (JSON.stringify(now) !== JSON.stringify(item.status)) changeItem(step, item, { status: now });
}
