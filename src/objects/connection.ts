import { DurableObject } from "cloudflare:workers";
import { EMPTY, hex } from "#crypto/bytes";
import { err, type Message } from "#protocol/commands";
import type { TransportError } from "#protocol/errors";
import { findChallenge, type ServiceResponse } from "#protocol/handshake";
import { packBatches } from "#protocol/transmission";
import { admit, isSubscribing, refusal } from "../relay/admit.ts";
import { encodeFitting, readRequests, type Received, type Reply, type Request as CommandRequest } from "../relay/dispatch.ts";
import { GATEWAY_HEADER, type GatewayClaim, GatewayClaimError, readGatewayClaim } from "../relay/gateway-claim.ts";
import { BESIDE, BLOCKS_PUT_OFF, BUFFERED, DRAIN, HANDSHAKE_TIMEOUT, type Limits } from "../relay/limits.ts";
import type { Caller } from "../relay/ports.ts";
import {
  acceptHello,
  type Accepted,
  HandshakeRefused,
  type HelloSession,
  openSession,
  type ReadySession,
  receiveBlock,
  sendBlock,
  type Session,
  serviceResponseBlock,
  withProxied,
} from "../relay/session.ts";
import { serviceIdOf } from "../relay/services.ts";
import type { ConnectionApi, PushedEvent, QueueApi } from "./api.ts";
import { loadSession, saveSession } from "./attachment.ts";
import { type BesideRequest, setAside, startBeside, type Surroundings } from "./beside.ts";
import { type Context, contextOf } from "./context.ts";
import type { Env } from "./env.ts";
import { type Answer, DeliveryLost, forward, type Origin } from "./forward.ts";
import { BadFrame, toBlock } from "./frame.ts";
import { Lane } from "./lane.ts";
import { acceptsService } from "./locate.ts";
import { report } from "./log.ts";
import { Recent } from "./recent.ts";
import { Stubs } from "./stubs.ts";

/** Close codes of RFC 6455 that this relay uses. */
const CLOSE = { policy: 1008, badData: 1007, again: 1012, internal: 1011, tooSlow: 1013 } as const;
/** Codes that an endpoint must not send (RFC 6455 section 7.4.1). */
const UNSENDABLE: ReadonlySet<number> = new Set([1004, 1005, 1006, 1015]);
/**
 * Milliseconds between the upgrade and the router hello. The official web client starts to listen once the socket is
 * open, and loses a hello that comes with the upgrade in one packet.
 */
const HELLO_DELAY = 20;
/** Milliseconds for which small events wait for others to share their block. */
const GATHER = 10;

/** Queues whose stubs a connection keeps. */
const QUEUE_STUBS = 512;
/** WebSocket.readyState of a socket that can send. */
const OPEN = 1;
const BAD_SERVICE: TransportError = { type: "handshake", handshakeErr: { type: "BAD_SERVICE" } };

/**
 * One client connection: carries blocks over a hibernating WebSocket, hands commands to their queues and packs what
 * comes back into as few blocks as possible. All of its state is attached to the socket (see `attachment.ts`).
 */
export class Connection extends DurableObject<Env> implements ConnectionApi {
  #session: Session | null = null;
  /** The former block's commands are on their way before the next one's are sent, so queues see them in order. */
  #turn: Promise<void> = Promise.resolve();
  /** A block that follows the hello at once waits until the hello is answered. */
  #greeted: Promise<void> = Promise.resolve();
  /** When the answers to all blocks so far have left. */
  #answered: Promise<void> = Promise.resolve();
  #blocksWaiting = 0;
  readonly #queues = new Stubs<QueueApi>(QUEUE_STUBS);
  /** Commands that wait for other relays, or come from clients of others. */
  readonly #beside = new Lane(BESIDE.atOnce);
  readonly #forwarded = new Recent(BESIDE.remembered);
  /** Commands under way that may each end in one more subscription. */
  #subscribing = 0;
  /** Commands that wait for their queue, by entity: what happens to that entity meanwhile is told after the answer. */
  readonly #pending = new Map<string, Promise<unknown>>();
  #gathered: Reply[] = [];
  #gathering = false;
  #helloTimer: ReturnType<typeof setTimeout> | undefined;

