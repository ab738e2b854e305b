import { CryptoError } from "#crypto/errors";
import { sha3_384 } from "#crypto/hash";
import { type AuthAlgorithm, generateKeyPair, type KeyPair } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import type { AuthSecretKey } from "#protocol/authorize";
import { DecodeError } from "#protocol/codec";
import type { LinkData, QueueMode, QueueReqData } from "#protocol/commands/queue";
import { ID_LENGTH } from "#protocol/limits";
import {
  type NotificationMeta,
  openNotification as openNotificationBox,
  openReceivedMessage,
  type ReceivedMessage,
} from "#protocol/message";
import { UnexpectedAnswerError, UsageError } from "../errors.ts";
import { agree, call, type EntityKey, type Notifier } from "./calls.ts";
import type { Requester } from "./request.ts";

/** A link to be created with its queue. Its data usually names the sender id, so the corrId comes first. */
export interface NewLink {
  /** 24 random bytes, used once: the sender id is {@link senderIdOf} it. */
  readonly corrId: Uint8Array;
  readonly linkData: LinkData;
  /** Chosen by the client for contact queues, by the relay (leave it out) for messaging ones. */
  readonly linkId?: Uint8Array;
}

export interface NewQueue {
  /** `messaging`: one sender, who secures the queue (the default). `contact`: anybody may send. */
  readonly mode?: QueueMode;
  /** Of the recipient; a fresh Ed25519 pair unless given. */
  readonly authKeys?: KeyPair<AuthAlgorithm>;
  /** For the encryption between relay and recipient; fresh unless given. */
  readonly dhKeys?: KeyPair<"X25519">;
  /** Of the relay, where it wants one for new queues. */
  readonly password?: string | null;
  /** Whether this connection gets the queue's messages from now on; true unless given. */
  readonly subscribe?: boolean;
  readonly link?: NewLink;
  /** Key of the notifier to be created with the queue (from v17). */
  readonly notifierKeys?: KeyPair<AuthAlgorithm>;
}

/** A queue as its recipient keeps it. All of it but the sender id is secret. */
export interface RcvQueue extends EntityKey {
  /** The recipient id: messages come under it. */
  readonly entityId: Uint8Array;
  readonly senderId: Uint8Array;
  readonly key: AuthSecretKey;
  /** Opens received messages: 32 bytes. */
  readonly rcvDhSecret: Uint8Array;
  /** Null in sessions before v9. */
  readonly mode: QueueMode | null;
  readonly linkId: Uint8Array | null;
  readonly serviceId: Uint8Array | null;
  readonly notifier: (Notifier & { readonly key: AuthSecretKey }) | null;
}

/** The sender id of a queue that is created with link data: the first 24 bytes of SHA3-384 of NEW's corrId. */
export function senderIdOf(corrId: Uint8Array): Uint8Array {
  return sha3_384(corrId).slice(0, ID_LENGTH);
}

function requestData(mode: QueueMode, link: NewLink | undefined): QueueReqData {
  if (!link) return { mode, data: null };
  const { linkData, linkId, corrId } = link;
  const senderId = senderIdOf(corrId);
  if (mode === "messaging" && !linkId) return { mode, data: { senderId, linkData } };
  if (mode === "contact" && linkId) return { mode, data: { linkId, senderId, linkData } };
  throw new UsageError("the link id is chosen by the client for contact queues and by the relay for messaging ones");
}

/**
 * NEW. When no answer comes (TimeoutError, DisconnectedError) the queue may exist all the same, and a repeated call
 * makes another one; a call with a link must then be repeated with another corrId.
 * @throws ProtocolError (`AUTH`: the relay wants another password), TimeoutError, DisconnectedError, UsageError
 */
export async function createQueue(relay: Requester, wanted: NewQueue = {}): Promise<RcvQueue> {
  const { mode = "messaging", link, notifierKeys } = wanted;
  const authKeys: KeyPair<AuthAlgorithm> = wanted.authKeys ?? generateKeyPair("Ed25519");
  const dhKeys = wanted.dhKeys ?? generateKeyPair("X25519");
  const ntfDhKeys = generateKeyPair("X25519");
  const answer = await call(
    relay,
    {
      tag: "NEW",
      rcvAuthKey: authKeys.publicKey,
      rcvDhKey: dhKeys.publicKey,
      basicAuth: wanted.password ?? null,
      subscribe: wanted.subscribe ?? true,
      queueReqData: requestData(mode, link),
      ntfCreds: notifierKeys ? { authKey: notifierKeys.publicKey, dhKey: ntfDhKeys.publicKey } : null,
    },
    { key: authKeys.secretKey, corrId: link?.corrId ?? randomBytes(ID_LENGTH) },
    "IDS",
  );
  const { serverNtfCreds } = answer;
  return {
    entityId: answer.rcvId,
    senderId: answer.sndId,
    key: authKeys.secretKey,
    rcvDhSecret: agree(relay, dhKeys.secretKey, answer.rcvPublicDhKey),
    mode: answer.queueMode,
    linkId: answer.linkId,
    serviceId: answer.serviceId,
    notifier: serverNtfCreds && notifierKeys
      ? {
        notifierId: serverNtfCreds.notifierId,
        dhSecret: agree(relay, ntfDhKeys.secretKey, serverNtfCreds.dhKey),
        key: notifierKeys.secretKey,
      }
      : null,
  };
}

function opened<T>(relay: Requester, open: () => T): T {
  try {
    return open();
  } catch (cause) {
    if (!(cause instanceof CryptoError || cause instanceof DecodeError)) throw cause;
    const what = "what the relay delivered does not open with the keys of this queue";
    throw new UnexpectedAnswerError(relay.host, what, { cause });
  }
}

/** What a MSG holds. @throws UnexpectedAnswerError */
export function openMessage(
  relay: Requester,
  queue: Pick<RcvQueue, "rcvDhSecret">,
  message: { readonly msgId: Uint8Array; readonly encBody: Uint8Array },
): ReceivedMessage {
  return opened(relay, () => openReceivedMessage(queue.rcvDhSecret, message.msgId, message.encBody));
}

/** What an NMSG says. @throws UnexpectedAnswerError */
export function openNotification(
  relay: Requester,
  notifier: Pick<Notifier, "dhSecret">,
  notification: { readonly nonce: Uint8Array; readonly encMeta: Uint8Array },
): NotificationMeta {
  return opened(relay, () => openNotificationBox(notifier.dhSecret, notification.nonce, notification.encMeta));
}
