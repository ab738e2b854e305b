import { EMPTY, hex } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import { DecodeError } from "#protocol/codec";
import type { Command, CommandTag, Message } from "#protocol/commands";
import { ID_LENGTH } from "#protocol/limits";
import { packBatches, type RawTransmission, readBatch, readTransmission, TransmissionError } from "#protocol/transmission";
import { type Clock, systemClock } from "../clock.ts";
import { DisconnectedError, type SimplexError, TimeoutError, UnexpectedAnswerError, UsageError } from "../errors.ts";
import { Mailbox } from "../mailbox.ts";
import type { Channel, ChannelService } from "../transport/channel.ts";
import type { Closing } from "../transport/socket.ts";
import { type Outgoing, takeRound } from "./outbox.ts";
import { type ClientEvent, isEvent, type RequestOptions, type Requester } from "./request.ts";
import { checkAnswer, readMessage, writeCommand } from "./transmit.ts";

/** Times of one connection, in milliseconds (SMP transport, keep-alive). */
export interface ClientOptions {
  /** For an answer, unless the request says otherwise: 10,000. */
  readonly timeout?: number | undefined;
  /** Of silence before a PING, once anything is subscribed: 600,000. */
  readonly pingInterval?: number | undefined;
  /** Commands in a row without an answer after which the connection counts as dead: 3. */
  readonly maxTimeouts?: number | undefined;
  /** Of silence before which it never counts as dead: 900,000. */
  readonly silence?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** A command under way. Those that timed out stay, so that a late answer is known for what it answers. */
interface Pending {
  readonly command: Command;
  readonly outgoing: Outgoing;
  /** Null once nobody waits for it. */
  waiter: { resolve(answer: Message): void; reject(error: SimplexError): void; cancelTimer(): void } | null;
}

const SUBSCRIBING: ReadonlySet<CommandTag> = new Set<CommandTag>(["SUB", "NSUB", "SUBS", "NSUBS"]);

function subscribes(command: Command): boolean {
  return SUBSCRIBING.has(command.tag) || (command.tag === "NEW" && command.subscribe);
}

/** Commands and events on one connection. It ends with the connection. */
export class SmpClient implements Requester {
  readonly #channel: Channel;
  readonly #options: { readonly [K in keyof ClientOptions]-?: NonNullable<ClientOptions[K]> };
  readonly #pending = new Map<string, Pending>();
  readonly #events = new Mailbox<ClientEvent>();
  #waiting: Outgoing[] = [];
  #isFlushing = false;
  #ended: SimplexError | null = null;
  #timeouts = 0;
  #receivedAt: number;
  #cancelPing: (() => void) | null = null;

  constructor(channel: Channel, options: ClientOptions = {}) {
    this.#channel = channel;
    this.#options = {
      timeout: options.timeout ?? 10_000,
      pingInterval: options.pingInterval ?? 600_000,
      maxTimeouts: options.maxTimeouts ?? 3,
      silence: options.silence ?? 900_000,
      clock: options.clock ?? systemClock,
    };
    this.#receivedAt = this.#options.clock.now();
    void this.#read();
  }

  get host(): string {
    return this.#channel.host;
  }

  /** The agreed protocol version. */
  get version(): number {
    return this.#channel.version;
  }

  /** Who this connection is to the relay, when it acts as a service. */
  get service(): ChannelService | null {
    return this.#channel.service;
  }

  /** Everything the relay sends unasked, for one reader. Kept without a bound until read: see {@link Mailbox}. */
  get events(): AsyncIterableIterator<ClientEvent, undefined> {
    return this.#events;
  }

  get isClosed(): boolean {
    return this.#ended !== null;
  }

  /** Ends the connection; commands under way fail with this reason. */
  close(why = "the connection was closed by this client"): void {
    this.#end(new DisconnectedError(this.host, why));
    this.#channel.close();
  }

