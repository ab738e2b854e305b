import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { concat } from "#crypto/bytes";
import { TlsClient, type TlsEvent } from "../../src/tls/client.ts";
import { type Seen, seen } from "./tls-talk.ts";

/** Our TLS over a real TCP socket. */
export class TlsCarrier {
  readonly client: TlsClient;
  readonly socket: Socket;
  readonly events: TlsEvent[] = [];
  #wake: (() => void) | null = null;

  /** @param carry cuts or changes what comes from the server. */
  private constructor(client: TlsClient, socket: Socket, carry: (bytes: Uint8Array) => readonly Uint8Array[]) {
    this.client = client;
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => {
      for (const piece of carry(Uint8Array.from(bytes))) this.#take(client.receive(piece));
    });
    socket.on("end", () => this.#take(client.receiveEnd()));
    // A reset is an end too; what it means the client says.
    socket.on("error", () => this.#take(client.receiveEnd()));
    this.#flush();
  }

  static async open(
    port: number,
    fingerprint: Uint8Array,
    carry: (bytes: Uint8Array) => readonly Uint8Array[] = (bytes) => [bytes],
  ): Promise<TlsCarrier> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await once(socket, "connect");
    return new TlsCarrier(new TlsClient({ fingerprint, now: Date.now() }), socket, carry);
  }

  get seen(): Seen {
    return seen(this.events);
  }

  send(data: Uint8Array): void {
    this.client.send(data);
    this.#flush();
  }

  close(): void {
    this.client.close();
    this.#flush();
  }

  /** The first moment in which this holds of what the client has seen. */
  async until(isSo: (seen: Seen) => boolean): Promise<Seen> {
    while (!isSo(this.seen)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.seen;
  }

  /** The end of the handshake, good or bad. */
  settled(): Promise<Seen> {
    return this.until(({ session, error }) => session !== null || error !== null);
  }

  #take(events: readonly TlsEvent[]): void {
    this.events.push(...events);
    this.#flush();
    if (events.some(({ type }) => type === "failed")) this.socket.end();
    this.#wake?.();
  }

  #flush(): void {
    const bytes = this.client.takeOutgoing();
    if (bytes.length > 0 && this.socket.writable) this.socket.write(bytes);
  }
}

/**
 * Somebody on the way: flips one bit of one byte of one record of the server. `place` is 0 for the first byte of the
 * record's header, negative from its end.
 */
export function flipRecord(index: number, place: number): (bytes: Uint8Array) => readonly Uint8Array[] {
  let waiting: Uint8Array = new Uint8Array(0);
  let count = 0;
  return (bytes) => {
    waiting = concat(waiting, bytes);
    const records: Uint8Array[] = [];
    for (;;) {
      const length = 5 + (waiting[3] ?? 0) * 256 + (waiting[4] ?? 0);
      if (waiting.length < 5 || waiting.length < length) return records;
      const record = waiting.slice(0, length);
      const at = place < 0 ? length + place : place;
      if (count++ === index) record[at] = (record[at] ?? 0) ^ 1;
      records.push(record);
      waiting = waiting.slice(length);
    }
  };
}
