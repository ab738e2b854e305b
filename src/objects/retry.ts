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
 * A command may be done twice: like a resent SEND, which recipients recognise.
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
