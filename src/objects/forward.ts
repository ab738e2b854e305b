import { EMPTY, hex } from "#crypto/bytes";
import { CREATE_ATTEMPTS } from "../relay/limits.ts";
import { isAuthorizedBy } from "#protocol/authorize";
import { type Command, type CommandOf, err, type Message } from "#protocol/commands";
import { commandErr } from "#protocol/errors";
import { partyOf } from "#protocol/party";
import { checkNew, prepareQueue, requestedLink, requestedSenderId } from "../relay/create.ts";
import type { Reply, Request } from "../relay/dispatch.ts";
import type { QueueCommand, QueueRequest } from "../relay/execute.ts";
import { newId } from "../relay/messages.ts";
import { AUTH } from "../relay/outcome.ts";
import type { Caller } from "../relay/ports.ts";
import type { SessionService } from "../relay/session.ts";
import type { QueueApi, QueueReply } from "./api.ts";
import type { Context } from "./context.ts";
import type { Env } from "./env.ts";
import { findQueue, type FoundQueue, newQueueAt, resolveLink, serviceAt } from "./locate.ts";
import { report } from "./log.ts";
import { calling } from "./retry.ts";
import type { Stubs } from "./stubs.ts";

/** The client can only get on by connecting again: what it holds comes to it with SUB. */
export class DeliveryLost extends Error {
  override readonly name = "DeliveryLost";
}

/** What a command came to. */
export interface Answer {
  readonly reply: Reply;
  /** An event that the client gets right after. */
  readonly followUp: Reply | null;
  readonly subscriptions: number;
}

/** Where commands come from and go to. */
export interface Origin {
  readonly env: Env;
  readonly context: Context;
  readonly caller: Caller;
  readonly service: SessionService | null;
  /** Stubs of the queues that this connection used last. */
  readonly queues: Stubs<QueueApi>;
}

function toAnswer(request: Request, { answer, followUp, subscriptions }: QueueReply): Answer {
  const { corrId, entityId } = request;
  return {
    reply: { corrId, entityId, message: answer },
    followUp: followUp ? { corrId: EMPTY, entityId, message: followUp } : null,
    subscriptions: subscriptions ?? 0,
  };
}

function plainAnswer(request: Request, message: Message): Answer {
  return toAnswer(request, { answer: message });
}

function answerOf(request: Request): Message | null {
  switch (request.command.tag) {
    case "PING":
      return { tag: "PONG" };
    case "RSLV":
      return err({ type: "NAME", nameErr: { type: "NO_RESOLVER" } });
    default:
      return null;
  }
}

async function createQueue({ env, context, caller }: Origin, request: Request, command: CommandOf<"NEW">): Promise<QueueReply> {
  const error = checkNew(command, caller, request.auth, context.config.policy);
  if (error) return { answer: err(error) };
  const queue = prepareQueue(command);
  if (!queue) return { answer: err(commandErr("SYNTAX")) };
  for (let attempt = 0; attempt < CREATE_ATTEMPTS; attempt++) {
    const { senderId, isChosen } = requestedSenderId(command);
    const ids = context.ids.idsOf(senderId);
    const link = requestedLink(command);
    // A second call finds what the first has made: the keys are made here, once for the NEW.
    const reply = await calling(() => newQueueAt(env, senderId).create(caller, ids, queue, link));
    if (reply) return reply;
    if (isChosen) return { answer: err(AUTH) };
  }
  return { answer: err({ type: "INTERNAL" }) };
}

/** SUBS and NSUBS: the service's session key signs, and the entity is the service itself. */
async function subscribeService({ env, caller, service }: Origin, request: Request): Promise<QueueReply> {
  const isOwn = service && hex(service.serviceId) === hex(request.entityId);
  const key = service && ({ algorithm: "Ed25519", raw: service.sessionKey } as const);
  if (!isOwn || !key || !isAuthorizedBy(request.auth, key)) return { answer: err({ type: "SERVICE" }) };
  const queues = await calling(() => serviceAt(env, service.serviceId).subscribe(caller, service.role, service.isSubscribed));
  return { answer: { tag: "SOKS", ...queues } };
}

/** The sender id of the queue that a command is for; null when there can be no such queue. */
async function senderIdOf({ env, context: { ids } }: Origin, { command, entityId }: Request): Promise<Uint8Array | null> {
  switch (partyOf(command.tag)) {
    case "recipient":
      return ids.senderOfRecipient(entityId);
    case "notifier":
      return ids.senderOfNotifier(entityId);
    case "link":
      return await resolveLink(env, entityId);
    default:
      return entityId;
  }
}

