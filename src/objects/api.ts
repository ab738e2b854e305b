import type { Message } from "#protocol/commands";
import type { ServiceRole } from "#protocol/handshake";
import type { ServiceQueues } from "#protocol/commands/service";
import type { FwdTransmission } from "#protocol/commands/proxy";
import type { AuthAlgorithm, PublicKey } from "#crypto/keys";
import type { Server } from "#protocol/address";
import type { AuthSecretKey } from "#protocol/authorize";
import type { NtfAnswer } from "#protocol/ntf/commands";
import type { DeviceToken } from "#protocol/ntf/token";
import type { NtfRequest } from "../relay/notification/execute.ts";
import type { FollowEvent, QueueClaim } from "../relay/notification/subscriptions.ts";
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
  /** Whether its notifications may go to that device: one that another device follows stays with it. */
  mayFollowFor(queue: FollowedQueue): Promise<boolean>;
  /** Its notifications go to a device of this relay, as if that had sent NSUB; those that waited follow by themselves. */
  followFor(queue: FollowedQueue): Promise<FollowEvent>;
  /** Ends that, if it is so. */
  unfollowFor(queue: FollowedQueue): Promise<void>;
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

/** A queue that is followed for a device. */
export interface FollowedQueue {
  readonly device: Uint8Array;
  readonly subId: Uint8Array;
  readonly notifierId: Uint8Array;
  readonly notifierKey: AuthSecretKey;
}

/** What was heard of a followed queue; `subId` names the subscription, `notifierKey` with which it is followed. */
export interface Following {
  readonly subId: Uint8Array;
  readonly notifierKey: AuthSecretKey;
  readonly event: FollowEvent;
}

/** An NMSG of a followed queue. */
export interface Notified {
  readonly subId: Uint8Array;
  readonly nonce: Uint8Array;
  readonly encMeta: Uint8Array;
}

export interface DeviceApi {
  /** Does one command for the token of this name. `device`: the name. */
  handle(device: Uint8Array, request: NtfRequest): Promise<NtfAnswer>;
  /**
   * Notifications of followed queues. Answers the subscriptions among them that this device does not have (any more):
   * to be unfollowed.
   */
  hear(heard: readonly Notified[]): Promise<readonly Uint8Array[]>;
  note(news: readonly Following[]): Promise<void>;
  /**
   * Another registration of this device token has proved to be the device's, or this one is surplus. Nothing is done
   * where the token is another by now.
   */
  forget(token: DeviceToken): Promise<void>;
  /** Events of a queue of this relay for a follower (`followerName`). False: it is not here (any more). */
  push(follower: string, events: readonly PushedEvent[]): Promise<boolean>;
  /** Whether that follower is here. */
  follows(follower: string): Promise<boolean>;
}

export interface DeviceTokensApi {
  /** The name of the registration that TNEW or TRPL asks for; null: too many were asked for. */
  enroll(token: DeviceToken, verifyKey: PublicKey<AuthAlgorithm>, device: Uint8Array): Promise<Uint8Array | null>;
  /** This one has read its push: the others are forgotten. False: another one came first, and this is over itself. */
  activate(token: DeviceToken, verifyKey: PublicKey<AuthAlgorithm>, device: Uint8Array): Promise<boolean>;
  release(token: DeviceToken, device: Uint8Array): Promise<void>;
}

export interface FollowerApi {
  /**
   * Whether this subscription may follow the queue (`mayClaim`), and remembers for minutes that it is about to. Called
   * before SNEW is done; nothing is stored before `follow`, which decides.
   */
  claim(server: Server, notifierId: Uint8Array, claim: QueueClaim & { readonly device: Uint8Array }): Promise<boolean>;
  /** Returns at once; what becomes of it is told by {@link DeviceApi.note}. Also when that was asked before. */
  follow(server: Server, queues: readonly FollowedQueue[]): Promise<void>;
  unfollow(queues: readonly { readonly notifierId: Uint8Array; readonly subId: Uint8Array }[]): Promise<void>;
}
