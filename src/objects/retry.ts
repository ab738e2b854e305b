/** Pauses before another attempt, in milliseconds. */
const PAUSES = [20, 200] as const;

/**
 * What the platform says of a failed call: `retryable` where the object moved or was updated and another attempt may
 * go through, `overloaded` where attempts would only add to the load.
 */
function isWorthRetrying(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { retryable, overloaded } = error as { readonly retryable?: unknown; readonly overloaded?: unknown };
  return retryable === true && overloaded !== true;
}

/**
 * Calls an object, again where that may help. `call` must take a new stub each time: a stub that failed stays broken.
 *
 * That a call failed does not tell whether it was done: the object may have stored everything and lost only its
 * answer. So a call must be such that a second one changes nothing and answers the same. What a command makes is made
 * before the first call (the id of a message, the keys of a queue), and the queue recognises it:
 * - A message that is stored is not stored again, nor one that was acknowledged meanwhile. Only when moreover other
 *   messages came behind it before the second call does its recipient get it twice, under the same id, as after an
 *   acknowledgement that did not arrive. To remember more would cost another row for each message.
 * - NEW answers for the queue that it has made. KEY, SKEY, LKEY, LSET, LDEL, NDEL, OFF and whatever reads or
 *   subscribes find done what they do. NKEY makes new keys, and only its last answer counts.
 * - What cannot be recognised is not called again (`UNREPEATABLE` in `forward.ts`).
 *
 * With an answer that is lost, counts of subscriptions and notifications on their way may be lost.
 */
export async function calling<T>(call: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await call();
    } catch (error) {
      if (!isWorthRetrying(error)) throw error;
      await scheduler.wait(pause);
    }
  }
  return await call();
}
