import type { Command } from "#protocol/commands";
import { type Limits, take } from "./limits.ts";
import type { ReadySession } from "./session.ts";

const SUBSCRIBING: ReadonlySet<Command["tag"]> = new Set<Command["tag"]>(["SUB", "NSUB", "NEW"]);

/**
 * Counts a command against the limits of its connection. Null: it is over one of them, which the client is told as
 * `ERR QUOTA`. `now` in milliseconds.
 */
export function admit(session: ReadySession, tag: Command["tag"], limits: Limits, now: number): ReadySession | null {
  const { queuesPerConnection } = limits;
  if (SUBSCRIBING.has(tag) && queuesPerConnection > 0 && session.subscriptions >= queuesPerConnection) return null;
  if (tag === "NEW") {
    const newQueues = take(session.newQueues, limits.newQueuesPerMinute, now);
    return newQueues && { ...session, newQueues };
  }
  if (tag === "SEND") {
    const messages = take(session.messages, limits.messagesPerMinute, now);
    return messages && { ...session, messages };
  }
  return session;
}
