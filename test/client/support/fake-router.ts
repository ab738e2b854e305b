import { EMPTY } from "#crypto/bytes";
import { fingerprint, issueCaCertificate, issueServerCertificate } from "#crypto/certificate";
import { dh, generateKeyPair, type KeyPair, type SecretKey, type SignatureAlgorithm } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { signKey } from "#crypto/signed-key";
import type { Server } from "#protocol/address";
import { chainKeys, clearBlock, encryptsBlocks, openBlock, openClearBlock, sealBlock } from "#protocol/block";
import { encode } from "#protocol/codec";
import { type Command, decodeCommand, encodeMessage, type Message } from "#protocol/commands";
import {
  type ClientHello,
  findChallenge,
  proveWebIdentity,
  readClientHello,
  type ServerHello,
  serverHello,
} from "#protocol/handshake";
import {
  authorizedBytes,
  encodeTransmission,
  packBatches,
  type RawTransmission,
  readBatch,
  readTransmission,
} from "#protocol/transmission";
import { RELAY_VERSIONS } from "#protocol/version";
import { FakeSocket } from "./fake-socket.ts";

const SINCE = Date.UTC(2026, 10, 1);

/** Certificates of a relay and the key of the leaf. */
export interface FakeIdentity {
  readonly certChain: readonly Uint8Array[];
  readonly key: SecretKey<SignatureAlgorithm>;
  readonly server: Server;
}

export function makeFakeIdentity(algorithm: SignatureAlgorithm = "Ed25519", since = SINCE): FakeIdentity {
  const ca = generateKeyPair(algorithm);
  const online = generateKeyPair(algorithm);
  const certificate = issueCaCertificate(ca.publicKey, ca.secretKey, since);
  const leaf = issueServerCertificate(online.publicKey, "relay", { certificate, secretKey: ca.secretKey }, since);
  const server = { hosts: ["relay.example.org"], port: "", keyHash: fingerprint(certificate) };
  return { certChain: [leaf, certificate], key: online.secretKey, server };
}

/** A command as the router got it. */
export interface FakeRequest extends RawTransmission {
  readonly parsed: Command;
}

export interface Sending {
  readonly corrId?: Uint8Array;
  readonly entityId?: Uint8Array;
  readonly message: Message;
}

/** One connection, seen from the router. */
export class FakeSession {
  readonly socket: FakeSocket;
  readonly hello: ServerHello;
  clientHello: ClientHello | null = null;
  /** What each block held, in order. */
  readonly blocks: FakeRequest[][] = [];
  /** The answer to a command; null: silence. */
  answer: (request: FakeRequest) => Message | null = () => null;
  readonly sessionKeys: KeyPair<"X25519">;
  #receiveKey: Uint8Array | null = null;
  #sendKey: Uint8Array | null = null;

  constructor(socket: FakeSocket, identity: FakeIdentity, change: (hello: ServerHello) => ServerHello) {
    this.socket = socket;
    this.sessionKeys = generateKeyPair("X25519");
    const sessionId = randomBytes(32);
    const challenge = findChallenge(socket.url);
    this.hello = change({
      versions: RELAY_VERSIONS,
      sessionId,
      authPubKey: { certChain: identity.certChain, signedKey: signKey(this.sessionKeys.publicKey, identity.key) },
      webIdentityProof: challenge && proveWebIdentity(identity.key, challenge, sessionId),
    });
    socket.onSent = (block) => this.#receive(block);
  }

  /** Answers the handshake. */
  greet(): void {
    this.socket.open();
    this.socket.deliver(clearBlock(encode(serverHello, this.hello)));
  }

  get params(): { readonly version: number; readonly sessionId: Uint8Array } {
    return { version: this.clientHello?.version ?? 0, sessionId: this.hello.sessionId };
  }

  get requests(): FakeRequest[] {
    return this.blocks.flat();
  }

  get commands(): string[] {
    return this.requests.map(({ parsed }) => parsed.tag);
  }

  #receive(block: Uint8Array): void {
    if (this.clientHello) return this.#receiveCommands(block);
    const hello = readClientHello(openClearBlock(block));
    this.clientHello = hello;
    if (!hello.authPubKey || !encryptsBlocks(hello.version, hello.proxyServer, true)) return;
    const keys = chainKeys(this.hello.sessionId, dh(this.sessionKeys.secretKey, hello.authPubKey));
    this.#receiveKey = keys.clientToRouter;
    this.#sendKey = keys.routerToClient;
  }

  #receiveCommands(block: Uint8Array): void {
    const opened = this.#receiveKey ? openBlock(this.#receiveKey, block) : null;
    this.#receiveKey = opened?.next ?? null;
    const requests = readBatch(opened?.content() ?? openClearBlock(block)).map((bytes) => {
      const raw = readTransmission(this.params, bytes);
      return { ...raw, parsed: decodeCommand(raw.command, this.params.version) };
    });
    this.blocks.push(requests);
    this.send(...requests.flatMap((request) => {
      const message = this.answer(request);
      return message ? [{ ...request, message }] : [];
    }));
  }

  send(...sendings: readonly Sending[]): void {
    const { version, sessionId } = this.params;
    const transmissions = sendings.map(({ corrId = EMPTY, entityId = EMPTY, message }) => {
      const bytes = authorizedBytes(sessionId, corrId, entityId, encodeMessage(message, version));
      return encodeTransmission(this.params, bytes, null, null);
    });
    for (const content of packBatches(transmissions)) this.sendContent(content);
  }

  sendContent(content: Uint8Array): void {
    if (!this.#sendKey) return this.socket.deliver(clearBlock(content));
    const { block, next } = sealBlock(this.#sendKey, content);
    this.#sendKey = next;
    this.socket.deliver(block);
  }
}

/** A relay made of the protocol floor alone, for clients of tests. */
export class FakeRouter {
  readonly identity: FakeIdentity;
  readonly sessions: FakeSession[] = [];
  /** Changes the hello before it is sent. */
  change: (hello: ServerHello) => ServerHello = (hello) => hello;
  /** What happens to a new connection. */
  welcome: (session: FakeSession) => void = (session) => session.greet();
  answer: FakeSession["answer"] = () => null;

  constructor(identity: FakeIdentity = makeFakeIdentity()) {
    this.identity = identity;
  }

  get server(): Server {
    return this.identity.server;
  }

  /** The newest connection. */
  get session(): FakeSession {
    const session = this.sessions.at(-1);
    if (!session) throw new Error("nobody has connected yet");
    return session;
  }

  readonly openSocket = (url: string): FakeSocket => {
    const socket = new FakeSocket(url);
    const session = new FakeSession(socket, this.identity, this.change);
    session.answer = (request) => this.answer(request);
    this.sessions.push(session);
    queueMicrotask(() => this.welcome(session));
    return socket;
  };
}
