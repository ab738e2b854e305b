import type { Command } from "#protocol/commands";
import { type Limits, take } from "./limits.ts";
import type { ReadySession } from "./session.ts";

/** Whether the command may end in one more subscription. */
export function isSubscribing(command: Command): boolean {
  return command.tag === "SUB" || command.tag === "NSUB" || (command.tag === "NEW" && command.subscribe);
}

/**
 * Counts a command against the limits of its connection. Null: it is over one of them, which the client is told as
 * `ERR QUOTA`. `now` in milliseconds; `underway`: subscribing commands that have not been answered.
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
  if (command.tag === "SEND") {
    const messages = take(session.messages, limits.messagesPerMinute, now);
    return messages && { ...session, messages };
  }
  return session;
}
