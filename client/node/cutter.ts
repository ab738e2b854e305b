import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

/**
 * Tears the network connections of this process apart: no closing handshake, no goodbye, as when a cable is pulled.
 * Only connections made after the first call of `watch` can be cut.
 */
export class Cutter {
  readonly #sockets: Socket[] = [];

  watch(): void {
    // Node's WebSocket tells no other way which network connection is under it.
    subscribe("undici:client:connected", (message) => {
      this.#sockets.push((message as { socket: Socket }).socket);
    });
  }

  /** Connections made so far. */
  get count(): number {
    return this.#sockets.length;
  }

  /** Cuts the connection that was made last. */
  cutLast(): void {
    this.#sockets.at(-1)?.destroy();
  }
}