  async request(command: Command, options: RequestOptions = {}): Promise<Message> {
    if (this.#ended) throw new DisconnectedError(this.host, "the connection has ended", { cause: this.#ended });
    const { entityId = EMPTY, corrId = randomBytes(ID_LENGTH), timeout = this.#options.timeout } = options;
    const id = hex(corrId);
    if (id === "" || this.#pending.has(id)) throw new UsageError("every command needs a corrId of its own");
    const transmission = writeCommand(this.#channel, { command, entityId, corrId, key: options.key });
    const outgoing: Outgoing = { entityId, transmission, sent: false, abandoned: false };
    if (subscribes(command)) this.#keepAlive();
    return new Promise((resolve, reject) => {
      const cancelTimer = this.#options.clock.after(timeout, () => this.#timeOut(id, timeout));
      this.#pending.set(id, { command, outgoing, waiter: { resolve, reject, cancelTimer } });
      this.#enqueue(outgoing);
    });
  }

  #enqueue(outgoing: Outgoing): void {
    this.#waiting.push(outgoing);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    // In a microtask, so that commands given together share blocks.
    queueMicrotask(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    // What waits when the connection ends was never written, and its DisconnectedError says so.
    while (this.#waiting.length > 0 && !this.#channel.isClosed) {
      const { round, rest } = takeRound(this.#waiting);
      this.#waiting = rest;
      for (const outgoing of round) outgoing.sent = true;
      const contents = packBatches(round.map(({ transmission }) => transmission));
      for (const content of contents) await this.#channel.send(content);
    }
    this.#isFlushing = false;
  }

  #timeOut(id: string, milliseconds: number): void {
    const pending = this.#pending.get(id);
    if (!pending?.waiter) return;
    const { waiter, outgoing, command } = pending;
    pending.waiter = null;
    outgoing.abandoned = true;
    if (!outgoing.sent) this.#pending.delete(id);
    waiter.reject(new TimeoutError(this.host, command.tag, milliseconds));
    this.#timeouts++;
    const isSilent = this.#options.clock.now() - this.#receivedAt >= this.#options.silence;
    if (this.#timeouts < this.#options.maxTimeouts || !isSilent) return;
    this.close("the relay answers no more");
  }

  #keepAlive(): void {
    if (this.#cancelPing) return;
    const { clock, pingInterval } = this.#options;
    const tick = (): void => {
      const left = pingInterval - (clock.now() - this.#receivedAt);
      // Its answer is a block like any other, its absence counts as a time-out: both are seen elsewhere.
      if (left <= 0) this.request({ tag: "PING" }).catch(() => undefined);
      if (!this.#ended) this.#cancelPing = clock.after(left > 0 ? left : pingInterval, tick);
    };
    this.#cancelPing = clock.after(pingInterval, tick);
  }

  async #read(): Promise<void> {
    for await (const content of this.#channel.contents) {
      if (this.#ended) return;
      this.#receivedAt = this.#options.clock.now();
      this.#timeouts = 0;
      this.#receive(content);
    }
    // Only now: what came before the end still counts.
    this.#end(this.#disconnected(await this.#channel.closed));
  }

  #receive(content: Uint8Array): void {
    try {
      for (const bytes of readBatch(content)) this.#receiveOne(bytes);
    } catch (cause) {
      if (!(cause instanceof DecodeError)) throw cause;
      this.#unexpected("a block's content cannot be read", cause);
    }
  }

  #receiveOne(bytes: Uint8Array): void {
    let raw: RawTransmission;
    try {
      raw = readTransmission(this.#channel, bytes);
    } catch (cause) {
      if (!(cause instanceof TransmissionError)) throw cause;
      return this.#unexpected("a transmission cannot be read", cause);
    }
    const message = readMessage(this.#channel, raw);
    if (raw.corrId.length > 0) this.#answer(raw, message);
    else if (message instanceof UnexpectedAnswerError) this.#events.put({ type: "unexpected", error: message });
    else if (isEvent(message.tag)) this.#events.put({ type: "message", entityId: raw.entityId, message });
    else this.#unexpected(`${message.tag} came as an answer to nothing`);
  }

  #answer({ corrId, entityId }: RawTransmission, message: Message | UnexpectedAnswerError): void {
    const id = hex(corrId);
    const pending = this.#pending.get(id);
    // A command that was never written cannot have been answered.
    if (!pending?.outgoing.sent) return this.#unexpected("an answer came to no command");
    this.#pending.delete(id);
    const { command, waiter, outgoing } = pending;
    const answer = checkAnswer(this.host, { command, entityId: outgoing.entityId }, entityId, message);
    if (answer instanceof UnexpectedAnswerError) {
      if (!waiter) return this.#events.put({ type: "unexpected", error: answer });
      waiter.cancelTimer();
      return waiter.reject(answer);
    }
    // The next message rides on the answer, but goes the way of all messages.
    const isPush = answer.tag === "MSG" && (command.tag === "ACK" || command.tag === "SUB");
    if (!waiter) this.#events.put({ type: "late", command, entityId, answer });
    if (isPush) this.#events.put({ type: "message", entityId, message: answer });
    waiter?.cancelTimer();
    waiter?.resolve(answer);
  }

  #unexpected(what: string, cause?: unknown): void {
    this.#events.put({ type: "unexpected", error: new UnexpectedAnswerError(this.host, what, { cause }) });
  }

  #disconnected({ code, reason, violation }: Closing): SimplexError {
    if (violation !== null) return new UnexpectedAnswerError(this.host, violation);
    const detail = `close code ${code}${reason === "" ? "" : `, ${reason}`}`;
    return new DisconnectedError(this.host, `the connection ended (${detail})`);
  }

  #end(error: SimplexError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#cancelPing?.();
    for (const { waiter, outgoing } of this.#pending.values()) {
      waiter?.cancelTimer();
      const details = { cause: error, sent: outgoing.sent };
      waiter?.reject(new DisconnectedError(this.host, "the connection ended before the answer", details));
    }
    this.#pending.clear();
    this.#waiting = [];
    this.#events.put({ type: "closed", error });
    this.#events.end();
  }
}
