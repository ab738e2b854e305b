import type { Member } from "../../group-records.ts";
import type { Step } from "../../step.ts";
import { seenKey, TABLE } from "../../tables.ts";
import type { Id } from "../../wire/ids.ts";
import { SEEN_PERIOD } from "./limits.ts";

/** Messages that came are noted by the period in which they did, so that old ones can be forgotten together. */
export function periodOf(now: number): number {
  return Math.floor(now / SEEN_PERIOD);
}

/**
 * Notes a message of an author. `by`: the member who passed it on.
 * @returns null when it is a new one; else how it came first
 */
export async function seenBefore(
  step: Step,
  author: Member,
  msgId: Id,
  by: string | null,
): Promise<{ readonly by: string | null } | null> {
  const period = periodOf(step.now);
  for (const one of [period, period - 1]) {
    const known = await step.read(TABLE.seen, seenKey(author.group, one, author.id, msgId));
    if (known) return known;
  }
  step.put(TABLE.seen, seenKey(author.group, period, author.id, msgId), { by });
  return null;
}
