import { ForwardingError, brokerErr } from "../../relay/destination.ts";
import { DESTINATION } from "../../relay/limits.ts";
import type { Route } from "../../relay/proxy-policy.ts";
import type { OpenedCarriage } from "./carriage.ts";
import { firstToOpen } from "./first.ts";
import type { Outside } from "./outside.ts";
import { openTls } from "./tls.ts";
import { openWebSocket } from "./websocket.ts";

/** A relay that was reached and is who it should be; `session` is what its hello was answered with. */
export interface Reached<S> {
  readonly route: Route;
  readonly opened: OpenedCarriage;
  readonly session: S;
}

/** How another relay can be reached, and what it is told. */
export interface Reaching<S> {
  readonly outside: Outside;
  readonly keyHash: Uint8Array;
  /** The likelier first. */
  readonly routes: readonly Route[];
  /** What worked last: it is tried first. */
  readonly kind: Route["kind"] | null;
  /** Verifies the hello of whoever answers, and answers it. @throws ForwardingError */
  greet(opened: OpenedCarriage): { readonly session: S; readonly hello: Uint8Array };
}

async function takeRoute<S>(
  { outside, keyHash, greet }: Reaching<S>,
  route: Route,
  signal: AbortSignal,
): Promise<Reached<S>> {
  const opened = route.kind === "tls"
    ? await openTls(outside, route, keyHash, signal)
    : await openWebSocket(outside, route.origin, signal);
  try {
    const { session, hello } = greet(opened);
    opened.carriage.send(hello);
    return { route, opened, session };
  } catch (error) {
    opened.carriage.close();
    throw error;
  }
}

/** Connects to another relay by whichever way opens first. @throws ForwardingError */
export async function reach<S>(reaching: Reaching<S>): Promise<Reached<S>> {
  const { routes, kind } = reaching;
  if (routes.length === 0) throw new ForwardingError(brokerErr({ type: "HOST" }));
  const best = routes.filter((route) => route.kind === kind);
  const others = routes.filter((route) => route.kind !== kind);
  return await firstToOpen(
    [...best, ...others].map((route) => (signal) => takeRoute(reaching, route, signal)),
    DESTINATION,
  );
}
