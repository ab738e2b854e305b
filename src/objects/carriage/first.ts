import type { NetworkError } from "#protocol/errors";
import { ForwardingError, networkErr } from "../../relay/destination.ts";

/** Tries to open something. When `signal` aborts, whatever was or will be opened is closed. */
export type Way<T> = (signal: AbortSignal) => Promise<T>;

/** Milliseconds. */
export interface Patience {
  /** How long a way is tried before the next one is too. */
  readonly headStart: number;
  /** For all of them together. */
  readonly connect: number;
}

/** What went wrong in the network; null for a failure of another kind. */
function networkErrorOf(error: unknown): NetworkError["type"] | null {
  if (!(error instanceof ForwardingError) || error.error.type !== "PROXY") return null;
  const { proxyErr } = error.error;
  const isNetwork = proxyErr.type === "BROKER" && proxyErr.brokerErr.type === "NETWORK";
  return isNetwork ? proxyErr.brokerErr.networkError.type : null;
}

/** A failure that says something of the other side rather than of the network between. */
function mostTelling(errors: readonly unknown[]): unknown {
  return errors.find((error) => networkErrorOf(error) === null) ?? errors[0];
}

/** A relay answers there, and it is another one: no other way to the same place leads to a better one. */
function isAnotherRelay(error: unknown): boolean {
  return networkErrorOf(error) === "unknownCAError";
}

/**
 * What opens first of several ways. They are tried one after the other, each as soon as the one before has failed or
 * had its head start. What does not win is closed; when another relay answers, the search ends.
 * @throws the most telling of their errors, or ForwardingError when time is up
 */
export function firstToOpen<T>(ways: readonly Way<T>[], { headStart, connect }: Patience): Promise<T> {
  const tried: AbortController[] = [];
  const errors: unknown[] = [];
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let isOver = false;
  const end = (winner: AbortController | null): void => {
    isOver = true;
    for (const timer of timers) clearTimeout(timer);
    for (const controller of tried) if (controller !== winner) controller.abort();
  };
  const fail = (error: unknown): void => {
    end(null);
    reject(error);
  };
  const after = (milliseconds: number, act: () => void): ReturnType<typeof setTimeout> => {
    const timer = setTimeout(act, milliseconds);
    timers.add(timer);
    return timer;
  };
  const tryNext = async (): Promise<void> => {
    const way = ways[tried.length];
    if (isOver || !way) return;
    const controller = new AbortController();
    tried.push(controller);
    const ahead = after(headStart, () => void tryNext());
    try {
      const opened = await way(controller.signal);
      if (isOver) return controller.abort();
      end(controller);
      resolve(opened);
    } catch (error) {
      errors.push(error);
      clearTimeout(ahead);
      if (isOver) return;
      if (isAnotherRelay(error)) fail(error);
      else if (errors.length === ways.length) fail(mostTelling(errors));
      else void tryNext();
    }
  };
  after(connect, () => fail(new ForwardingError(networkErr({ type: "timeoutError" }))));
  void tryNext();
  return promise;
}
