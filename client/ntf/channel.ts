import { CryptoError } from "#crypto/errors";
import type { PublicKey } from "#crypto/keys";
import { ntfBlock, openNtfBlock } from "#protocol/ntf/block";
import type { SessionParams } from "#protocol/transmission";
import type { BlockSocket, Closing } from "../transport/socket.ts";

/** What the handshake agreed on. */
export interface NtfAgreement extends SessionParams {
  /** `host[:port]` of the socket, for messages to people. */
  readonly host: string;
  /** The server's X25519 key of this session. */
  readonly serverKey: PublicKey<"X25519">;
}

/** A connection to a notification server that has proved who it is: carries contents of blocks, 510 bytes at most. */
export class NtfChannel implements NtfAgreement {
  readonly host: string;
  readonly version: number;
  readonly sessionId: Uint8Array;
  readonly serverKey: PublicKey<"X25519">;
  readonly #socket: BlockSocket;

  constructor(socket: BlockSocket, { host, version, sessionId, serverKey }: NtfAgreement) {
    this.#socket = socket;
    this.host = host;
    this.version = version;
    this.sessionId = sessionId;
    this.serverKey = serverKey;
  }

  /** Resolves when there is room for the next one. What is sent on a closed channel is dropped. */
  send(content: Uint8Array): Promise<void> {
    return this.#socket.send(ntfBlock(content));
  }

  /** For one reader; ends with the connection. */
  async *contents(): AsyncGenerator<Uint8Array, void> {
    for await (const block of this.#socket.blocks) {
      try {
        yield openNtfBlock(block);
      } catch (error) {
        if (!(error instanceof CryptoError)) throw error;
        return this.#socket.violated("the notification server sent a block that does not open");
      }
    }
  }

  /** Never rejects. */
  get closed(): Promise<Closing> {
    return this.#socket.closed;
  }

  close(): void {
    this.#socket.close();
  }
}
