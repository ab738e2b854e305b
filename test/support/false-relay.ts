import { createServer, type Server as TcpServer, type Socket } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { TLSSocket } from "node:tls";
import { concat } from "#crypto/bytes";
import { pem } from "#crypto/certificate";
import { encodeSecretKey } from "#crypto/keys";
import type { Server } from "#protocol/address";
import { identityFingerprint, makeIdentity, type RelayIdentity } from "../../src/relay/identity.ts";
import { acceptHello, openSession, type ReadySession } from "../../src/relay/session.ts";

const BLOCK = 16_384;

/** What a relay does that is not as it should be. Undefined: it is. */
export interface Faults {
  /** Takes connections and says nothing on them, not even TLS. */
  readonly isMute?: boolean;
  /** TLS with the certificates of this relay instead of its own. */
  readonly tlsIdentity?: RelayIdentity;
  /** Says its hello with the certificates of this relay instead of its own. */
  readonly helloIdentity?: RelayIdentity;
  /** Says another session id than that of TLS. */
  readonly sessionId?: Uint8Array;
  /** In place of a hello. */
  readonly hello?: Uint8Array;
  /** Answers a block of the proxy; what it returns is sent. The default is not to answer. */
  readonly answer?: (block: Uint8Array, session: ReadySession, end: () => void) => Uint8Array | null;
}

/** A classic server, with TLS of Node, that does what a test tells it. */
export class FalseRelay {
  readonly own = makeIdentity("false.example", Date.now());
  /** Blocks that came after the hellos. */
  blocks = 0;
  /** Connections there ever were. */
  connections = 0;
  faults: Faults;
  readonly #listener: TcpServer;
  readonly #open = new Set<Socket>();

  private constructor(faults: Faults, listener: TcpServer) {
    this.faults = faults;
    this.#listener = listener;
    listener.on("connection", (socket) => this.#accept(socket));
  }

  static async listen(faults: Faults = {}): Promise<FalseRelay> {
    const listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    return new FalseRelay(faults, listener);
  }

  get server(): Server {
    const { port } = this.#listener.address() as AddressInfo;
    return { hosts: ["127.0.0.1"], port: String(port), keyHash: identityFingerprint(this.own) };
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#open.size;
  }

  hangUp(): void {
    for (const socket of this.#open) socket.destroy();
  }

  stop(): void {
    this.hangUp();
    this.#listener.close();
  }

  #accept(socket: Socket): void {
    this.connections++;
    this.#open.add(socket);
    socket.on("close", () => this.#open.delete(socket));
    // Ends that come at any time are what this is for.
    socket.on("error", () => socket.destroy());
    // Read on, to notice its end.
    if (this.faults.isMute) return void socket.resume();
    const { certificate, caCertificate, key } = this.faults.tlsIdentity ?? this.own;
    const tls = new TLSSocket(socket, {
      isServer: true,
      cert: pem("CERTIFICATE", certificate) + pem("CERTIFICATE", caCertificate),
      key: pem("PRIVATE KEY", encodeSecretKey(key)),
      minVersion: "TLSv1.3",
      ALPNProtocols: ["smp/1"],
    });
    tls.on("error", () => socket.destroy());
    tls.on("secure", () => this.#greet(tls));
  }

  #greet(tls: TLSSocket): void {
    const { helloIdentity, hello } = this.faults;
    const sessionId = this.faults.sessionId ?? new Uint8Array(tls.getPeerFinished() ?? []);
    const gateway = { sessionId, alpn: true, time: Date.now() };
    const opened = openSession(helloIdentity ?? this.own, { challenge: null, gateway });
    tls.write(hello ?? opened.block);
    let session: ReadySession | null = null;
    let buffer: Uint8Array = new Uint8Array();
    tls.on("data", (bytes: Buffer) => {
      buffer = concat(buffer, bytes);
      while (buffer.length >= BLOCK) {
        const block = buffer.slice(0, BLOCK);
        buffer = buffer.slice(BLOCK);
        if (session) this.#answer(tls, block, session);
        else session = acceptHello(opened.session, block, this.own, Date.now()).session;
      }
    });
  }

  #answer(tls: TLSSocket, block: Uint8Array, session: ReadySession): void {
    this.blocks++;
    const answer = this.faults.answer?.(block, session, () => tls.destroy());
    if (answer) tls.write(answer);
  }
}
