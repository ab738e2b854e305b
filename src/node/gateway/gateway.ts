import { constants } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer, type TlsOptions, type TLSSocket } from "node:tls";
import { BLOCK_SIZE } from "#protocol/limits";
import { NTF_BLOCK_SIZE } from "#protocol/ntf/limits";
import { signGatewayClaim } from "../../relay/gateway-claim.ts";
import { Bridge, type Stream } from "./bridge.ts";
import { peekServerName } from "./client-hello.ts";
import { checkRelay, type Credentials, type CredentialSource, type RelayFacts } from "./credentials.ts";
import { servePages } from "./pages.ts";
import { probe } from "./probe.ts";
import { GatewayError, reasonOf } from "./reason.ts";
import type { RelayPlace } from "./relay-url.ts";

/** A certificate for browsers, PEM, and where what they send goes. */
export interface WebEntrance {
  readonly cert: string;
  readonly key: string;
}

export interface GatewayOptions {
  /** Undefined: all interfaces. */
  readonly host?: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  /** Clients that are served at the same time; more are turned away. */
  readonly maxConnections?: number;
  /** Milliseconds after which a client that is not through its TLS handshake is let go. */
  readonly handshakeTimeout?: number;
  /** Lets clients that name the server (browsers) come in by the same port, to the relay's pages and WebSockets. */
  readonly web?: WebEntrance | undefined;
  /** Told in one line what the operator should know; seldom the same. */
  readonly onTrouble: (text: string) => void;
}

const MAX_CONNECTIONS = 10_000;
/** As long as the official server waits. */
const HANDSHAKE_TIMEOUT = 60_000;
/** Milliseconds between looks after silent clients and relays. */
const CHECK_PAUSE = 10_000;
/** Milliseconds between questions for new credentials, and between the same news. */
const RENEW_PAUSE = 5_000;
const TELL_PAUSE = 60_000;

/**
 * What official clients offer (SMP transport, TLS), of TLS 1.3. Without tickets: each session shows the certificates.
 * Services show theirs only to who asks; it stands in their hello, where the relay verifies it.
 */
const SMP_TLS: TlsOptions = {
  minVersion: "TLSv1.3",
  maxVersion: "TLSv1.3",
  ciphers: "TLS_CHACHA20_POLY1305_SHA256",
  ecdhCurve: "X25519:X448",
  sigalgs: "ed25519:ed448",
  secureOptions: constants.SSL_OP_NO_TICKET,
  requestCert: true,
  rejectUnauthorized: false,
};

/** What clients offer (ALPN). Those of SMP that come by a web port offer the last; who offers nothing speaks SMP too. */
const NTF_PROTOCOL = "ntf/1";
const PROTOCOLS = ["smp/1", NTF_PROTOCOL, "http/1.1"];

