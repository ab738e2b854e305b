import { equal } from "#crypto/bytes";
import { sameKey } from "#crypto/keys";
import { type AuthContext, isAuthorizedBy, verifyDummy } from "#protocol/authorize";
import type { Command, CommandOf } from "#protocol/commands";
import type { IdScheme } from "./ids.ts";
import { acknowledge, acknowledgeFetched, type Conditions, deliveredTo, toMsg } from "./messages.ts";
import { answer, failed, ok, unauthorized } from "./outcome.ts";
import type { Caller, Outcome, QueueRecord, QueueStore } from "./ports.ts";
import * as rules from "./secure.ts";
import { send } from "./send.ts";
import { fetch, subscribe, subscribeNotifier } from "./subscribe.ts";

/**
 * A SEND with the id under which its message is stored. Not the queue but the connection makes the id: when a call
 * to the queue fails, nobody knows whether the message was stored, and the call that is made again must be about the
 * same message.
 */
export type IdentifiedSend = CommandOf<"SEND"> & { readonly msgId: Uint8Array };

/** Commands that one queue decides. */
export type QueueCommand =
  | IdentifiedSend
  | Exclude<Command, CommandOf<"NEW" | "SEND" | "SUBS" | "NSUBS" | "PING" | "PRXY" | "PFWD" | "RFWD" | "RSLV">>;

/** A command on its way to its queue. */
export interface QueueRequest {
  readonly command: QueueCommand;
  readonly entityId: Uint8Array;
  readonly auth: AuthContext;
}

/** LKEY and SKEY may set the key only of a messaging queue, and only once. */
function maySecure(record: QueueRecord, key: CommandOf<"SKEY">["key"]): boolean {
  return record.mode === "messaging" && (record.senderKey === null || sameKey(record.senderKey, key));
}

function leadsHere(record: QueueRecord, linkId: Uint8Array): boolean {
  return record.link !== null && equal(record.link.linkId, linkId);
}

/** Whether the command may be done. An unknown queue costs the same work as a wrong key. */
function isAuthorized(record: QueueRecord | null, { command, entityId, auth }: QueueRequest): boolean {
  if (!record) return verifyDummy(auth);
  switch (command.tag) {
    case "SEND":
      return record.senderKey ? isAuthorizedBy(auth, record.senderKey) : auth.authorization === null;
    case "SKEY":
      return maySecure(record, command.key) ? isAuthorizedBy(auth, command.key) : verifyDummy(auth);
    case "LKEY":
      return leadsHere(record, entityId) && maySecure(record, command.key)
        ? isAuthorizedBy(auth, command.key)
        : verifyDummy(auth);
    case "LGET":
      return leadsHere(record, entityId) && rules.isContact(record);
    case "NSUB":
      // The ids of former notifiers lead here too.
      return record.notifier && equal(record.notifierId, entityId)
        ? isAuthorizedBy(auth, record.notifier.key)
        : verifyDummy(auth);
    default:
      return record.recipientKeys.some((key) => isAuthorizedBy(auth, key));
  }
}

/** The link that must be claimed before an LSET is done; null for every other command and every other LSET. */
export function needsLink(store: QueueStore, request: QueueRequest): Uint8Array | null {
  const { command } = request;
  const record = store.record();
  if (command.tag !== "LSET" || !record || record.link || record.status.type === "blocked") return null;
  const isDone = rules.maySetLink(record, command.linkId, command.linkData) && isAuthorized(record, request);
  return isDone ? command.linkId : null;
}

/** What commands need besides: those that make another notifier id. */
export type CommandConditions = Conditions & Pick<IdScheme, "nextNotifierId">;

/** Whether a command makes another notifier id. */
export function renewsNotifier({ command: { tag } }: QueueRequest): boolean {
  return tag === "NKEY" || tag === "NDEL";
}

/** Commands that a blocked queue still does. */
const DONE_WHEN_BLOCKED: ReadonlySet<Command["tag"]> = new Set<Command["tag"]>(["SEND", "OFF", "DEL", "NSUB"]);

/** Verifies and does one command on one queue. All of its writes belong into one transaction. */
export function execute(store: QueueStore, caller: Caller, request: QueueRequest, conditions: CommandConditions): Outcome {
  const record = store.record();
  if (!isAuthorized(record, request) || !record) return unauthorized();
  if (record.status.type === "blocked" && !DONE_WHEN_BLOCKED.has(request.command.tag)) {
    return failed({ type: "BLOCKED", blockInfo: record.status.info });
  }
  return run(store, record, caller, request, conditions);
}

function run(
  store: QueueStore,
  record: QueueRecord,
  caller: Caller,
  { command, entityId }: QueueRequest,
  conditions: CommandConditions,
): Outcome {
  switch (command.tag) {
    case "SEND":
      return send(store, record, caller, command, conditions);
    case "ACK":
      return acknowledged(store, record, caller, command.msgId);
    case "SUB":
      return subscribe(store, record, caller);
    case "GET":
      return fetch(store, record, caller);
    case "NSUB":
      return subscribeNotifier(store, record, caller, conditions);
    case "KEY":
    case "SKEY":
      return rules.secure(store, record, command.key);
    case "LKEY": {
      const secured = rules.secure(store, record, command.key);
      return secured.answer.tag === "OK" ? rules.showLink(record, entityId) : secured;
    }
    case "LGET":
      return rules.showLink(record, entityId);
    case "RKEY":
      return rules.replaceRecipientKeys(store, record, command.keys);
    case "LSET":
      return rules.setLink(store, record, command.linkId, command.linkData);
    case "LDEL":
      return rules.removeLink(store, record);
    case "NKEY":
      return rules.setNotifier(store, record, caller, command, conditions.nextNotifierId);
    case "NDEL":
      return rules.removeNotifier(store, record, caller, conditions.nextNotifierId);
    case "OFF":
      return rules.suspend(store, record);
    case "DEL":
      return rules.remove(store, record, caller);
    case "QUE":
      return rules.describe(store, record, caller, deliveredTo(store, caller.connection));
  }
}

function acknowledged(store: QueueStore, record: QueueRecord, caller: Caller, msgId: Uint8Array): Outcome {
  if (store.fetched(caller.connection) !== undefined) {
    return acknowledgeFetched(store, caller, msgId) ? ok() : failed({ type: "NO_MSG" });
  }
  const result = acknowledge(store, caller, msgId);
  if (result.type === "notDelivered") return failed({ type: "NO_MSG" });
  return result.next ? answer(toMsg(record, result.next)) : ok();
}

