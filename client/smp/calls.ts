import { KeyError } from "#crypto/errors";
import { type AuthAlgorithm, dh, generateKeyPair, type KeyPair, type PublicKey, type SecretKey } from "#crypto/keys";
import type { AuthSecretKey } from "#protocol/authorize";
import type { Command, Message, MessageOf, MessageTag } from "#protocol/commands";
import type { LinkData, QueueInfo } from "#protocol/commands/queue";
import type { ServiceQueues } from "#protocol/commands/service";
import { ProtocolError, SimplexError, UnexpectedAnswerError, UsageError } from "../errors.ts";
import type { ChannelService } from "../transport/channel.ts";
import type { Requester, RequestOptions } from "./request.ts";

// Every function here throws, besides its own: ProtocolError (the relay answered ERR), TimeoutError,
// DisconnectedError and UnexpectedAnswerError.

/** An id and the key with which commands about it are authorized. */
export interface EntityKey {
  readonly entityId: Uint8Array;
  readonly key: AuthSecretKey;
}

/** The answer, if it is one of those that fit. @throws ProtocolError, UnexpectedAnswerError */
export async function call<T extends MessageTag>(
  relay: Requester,
  command: Command,
  options: RequestOptions,
  ...fitting: readonly T[]
): Promise<MessageOf<T>> {
  const answer = await relay.request(command, options);
  if (isOneOf(answer, fitting)) return answer;
  if (answer.tag === "ERR") throw new ProtocolError(relay.host, command.tag, answer.error);
  throw new UnexpectedAnswerError(relay.host, `${answer.tag} is no answer to ${command.tag}`);
}

function isOneOf<T extends MessageTag>(answer: Message, tags: readonly T[]): answer is Message & MessageOf<T> {
  return tags.some((tag) => tag === answer.tag);
}

/** SUB. Messages come as events, the oldest at once. Answers the service that the queue now belongs to, if any. */
export async function subscribe(relay: Requester, queue: EntityKey): Promise<Uint8Array | null> {
  const answer = await call(relay, { tag: "SUB" }, queue, "SOK", "OK", "MSG");
  return answer.tag === "SOK" ? answer.serviceId : null;
}

/** NSUB: notifications of a queue's messages, by its notifier. */
export async function subscribeNotifications(relay: Requester, notifier: EntityKey): Promise<Uint8Array | null> {
  const answer = await call(relay, { tag: "NSUB" }, notifier, "SOK", "OK");
  return answer.tag === "SOK" ? answer.serviceId : null;
}

/** What became of one of many subscriptions. */
export interface SubscribeResult {
  readonly entityId: Uint8Array;
  /** Null: subscribed. */
  readonly error: SimplexError | null;
}

/** Subscriptions that are asked for before the first of them is answered: about ten blocks. */
export const SUBSCRIBE_CHUNK = 1_350;

/** SUB or NSUB for any number of queues, as many in a block as fit. Does not throw: every queue has its own result. */
export async function subscribeMany<Q extends EntityKey>(
  relay: Requester,
  queues: readonly Q[],
  one: (relay: Requester, queue: Q) => Promise<unknown> = subscribe,
): Promise<SubscribeResult[]> {
  const results: SubscribeResult[] = [];
  for (let start = 0; start < queues.length; start += SUBSCRIBE_CHUNK) {
    const chunk = queues.slice(start, start + SUBSCRIBE_CHUNK);
    results.push(...await Promise.all(chunk.map((queue) => resultOf(queue, one(relay, queue)))));
  }
  return results;
}

async function resultOf({ entityId }: EntityKey, work: Promise<unknown>): Promise<SubscribeResult> {
  try {
    await work;
    return { entityId, error: null };
  } catch (error) {
    if (error instanceof SimplexError) return { entityId, error };
    throw error;
  }
}

/** KEY, by the recipient: from now on only this key may send. */
export async function secureQueue(relay: Requester, queue: EntityKey, key: PublicKey<AuthAlgorithm>): Promise<void> {
  await call(relay, { tag: "KEY", key }, queue, "OK");
}

/** SKEY, by the sender, with its own key: from now on only this key may send. Repeatable. */
export async function secureAsSender(
  relay: Requester,
  senderId: Uint8Array,
  keys: KeyPair<AuthAlgorithm>,
): Promise<void> {
  await call(relay, { tag: "SKEY", key: keys.publicKey }, { entityId: senderId, key: keys.secretKey }, "OK");
}

/** SEND. `key` is null for queues that are not secured. A message sent twice arrives twice. */
export async function send(
  relay: Requester,
  senderId: Uint8Array,
  key: AuthSecretKey | null,
  body: Uint8Array,
  notification = false,
): Promise<void> {
  await call(relay, { tag: "SEND", notification, body }, { entityId: senderId, key: key ?? undefined }, "OK");
}

/** ACK: the message is deleted, and the next one comes as an event. What was acknowledged before counts as done. */
export async function acknowledge(relay: Requester, queue: EntityKey, msgId: Uint8Array): Promise<void> {
  const answer = await call(relay, { tag: "ACK", msgId }, queue, "OK", "MSG", "ERR");
  if (answer.tag === "ERR" && answer.error.type !== "NO_MSG") {
    throw new ProtocolError(relay.host, "ACK", answer.error);
  }
}

