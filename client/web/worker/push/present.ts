import { closeOf, markOf, show } from "../../push/notice.ts";
import { isVague, noticesFor, type Situation } from "../../push/what-to-show.ts";
import { LOOKING } from "../../session/protocol.ts";

/** Whether somebody looks at the page: then that tells what comes. */
export async function isAnybodyLooking(): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name === LOOKING);
}

/** WebKit ends a subscription after three pushes that showed nothing. Workers are not told whose browser it is. */
async function mustShow({ pushManager }: ServiceWorkerRegistration): Promise<boolean> {
  const subscription = await pushManager.getSubscription();
  return subscription !== null && new URL(subscription.endpoint).hostname.endsWith(".push.apple.com");
}

/** Shows what came of a push. */
export async function present(
  { registration }: ServiceWorkerGlobalScope,
  outcome: Pick<Situation, "kind" | "arrival" | "isSealed">,
): Promise<void> {
  const notices = noticesFor({
    ...outcome,
    isLooking: await isAnybodyLooking(),
    mustShow: await mustShow(registration),
    shown: (await registration.getNotifications()).map(markOf),
  });
  if (notices.length > 0) await closeOf(registration, isVague);
  for (const { news, isSilent } of notices) await show(registration, news, { again: true, silent: isSilent });
}
