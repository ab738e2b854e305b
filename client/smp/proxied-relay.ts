import type { Server } from "#protocol/address";
import type { Command, Message } from "#protocol/commands";
import { describeError, type ErrorType } from "#protocol/errors";
import { CLIENT_VERSIONS, type VersionRange } from "#protocol/version";
import { type Clock, systemClock } from "../clock.ts";
import { ProxyError, UnexpectedAnswerError } from "../errors.ts";
import { meaningOf, proxyFailureOf } from "./proxy-failure.ts";
import {
  acceptSession,
  checkAddress,
  hostOf,
  nameOf,
  openAnswer,
  type ProxyPath,
  type ProxySession,
  sealCommand,
} from "./proxy-session.ts";
import type { Requester, RequestOptions } from "./request.ts";

/** A connection to a relay that forwards: a `RelayConnection` or an `SmpClient`. */
export interface ProxyConnection extends Requester {
  /** The connection of this moment, where it changes: sessions end with it. */
  readonly client?: object | null;
}

export interface ProxiedRelayOptions {
  readonly proxy: ProxyConnection;
  /** The destination and its identity, as its address names them. */
  readonly server: Server;
  /** Of the proxy, where it wants one. */
  readonly password?: string | null | undefined;
  /** Versions to speak with the destination; all that this client speaks, from 8 on, unless given. */
  readonly versions?: VersionRange | undefined;
  /** Milliseconds that the proxy has to connect: 15,000 unless given. */
  readonly connectTimeout?: number | undefined;
  /** Milliseconds that one relay has to answer: 10,000 unless given. A forwarded command takes two. */
  readonly timeout?: number | undefined;
  readonly clock?: Clock | undefined;
}

const CONNECT_TIMEOUT = 15_000;
const REQUEST_TIMEOUT = 10_000;
/** Milliseconds for which a proxy that does not reach the destination is not asked again: routers remember as long. */
const HOST_FAILURE_TTL = 30_000;

interface Session {
  readonly ready: Promise<ProxySession>;
  /** The proxy's connection with which it ends. */
  on: object | null | undefined;
  isPending: boolean;
}

/**
 * A relay to which commands go through another one, which sees neither what they are nor whom they concern; and the
 * relay does not see who sends them. Takes SEND, SKEY, LKEY and LGET, and proves the relay's identity by itself.
 */
export class ProxiedRelay implements Requester {
  readonly host: string;
  readonly server: Server;
  readonly #options: ProxiedRelayOptions;
  readonly #clock: Clock;
  readonly #path: ProxyPath;
  #session: Session | null = null;
  #failure: { readonly error: ProxyError; readonly until: number } | null = null;

  /** Asks the proxy only when first needed. @throws UsageError when the address is unusable */
  constructor(options: ProxiedRelayOptions) {
    checkAddress(options.server);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.server = options.server;
    this.#path = { host: options.proxy.host, destination: nameOf(options.server) };
    this.host = hostOf(this.#path);
  }

  /**
   * The destination's answer. A session that the proxy has lost is made again, once, since nothing was forwarded in it.
   * @throws ProxyError, TimeoutError, DisconnectedError, ConnectError, UnexpectedAnswerError, UsageError
   */
  async request(command: Command, options: RequestOptions = {}): Promise<Message> {
    try {
      return await this.#forward(command, options);
    } catch (error) {
      if (!(error instanceof ProxyError && error.failure === "noSession")) throw error;
      return await this.#forward(command, options);
    }
  }

  async #forward(command: Command, options: RequestOptions): Promise<Message> {
    const current = this.#current();
    const session = await current.ready;
    const sealed = sealCommand(session, command, options);
    const { proxy, timeout = REQUEST_TIMEOUT } = this.#options;
    const { corrId, pfwd } = sealed;
    const asked = { entityId: session.sessionId, corrId, timeout: options.timeout ?? 2 * timeout };
    const answer = await proxy.request(pfwd, asked);
    if (answer.tag === "PRES") return openAnswer(session, sealed, answer.encResponse);
    // Whatever it is, the next command finds out with a session of its own.
    this.#drop(current);
    if (answer.tag === "ERR") throw this.#refusal(answer.error);
    throw new UnexpectedAnswerError(proxy.host, `${answer.tag} is no answer to PFWD`);
  }

  #current(): Session {
    const { client } = this.#options.proxy;
    const known = this.#session;
    if (known && (known.isPending || known.on === client)) return known;
    if (this.#failure && this.#clock.now() < this.#failure.until) throw this.#failure.error;
    const session: Session = { ready: this.#ask(), on: client, isPending: true };
    this.#session = session;
    void this.#settle(session);
    return session;
  }

  async #settle(session: Session): Promise<void> {
    try {
      await session.ready;
      session.isPending = false;
      session.on = this.#options.proxy.client;
    } catch (error) {
      this.#drop(session);
      if (!(error instanceof ProxyError && error.failure === "host")) return;
      this.#failure = { error, until: this.#clock.now() + HOST_FAILURE_TTL };
    }
  }

  #drop(session: Session): void {
    if (this.#session === session) this.#session = null;
  }

  /** PRXY. */
  async #ask(): Promise<ProxySession> {
    const { proxy, server, password, versions, connectTimeout, timeout } = this.#options;
    const patience = (connectTimeout ?? CONNECT_TIMEOUT) + (timeout ?? REQUEST_TIMEOUT);
    const { hosts, port, keyHash } = server;
    const answer = await proxy.request(
      { tag: "PRXY", server: { hosts, port, keyHash }, basicAuth: password ?? null },
      { timeout: patience },
    );
    if (answer.tag === "ERR") throw this.#refusal(answer.error);
    if (answer.tag !== "PKEY") throw new UnexpectedAnswerError(proxy.host, `${answer.tag} is no answer to PRXY`);
    return acceptSession(this.#path, server, answer, versions ?? CLIENT_VERSIONS, this.#clock.now());
  }

  #refusal(error: ErrorType): ProxyError {
    const failure = proxyFailureOf(error);
    return new ProxyError(this.#path, failure, `${meaningOf(failure)} (ERR ${describeError(error)})`, { error });
  }
}
