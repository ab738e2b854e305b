import { openWebSocket, type SocketFactory, type SocketLike } from "../../../client/transport/socket.ts";

/** Nobody listens there. */
const NOWHERE = "ws://127.0.0.1:1/";

/** A network that is gone for a while. Not for programs that are killed. */
export class Network {
  readonly #sockets = new Set<SocketLike>();
  #isGone = false;

  readonly openSocket: SocketFactory = (url) => {
    const socket = openWebSocket(this.#isGone ? NOWHERE : url);
    this.#sockets.add(socket);
    return socket;
  };

  cut(): void {
    this.#isGone = true;
    for (const socket of this.#sockets) socket.close();
    this.#sockets.clear();
  }

  mend(): void {
    this.#isGone = false;
  }
}