  override async fetch(request: Request): Promise<Response> {
    const { identity } = await contextOf(this.env);
    let gateway: GatewayClaim | null;
    try {
      gateway = readGatewayClaim(request.headers.get(GATEWAY_HEADER), identity.key, Date.now());
    } catch (error) {
      if (error instanceof GatewayClaimError) return new Response(error.message, { status: 403 });
      throw error;
    }
    const { 0: client, 1: socket } = new WebSocketPair();
    const { session, block } = openSession(identity, { challenge: findChallenge(request.url), gateway });
    this.ctx.acceptWebSocket(socket);
    this.#save(socket, session);
    setTimeout(() => {
      if (socket.readyState === OPEN) socket.send(block);
    }, gateway ? 0 : HELLO_DELAY);
    // A timer keeps the object in memory, so it ends with the hello.
    this.#helloTimer = setTimeout(() => socket.close(CLOSE.policy, "no hello in time"), HANDSHAKE_TIMEOUT);
    return new Response(null, { status: 101, webSocket: client });
  }

  #save(socket: WebSocket, session: Session): void {
    this.#session = session;
    saveSession(socket, session);
  }

  override async webSocketMessage(socket: WebSocket, data: ArrayBuffer | string): Promise<void> {
    try {
      const block = toBlock(data);
      await this.#greeted;
      // Whatever follows what closed the socket is not listened to.
      if (socket.readyState !== OPEN) return;
      const session = this.#session ??= loadSession(socket);
      if (!session) socket.close(CLOSE.again, "the relay was updated, connect again");
      else if (session.phase === "hello") await this.#greet(socket, session, block);
      else await this.#receive(socket, session, block);
    } catch (error) {
      clearTimeout(this.#helloTimer);
      if (error instanceof BadFrame) return socket.close(CLOSE.badData, error.message);
      if (error instanceof HandshakeRefused) return socket.close(CLOSE.policy, "handshake refused");
      if (error instanceof DeliveryLost) return socket.close(CLOSE.again, "connect again");
      report("a connection failed", error);
      socket.close(CLOSE.internal, "internal error");
    }
  }

  async #greet(socket: WebSocket, session: HelloSession, block: Uint8Array): Promise<void> {
    const greeting = this.#hello(socket, session, block);
    this.#greeted = greeting.catch(() => undefined);
    await greeting;
  }

  async #hello(socket: WebSocket, session: HelloSession, block: Uint8Array): Promise<void> {
    clearTimeout(this.#helloTimer);
    const { identity } = await contextOf(this.env);
    const accepted = acceptHello(session, block, identity, Date.now());
    if (!accepted.offer) return this.#save(socket, accepted.session);
    const { ready, response } = await this.#admitService(accepted.session, accepted.offer, identity.idSecret);
    this.#save(socket, ready);
    socket.send(serviceResponseBlock(response));
    if (response.type === "rejected") socket.close(CLOSE.policy, "service refused");
  }

  async #admitService(
    session: ReadySession,
    offer: NonNullable<Accepted["offer"]>,
    idSecret: Uint8Array,
  ): Promise<{ ready: ReadySession; response: ServiceResponse }> {
    if ("error" in offer) return { ready: session, response: { type: "rejected", error: offer.error } };
    const serviceId = serviceIdOf(idSecret, offer.fingerprint);
    if (!await acceptsService(this.env, serviceId, offer.role)) {
      return { ready: session, response: { type: "rejected", error: BAD_SERVICE } };
    }
    return { ready: { ...session, service: { ...offer, serviceId, isSubscribed: false } }, response: { type: "accepted", serviceId } };
  }

  async #receive(socket: WebSocket, session: ReadySession, block: Uint8Array): Promise<void> {
    const { session: stepped, content } = receiveBlock(session, block);
    this.#save(socket, stepped);
    const context = await contextOf(this.env);
    const all = readRequests(stepped, content).map((item) => this.#limit(stepped, item, context.config.limits));
    const { ordered: received, beside } = setAside(all);
    const former = this.#answered;
    const done = this.#executeAndAnswer(socket, stepped, context, received, former);
    this.#answered = done.catch(() => undefined);
    const aside = beside.map((request) => this.#answerBeside(socket, stepped, context, request));
    await Promise.all([done, this.#hold(received, this.#answered), ...aside]);
  }

  /** Answers when the other relay has, and keeps nothing else of this client waiting. */
  async #answerBeside(socket: WebSocket, stepped: ReadySession, context: Context, request: BesideRequest): Promise<void> {
    const { corrId, entityId, command } = request;
    const answer = (message: Message): void => this.#send(socket, [{ corrId, entityId, message }]);
    const most = command.tag === "RFWD" ? BESIDE.waitingOfProxy : BESIDE.waitingOfClient;
    if (this.#beside.waiting >= most) return answer(err(refusal(command)));
    const surroundings: Surroundings = {
      origin: this.#origin(stepped, context),
      session: () => this.#current(stepped),
      limit: (received) => this.#limit(stepped, received, context.config.limits),
      forwarded: this.#forwarded,
      // Attached to the socket with the block that answers.
      remember: (proxied) => (this.#session = withProxied(this.#current(stepped), proxied)),
    };
    answer(await this.#beside.run(async () => {
      const isThere = await this.#drained(socket) && socket.readyState === OPEN;
      return isThere ? await startBeside(surroundings, request) : async () => err(refusal(command));
    }));
  }

  #origin({ version, service }: ReadySession, context: Context): Origin {
    const caller: Caller = { connection: this.ctx.id.toString(), version, serviceId: service?.serviceId ?? null };
    return { env: this.env, context, caller, service, queues: this.#queues };
  }

  /** Answers leave in the order of blocks, whichever queue is quicker. */
  async #executeAndAnswer(
    socket: WebSocket,
    stepped: ReadySession,
    context: Context,
    received: readonly Received[],
    former: Promise<void>,
  ): Promise<void> {
    const requests = received.flatMap((item) => ("request" in item ? [item.request] : []));
    const answers = await this.#execute(socket, stepped, context, requests);
    await former;
    this.#answer(socket, received, answers);
  }

  #answer(socket: WebSocket, received: readonly Received[], answers: readonly Answer[]): void {
    const gained = answers.reduce((sum, { subscriptions }) => sum + subscriptions, 0);
    if (gained !== 0) this.#countSubscriptions(socket, gained);
    if (answers.some(({ reply }) => reply.message.tag === "SOKS")) this.#serviceIsSubscribed();
    const ordered = answers.map(({ reply }) => reply)[Symbol.iterator]();
    const replies = received.flatMap((item) => ("reply" in item ? [item.reply] : ordered.next().value ?? []));
    const followUps = answers.flatMap(({ followUp }) => followUp ?? []);
    this.#send(socket, [...replies, ...followUps]);
  }

  #serviceIsSubscribed(): void {
    const session = this.#session;
    if (session?.phase !== "ready" || !session.service) return;
    // Attached to the socket with the block that answers.
    this.#session = { ...session, service: { ...session.service, isSubscribed: true } };
  }

  /** Until the commands are answered, events of their entities wait. */
  async #hold(received: readonly Received[], answered: Promise<void>): Promise<void> {
    const keys = received.flatMap((item) => ("request" in item ? [hex(item.request.entityId)] : []));
    for (const key of keys) this.#pending.set(key, answered);
    await answered;
    for (const key of keys) if (this.#pending.get(key) === answered) this.#pending.delete(key);
  }

  /** The command as it came, or the error that it is over a limit. */
  #limit(stepped: ReadySession, item: Received, limits: Limits): Received {
    if ("reply" in item) return item;
    const { corrId, entityId, command } = item.request;
    const admitted = admit(this.#current(stepped), command, limits, Date.now(), this.#subscribing);
    if (!admitted) return { reply: { corrId, entityId, message: err(refusal(command)) } };
    // Attached to the socket with the block that answers.
    this.#session = admitted;
    if (isSubscribing(command)) this.#subscribing++;
    return item;
  }

  /** The newest state: other blocks and events may have moved it on while this one waited. */
  #current(fallback: ReadySession): ReadySession {
    return this.#session?.phase === "ready" ? this.#session : fallback;
  }

  async #execute(
    socket: WebSocket,
    session: ReadySession,
    context: Context,
    requests: readonly CommandRequest[],
  ): Promise<Answer[]> {
    const turn = this.#turn.then(() => this.#drained(socket));
    const started = turn.then((isThere) => (isThere ? forward(this.#origin(session, context), requests) : []));
    this.#turn = started.then(() => undefined, () => undefined);
    this.#refuseHoarder(socket);
    try {
      return await Promise.all(await started);
    } finally {
      this.#blocksWaiting--;
      this.#subscribing -= requests.filter(({ command }) => isSubscribing(command)).length;
    }
  }

  /**
   * A client that reads nothing cannot make the relay hold ever more for it: its commands wait until it does. False
   * when it went away meanwhile.
   */
  async #drained(socket: WebSocket): Promise<boolean> {
    const end = Date.now() + DRAIN.patience;
    while (socket.bufferedAmount > BUFFERED.high) {
      if (Date.now() > end) socket.close(CLOSE.tooSlow, "answers are not read");
      if (socket.readyState !== OPEN) return false;
      await scheduler.wait(DRAIN.pause);
    }
    return true;
  }

  #refuseHoarder(socket: WebSocket): void {
    this.#blocksWaiting++;
    const isHoarding = this.#blocksWaiting > BLOCKS_PUT_OFF && socket.bufferedAmount > BUFFERED.high;
    if (isHoarding) socket.close(CLOSE.tooSlow, "answers are not read");
  }

  #countSubscriptions(socket: WebSocket, change: number): void {
    const session = this.#session;
    if (session?.phase !== "ready") return;
    this.#save(socket, { ...session, subscriptions: Math.max(0, session.subscriptions + change) });
  }

  /** Packs replies, and events that waited for company, into as few blocks as possible. */
  #send(socket: WebSocket, replies: readonly Reply[]): void {
    const session = this.#session;
    if (session?.phase !== "ready" || socket.readyState !== OPEN) return;
    const all = [...this.#gathered.splice(0), ...replies];
    for (const content of packBatches(all.map((reply) => encodeFitting(session, reply)))) {
      const { session: next, block } = sendBlock(this.#current(session), content);
      // The chain key is saved before its block leaves: a key must never encrypt twice.
      this.#save(socket, next);
      socket.send(block);
    }
  }

  async push(events: readonly PushedEvent[]): Promise<boolean> {
    await Promise.allSettled(events.map(({ entityId }) => this.#pending.get(hex(entityId))));
    const socket = this.ctx.getWebSockets().find(({ readyState }) => readyState === OPEN);
    const session = this.#session ??= socket ? loadSession(socket) : null;
    if (!socket || session?.phase !== "ready") return false;
    if (socket.bufferedAmount > BUFFERED.most) {
      socket.close(CLOSE.tooSlow, "messages are not read");
      return false;
    }
    const ended = events.filter(({ message: { tag } }) => tag === "END" || tag === "DELD").length;
    if (ended > 0) this.#countSubscriptions(socket, -ended);
    const replies = events.map(({ entityId, message }) => ({ corrId: EMPTY, entityId, message }));
    if (replies.some(({ message }) => message.tag === "MSG")) this.#send(socket, replies);
    else this.#gather(socket, replies);
    return true;
  }

  #gather(socket: WebSocket, replies: readonly Reply[]): void {
    this.#gathered.push(...replies);
    if (this.#gathering) return;
    this.#gathering = true;
    setTimeout(() => {
      this.#gathering = false;
      this.#send(socket, []);
    }, GATHER);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    clearTimeout(this.#helloTimer);
    if (code >= 1000 && code < 5000 && !UNSENDABLE.has(code)) socket.close(code);
    else socket.close();
  }

  override webSocketError(socket: WebSocket): void {
    clearTimeout(this.#helloTimer);
    socket.close(CLOSE.internal, "connection failed");
  }
}
