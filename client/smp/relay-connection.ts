import type { Server } from "#protocol/address";
import type { Command, Message } from "#protocol/commands";
import { CHALLENGE_LENGTH } from "#protocol/limits";
import type { VersionRange } from "#protocol/version";
import { type Clock, systemClock } from "../clock.ts";
import { ConnectError, DisconnectedError, SimplexError, UsageError } from "../errors.ts";
import { Mailbox } from "../mailbox.ts";
import { connect, type ServiceCredentials } from "../transport/connect.ts";
import type { SocketFactory } from "../transport/socket.ts";
import { connectUrl } from "../transport/url.ts";
import { type Backoff, DEFAULT_BACKOFF, retryDelay } from "./backoff.ts";
import { ping } from "./calls.ts";
import { type ClientOptions, SmpClient } from "./client.ts";
import type { KeptQueue } from "./kept.ts";
import type { LateEvent, MessageEvent, Requester, RequestOptions, UnexpectedEvent } from "./request.ts";
import { type SubscriptionEvent, Upkeep } from "./upkeep.ts";

export interface RelayOptions {
  /** The relay and its identity, as its address names them. */
  readonly server: Server;
  /** Where to connect if not to the server's first host. */
  readonly url?: string | undefined;
  readonly versions?: VersionRange | undefined;
  readonly service?: ServiceCredentials | undefined;
  /** Milliseconds for connecting: 15,000 unless given. */
  readonly connectTimeout?: number | undefined;
  /** Times of each connection. */
  readonly client?: Omit<ClientOptions, "clock"> | undefined;
  readonly backoff?: Backoff | undefined;
  readonly openSocket?: SocketFactory | undefined;
  readonly clock?: Clock | undefined;
}

export type RelayEvent =
  | MessageEvent
  | LateEvent
  | UnexpectedEvent
  /** There is a connection; kept queues are being subscribed. */
  | { readonly type: "connected"; readonly version: number }
  | SubscriptionEvent
  /**
   * There is no connection, and these queues are no longer subscribed. `retryIn`: milliseconds to the next attempt;
   * null when nothing needs one now.
   */
  | {
    readonly type: "down";
    readonly queues: readonly Uint8Array[];
    readonly error: SimplexError;
    readonly retryIn: number | null;
  };

/** A request that waits for a connection. */
interface Waiter {
  resolve(client: SmpClient): void;
  reject(error: SimplexError): void;
  cancelTimer(): void;
}

const REQUEST_TIMEOUT = 10_000;
/** Milliseconds after which a connection counts as good, so that its end is retried fast. */
const STABLE = 30_000;
/** Milliseconds that a relay has to answer when the platform says that the network came back. */
const PROBE_TIMEOUT = 5_000;

/**
 * The one connection to a relay, made when first needed and again whenever it ends. What was subscribed through it
 * stays so: queues of NEW, SUB and NSUB and those of `keep` are subscribed again, until END, DELD, DEL or `forget`.
 * A message not acknowledged before the end comes again, with the same msgId.
 */
export class RelayConnection implements Requester {
  readonly host: string;
  readonly #options: RelayOptions;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #upkeep: Upkeep;
  readonly #events = new Mailbox<RelayEvent>();
  readonly #waiters = new Set<Waiter>();
  readonly #disposal = new AbortController();
  #client: SmpClient | null = null;
  /** The connection of which `online` finds out whether it lives. */
  #doubted: SmpClient | null = null;
  #isConnecting = false;
  /** Set while a retry is due: stops it. */
  #cancelRetry: (() => void) | null = null;
  #attempt = 0;
  #upSince = 0;
  #lastError: SimplexError | null = null;

  /** Connects only when first needed. @throws UsageError when the address or URL is unusable. */
  constructor(options: RelayOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#backoff = options.backoff ?? DEFAULT_BACKOFF;
    this.#upkeep = new Upkeep(this.#clock, this.#backoff, (event) => this.#events.put(event));
    this.host = connectUrl(options.server, options.url, new Uint8Array(CHALLENGE_LENGTH)).host;
  }

  /** The connection of this moment; null when there is none. */
  get client(): SmpClient | null {
    return this.#client?.isClosed === false ? this.#client : null;
  }

  /** Whether there are queues to keep subscribed. */
  get hasQueues(): boolean {
    return this.#upkeep.size > 0;
  }