/** GET: the oldest message without a subscription; null when there is none. */
export async function get(relay: Requester, queue: EntityKey): Promise<MessageOf<"MSG"> | null> {
  const answer = await call(relay, { tag: "GET" }, queue, "MSG", "OK");
  return answer.tag === "MSG" ? answer : null;
}

/** OFF: nobody can send any more, for ever; what is there can be received. */
export async function suspend(relay: Requester, queue: EntityKey): Promise<void> {
  await call(relay, { tag: "OFF" }, queue, "OK");
}

/** DEL: the queue and its messages. */
export async function remove(relay: Requester, queue: EntityKey): Promise<void> {
  await call(relay, { tag: "DEL" }, queue, "OK");
}

/** RKEY, contact queues only: replaces all recipient keys, so the one in use belongs among them if it is to stay. */
export async function replaceRecipientKeys(
  relay: Requester,
  queue: EntityKey,
  keys: readonly PublicKey<AuthAlgorithm>[],
): Promise<void> {
  if (keys.length === 0) throw new UsageError("a queue needs at least one recipient key");
  await call(relay, { tag: "RKEY", keys }, queue, "OK");
}

/** LSET: what a short link to the queue shows. The fixed part can never be changed, the user part can. */
export async function setLink(
  relay: Requester,
  queue: EntityKey,
  linkId: Uint8Array,
  linkData: LinkData,
): Promise<void> {
  await call(relay, { tag: "LSET", linkId, linkData }, queue, "OK");
}

/** LDEL. */
export async function removeLink(relay: Requester, queue: EntityKey): Promise<void> {
  await call(relay, { tag: "LDEL" }, queue, "OK");
}

/** What a short link leads to. */
export interface LinkedQueue {
  readonly senderId: Uint8Array;
  readonly linkData: LinkData;
}

/** LGET: the contact queue behind a link. */
export async function getLink(relay: Requester, linkId: Uint8Array): Promise<LinkedQueue> {
  const { senderId, linkData } = await call(relay, { tag: "LGET" }, { entityId: linkId }, "LNK");
  return { senderId, linkData };
}

/** LKEY: the messaging queue behind a one-time link, secured with the caller's key. Repeatable with the same key. */
export async function secureLink(
  relay: Requester,
  linkId: Uint8Array,
  keys: KeyPair<AuthAlgorithm>,
): Promise<LinkedQueue> {
  const options = { entityId: linkId, key: keys.secretKey };
  const { senderId, linkData } = await call(relay, { tag: "LKEY", key: keys.publicKey }, options, "LNK");
  return { senderId, linkData };
}

/** @throws UnexpectedAnswerError when the relay's key is unusable. */
export function agree(relay: Requester, own: SecretKey<"X25519">, peer: PublicKey<"X25519">): Uint8Array {
  try {
    return dh(own, peer);
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause;
    throw new UnexpectedAnswerError(relay.host, "the relay gave a key that is unusable", { cause });
  }
}

/** A queue's notifier. `dhSecret` opens its notifications: 32 bytes. */
export interface Notifier {
  readonly notifierId: Uint8Array;
  readonly dhSecret: Uint8Array;
}

/** NKEY: gives the queue a notifier in place of any former one. `notifierKey` will subscribe to it. */
export async function enableNotifications(
  relay: Requester,
  queue: EntityKey,
  notifierKey: PublicKey<AuthAlgorithm>,
): Promise<Notifier> {
  const { publicKey, secretKey } = generateKeyPair("X25519");
  const answer = await call(relay, { tag: "NKEY", key: notifierKey, dhKey: publicKey }, queue, "NID");
  return { notifierId: answer.notifierId, dhSecret: agree(relay, secretKey, answer.dhKey) };
}

/** NDEL. */
export async function disableNotifications(relay: Requester, queue: EntityKey): Promise<void> {
  await call(relay, { tag: "NDEL" }, queue, "OK");
}

/** QUE: the state of a queue, for finding faults. */
export async function queueInfo(relay: Requester, queue: EntityKey): Promise<QueueInfo> {
  return (await call(relay, { tag: "QUE" }, queue, "INFO")).info;
}

/** PING. */
export async function ping(relay: Requester, timeout?: number): Promise<void> {
  await call(relay, { tag: "PING" }, { timeout }, "PONG");
}

/**
 * SUBS or NSUBS: all queues of the service as which this connection acts. Messages come as events, after them ALLS.
 * `queues`: what the service believes to have, sent from v19 on. Answers what the relay has.
 */
export async function subscribeService(
  relay: Requester & { readonly service: ChannelService | null },
  tag: "SUBS" | "NSUBS",
  queues: ServiceQueues | null,
): Promise<ServiceQueues> {
  if (!relay.service) throw new UsageError(`${tag} needs a connection with service credentials`);
  const { serviceId, sessionKey } = relay.service;
  const { count, idsHash } = await call(relay, { tag, queues }, { entityId: serviceId, key: sessionKey }, "SOKS");
  return { count, idsHash };
}
