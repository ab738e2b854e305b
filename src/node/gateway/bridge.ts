import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { type RawData, WebSocket } from "ws";
import { BlockCutter } from "#protocol/block-cutter";
import { BLOCK_SIZE } from "#protocol/limits";
import { GATEWAY_HEADER } from "../../relay/gateway-claim.ts";
import { reasonOf } from "./reason.ts";

/** Why a bridge ended. */
export type Ending =
  /** The client went, or was let go because it did not read. */
  | { readonly by: "client" | "gateway" }
  /** The relay closed the connection, or it broke off. */
  | { readonly by: "relay"; readonly reason: string }
  /** There never was a connection; the relay may be away. */
  | { readonly by: "unreachable"; readonly reason: string }
  /** The relay has nothing there: its notification server is switched off. */
  | { readonly by: "unserved" }
  /** The relay does not believe the gateway. */
  | { readonly by: "refused"; readonly reason: string };

/** Bytes that may wait for one side before the other is not read any more, and at which it is read again. */
const WAITING = { high: 16 * BLOCK_SIZE, low: 4 * BLOCK_SIZE } as const;
/** Milliseconds. */
const TIME = {
  /** Until the relay has answered the upgrade. */
  upgrade: 20_000,
  /** For a side to take what is left and to say goodbye. */
  goodbye: 5_000,
  /** For a client to read anything at all while more waits. */
  stall: 120_000,
  /** After a silence of the relay: a question whether it is there. Proxies forget silent connections after 100 s. */
  silence: 40_000,
  /** For its answer. */
  pong: 40_000,
  /** Between probes of TCP for a client that is gone without a word. */
  keepAlive: 30_000,
} as const;

const CLOSE = { normal: 1000, goingAway: 1001 } as const;
const FORBIDDEN = 403;
const NOT_FOUND = 404;
const LONGEST_REASON = 200;

/**
 * Tells when a close frame comes, which it answers by closing itself. Its own event waits until TCP has ended too, and
 * the other end may take seconds for that.
 */
class RelaySocket extends WebSocket {
  onClosing: (reason: string) => void = () => undefined;

  override close(code?: number, data?: string | Buffer): void {
    super.close(code, data);
    this.onClosing(`${code ?? ""} ${data?.toString() ?? ""}`.trim());
  }
}

/** What a client speaks with the relay. */
export interface Stream {
  /** URL of the relay's WebSocket for it. */
  readonly url: string;
  /** Bytes of its blocks. */
  readonly blockSize: number;
}

/** One client of a gateway: carries its blocks to the relay and back, unchanged. */
export class Bridge {
  /** Resolves when both sides are closed. */
  readonly ended: Promise<Ending>;
  readonly #client: TLSSocket;
  readonly #relay: RelaySocket;
  readonly #blockSize: number;
  readonly #cutter: BlockCutter;
  #settle: (ending: Ending) => void = () => undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  #ending: Ending | null = null;
  #isOpened = false;
  #stalledSince: number | null = null;
  #heardAt = performance.now();
  #askedAt: number | null = null;

  /** `client`: after its handshake, not read yet. `claim`: the header's text. */
  constructor(client: TLSSocket, { url, blockSize }: Stream, claim: string) {
    this.ended = new Promise((resolve) => (this.#settle = resolve));
    this.#client = client;
    this.#blockSize = blockSize;
    this.#cutter = new BlockCutter(blockSize);
    this.#relay = new RelaySocket(url, {
      headers: { [GATEWAY_HEADER]: claim },
      handshakeTimeout: TIME.upgrade,
      maxPayload: blockSize,
      perMessageDeflate: false,
    });
    this.#listenToClient(client);
    this.#listenToRelay(this.#relay);
  }

