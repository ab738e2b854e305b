import type { Message } from "#protocol/commands";
import type { ServiceRole } from "#protocol/handshake";
import type { ServiceQueues } from "#protocol/commands/service";
import type { FwdTransmission } from "#protocol/commands/proxy";
import type { PreparedQueue, QueueIds } from "../relay/create.ts";
import type { QueueRequest } from "../relay/execute.ts";
import type { Caller, QueueLink, ServiceChange } from "../relay/ports.ts";
import type { DestinationAddress } from "../relay/proxy-policy.ts";

// What the objects offer each other. Arguments and answers are plain data: they cross isolates.

/** An answer of a queue, in the order of the requests. */
export interface QueueReply {
  readonly answer: Message;
  readonly followUp?: Message;
  /** Subscriptions that the asking connection gained, or lost (negative). */
  readonly subscriptions?: number;
}

export interface QueueApi {
  /** Does the commands one after another. */
  handle(caller: Caller, requests: readonly QueueRequest[]): Promise<QueueReply[]>;
  /** Null when the ids, or the link's id, are taken. */
  create(caller: Caller, ids: QueueIds, queue: PreparedQueue, link: QueueLink | null): Promise<QueueReply | null>;
  /** Whether this queue shows itself under that short link. */
  holdsLink(linkId: Uint8Array): Promise<boolean>;
  /** The connection of its service becomes the subscriber. The first message, if there is one. */
  subscribeService(caller: Caller, role: ServiceRole): Promise<PushedEvent[]>;
}

export interface LinkApi {
  /** False when the link leads to another queue. */
  claim(linkId: Uint8Array, senderId: Uint8Array): Promise<boolean>;
  release(senderId: Uint8Array): Promise<void>;
  /** The sender id of the queue it leads to. */
  resolve(): Promise<Uint8Array | null>;
}

export interface PushedEvent {
  readonly entityId: Uint8Array;
  readonly message: Message;
}

export interface ConnectionApi {
  /** Sends events to the client. False when the connection is gone: it never comes back. */
  push(events: readonly PushedEvent[]): Promise<boolean>;
}

export interface DestinationApi {
  /** Connects unless there is a session: PKEY, or ERR with what the client of the proxy is told. */
  open(address: DestinationAddress): Promise<Message>;
  /** Takes a client's command to the other relay: PRES or ERR. */
  forward(sessionId: Uint8Array, forwarded: FwdTransmission): Promise<Message>;
}

export interface ServiceApi {
  /** False when the service has queues in another role. */
  accepts(role: ServiceRole): Promise<boolean>;
  change(changes: readonly ServiceChange[]): Promise<void>;
  /** The connection becomes the service's; messages of its queues follow by themselves. */
  subscribe(caller: Caller, role: ServiceRole, isRepeated: boolean): Promise<ServiceQueues>;
}
