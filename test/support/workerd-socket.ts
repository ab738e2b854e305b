import { exports } from "cloudflare:workers";
import type { SocketEvent, SocketLike } from "../../client/index.ts";

type Listener = (event: SocketEvent) => void;

/** A socket of a client in this runtime to the relay in the same one, for which there is no network in between. */
class InnerSocket implements SocketLike {
  binaryType = "arraybuffer";
  readonly #listeners: [type: string, listener: Listener][] = [];
  #socket: WebSocket | null = null;
  #isClosed = false;

  constructor(url: string) {
    this.#open(url).catch((error: unknown) => this.#tell({ type: "error", message: String(error) }));
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.push([type, listener]);
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    if (!this.#socket) throw new Error("the socket is not open yet");
    this.#socket.send(data);
  }

  close(code?: number, reason?: string): void {
    this.#isClosed = true;
    this.#socket?.close(code, reason);
  }

  async #open(url: string): Promise<void> {
    const request = new Request(url.replace(/^ws/, "http"), { headers: { upgrade: "websocket" } });
    const response = await exports.default.fetch(request);
    const socket = response.webSocket;
    if (!socket) throw new Error(`no socket: ${response.status} ${await response.text()}`);
    socket.binaryType = "arraybuffer";
    for (const type of ["message", "error", "close"]) {
      socket.addEventListener(type, (event: SocketEvent) => this.#tell(event));
    }
    socket.accept();
    this.#socket = socket;
    if (this.#isClosed) socket.close();
    else this.#tell({ type: "open" });
  }

  #tell(event: SocketEvent): void {
    for (const [type, listener] of this.#listeners) if (type === event.type) listener(event);
  }
}

/** For `openSocket` of the client. */
export function openInnerSocket(url: string): SocketLike {
  return new InnerSocket(url);
}
