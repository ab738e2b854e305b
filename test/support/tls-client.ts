import { once } from "node:events";
import { connect, type ConnectionOptions, type DetailedPeerCertificate, type TLSSocket } from "node:tls";
import { equal } from "#crypto/bytes";
import { fingerprint, readCertificate, verifyChain } from "#crypto/certificate";
import type { PublicKey } from "#crypto/keys";
import { verifySignedKey } from "#crypto/signed-key";
import type { Server } from "#protocol/address";
import type { ServerHello } from "#protocol/handshake";
import { BLOCK_SIZE } from "#protocol/limits";
import { type Socket, WireClient, type WireOptions } from "./wire-client.ts";

/** TLS as official apps offer it: TLS 1.3 or 1.2, one cipher of each, no SNI. */
export const OFFICIAL_TLS: ConnectionOptions = {
  minVersion: "TLSv1.2",
  ciphers: "TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-CHACHA20-POLY1305",
  sigalgs: "ed448:ed25519",
  ecdhCurve: "X448:X25519",
  ALPNProtocols: ["smp/1"],
  servername: "",
  // The chain is verified below, against the certificate that the address names.
  rejectUnauthorized: false,
};

/** A TLS connection after its handshake. The certificates are not verified yet. */
export async function connectTls(server: Server, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: server.hosts[0], port: Number(server.port), ...OFFICIAL_TLS, ...options });
  await once(socket, "secureConnect");
  socket.setNoDelay(true);
  return socket;
}

/** The server's certificates in DER, leaf first. */
export function peerChain(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (certificate?.raw && !chain.some((der) => equal(der, certificate?.raw ?? der))) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}

type Listener = Parameters<Socket["addEventListener"]>[1];

/** Blocks over TLS, for who expects a WebSocket. */
export class TlsBlocks implements Socket {
  readonly #socket: TLSSocket;
  readonly #size: number;
  #partial: Buffer = Buffer.alloc(0);

  constructor(socket: TLSSocket, size = BLOCK_SIZE) {
    this.#socket = socket;
    this.#size = size;
    socket.on("error", () => undefined);
  }

  send(data: Uint8Array | string): void {
    this.#socket.write(data);
  }

  close(): void {
    this.#socket.end();
  }

  addEventListener(type: string, listener: Listener): void {
    if (type === "close") this.#socket.on("close", () => listener({ code: 1005 }));
    if (type === "message") this.#socket.on("data", (chunk: Buffer) => this.#cut(chunk, listener));
  }

  #cut(chunk: Buffer, listener: Listener): void {
    let rest = this.#partial.length === 0 ? chunk : Buffer.concat([this.#partial, chunk]);
    for (; rest.length >= this.#size; rest = rest.subarray(this.#size)) {
      listener({ data: Uint8Array.from(rest.subarray(0, this.#size)).buffer });
    }
    this.#partial = Buffer.from(rest);
  }
}

/**
 * What the official app checks of a router's hello, beyond its certificates: that it is for this very TLS session, and
 * that its key is signed by who answered the TLS handshake.
 */
function verifyHello(socket: TLSSocket, chain: readonly Uint8Array[], hello: ServerHello): PublicKey<"X25519"> | null {
  const finished = socket.getFinished();
  if (!finished || !equal(hello.sessionId, finished)) throw new Error("the session id is not that of the TLS session");
  if (!hello.authPubKey) return null;
  const [leaf = new Uint8Array(), identity = new Uint8Array()] = chain;
  const { certChain, signedKey } = hello.authPubKey;
  if (!equal(certChain[1] ?? leaf, identity)) throw new Error("the hello names another identity than TLS");
  return verifySignedKey(signedKey, readCertificate(leaf).publicKey, "X25519");
}

export interface NativeOptions extends WireOptions {
  readonly tls?: ConnectionOptions;
  /** For who wants to do with the socket what no app does. */
  readonly onSocket?: (socket: TLSSocket) => void;
}

/** A client that does what official apps do; whatever they would refuse fails. */
export async function connectNative(server: Server, { tls, onSocket, ...options }: NativeOptions = {}): Promise<WireClient> {
  const socket = await connectTls(server, tls);
  onSocket?.(socket);
  const chain = peerChain(socket);
  verifyChain(chain, Date.now());
  const identity = fingerprint(chain[1] ?? new Uint8Array());
  if (!equal(identity, server.keyHash)) throw new Error("another router answers than the address names");
  return await WireClient.adopt(new TlsBlocks(socket), identity, (hello) => verifyHello(socket, chain, hello), options);
}
