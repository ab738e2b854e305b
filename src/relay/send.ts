import { maxMessageLength } from "#protocol/limits";
import { type Conditions, dropExpired, type Sent, storeMessage, tellAgain } from "./messages.ts";
import { failed, ok, unauthorized } from "./outcome.ts";
import type { Caller, Outcome, QueueRecord, QueueStore } from "./ports.ts";
import { isSecuredMessaging } from "./secure.ts";

/**
 * SEND, in the order of the official server: size, status, end of a one-time link, expiry, quota.
 * `OK` means that the message is stored. A message is stored once, however often it comes with the same id.
 */
export function send(
  store: QueueStore,
  record: QueueRecord,
  caller: Caller,
  sent: Sent,
  conditions: Conditions,
): Outcome {
  if (store.knows(sent.msgId)) return ok({ events: tellAgain(store, record, sent.msgId) });
  if (sent.body.length > maxMessageLength(caller.version)) return failed({ type: "LARGE_MSG" });
  if (record.status.type === "off") return unauthorized();
  if (record.status.type === "blocked") return failed({ type: "BLOCKED", blockInfo: record.status.info });
  const { link } = record;
  const endsLink = link !== null && isSecuredMessaging(record);
  const current = endsLink ? { ...record, link: null } : record;
  if (endsLink) store.save(current);
  dropExpired(store, conditions);
  const events = storeMessage(store, current, sent, conditions);
  const released = endsLink ? { releasedLink: link.linkId } : {};
  return events ? ok({ events, ...released }) : { ...failed({ type: "QUOTA" }), ...released };
}