  #listenToClient(client: TLSSocket): void {
    client.setNoDelay(true);
    client.setKeepAlive(true, TIME.keepAlive);
    client.on("end", () => this.#end({ by: "client" }));
    client.on("close", () => {
      this.#end({ by: "client" });
      this.#finish();
    });
    client.on("drain", () => {
      this.#stalledSince = null;
      if (this.#relay.isPaused) this.#relay.resume();
    });
  }

  #listenToRelay(relay: RelaySocket): void {
    relay.on("open", () => {
      this.#isOpened = true;
      this.#heardAt = performance.now();
      this.#client.on("data", (chunk: Buffer) => this.#toRelay(chunk));
    });
    relay.on("message", (data, isBinary) => this.#toClient(data, isBinary));
    relay.on("pong", () => this.#heard());
    relay.on("unexpected-response", (_, response) => this.#refused(response));
    relay.on("error", (error) => this.#end({ by: this.#isOpened ? "relay" : "unreachable", reason: reasonOf(error) }));
    relay.onClosing = (reason) => this.#end({ by: "relay", reason });
    relay.on("close", (code, reason) => {
      this.#end({ by: "relay", reason: `${code} ${reason.toString()}`.trim() });
      this.#finish();
    });
  }

  #refused(response: IncomingMessage): void {
    const status = response.statusCode ?? 0;
    let text = "";
    const done = (): void => {
      const reason = `status ${status}: ${text.slice(0, LONGEST_REASON)}`;
      if (status === NOT_FOUND) this.#end({ by: "unserved" });
      else this.#end({ by: status === FORBIDDEN ? "refused" : "unreachable", reason });
      this.#relay.terminate();
    };
    response.setEncoding("utf8");
    response.on("data", (part: string) => {
      text += part;
      if (text.length > LONGEST_REASON) done();
    });
    response.on("end", done);
    response.on("error", done);
  }

  #heard(): void {
    this.#heardAt = performance.now();
    this.#askedAt = null;
  }

  #toRelay(chunk: Buffer): void {
    if (this.#relay.readyState !== WebSocket.OPEN) return;
    for (const block of this.#cutter.push(chunk)) this.#relay.send(block, () => this.#readOn());
    if (this.#relay.bufferedAmount > WAITING.high) this.#client.pause();
  }

  #readOn(): void {
    if (this.#client.isPaused() && this.#relay.bufferedAmount <= WAITING.low) this.#client.resume();
  }

  #toClient(data: RawData, isBinary: boolean): void {
    this.#heard();
    if (!isBinary || !(data instanceof Uint8Array) || data.length !== this.#blockSize) {
      return this.#end({ by: "relay", reason: "it sent what is not a block" });
    }
    if (!this.#client.writable) return;
    this.#client.write(data);
    if (this.#client.writableLength <= WAITING.high) return;
    this.#relay.pause();
    this.#stalledSince ??= performance.now();
  }

  /** To be called now and then: lets go of a client that does not read and of a relay that does not answer. */
  check(now = performance.now()): void {
    if (this.#ending) return;
    if (this.#stalledSince !== null) {
      if (now - this.#stalledSince > TIME.stall) this.#client.destroy();
    } else if (this.#askedAt !== null) {
      if (now - this.#askedAt > TIME.pong) this.#relay.terminate();
    } else if (this.#relay.readyState === WebSocket.OPEN && now - this.#heardAt > TIME.silence) {
      this.#askedAt = now;
      this.#relay.ping();
    }
  }

  /** Ends it from this side; blocks that were read are still passed on. */
  stop(): void {
    this.#end({ by: "gateway" });
  }

  #end(ending: Ending): void {
    if (this.#ending) return;
    this.#ending = ending;
    // Behind what was sent before: a close frame overtakes no block, and an end no data.
    const { readyState } = this.#relay;
    if (readyState === WebSocket.CONNECTING) this.#relay.terminate();
    else if (readyState === WebSocket.OPEN) this.#relay.close(ending.by === "client" ? CLOSE.normal : CLOSE.goingAway);
    // Whoever is not read would never be seen to close.
    if (this.#relay.isPaused) this.#relay.resume();
    this.#client.resume();
    this.#client.end();
    this.#timers.push(
      setTimeout(() => this.#relay.terminate(), TIME.goodbye),
      setTimeout(() => this.#client.destroy(), TIME.goodbye),
    );
  }

  #finish(): void {
    if (!this.#ending || !this.#client.destroyed || this.#relay.readyState !== WebSocket.CLOSED) return;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#settle(this.#ending);
  }
}
