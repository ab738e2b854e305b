import type { PublicKey, SignatureAlgorithm } from "#crypto/keys";
import type { Server } from "#protocol/address";
import { CHALLENGE_LENGTH } from "#protocol/limits";
import type { NtfAnswer, NtfCommand } from "#protocol/ntf/commands";
import { type Clock, systemClock } from "../clock.ts";
import { DisconnectedError } from "../errors.ts";
import type { SocketFactory } from "../transport/socket.ts";
import { connectUrl } from "../transport/url.ts";
import { NtfClient, type NtfRequester, type NtfRequestOptions } from "./client.ts";
import { connectNtf } from "./connect.ts";

export interface NtfOptions {
  /** The notification server and its identity, which is that of the relay it belongs to. */
  readonly server: Server;
  /** Of the relay, if not its first host; notifications are at `/ntf` below it. */
  readonly url?: string | undefined;
  /** Milliseconds for connecting: 15,000 unless given. */
  readonly connectTimeout?: number | undefined;
  /** Milliseconds without any answer after which a connection counts as dead: 10,000 unless given. */
  readonly timeout?: number | undefined;
  /** Milliseconds without a command after which the connection is closed: 20,000 unless given. */
  readonly idle?: number | undefined;
  readonly openSocket?: SocketFactory | undefined;
  readonly clock?: Clock | undefined;
}

const TIMEOUT = 10_000;
const IDLE = 20_000;

/**
 * The connection to a notification server: made when a command needs one, closed when none has needed it for a while.
 * A command that fails is not repeated; all of them may be, as the server does them once.
 */
export class NtfConnection implements NtfRequester {
  readonly host: string;
  readonly #options: NtfOptions;
  readonly #clock: Clock;
  readonly #disposal = new AbortController();
  #leafKey: PublicKey<SignatureAlgorithm> | null = null;
  #client: NtfClient | null = null;
  #connecting: Promise<NtfClient> | null = null;
  #cancelIdle: (() => void) | null = null;

  /** @throws UsageError when the address or URL is unusable. */
  constructor(options: NtfOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.host = connectUrl(options.server, options.url, new Uint8Array(CHALLENGE_LENGTH)).host;
  }

  async request(command: NtfCommand, options?: NtfRequestOptions): Promise<NtfAnswer> {
    const client = await this.#connected();
    try {
      return await client.request(command, options);
    } finally {
      this.#closeWhenIdle(client);
    }
  }

  /** Ends the connection for good. */
  dispose(): void {
    this.#disposal.abort();
    this.#cancelIdle?.();
    this.#client?.close();
  }

  #connected(): Promise<NtfClient> {
    if (this.#disposal.signal.aborted) {
      return Promise.reject(new DisconnectedError(this.host, "the connection was disposed"));
    }
    if (this.#client?.isClosed === false) return Promise.resolve(this.#client);
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = null));
    return this.#connecting;
  }

  async #connect(): Promise<NtfClient> {
    const { server, url, openSocket, connectTimeout, timeout = TIMEOUT } = this.#options;
    const { signal } = this.#disposal;
    const clock = this.#clock;
    const options = { server, url, openSocket, timeout: connectTimeout, signal, clock };
    const { channel, leafKey } = await connectNtf(options, this.#leafKey);
    this.#leafKey = leafKey;
    const client = new NtfClient(channel, { timeout, clock });
    this.#client = client;
    if (signal.aborted) client.close();
    return client;
  }

  #closeWhenIdle(client: NtfClient): void {
    this.#cancelIdle?.();
    this.#cancelIdle = null;
    if (client.isClosed || !client.isIdle || this.#disposal.signal.aborted) return;
    this.#cancelIdle = this.#clock.after(this.#options.idle ?? IDLE, () => {
      if (client.isIdle) client.close();
    });
  }
}
