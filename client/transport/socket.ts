import { BLOCK_SIZE } from "#protocol/limits";
import type { Clock } from "../clock.ts";
import { Mailbox } from "../mailbox.ts";

/** What the client reads of a socket's events. */
export interface SocketEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
}

/** What the client needs of a `WebSocket`: that of browsers, Node and Workers has it all. */
export interface SocketLike {
  binaryType: string;
  /** Bytes written but not yet on the network; 0 where the platform does not tell. */
  readonly bufferedAmount?: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: string, listener: (event: SocketEvent) => void): void;
}

/** Opens a socket; the default is the platform's `WebSocket`. */
export type SocketFactory = (url: string) => SocketLike;

export const openWebSocket: SocketFactory = (url) => new WebSocket(url);

/** How a socket ended. */
export interface Closing {
  /** WebSocket close code; 1006 when the connection broke off. */
  readonly code: number;
  readonly reason: string;
  /** What the relay did against the protocol, if that was why this side closed. */
  readonly violation: string | null;
}

const NORMAL = 1000;
const BROKEN_OFF = 1006;
/** Applications may close only with 1000 and 3000 to 4999. */
const VIOLATION = 4002;

/** Above this many bytes in the socket's buffer a sender waits: 16 blocks. */
const HIGH_WATER = 16 * BLOCK_SIZE;
/** Milliseconds between looks at the buffer: WebSockets have no event for it. */
const DRAIN_POLL = 20;

/** A WebSocket that carries blocks of one size, 16,384 bytes unless given, and nothing else. */
export class BlockSocket {
  readonly opened: Promise<void>;
  readonly closed: Promise<Closing>;
  readonly #socket: SocketLike;
  readonly #clock: Clock;
  readonly #blockSize: number;
  readonly #blocks = new Mailbox<Uint8Array>();
  #closing: Closing | null = null;
  #settleOpened: () => void = () => undefined;
  #settleClosed: (closing: Closing) => void = () => undefined;

  constructor(socket: SocketLike, clock: Clock, blockSize = BLOCK_SIZE) {
    this.#socket = socket;
    this.#clock = clock;
    this.#blockSize = blockSize;
    this.opened = new Promise((resolve) => (this.#settleOpened = resolve));
    this.closed = new Promise((resolve) => (this.#settleClosed = resolve));
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => this.#settleOpened());
    socket.addEventListener("message", ({ data }) => this.#receive(data));
    // Node tells of a failed connection by the error alone, browsers by error and close.
    socket.addEventListener("error", ({ message }) => this.#end(BROKEN_OFF, message ?? "", null));
    socket.addEventListener("close", ({ code, reason }) => this.#end(code ?? BROKEN_OFF, reason ?? "", null));
  }

  /** How it ended, or null while it has not. */
  get closing(): Closing | null {
    return this.#closing;
  }

  /** Blocks in the order in which they came; ends with the socket. */
  get blocks(): AsyncIterableIterator<Uint8Array, undefined> {
    return this.#blocks;
  }

  #receive(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return this.violated("the relay sent a message that is not binary");
    if (data.byteLength === this.#blockSize) return this.#blocks.put(new Uint8Array(data));
    this.violated(`the relay sent a message of ${data.byteLength} bytes where a block of ${this.#blockSize} belongs`);
  }

  #end(code: number, reason: string, violation: string | null): void {
    if (this.#closing) return;
    this.#closing = { code, reason, violation };
    this.#blocks.end();
    this.#settleClosed(this.#closing);
  }

  /** Writes at once; resolves when the socket has room for more, or is closed. Does nothing once it is closed. */
  async send(block: Uint8Array): Promise<void> {
    if (this.#closing) return;
    this.#socket.send(Uint8Array.from(block));
    while (!this.#closing && (this.#socket.bufferedAmount ?? 0) > HIGH_WATER) {
      await Promise.race([this.closed, new Promise<void>((resolve) => this.#clock.after(DRAIN_POLL, resolve))]);
    }
  }

  /** Ends the connection without waiting for the relay. */
  close(): void {
    this.#close(NORMAL, "", null);
  }

  /** Ends the connection because the relay broke the protocol. */
  violated(what: string): void {
    this.#close(VIOLATION, "protocol violation", what);
  }

  #close(code: number, reason: string, violation: string | null): void {
    if (this.#closing) return;
    this.#end(code, reason, violation);
    this.#socket.close(code, reason);
  }
}
