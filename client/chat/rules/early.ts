import type { ItemReaction } from "../records.ts";
import type { Step } from "../step.ts";
import { prefixOf, TABLE } from "../tables.ts";

/** Messages of one conversation whose reactions wait for them; they need never come. */
export const MAX_EARLY = 1000;

/** The longest waiting half goes, so that rows are compared once in hundreds of times. */
async function makeRoom(step: Step, chat: string): Promise<void> {
  const keys = await step.keys(TABLE.earlyReactions, { prefix: prefixOf(chat), limit: MAX_EARLY });
  if (keys.length < MAX_EARLY) return;
  const ages: { readonly key: string; readonly at: number }[] = [];
  for (const key of keys) ages.push({ key, at: (await step.readSound(TABLE.earlyReactions, key))?.at ?? 0 });
  const oldest = ages.toSorted((a, b) => a.at - b.at).slice(0, MAX_EARLY / 2);
  for (const { key } of oldest) step.erase(TABLE.earlyReactions, key);
}

/** Keeps reactions to a message that is not here yet. When too many wait those go that have waited longest. */
export async function keepEarly(
  step: Step,
  chat: string,
  key: string,
  reactions: readonly ItemReaction[],
): Promise<void> {
  if (reactions.length === 0) return step.erase(TABLE.earlyReactions, key);
  if (!await step.has(TABLE.earlyReactions, key)) await makeRoom(step, chat);
  step.put(TABLE.earlyReactions, key, { reactions, at: step.now });
}