  /**
   * Whether every kept queue is subscribed over a connection that lives, as far as can be known: not while `online`
   * waits for its answer. True when there is none.
   */
  get isSubscribed(): boolean {
    return !this.hasQueues || (this.client !== null && this.client !== this.#doubted && this.#upkeep.isComplete);
  }

  /** Everything that happens, for one reader, until `dispose`. Kept without a bound: see {@link Mailbox}. */
  get events(): AsyncIterableIterator<RelayEvent, undefined> {
    return this.#events;
  }

  /**
   * Waits for a connection where there is none. A command that was written when the connection ended is not repeated:
   * DisconnectedError tells so by `sent`.
   * @throws TimeoutError, DisconnectedError, ConnectError (not retryable), UnexpectedAnswerError, UsageError
   */
  async request(command: Command, options: RequestOptions = {}): Promise<Message> {
    const timeout = options.timeout ?? this.#options.client?.timeout ?? REQUEST_TIMEOUT;
    const deadline = this.#clock.now() + timeout;
    for (;;) {
      const client = this.client ?? await this.#connected(deadline);
      try {
        const left = Math.max(1, deadline - this.#clock.now());
        const answer = await client.request(command, { ...options, timeout: left });
        this.#upkeep.learn(client, command, options, answer);
        return answer;
      } catch (error) {
        const isUnsent = error instanceof DisconnectedError && !error.sent;
        if (!isUnsent || this.#disposal.signal.aborted || this.#clock.now() >= deadline) throw error;
      }
    }
  }

  /** Keeps these queues subscribed, beginning now. How it goes is told by `up` and `lost` events. */
  keep(queues: readonly KeptQueue[]): void {
    this.#upkeep.keep(queues);
    this.#wake();
  }

  /** Keeps this queue no more. The relay is not told: the connection stays subscribed until it ends. */
  forget(entityId: Uint8Array): void {
    this.#upkeep.forget(entityId);
  }

  /** To be called when the network came back: retries at once, or finds out whether the connection still lives. */
  online(): void {
    this.#attempt = 0;
    if (this.#cancelRetry) {
      this.#stopRetry();
      return this.#connect();
    }
    const client = this.client;
    if (client && client !== this.#doubted) void this.#probe(client);
  }

  /** Ends the connection for good; requests under way fail. */
  dispose(): void {
    if (this.#disposal.signal.aborted) return;
    this.#disposal.abort();
    this.#stopRetry();
    this.#upkeep.detach();
    this.#rejectWaiters(new DisconnectedError(this.host, "the connection was disposed"));
    this.#client?.close();
    this.#client = null;
    this.#events.end();
  }

  async #probe(client: SmpClient): Promise<void> {
    this.#doubted = client;
    try {
      await ping(client, PROBE_TIMEOUT);
    } catch {
      client.close("no answer after the network came back");
    }
    if (this.#doubted === client) this.#doubted = null;
  }

  #connected(deadline: number): Promise<SmpClient> {
    if (this.#disposal.signal.aborted) {
      return Promise.reject(new DisconnectedError(this.host, "the connection was disposed"));
    }
    const promise = new Promise<SmpClient>((resolve, reject) => {
      const cancelTimer = this.#clock.after(Math.max(0, deadline - this.#clock.now()), () => {
        this.#waiters.delete(waiter);
        const cause = this.#lastError;
        reject(new DisconnectedError(this.host, "there was no connection in time; check the network", { cause }));
      });
      const waiter: Waiter = { resolve, reject, cancelTimer };
      this.#waiters.add(waiter);
    });
    this.#wake();
    return promise;
  }

  #rejectWaiters(error: SimplexError): void {
    for (const waiter of this.#waiters) {
      waiter.cancelTimer();
      waiter.reject(error);
    }
    this.#waiters.clear();
  }

  /** Connects unless there is a connection, an attempt, or a retry that is due. */
  #wake(): void {
    const isBusy = this.#client !== null || this.#isConnecting || this.#cancelRetry !== null;
    if (!isBusy && !this.#disposal.signal.aborted) this.#connect();
  }

  #connect(): void {
    const { server, url, versions, service, openSocket, connectTimeout } = this.#options;
    this.#isConnecting = true;
    const { signal } = this.#disposal;
    const clock = this.#clock;
    connect({ server, url, versions, service, openSocket, timeout: connectTimeout, clock, signal }).then(
      (channel) => this.#up(new SmpClient(channel, { ...this.#options.client, clock })),
      (error: unknown) => this.#failed(error),
    );
  }

  #up(client: SmpClient): void {
    this.#isConnecting = false;
    if (this.#disposal.signal.aborted) return client.close();
    this.#client = client;
    this.#upSince = this.#clock.now();
    this.#events.put({ type: "connected", version: client.version });
    void this.#follow(client);
    // Subscriptions go first: an ACK that waited would find nothing delivered before them.
    this.#upkeep.attach(client);
    for (const waiter of this.#waiters) {
      waiter.cancelTimer();
      waiter.resolve(client);
    }
    this.#waiters.clear();
  }

  #failed(error: unknown): void {
    this.#isConnecting = false;
    if (this.#disposal.signal.aborted) return;
    const known = error instanceof SimplexError
      ? error
      : new ConnectError(this.host, "unreachable", "connecting failed", { cause: error });
    this.#lastError = known;
    const isHopeless = known instanceof UsageError || (known instanceof ConnectError && !known.retryable);
    if (isHopeless) {
      this.#rejectWaiters(known);
      // Only its operator can change this; no need to hurry.
      this.#attempt = Infinity;
    }
    this.#events.put({ type: "down", queues: [], error: known, retryIn: this.#retry() });
  }

  #down(client: SmpClient, error: SimplexError): void {
    if (this.#client !== client) return;
    this.#client = null;
    this.#lastError = error;
    if (this.#clock.now() - this.#upSince >= STABLE) this.#attempt = 0;
    const queues = this.#upkeep.detach();
    this.#events.put({ type: "down", queues, error, retryIn: this.#retry() });
  }

  get #isWanted(): boolean {
    return this.#upkeep.size > 0 || this.#waiters.size > 0;
  }

  /** Plans the next attempt if there is a reason for one; the answer is when. */
  #retry(): number | null {
    if (!this.#isWanted) return null;
    const delay = retryDelay(this.#attempt++, this.#clock.random(), this.#backoff);
    this.#cancelRetry = this.#clock.after(delay, () => {
      this.#cancelRetry = null;
      if (this.#isWanted) this.#connect();
    });
    return delay;
  }

  #stopRetry(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
  }

  async #follow(client: SmpClient): Promise<void> {
    for await (const event of client.events) {
      if (event.type === "closed") return this.#down(client, event.error);
      this.#events.put(event);
      if (event.type === "message" && (event.message.tag === "END" || event.message.tag === "DELD")) {
        this.#upkeep.forget(event.entityId);
      }
      if (event.type === "late") this.#upkeep.learnLate(event);
    }
  }
}
