import { type Arrival, type News, NOTHING_TAG, SOMETHING_TAG } from "../../push/api.ts";
import { closeVague, show } from "../../push/notice.ts";
import { LOOKING } from "../../session/protocol.ts";
import { words } from "../../words/words.ts";

const { notified } = words;

/** Whether somebody looks at the page: then that tells what comes. */
export async function isAnybodyLooking(): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name === LOOKING);
}

/** What a push is about, as far as it says so to those who cannot open it. */
export type PushKind = "verification" | "messages" | "check";

function vague(tag: string, body: string): News {
  return { tag, title: words.product, body, place: "#/" };
}

/**
 * Shows what came. Browsers want something to be shown for each push, and else show something of their own, or take the
 * subscription away.
 * @param arrival null when the profile could not be opened
 */
export async function present(
  { registration }: ServiceWorkerGlobalScope,
  kind: PushKind,
  arrival: Arrival | null,
  isSealed: boolean,
): Promise<void> {
  // The first push comes while somebody turns them on.
  if (kind === "verification" || await isAnybodyLooking()) return;
  if (arrival && arrival.news.length > 0) {
    await closeVague(registration);
    for (const news of arrival.news) await show(registration, news, { again: true });
    return;
  }
  const tags = (await registration.getNotifications()).map(({ tag }) => tag);
  const isUnknown = arrival === null || (kind === "messages" && !arrival.isComplete);
  if (isUnknown && !tags.includes(SOMETHING_TAG)) {
    await closeVague(registration);
    const body = isSealed ? notified.sealed : notified.something;
    // Of a look for messages nobody knows whether there are any.
    await show(registration, vague(SOMETHING_TAG, body), { silent: kind === "check" });
  }
  if (isUnknown || tags.length > 0) return;
  await show(registration, vague(NOTHING_TAG, notified.nothing), { silent: true });
}
