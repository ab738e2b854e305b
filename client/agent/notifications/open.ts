import { equal } from "#crypto/bytes";
import { CryptoError } from "#crypto/errors";
import { DecodeError } from "#protocol/codec";
import { type NotificationMeta, openNotification } from "#protocol/message";
import { type MessageNotification, NotificationError, openNotificationData } from "#protocol/ntf/notification";
import { AgentError } from "../errors.ts";
import type { Connection } from "../records.ts";
import type { Device, Followed } from "./records.ts";

/** A message of which a push told. It is not here yet: its queue has to be received from. */
export interface PushedMessage {
  readonly connection: string;
  /** Number of the receive queue within the connection. */
  readonly queue: number;
  /** The number that its relay gave it, 24 bytes. */
  readonly msgId: Uint8Array;
  /** When its relay got it: milliseconds since 1970. */
  readonly at: number;
}

/** What a push brought. */
export type OpenedPush =
  /** The time for a look at all queues. */
  | { readonly type: "check" }
  /** To be passed to `verify`. */
  | { readonly type: "verification"; readonly code: Uint8Array }
  /** Possibly none, when all of them are here already. */
  | { readonly type: "messages"; readonly messages: readonly PushedMessage[] };

/** An entry of a push that belongs to a queue of this profile. */
export interface Candidate {
  readonly followed: Followed;
  readonly meta: NotificationMeta;
  readonly isLast: boolean;
}

export type ReadPush =
  | Exclude<OpenedPush, { readonly type: "messages" }>
  | { readonly type: "messages"; readonly candidates: readonly Candidate[] };

/** The JSON of a push, read. @throws AgentError when it is not for this device */
export function readPush(device: Device | null, followed: readonly Followed[], json: unknown): ReadPush {
  const registration = device?.registration;
  if (!registration) throw new AgentError("PROHIBITED", "this device has no registered token, so the push is not for it");
  try {
    const opened = openNotificationData(registration.dhSecret, json);
    if (opened.type !== "messages") return opened;
    const { messages } = opened;
    const candidates = messages.map((message, index) => candidateOf(followed, message, index === messages.length - 1));
    return { type: "messages", candidates: candidates.filter((one) => one !== null) };
  } catch (cause) {
    if (!(cause instanceof NotificationError || cause instanceof CryptoError)) throw cause;
    throw new AgentError("PROHIBITED", `the push does not open with the keys of this device: ${cause.message}`, { cause });
  }
}

/** Null: of a queue that is gone, or not followed any more. */
function candidateOf(all: readonly Followed[], message: MessageNotification, isLast: boolean): Candidate | null {
  const { queue, nonce, encMeta } = message;
  const followed = all.find(({ server, notifier }) => {
    return notifier !== null && equal(notifier.id, queue.notifierId) && equal(server.keyHash, queue.server.keyHash);
  });
  if (!followed?.notifier) return null;
  try {
    return { followed, meta: openNotification(followed.notifier.dhSecret, nonce, encMeta), isLast };
  } catch (cause) {
    // Sealed for a former notifier of the same id.
    if (cause instanceof CryptoError || cause instanceof DecodeError) return null;
    throw cause;
  }
}

/** Whether the application is told: always of the last, of others only once and only while they are not here. */
export function isNews({ followed, meta, isLast }: Candidate, connection: Connection | null): boolean {
  const queue = connection?.receive.find(({ id }) => id === followed.queue);
  if (!queue) return false;
  const wasTold = followed.told !== null && equal(followed.told, meta.msgId);
  return isLast || (!wasTold && meta.ts > (queue.newestAt ?? -1));
}

export function pushedMessage({ followed, meta }: Candidate): PushedMessage {
  return { connection: followed.connection, queue: followed.queue, msgId: meta.msgId, at: meta.ts * 1_000 };
}
