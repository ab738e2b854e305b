import { wipe } from "#crypto/bytes";
import { CryptoError } from "#crypto/errors";
import type { PublicKey, SignatureAlgorithm } from "#crypto/keys";
import type { Server } from "#protocol/address";
import type { ServiceSession } from "#protocol/authorize";
import { type ChainKey, type ChainKeys, clearBlock, openBlock, openClearBlock, sealBlock } from "#protocol/block";
import type { SessionParams } from "#protocol/transmission";
import type { BlockSocket, Closing } from "./socket.ts";

/** The session of a connection that acts as a service. */
export interface ChannelService extends ServiceSession {
  readonly serviceId: Uint8Array;
}

/** A connection to a relay that has proved who it is, after the hellos: carries contents of blocks. */
export interface Channel extends SessionParams {
  readonly server: Server;
  /** `host[:port]` of the socket, for messages to people. */
  readonly host: string;
  /** The relay's X25519 key of this session; null in v6. */
  readonly routerKey: PublicKey<"X25519"> | null;
  /** Of the relay's certificate: what else the relay signs is verified with it. */
  readonly leafKey: PublicKey<SignatureAlgorithm>;
  readonly service: ChannelService | null;
  /**
   * Sends one block; resolves when there is room for the next one. What is sent on a closed channel is dropped.
   * @throws PaddingError above 16,366 bytes (16,382 below v11).
   */
  send(content: Uint8Array): Promise<void>;
  /** Contents of the relay's blocks, for one reader; ends with the connection. */
  readonly contents: AsyncIterable<Uint8Array>;
  close(): void;
  readonly isClosed: boolean;
  /** Never rejects. */
  readonly closed: Promise<Closing>;
}

/** What the handshake agreed on. */
export interface Agreement extends SessionParams {
  readonly server: Server;
  readonly host: string;
  readonly routerKey: PublicKey<"X25519"> | null;
  readonly leafKey: PublicKey<SignatureAlgorithm>;
  readonly service: ChannelService | null;
  /** Null: blocks are clear. */
  readonly keys: ChainKeys | null;
}

export class SocketChannel implements Channel {
  readonly server: Server;
  readonly host: string;
  readonly version: number;
  readonly sessionId: Uint8Array;
  readonly routerKey: PublicKey<"X25519"> | null;
  readonly leafKey: PublicKey<SignatureAlgorithm>;
  readonly service: ChannelService | null;
  readonly contents: AsyncIterable<Uint8Array>;
  readonly #socket: BlockSocket;
  #sendKey: ChainKey | null;
  #receiveKey: ChainKey | null;

  constructor(socket: BlockSocket, agreement: Agreement) {
    this.#socket = socket;
    this.server = agreement.server;
    this.host = agreement.host;
    this.version = agreement.version;
    this.sessionId = agreement.sessionId;
    this.routerKey = agreement.routerKey;
    this.leafKey = agreement.leafKey;
    this.service = agreement.service;
    this.#sendKey = agreement.keys?.clientToRouter ?? null;
    this.#receiveKey = agreement.keys?.routerToClient ?? null;
    this.contents = this.#read();
  }

  get isClosed(): boolean {
    return this.#socket.closing !== null;
  }

  get closed(): Promise<Closing> {
    return this.#socket.closed;
  }

  async send(content: Uint8Array): Promise<void> {
    return this.#socket.send(this.#seal(content));
  }

  #seal(content: Uint8Array): Uint8Array {
    if (!this.#sendKey) return clearBlock(content);
    const { block, next } = sealBlock(this.#sendKey, content);
    wipe(this.#sendKey);
    this.#sendKey = next;
    return block;
  }

  #open(block: Uint8Array): Uint8Array {
    if (!this.#receiveKey) return openClearBlock(block);
    const opened = openBlock(this.#receiveKey, block);
    wipe(this.#receiveKey);
    this.#receiveKey = opened.next;
    return opened.content();
  }

  async *#read(): AsyncGenerator<Uint8Array, void> {
    for await (const block of this.#socket.blocks) {
      try {
        yield this.#open(block);
      } catch (error) {
        if (!(error instanceof CryptoError)) throw error;
        return this.#socket.violated("the relay sent a block that does not open");
      }
    }
  }

  close(): void {
    this.#socket.close();
  }
}
