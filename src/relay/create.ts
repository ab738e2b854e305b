import { equal } from "#crypto/bytes";
import { KeyError } from "#crypto/errors";
import { sha3_384 } from "#crypto/hash";
import { dh, generateKeyPair } from "#crypto/keys";
import { type AuthContext, isAuthorizedBy } from "#protocol/authorize";
import type { CommandOf } from "#protocol/commands";
import { commandErr, type ErrorType } from "#protocol/errors";
import { ID_LENGTH } from "#protocol/limits";
import { newId } from "./messages.ts";
import { answer, AUTH, refused } from "./outcome.ts";
import type { Caller, Outcome, QueueLink, QueueStore } from "./ports.ts";
import { makeNotifier } from "./secure.ts";

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
  if (!policy.allowNewQueues || (policy.password !== null && command.basicAuth !== policy.password)) return AUTH;
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

/** Makes the queue in an empty store. The caller has checked the command and claimed the link. */
export function create(store: QueueStore, ids: QueueIds, command: NEW, link: QueueLink | null, caller: Caller): Outcome {
  try {
    const { publicKey, secretKey } = generateKeyPair("X25519");
    const made = command.ntfCreds ? makeNotifier(command.ntfCreds.authKey, command.ntfCreds.dhKey) : null;
    const mode = command.queueReqData?.mode ?? null;
    store.save({
      ...ids,
      recipientKeys: [command.rcvAuthKey],
      rcvDhSecret: dh(secretKey, command.rcvDhKey),
      senderKey: null,
      mode,
      link,
      notifier: made?.notifier ?? null,
      status: { type: "active" },
      serviceId: caller.serviceId,
    });
    if (command.subscribe) {
      store.setSubscriber({ connection: caller.connection, serviceId: caller.serviceId, delivered: null });
    }
    return answer({
      tag: "IDS",
      rcvId: ids.recipientId,
      sndId: ids.senderId,
      rcvPublicDhKey: publicKey,
      queueMode: mode,
      linkId: link?.linkId ?? null,
      serviceId: caller.serviceId,
      serverNtfCreds: made ? { notifierId: ids.notifierId, dhKey: made.routerKey } : null,
    }, {
      ...(command.subscribe ? { subscriptions: 1 } : {}),
      services: caller.serviceId ? [{ serviceId: caller.serviceId, change: "joined", entityId: ids.recipientId }] : [],
    });
  } catch (error) {
    if (error instanceof KeyError) return refused("SYNTAX");
    throw error;
  }
}
