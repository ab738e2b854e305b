import type { Command } from "#protocol/commands";
import type { ErrorType } from "#protocol/errors";
import { TIMEOUT } from "./destination.ts";
import { type Limits, PRXY_PER_MINUTE, take } from "./limits.ts";
import type { ReadySession } from "./session.ts";

/** Whether the command may end in one more subscription. */
export function isSubscribing(command: Command): boolean {
  return command.tag === "SUB" || command.tag === "NSUB" || (command.tag === "NEW" && command.subscribe);
}

/** Links are looked up in objects of their own, which costs as much as a message. */
const MESSAGES: ReadonlySet<Command["tag"]> = new Set<Command["tag"]>(["SEND", "PFWD", "LKEY", "LGET"]);

/**
 * Counts a command against the limits of its connection. Null: it is over one of them (see `refusal`). `now` in
 * milliseconds; `underway`: subscribing commands that have not been answered.
 */
export function admit(
  session: ReadySession,
  command: Command,
  limits: Limits,
  now: number,
  underway: number,
): ReadySession | null {
  const { queuesPerConnection } = limits;
  const isFull = queuesPerConnection > 0 && session.subscriptions + underway >= queuesPerConnection;
  if (isSubscribing(command) && isFull) return null;
  if (command.tag === "NEW") {
    const newQueues = take(session.newQueues, limits.newQueuesPerMinute, now);
    return newQueues && { ...session, newQueues };
  }
  // What a proxy forwards counts where it comes from too: its session with the other relay is everybody's.
  if (MESSAGES.has(command.tag)) {
    const messages = take(session.messages, limits.messagesPerMinute, now);
    return messages && { ...session, messages };
  }
  if (command.tag === "PRXY") {
    const relays = take(session.relays, PRXY_PER_MINUTE, now);
    return relays && { ...session, relays };
  }
  return session;
}

/**
 * For what proxies forward when all of their clients together are over a limit: whatever else they were told, one of
 * them would give up or wait for a queue that is not full.
 */
export const FORWARDED_TOO_MANY: ErrorType = { type: "STORE", storeErr: "too many forwarded commands, try again" };

/**
 * What a command over a limit is answered. The client of a proxy is told what it takes for a passing fault: official
 * clients would give its message up for any other.
 */
export function refusal(command: Command): ErrorType {
  if (command.tag === "RFWD") return FORWARDED_TOO_MANY;
  return command.tag === "PRXY" || command.tag === "PFWD" ? TIMEOUT : { type: "QUOTA" };
}
