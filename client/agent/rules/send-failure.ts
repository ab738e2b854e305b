import {
  ConnectError,
  DisconnectedError,
  ProtocolError,
  ProxyError,
  type ProxyFailure,
  SimplexError,
  TimeoutError,
  UnexpectedAnswerError,
} from "../../errors.ts";
import { isPassing } from "../../smp/proxy-failure.ts";
import type { FailureReason } from "../events.ts";
import type { Delivery } from "../records.ts";
import { FAST_RETRY, MESSAGE_EXPIRY, nextDelay, QUOTA_EXPIRY, SLOW_RETRY } from "./retry.ts";

/** What becomes of a delivery that failed. */
export type Verdict =
  /** `isTold`: the reason is worth telling, since waiting alone may not help. */
  | { readonly type: "retry"; readonly isTold: boolean; readonly error: SimplexError }
  /** The peer's queue is full. */
  | { readonly type: "full"; readonly wait: NonNullable<Delivery["wait"]>; readonly error: SimplexError }
  | Dropped;

export interface Dropped {
  readonly type: "drop";
  readonly reason: FailureReason;
  readonly detail: string;
}

/** Whether a relay may well do the same command later. */
export function isTemporary(error: unknown): boolean {
  if (error instanceof ProtocolError) return isPassing(error.error);
  // Nothing that happens on the way there is a reason to lose a message: other proxies and other settings are possible.
  if (error instanceof ProxyError) return error.failure !== "refused";
  return error instanceof TimeoutError || error instanceof DisconnectedError || error instanceof ConnectError ||
    error instanceof UnexpectedAnswerError;
}

const ON_THE_WAY: ReadonlySet<ProxyFailure> = new Set<ProxyFailure>(["unreachable", "noSession"]);

/** The relay is not reachable by its address, as against a network that is down: people may have to do something. */
function isHostTrouble(error: SimplexError): boolean {
  if (error instanceof ProxyError) return !ON_THE_WAY.has(error.failure);
  const cause = error instanceof DisconnectedError ? error.cause : error;
  return cause instanceof ConnectError && !cause.retryable;
}

/** Agent protocol, sending and retry. `isCalled`: the peer has just said that there is room again. */
export function judgeFailure(delivery: Delivery, error: unknown, now: number, isCalled = false): Verdict {
  const age = now - delivery.at;
  if (!(error instanceof SimplexError)) {
    return { type: "drop", reason: "REFUSED", detail: error instanceof Error ? error.message : String(error) };
  }
  const detail = error.message;
  if (isTemporary(error)) {
    if (age >= MESSAGE_EXPIRY) return { type: "drop", reason: "EXPIRED", detail };
    return { type: "retry", isTold: isHostTrouble(error), error };
  }
  const answer = error instanceof ProtocolError ? error.error.type : null;
  if (answer === "QUOTA") {
    if (delivery.kind === "confirmation") return { type: "drop", reason: "NOT_AVAILABLE", detail };
    if (age >= QUOTA_EXPIRY) return { type: "drop", reason: "QUOTA", detail };
    // Its word can overtake the acknowledgement that makes the room, and is not repeated.
    const wait = isCalled ? { since: now, delay: FAST_RETRY.initial } : delivery.wait;
    const since = wait?.since ?? now;
    const delay = nextDelay(SLOW_RETRY, wait?.delay ?? null, now - since);
    return { type: "full", wait: { delay, since, until: now + delay }, error };
  }
  return { type: "drop", reason: answer === "AUTH" ? "NOT_AVAILABLE" : "REFUSED", detail };
}
