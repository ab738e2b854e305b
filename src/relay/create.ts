import { equal } from "#crypto/bytes";
import { KeyError } from "#crypto/errors";
import { sha3_384 } from "#crypto/hash";
import { dh, generateKeyPair, type PublicKey } from "#crypto/keys";
import { type AuthContext, isAuthorizedBy } from "#protocol/authorize";
import type { CommandOf } from "#protocol/commands";
import { commandErr, type ErrorType } from "#protocol/errors";
import { ID_LENGTH } from "#protocol/limits";
import { newId } from "./messages.ts";
import { answer, AUTH } from "./outcome.ts";
import { knowsPassword } from "./password.ts";
import type { Caller, Outcome, QueueLink, QueueRecord, QueueStore } from "./ports.ts";
import { type MadeNotifier, makeNotifier } from "./secure.ts";
import { changeService } from "./services.ts";

type NEW = CommandOf<"NEW">;

/** The ids of a queue; how they depend on one another is the router's secret. */
export interface QueueIds {
  readonly senderId: Uint8Array;
  readonly recipientId: Uint8Array;
  readonly notifierId: Uint8Array;
}

/** Whether queues may be made here, and by whom. */
export interface CreationPolicy {
  readonly allowNewQueues: boolean;
  /** Null: anybody may. */
  readonly password: string | null;
}

/** The sender id that a client may choose: the first 24 bytes of SHA3-384 of the corrId. */
export function chosenSenderId(corrId: Uint8Array): Uint8Array {
  return sha3_384(corrId).slice(0, ID_LENGTH);
}

/** Whether NEW may be done at all. Null: it may. */
export function checkNew(command: NEW, caller: Caller, auth: AuthContext, policy: CreationPolicy): ErrorType | null {
  if (!isAuthorizedBy(auth, command.rcvAuthKey)) return AUTH;
  if (!policy.allowNewQueues || !knowsPassword(policy.password, command.basicAuth)) return AUTH;
  if (caller.serviceId && !command.subscribe) return commandErr("PROHIBITED");
  const senderId = command.queueReqData?.data?.senderId;
  return senderId && !equal(senderId, chosenSenderId(auth.corrId)) ? commandErr("PROHIBITED") : null;
}

/** Where a new queue goes: the client's sender id if it chose one, else a random one that may be tried again. */
export function requestedSenderId(command: NEW): { readonly senderId: Uint8Array; readonly isChosen: boolean } {
  const senderId = command.queueReqData?.data?.senderId;
  return senderId ? { senderId, isChosen: true } : { senderId: newId(), isChosen: false };
}

/** The short link of a new queue, if it is to have one. Only contact queues choose its id. */
export function requestedLink(command: NEW): QueueLink | null {
  const request = command.queueReqData;
  if (!request?.data) return null;
  return { linkId: request.mode === "contact" ? request.data.linkId : newId(), data: request.data.linkData };
}

/** A checked NEW with the router's half of its keys. Plain data. */
export interface PreparedQueue {
  readonly command: NEW;
  readonly routerKey: PublicKey<"X25519">;
  readonly rcvDhSecret: Uint8Array;
  readonly ntf: MadeNotifier | null;
}

/** Makes the router's keys. Null when a key of the command is unusable: then no object is even asked. */
export function prepareQueue(command: NEW): PreparedQueue | null {
  try {
    const { publicKey, secretKey } = generateKeyPair("X25519");
    const rcvDhSecret = dh(secretKey, command.rcvDhKey);
    const ntf = command.ntfCreds ? makeNotifier(command.ntfCreds.authKey, command.ntfCreds.dhKey) : null;
    return { command, routerKey: publicKey, rcvDhSecret, ntf };
  } catch (error) {
    if (error instanceof KeyError) return null;
    throw error;
  }
}

/** Whether it was made by this very NEW: the router's key, and so the secret, is another for each. */
export function isMadeBy(record: QueueRecord, { rcvDhSecret }: PreparedQueue): boolean {
  return equal(record.rcvDhSecret, rcvDhSecret);
}

/**
 * Makes the queue in an empty store. Where it was made by this very NEW it only answers again. The caller has checked
 * the command and claimed the link.
 */
export function create(
  store: QueueStore,
  ids: QueueIds,
  { command, routerKey, rcvDhSecret, ntf }: PreparedQueue,
  link: QueueLink | null,
  caller: Caller,
): Outcome {
  const mode = command.queueReqData?.mode ?? null;
  const { serviceId } = caller;
  if (!store.record()) {
    store.save({
      ...ids,
      recipientKeys: [command.rcvAuthKey],
      rcvDhSecret,
      senderKey: null,
      mode,
      link,
      notifier: ntf?.notifier ?? null,
      status: { type: "active" },
      serviceId,
    });
    if (command.subscribe) store.setSubscriber({ connection: caller.connection, serviceId, delivered: null });
  }
  return answer({
    tag: "IDS",
    rcvId: ids.recipientId,
    sndId: ids.senderId,
    rcvPublicDhKey: routerKey,
    queueMode: mode,
    linkId: link?.linkId ?? null,
    serviceId,
    serverNtfCreds: ntf ? { notifierId: ids.notifierId, dhKey: ntf.routerKey } : null,
  }, {
    ...(command.subscribe ? { subscriptions: 1 } : {}),
    services: changeService(null, serviceId, "messaging", ids.recipientId),
  });
}
