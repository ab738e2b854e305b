import type { SocketEvent, SocketLike } from "../../../client/transport/socket.ts";

/** A WebSocket without a network: the test is its other end. */
export class FakeSocket implements SocketLike {
  binaryType = "blob";
  bufferedAmount = 0;
  readonly url: string;
  readonly sent: Uint8Array[] = [];
  /** What the client closed it with. */
  closedWith: { readonly code: number | undefined; readonly reason: string | undefined } | null = null;
  onSent: (block: Uint8Array) => void = () => undefined;
  readonly #listeners = new Map<string, ((event: SocketEvent) => void)[]>();

  constructor(url: string) {
    this.url = url;
  }

  addEventListener(type: string, listener: (event: SocketEvent) => void): void {
    this.#listeners.set(type, [...this.#listeners.get(type) ?? [], listener]);
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    this.sent.push(data);
    this.onSent(data);
  }

  close(code?: number, reason?: string): void {
    this.closedWith ??= { code, reason };
  }

  emit(event: SocketEvent): void {
    for (const listener of this.#listeners.get(event.type) ?? []) listener(event);
  }

  open(): void {
    this.emit({ type: "open" });
  }

  deliver(data: Uint8Array | string): void {
    this.emit({ type: "message", data: typeof data === "string" ? data : Uint8Array.from(data).buffer });
  }

  /** The other end breaks off. */
  drop(code = 1006, reason = ""): void {
    this.emit({ type: "close", code, reason });
  }
}