/** A TLS server in front of a relay: each client gets a connection of its own to the relay (see `bridge.ts`). */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  /** Of clients that are not through their TLS handshake. Node's own timeout begins again with each byte. */
  readonly #deadlines = new Map<string, NodeJS.Timeout>();
  readonly #bridges = new Set<Bridge>();
  readonly #told = new Map<string, number>();
  readonly #checks: NodeJS.Timeout;
  #smp: TlsServer | null = null;
  #web: TlsServer | null = null;
  #place: RelayPlace | null = null;
  #source: CredentialSource | null = null;
  #credentials: Credentials | null = null;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #isStopping = false;

  private constructor(options: GatewayOptions) {
    this.#options = options;
    this.#listener = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#listener.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
    const isFull = "all places are taken, so clients are turned away; see --max-connections";
    this.#listener.on("drop", () => this.#tell(isFull));
    this.#checks = setInterval(() => this.check(), CHECK_PAUSE);
    this.#checks.unref();
  }

  /** Takes the port; clients are turned away until {@link serve}. @throws GatewayError when it cannot be had */
  static async listen(options: GatewayOptions): Promise<Gateway> {
    const gateway = new Gateway(options);
    const { host, port } = options;
    try {
      gateway.#listener.listen({ port, ...(host === undefined ? {} : { host }) });
      await once(gateway.#listener, "listening");
      gateway.#listener.on("error", (error) => gateway.#tell(`a client could not be taken: ${reasonOf(error)}`));
      return gateway;
    } catch (cause) {
      clearInterval(gateway.#checks);
      const reason = reasonOf(cause);
      const what = reason === "EADDRINUSE" ? "is in use; choose another" : `cannot be had (${reason})`;
      throw new GatewayError(`port ${port}${host === undefined ? "" : ` of ${host}`} ${what}`, { cause });
    }
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /** Clients that have a connection to the relay, or are about to. */
  get clients(): number {
    return this.#bridges.size;
  }

  /** TCP connections of clients. */
  get connections(): number {
    return this.#sockets.size;
  }

  /**
   * Lets clients in, after a look whether relay and credentials fit each other.
   * @throws GatewayError, IdentityError
   */
  async serve(place: RelayPlace, source: CredentialSource): Promise<RelayFacts & { readonly fingerprint: string }> {
    const credentials = await source();
    const facts = await checkRelay(place, credentials);
    await probe(place, credentials);
    this.#place = place;
    this.#source = source;
    this.#credentials = credentials;
    this.#web = this.#options.web ? this.#webServer(this.#options.web) : null;
    this.#smp = this.#smpServer(credentials);
    return facts;
  }

  #smpServer({ cert, key }: Credentials): TlsServer {
    const server = createTlsServer({
      ...SMP_TLS,
      cert,
      key,
      ALPNCallback: ({ protocols }) => PROTOCOLS.find((name) => protocols.includes(name)),
    });
    server.on("secureConnection", (client) => this.#welcome(client));
    return this.#watched(server);
  }

  #webServer({ cert, key }: WebEntrance): TlsServer {
    const pages = servePages({
      cert,
      key,
      minVersion: "TLSv1.2",
      ALPNProtocols: ["http/1.1"],
      relay: () => (this.#place && !this.#isStopping ? new URL(this.#place.pages) : null),
      onTrouble: (text) => this.#tell(text),
    });
    return this.#watched(pages);
  }

  #watched(server: TlsServer): TlsServer {
    server.on("secureConnection", (client) => this.#through(peerOf(client)));
    // What is wrong was said in an alert.
    return server.on("tlsClientError", (_, client) => client.destroy());
  }

  get #handshakeTimeout(): number {
    return this.#options.handshakeTimeout ?? HANDSHAKE_TIMEOUT;
  }

  #accept(socket: Socket): void {
    socket.on("error", () => undefined);
    if (!this.#smp || this.#isStopping) return void socket.destroy();
    this.#sockets.add(socket);
    const peer = peerOf(socket);
    this.#deadlines.set(peer, setTimeout(() => socket.destroy(), this.#handshakeTimeout));
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#through(peer);
    });
    if (this.#web) this.#chooseEntrance(socket, this.#smp, this.#web);
    else this.#smp.emit("connection", socket);
  }

  #chooseEntrance(socket: Socket, smp: TlsServer, web: TlsServer): void {
    let seen = Buffer.alloc(0);
    const take = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk]);
      const peek = peekServerName(seen);
      if (peek === "more") return;
      socket.off("data", take);
      socket.pause();
      socket.unshift(seen);
      (peek === "named" ? web : smp).emit("connection", socket);
    };
    socket.on("data", take);
  }

  /** The client's TLS handshake is over. */
  #through(peer: string): void {
    clearTimeout(this.#deadlines.get(peer));
    this.#deadlines.delete(peer);
  }

  #welcome(client: TLSSocket): void {
    client.on("error", () => undefined);
    const sessionId = client.getPeerFinished();
    if (!sessionId || !this.#place || !this.#credentials || this.#isStopping) return void client.destroy();
    const claim = { sessionId, alpn: typeof client.alpnProtocol === "string", time: Date.now() };
    const bridge = new Bridge(client, streamOf(client, this.#place), signGatewayClaim(claim, this.#credentials.identity.key));
    void this.#follow(bridge);
  }

  async #follow(bridge: Bridge): Promise<void> {
    this.#bridges.add(bridge);
    const ending = await bridge.ended;
    this.#bridges.delete(bridge);
    if (this.#isStopping) return;
    if (ending.by === "unserved") this.#tell("somebody asked for the notification server, which the relay has switched off");
    if (ending.by === "unreachable") this.#tell(`the relay does not answer (${ending.reason})`);
    if (ending.by === "refused") await this.#renew(ending.reason);
  }

  /** Perhaps the relay has another online certificate by now; the client comes again by itself. */
  async #renew(refusal: string): Promise<void> {
    const now = performance.now();
    if (!this.#source || !this.#smp || now - this.#renewedAt < RENEW_PAUSE) return;
    this.#renewedAt = now;
    try {
      const former = this.#credentials;
      const credentials = await this.#source();
      if (former?.cert === credentials.cert && former.key === credentials.key) {
        return this.#tell(`the relay refuses this gateway (${refusal})`);
      }
      const { cert, key } = credentials;
      this.#smp.setSecureContext({ ...SMP_TLS, cert, key });
      this.#credentials = credentials;
      this.#tell("the relay has another certificate; the gateway took it over");
    } catch (error) {
      this.#tell(`the relay refuses this gateway (${refusal}), and new credentials cannot be had: ${reasonOf(error)}`);
    }
  }

  #tell(text: string): void {
    const now = performance.now();
    if (now - (this.#told.get(text) ?? Number.NEGATIVE_INFINITY) < TELL_PAUSE) return;
    this.#told.set(text, now);
    this.#options.onTrouble(text);
  }

  /** Looks after silent clients and relays; done by itself every few seconds. */
  check(now = performance.now()): void {
    for (const bridge of this.#bridges) bridge.check(now);
    for (const [text, at] of this.#told) if (now - at > TELL_PAUSE) this.#told.delete(text);
  }

  /** Takes no more clients, passes on what was read, and ends all connections. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#checks);
    const closed = once(this.#listener, "close");
    this.#listener.close();
    const bridges = [...this.#bridges];
    for (const bridge of bridges) bridge.stop();
    await Promise.all(bridges.map(({ ended }) => ended));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

function streamOf({ alpnProtocol }: TLSSocket, place: RelayPlace): Stream {
  return alpnProtocol === NTF_PROTOCOL
    ? { url: place.notifications, blockSize: NTF_BLOCK_SIZE }
    : { url: place.socket, blockSize: BLOCK_SIZE };
}

/** TLS sockets do not tell which socket they stand on; no two clients of a moment have the same address and port. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
