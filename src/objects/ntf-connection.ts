import { DurableObject } from "cloudflare:workers";
import { utf8 } from "#crypto/bytes";
import { findChallenge } from "#protocol/handshake";
import { NTF_BLOCK_SIZE } from "#protocol/ntf/limits";
import { GATEWAY_HEADER, type GatewayClaim, GatewayClaimError, readGatewayClaim } from "../relay/gateway-claim.ts";
import { BUFFERED, DRAIN, HANDSHAKE_TIMEOUT } from "../relay/limits.ts";
import { type NtfReceived, type NtfReply, readNtfBlock, writeNtfBlocks } from "../relay/notification/dispatch.ts";
import {
  acceptNtfHello,
  admitNtf,
  type NtfHelloSession,
  type NtfReadySession,
  openNtfSession,
} from "../relay/notification/session.ts";
import { HandshakeRefused } from "../relay/session.ts";
import { contextOf } from "./context.ts";
import type { Env } from "./env.ts";
import { report } from "./log.ts";
import { forwardNtf } from "./ntf-forward.ts";
import { notificationsOf } from "./notifications.ts";

type NtfSession = NtfHelloSession | NtfReadySession;

/** As for client connections. */
const CLOSE = { policy: 1008, badData: 1007, again: 1012, internal: 1011, tooSlow: 1013 } as const;
const UNSENDABLE: ReadonlySet<number> = new Set([1004, 1005, 1006, 1015]);
const HELLO_DELAY = 20;
const OPEN = 1;

/** Layout of what is attached to a socket. */
const LAYOUT = 1;
/** Blocks of a client that may wait for the ones before them: half a megabyte. */
const BLOCKS_WAITING = 1024;

interface Attachment {
  readonly layout: number;
  readonly session: NtfSession;
}

/**
 * A client's connection to the notification server: plain requests and answers in blocks of 512 bytes, over a
 * hibernating WebSocket that all of its state is attached to. Commands are done one after the other.
 */
export class NtfConnection extends DurableObject<Env> {
  #session: NtfSession | null = null;
  /** When all blocks so far are answered. */
  #answered: Promise<void> = Promise.resolve();
  #blocksWaiting = 0;
  #helloTimer: ReturnType<typeof setTimeout> | undefined;

  override async fetch(request: Request): Promise<Response> {
    const { identity } = await contextOf(this.env);
    // What is wrong with the settings for push services is told here, and not command by command.
    await notificationsOf(this.env);
    let gateway: GatewayClaim | null;
    try {
      gateway = readGatewayClaim(request.headers.get(GATEWAY_HEADER), identity.key, Date.now());
    } catch (error) {
      if (error instanceof GatewayClaimError) return new Response(error.message, { status: 403 });
      throw error;
    }
    const { 0: client, 1: socket } = new WebSocketPair();
    const { session, block } = openNtfSession(identity, { challenge: findChallenge(request.url), gateway });
    this.ctx.acceptWebSocket(socket);
    this.#save(socket, session);
    // See `Connection`: some clients listen only once the socket is open.
    setTimeout(() => {
      if (socket.readyState === OPEN) socket.send(block);
    }, gateway ? 0 : HELLO_DELAY);
    // A timer keeps the object in memory, so it ends with the hello.
    this.#helloTimer = setTimeout(() => socket.close(CLOSE.policy, "no hello in time"), HANDSHAKE_TIMEOUT);
    return new Response(null, { status: 101, webSocket: client });
  }

  #save(socket: WebSocket, session: NtfSession): void {
    this.#session = session;
    socket.serializeAttachment({ layout: LAYOUT, session } satisfies Attachment);
  }

  #load(socket: WebSocket): NtfSession | null {
    const attachment = socket.deserializeAttachment() as Partial<Attachment> | null;
    return attachment?.layout === LAYOUT && attachment.session ? attachment.session : null;
  }

  override async webSocketMessage(socket: WebSocket, data: ArrayBuffer | string): Promise<void> {
    const block = typeof data === "string" ? utf8(data) : new Uint8Array(data);
    if (block.length !== NTF_BLOCK_SIZE) {
      return socket.close(CLOSE.badData, `a message must be one block of ${NTF_BLOCK_SIZE} bytes`);
    }
    if (this.#blocksWaiting >= BLOCKS_WAITING) return socket.close(CLOSE.tooSlow, "too much at once");
    this.#blocksWaiting++;
    const answered = this.#answered.then(() => this.#receive(socket, block)).finally(() => this.#blocksWaiting--);
    this.#answered = answered;
    await answered;
  }

  async #receive(socket: WebSocket, block: Uint8Array): Promise<void> {
    try {
      // Whatever follows what closed the socket is not listened to.
      if (!await this.#drained(socket)) return;
      const session = this.#session ??= this.#load(socket);
      if (!session) socket.close(CLOSE.again, "the relay was updated, connect again");
      else if (session.phase === "hello") await this.#hello(socket, session, block);
      else await this.#execute(socket, session, block);
    } catch (error) {
      if (error instanceof HandshakeRefused) return socket.close(CLOSE.policy, "handshake refused");
      report("a connection failed", error);
      socket.close(CLOSE.internal, "internal error");
    }
  }

  async #hello(socket: WebSocket, session: NtfHelloSession, block: Uint8Array): Promise<void> {
    clearTimeout(this.#helloTimer);
    const { identity } = await contextOf(this.env);
    this.#save(socket, acceptNtfHello(session, block, identity));
  }

  async #execute(socket: WebSocket, session: NtfReadySession, block: Uint8Array): Promise<void> {
    const replies: NtfReply[] = [];
    let current = session;
    for (const received of readNtfBlock(session, block)) {
      const [next, reply] = await this.#reply(current, received);
      current = next;
      replies.push(reply);
    }
    // Limits count also what the client does not wait for.
    this.#save(socket, current);
    if (socket.readyState !== OPEN) return;
    for (const answer of writeNtfBlocks(current, replies)) socket.send(answer);
  }

  async #reply(session: NtfReadySession, received: NtfReceived): Promise<readonly [NtfReadySession, NtfReply]> {
    if ("reply" in received) return [session, received.reply];
    const { corrId, entityId, command } = received.asked;
    const admitted = admitNtf(session, command, Date.now());
    if (!admitted) return [session, { corrId, entityId, answer: { tag: "ERR", error: { type: "QUOTA" } } }];
    return [admitted, { corrId, entityId, answer: await forwardNtf(this.env, received.asked) }];
  }

  /** A client that reads nothing is not answered ever more. False when it is gone. */
  async #drained(socket: WebSocket): Promise<boolean> {
    const end = Date.now() + DRAIN.patience;
    while (socket.bufferedAmount > BUFFERED.high) {
      if (Date.now() > end) socket.close(CLOSE.tooSlow, "answers are not read");
      if (socket.readyState !== OPEN) return false;
      await scheduler.wait(DRAIN.pause);
    }
    return socket.readyState === OPEN;
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