/** Answers what needs no queue, null for the commands of queues. */
function withoutQueue(origin: Origin, request: Request): Promise<QueueReply> | null {
  const { command } = request;
  if (command.tag === "NEW") return createQueue(origin, request, command);
  if (command.tag === "SUBS" || command.tag === "NSUBS") return subscribeService(origin, request);
  const message = answerOf(request);
  return message && Promise.resolve({ answer: message });
}

/**
 * Commands whose second attempt would answer as if the first had failed: the message, the queue or the key that signed
 * is not there any more. An ACK moreover takes the next message with it: when its answer is lost, only a new
 * subscription brings that message again.
 */
const UNREPEATABLE: ReadonlySet<Command["tag"]> = new Set<Command["tag"]>(["ACK", "DEL", "RKEY"]);

/**
 * What a client is told when an object failed: whether the command was done is not known. With this error official
 * clients try again; with INTERNAL they would give a message up. A SEND that comes again from the client is another
 * message to the relay: its recipient recognises what is inside.
 */
const UNKNOWN_RESULT = err({ type: "STORE", storeErr: "the queue did not answer, try again" });

async function failSafe(request: Request, reply: Promise<QueueReply>): Promise<Answer> {
  try {
    return toAnswer(request, await reply);
  } catch (error) {
    report("a command could not be done", error);
    if (request.command.tag === "ACK") throw new DeliveryLost("an acknowledgement was left without answer");
    return plainAnswer(request, UNKNOWN_RESULT);
  }
}

/** A command and where its answer stands in the block. */
interface Placed {
  readonly request: Request;
  readonly index: number;
}

/** Commands for one queue. */
interface Group {
  readonly senderId: Uint8Array | null;
  readonly members: Placed[];
}

function keyOf(senderId: Uint8Array | null): string {
  return senderId ? hex(senderId) : "";
}

function groupByQueue(requests: readonly (Placed & { readonly senderId: Uint8Array | null })[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { request, index, senderId } of requests) {
    const key = keyOf(senderId);
    const group = groups.get(key) ?? { senderId, members: [] };
    group.members.push({ index, request });
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** One call with all commands for a queue, made again only where that answers the same. */
function handle({ queues, caller }: Origin, { senderId, members }: Group, found: FoundQueue): Promise<QueueReply[]> {
  const commands = members.map(({ request }) => toQueueRequest(request));
  const ask = (queue: QueueApi): Promise<QueueReply[]> => queue.handle(caller, commands);
  // Commands for one queue are done in the order in which they came, also from block to block.
  const call = (): Promise<QueueReply[]> =>
    found.mayExist ? queues.call(keyOf(senderId), found.at, ask) : ask(found.at());
  return members.some(({ request }) => UNREPEATABLE.has(request.command.tag)) ? call() : calling(call);
}

/**
 * Sends the commands of one block to their queues: those for different queues at the same time, those for one queue in
 * order and in one call. Resolves once all are on their way, to the answers that will come, in the order of `requests`.
 */
export async function forward(origin: Origin, requests: readonly Request[]): Promise<Promise<Answer>[]> {
  const answers: Promise<Answer>[] = [];
  const forQueues: Placed[] = [];
  requests.forEach((request, index) => {
    const reply = withoutQueue(origin, request);
    if (reply) answers[index] = failSafe(request, reply);
    else forQueues.push({ request, index });
  });
  const fail = ({ request, index }: Placed, error: unknown): void => {
    answers[index] = failSafe(request, Promise.reject(error));
  };
  const located = await Promise.all(forQueues.map(async (placed) => {
    try {
      return [{ ...placed, senderId: await senderIdOf(origin, placed.request) }];
    } catch (error) {
      fail(placed, error);
      return [];
    }
  }));
  await Promise.all(groupByQueue(located.flat()).map(async (group) => {
    const { senderId, members } = group;
    try {
      const replies = handle(origin, group, await findQueue(origin.env, senderId));
      members.forEach(({ request, index }, i) => {
        answers[index] = failSafe(request, replies.then((all) => all[i] ?? { answer: err({ type: "INTERNAL" }) }));
      });
    } catch (error) {
      for (const member of members) fail(member, error);
    }
  }));
  return answers;
}

/** Made once for a command, however often the queue is called: see `IdentifiedSend`. */
function toQueueRequest({ command, entityId, auth }: Request): QueueRequest {
  if (command.tag === "SEND") return { command: { ...command, msgId: newId() }, entityId, auth };
  return { command: command as QueueCommand, entityId, auth };
}
