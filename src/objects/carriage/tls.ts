import { readCertificate } from "#crypto/certificate";
import { BlockCutter } from "#protocol/block-cutter";
import { ForwardingError, networkErr, type Proof } from "../../relay/destination.ts";
import { TlsClient, type TlsEvent } from "../../tls/client.ts";
import type { TlsError } from "../../tls/errors.ts";
import type { TlsSession } from "../../tls/handshake.ts";
import { Arrivals, type Carriage, type OpenedCarriage } from "./carriage.ts";
import type { Outside } from "./outside.ts";

const CLOSED = networkErr({ type: "failedError" });
/** Milliseconds for what is still to be sent when the connection is closed. */
const FAREWELL = 1_000;

function toForwardingError(cause: TlsError): ForwardingError {
  const isOther = cause.failure === "identity";
  const error = networkErr(isOther ? { type: "unknownCAError" } : { type: "tLSError", tlsError: cause.failure });
  return new ForwardingError(error, { cause });
}

function toProof({ channelBinding, certificates: [leaf] }: TlsSession): Proof {
  if (!leaf) throw new TypeError("a verified chain has no leaf");
  return { kind: "tls", channelBinding, leafKey: readCertificate(leaf).publicKey };
}

/** TLS on a TCP socket. */
class TlsCarriage implements Carriage {
  readonly arrivals = new Arrivals();
  /** What the server has proven; never settles when the connection ends before that. */
  readonly #proof = Promise.withResolvers<Proof>();
  readonly #cutter = new BlockCutter();
  readonly #tls: TlsClient;
  readonly #socket: Socket;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #buffered = 0;
  #isClosed = false;

  constructor(socket: Socket, keyHash: Uint8Array) {
    this.#socket = socket;
    this.#writer = (socket.writable as WritableStream<Uint8Array>).getWriter();
    this.#tls = new TlsClient({ fingerprint: keyHash, now: Date.now() });
    this.#flush();
  }

  get buffered(): number {
    return this.#buffered;
  }

  get proof(): Promise<Proof> {
    return this.#proof.promise;
  }

  send(block: Uint8Array): void {
    if (this.#isClosed) return;
    this.#tls.send(block);
    this.#flush();
  }

  close(): void {
    this.end(new ForwardingError(CLOSED));
  }

  /** Until the connection is over. */
  async read(): Promise<void> {
    const reader = (this.#socket.readable as ReadableStream<Uint8Array>).getReader();
    try {
      while (!this.#isClosed) {
        const { done, value } = await reader.read();
        for (const event of done ? this.#tls.receiveEnd() : this.#tls.receive(value)) this.#take(event);
        this.#flush();
        if (done) this.close();
      }
    } catch (cause) {
      this.end(new ForwardingError(CLOSED, { cause }));
    }
  }

  end(error: ForwardingError): void {
    if (this.#isClosed) return;
    this.#tls.close();
    this.#flush();
    this.#isClosed = true;
    this.arrivals.end(error);
    void this.#shut();
  }

  /** A server that takes nothing any more does not keep the socket open. */
  async #shut(): Promise<void> {
    try {
      await Promise.race([this.#writer.close(), scheduler.wait(FAREWELL)]);
      await this.#socket.close();
    } catch {
      // It had ended in another way already: then there is nothing left to close.
    }
  }

  #take(event: TlsEvent): void {
    switch (event.type) {
      case "connected":
        return this.#proof.resolve(toProof(event.session));
      case "data":
        for (const block of this.#cutter.push(event.bytes)) this.arrivals.block(block);
        return;
      case "ended":
        return this.close();
      case "failed":
        return this.end(toForwardingError(event.error));
    }
  }

  #flush(): void {
    const bytes = this.#tls.takeOutgoing();
    if (bytes.length === 0 || this.#isClosed) return;
    this.#buffered += bytes.length;
    this.#writer.write(bytes).then(
      () => (this.#buffered -= bytes.length),
      (cause: unknown) => this.end(new ForwardingError(CLOSED, { cause })),
    );
  }
}

/**
 * Connects to a server of SMP over TLS, pinned to its identity, and waits for its hello. When `signal` aborts
 * everything is closed.
 * @throws ForwardingError
 */
export async function openTls(
  outside: Outside,
  { host, port }: { readonly host: string; readonly port: number },
  keyHash: Uint8Array,
  signal: AbortSignal,
): Promise<OpenedCarriage> {
  const hostname = host.includes(":") ? `[${host}]` : host;
  const socket = outside.connect({ hostname, port }, { secureTransport: "off", allowHalfOpen: false });
  const carriage = new TlsCarriage(socket, keyHash);
  signal.addEventListener("abort", () => carriage.close());
  void carriage.read();
  const hello = await carriage.arrivals.first;
  return { carriage, arrivals: carriage.arrivals, hello, proof: await carriage.proof };
}
