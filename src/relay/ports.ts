import type { AuthAlgorithm, PublicKey } from "#crypto/keys";
import type { Message } from "#protocol/commands";
import type { LinkData, QueueMode } from "#protocol/commands/queue";
import type { BlockingInfo } from "#protocol/errors";
import type { ServiceRole } from "#protocol/handshake";

/** Names one client connection. It is never used again once the connection is gone. */
export type ConnectionId = string;

export type QueueStatus = { readonly type: "active" | "off" } | { readonly type: "blocked"; readonly info: BlockingInfo };

export interface Notifier {
  readonly key: PublicKey<AuthAlgorithm>;
  /** Raw X25519 of the recipient's notification key and the router's. */
  readonly dhSecret: Uint8Array;
  readonly serviceId: Uint8Array | null;
}

export interface QueueLink {
  readonly linkId: Uint8Array;
  readonly data: LinkData;
}

/** Everything a queue is, but for its messages and who listens. */
export interface QueueRecord {
  readonly senderId: Uint8Array;
  readonly recipientId: Uint8Array;
  readonly notifierId: Uint8Array;
  /** Any of them authorizes recipient commands. */
  readonly recipientKeys: readonly PublicKey<AuthAlgorithm>[];
  /** Raw X25519 of the recipient's key and the router's, made for this queue. */
  readonly rcvDhSecret: Uint8Array;
  readonly senderKey: PublicKey<AuthAlgorithm> | null;
  /** Null: made in a session before v9. */
  readonly mode: QueueMode | null;
  readonly link: QueueLink | null;
  readonly notifier: Notifier | null;
  readonly status: QueueStatus;
  readonly serviceId: Uint8Array | null;
}

/** A stored entry. `ts` is seconds since 1970. */
export type StoredMessage =
  & { readonly id: Uint8Array; readonly ts: number }
  & (
    | { readonly type: "message"; readonly notification: boolean; readonly body: Uint8Array }
    | { readonly type: "quota" }
  );

/**
 * The connection to which messages go by themselves. What it has been given and not acknowledged is the head of the
 * queue, so that delivery costs no write, unless `delivered` says otherwise.
 */
export interface Subscriber {
  readonly connection: ConnectionId;
  readonly serviceId: Uint8Array | null;
  /** Id of a delivered message that is not the head any more (it expired or another connection took it). */
  readonly delivered: Uint8Array | null;
}

export interface NotifierSubscriber {
  readonly connection: ConnectionId;
  readonly serviceId: Uint8Array | null;
}

/** A message that its notifier has not been told of. `ts` is seconds since 1970. */
export interface PendingNotification {
  readonly msgId: Uint8Array;
  readonly ts: number;
}

/**
 * The state of one queue. All calls are synchronous: a rule reads and writes without anything in between. The caller
 * of a rule makes the writes of one command one transaction.
 */
export interface QueueStore {
  record(): QueueRecord | null;
  save(record: QueueRecord): void;
  /** Removes everything of the queue. */
  erase(): void;

  subscriber(): Subscriber | null;
  setSubscriber(subscriber: Subscriber | null): void;
  /** What a connection that fetches with GET was given: undefined when it has not used GET. */
  fetched(connection: ConnectionId): Uint8Array | null | undefined;
  setFetched(connection: ConnectionId, msgId: Uint8Array | null): void;

  /** Stored entries, the quota marker among them. */
  size(): number;
  head(): StoredMessage | null;
  /** Whether the newest entry is a quota marker. */
  endsWithQuota(): boolean;
  /** Whether a message (not a quota marker) of this id is stored, or was the last one before the queue was empty. */
  knows(msgId: Uint8Array): boolean;
  append(message: StoredMessage): void;
  removeHead(): void;

  notifierSubscriber(): NotifierSubscriber | null;
  setNotifierSubscriber(subscriber: NotifierSubscriber | null): void;
  pendingNotifications(): readonly PendingNotification[];
  addPendingNotification(notification: PendingNotification): void;
  clearPendingNotifications(): void;
}

/** Something a connection is told without having asked. */
export interface QueueEvent {
  readonly connection: ConnectionId;
  readonly entityId: Uint8Array;
  readonly message: Message;
}

/** A queue joined or left a service. */
export interface ServiceChange {
  readonly serviceId: Uint8Array;
  readonly role: ServiceRole;
  readonly change: "joined" | "left";
  readonly entityId: Uint8Array;
}

/** What a command did beyond the queue's own state. */
export interface Outcome {
  readonly answer: Message;
  /** Sent on the asking connection right after the answer: the first message of a SUB. */
  readonly followUp?: Message;
  readonly events: readonly QueueEvent[];
  readonly services: readonly ServiceChange[];
  /** A link that leads nowhere from now on. */
  readonly releasedLink?: Uint8Array;
  /** Subscriptions that the asking connection gained, or lost (negative). */
  readonly subscriptions?: number;
}

/** Who gives a command. */
export interface Caller {
  readonly connection: ConnectionId;
  readonly version: number;
  /** The service as which the connection acts. */
  readonly serviceId: Uint8Array | null;
}
