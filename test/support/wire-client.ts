import { EMPTY, equal, hex } from "#crypto/bytes";
import { dh, generateKeyPair, type KeyPair, type PublicKey } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { signKey } from "#crypto/signed-key";
import { type AuthSecretKey, authorize, authorizeAsService, isServiceSigned, type ServiceSession } from "#protocol/authorize";
import { chainKeys, clearBlock, encryptsBlocks, openBlock, openClearBlock, sealBlock } from "#protocol/block";
import { verifyCertChainPubKey } from "#protocol/certchain";
import { decodePrefix, encode } from "#protocol/codec";
import { type Command, decodeMessage, encodeCommand, type Message } from "#protocol/commands";
import { describeError } from "#protocol/errors";
import {
  challengeQuery,
  clientHello,
  readServerHello,
  type ServerHello,
  type ServiceResponse,
  serviceResponse,
  type ServiceRole,
  verifyWebIdentity,
} from "#protocol/handshake";
import { authorizedBytes, encodeTransmission, packBatches, readBatch, readTransmission } from "#protocol/transmission";

/** What both kinds of WebSocket that tests use have in common: the standard one, and workerd's accepted one. */
export interface Socket {
  binaryType?: string;
  send(data: Uint8Array | string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: string, listener: (event: { data?: unknown; code?: number; reason?: string }) => void): void;
}

export interface Received {
  readonly corrId: Uint8Array;
  readonly entityId: Uint8Array;
  readonly message: Message;
}

export interface WireOptions {
  readonly version?: number;
  readonly proxyServer?: boolean;
  /** The client sends no key, so that blocks stay clear. */
  readonly keyless?: boolean;
  readonly service?: { readonly role: ServiceRole; readonly certificate: Uint8Array; readonly key: KeyPair<"Ed25519">; readonly fingerprint: Uint8Array };
}

/** The messages of a socket, one at a time. */
export class Inbox {
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #waiting: ((block: Uint8Array | null) => void)[] = [];
  readonly #blocks: Uint8Array[] = [];
  #isClosed = false;

  constructor(socket: Socket) {
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => this.#put(new Uint8Array(data as ArrayBuffer)));
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", ({ code = 1005, reason = "" }) => {
        this.#isClosed = true;
        for (const give of this.#waiting.splice(0)) give(null);
        resolve({ code, reason });
      });
    });
  }

  #put(block: Uint8Array): void {
    const give = this.#waiting.shift();
    if (give) give(block);
    else this.#blocks.push(block);
  }

  async next(milliseconds = 10_000): Promise<Uint8Array> {
    const ready = this.#blocks.shift();
    if (ready) return ready;
    if (this.#isClosed) throw new Error("the socket is closed");
    const block = await new Promise<Uint8Array | null>((resolve, reject) => {
      const give = (value: Uint8Array | null): void => {
        clearTimeout(timer);
        resolve(value);
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(give), 1);
        reject(new Error(`nothing came in ${milliseconds} ms`));
      }, milliseconds);
      this.#waiting.push(give);
    });
    if (!block) throw new Error("the socket was closed");
    return block;
  }

  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }
}

/**
 * A client that does exactly what a test tells it, built on the protocol floor alone: it can misbehave where the real
 * client cannot.
 */
export class WireClient {
  readonly socket: Socket;
  readonly hello: ServerHello;
  readonly version: number;
  readonly #routerKey: PublicKey<"X25519"> | null;
  readonly #secret: Uint8Array | null;
  readonly serviceResponse: ServiceResponse | null;
  readonly #inbox: Inbox;
  readonly #service: ServiceSession | null;
  readonly #events: Received[] = [];
  readonly #answers: Received[] = [];
  #send: Uint8Array | null;
  #receive: Uint8Array | null;

  private constructor(
    socket: Socket,
    inbox: Inbox,
    hello: ServerHello,
    version: number,
    routerKey: PublicKey<"X25519"> | null,
    secret: Uint8Array | null,
    keys: { send: Uint8Array; receive: Uint8Array } | null,
    service: { session: ServiceSession; response: ServiceResponse } | null,
  ) {
    this.socket = socket;
    this.#inbox = inbox;
    this.hello = hello;
    this.version = version;
    this.#routerKey = routerKey;
    this.#secret = secret;
    this.#send = keys?.send ?? null;
    this.#receive = keys?.receive ?? null;
    this.#service = service?.session ?? null;
    this.serviceResponse = service?.response ?? null;
  }

  /** `open` connects to the relay with the given query. Everything that the router claims is verified. */
  static async connect(open: (query: string) => Promise<Socket>, options: WireOptions = {}): Promise<WireClient> {
    const challenge = randomBytes(32);
    const socket = await open(challengeQuery(challenge));
    const inbox = new Inbox(socket);
    const hello = readServerHello(openClearBlock(await inbox.next()));
    if (!hello.authPubKey || !hello.webIdentityProof) throw new Error("the router proves nothing");
    const { leaf, identity, key } = verifyCertChainPubKey(hello.authPubKey, "X25519", Date.now());
    if (!verifyWebIdentity(leaf.publicKey, challenge, hello.sessionId, hello.webIdentityProof)) throw new Error("bad proof");
    return WireClient.#greet(socket, inbox, hello, { identity, key }, options);
  }

  /**
   * Over a socket that proved by itself who the router is. `verify` checks the router's hello and tells its session
   * key; null where version 6 has none.
   */
  static async adopt(
    socket: Socket,
    identity: Uint8Array,
    verify: (hello: ServerHello) => PublicKey<"X25519"> | null,
    options: WireOptions = {},
  ): Promise<WireClient> {
    const inbox = new Inbox(socket);
    const hello = readServerHello(openClearBlock(await inbox.next()));
    return WireClient.#greet(socket, inbox, hello, { identity, key: verify(hello) }, options);
  }

  static async #greet(
    socket: Socket,
    inbox: Inbox,
    hello: ServerHello,
    { identity, key }: { identity: Uint8Array; key: PublicKey<"X25519"> | null },
    options: WireOptions,
  ): Promise<WireClient> {
    const { version = 19, proxyServer = false, keyless = false, service } = options;
    const own = generateKeyPair("X25519");
    const sessionKey = generateKeyPair("Ed25519");
    const authPubKey = keyless || version < 7 ? null : own.publicKey;
    socket.send(clearBlock(encode(clientHello, {
      version,
      keyHash: identity,
      authPubKey,
      proxyServer,
      service: service
        ? {
          role: service.role,
          certChainPubKey: {
            certChain: [service.certificate],
            signedKey: signKey(sessionKey.publicKey, service.key.secretKey),
          },
        }
        : null,
    })));
    const secret = key && dh(own.secretKey, key);
    const isEncrypted = encryptsBlocks(version, proxyServer, authPubKey !== null);
    const chains = secret && isEncrypted ? chainKeys(hello.sessionId, secret) : null;
    const keys = chains && { send: chains.clientToRouter, receive: chains.routerToClient };
    const response = service ? decodePrefix(serviceResponse, openClearBlock(await inbox.next())) : null;
    const acting = service && response
      ? { session: { fingerprint: service.fingerprint, sessionKey: sessionKey.secretKey }, response }
      : null;
    return new WireClient(socket, inbox, hello, version, key, secret, keys, acting);
  }

  /** The router's key of this session. */
  get routerKey(): PublicKey<"X25519"> {
    if (!this.#routerKey) throw new Error("the router sent no key: the session is of version 6");
    return this.#routerKey;
  }

  /** Raw X25519 of the keys of both hellos. */
  get secret(): Uint8Array {
    if (!this.#secret) throw new Error("the router sent no key: the session is of version 6");
    return this.#secret;
  }

  get closed(): Promise<{ code: number; reason: string }> {
    return this.#inbox.closed;
  }

  /** The transmission of a command; its corrId is returned with it. */
  transmission(
    command: Command | Uint8Array,
    key: AuthSecretKey | null = null,
    entityId: Uint8Array = EMPTY,
    corrId: Uint8Array = randomBytes(24),
  ): Uint8Array {
    const bytes = command instanceof Uint8Array ? command : encodeCommand(command, this.version);
    const authorized = authorizedBytes(this.hello.sessionId, corrId, entityId, bytes);
    const isDouble = this.#service !== null && !(command instanceof Uint8Array) && isServiceSigned(command.tag);
    const signed = isDouble && this.#service ? authorizeAsService(this.#service, authorized) : null;
    const authorization = key ? authorize(key, this.version < 7 ? null : this.routerKey, corrId, signed?.message ?? authorized) : null;
    return encodeTransmission(this.#params, authorized, authorization, signed?.serviceSig ?? null);
  }

  get serviceKey(): AuthSecretKey | null {
    return this.#service?.sessionKey ?? null;
  }

  get #params(): { version: number; sessionId: Uint8Array } {
    return { version: this.version, sessionId: this.hello.sessionId };
  }

  /** A block with this content, encrypted where the session is. */
  seal(content: Uint8Array): Uint8Array {
    if (!this.#send) return clearBlock(content);
    const { block, next } = sealBlock(this.#send, content);
    this.#send = next;
    return block;
  }

  /** Sends transmissions in as few blocks as they fit. */
  sendAll(transmissions: readonly Uint8Array[]): void {
    for (const content of packBatches(transmissions)) this.socket.send(this.seal(content));
  }

  async #read(milliseconds?: number): Promise<void> {
    const block = await this.#inbox.next(milliseconds);
    let content: Uint8Array;
    if (this.#receive) {
      const opened = openBlock(this.#receive, block);
      this.#receive = opened.next;
      content = opened.content();
    } else {
      content = openClearBlock(block);
    }
    for (const bytes of readBatch(content)) {
      const { corrId, entityId, command } = readTransmission(this.#params, bytes);
      const received = { corrId, entityId, message: decodeMessage(command, this.version) };
      (corrId.length === 0 ? this.#events : this.#answers).push(received);
    }
  }

  /** Sends one command and waits for its answer; events that come meanwhile wait for {@link event}. */
  async ask(
    command: Command | Uint8Array,
    key: AuthSecretKey | null = null,
    entityId: Uint8Array = EMPTY,
    corrId: Uint8Array = randomBytes(24),
  ): Promise<Message> {
    this.sendAll([this.transmission(command, key, entityId, corrId)]);
    return (await this.answer(corrId)).message;
  }

  async answer(corrId: Uint8Array, milliseconds?: number): Promise<Received> {
    for (;;) {
      const index = this.#answers.findIndex((answer) => equal(answer.corrId, corrId));
      const [answer] = index < 0 ? [] : this.#answers.splice(index, 1);
      if (answer) return answer;
      await this.#read(milliseconds);
    }
  }

  /** Whatever comes next, asked for or not. Not to be mixed with calls that are under way. */
  async next(milliseconds?: number): Promise<Received> {
    for (;;) {
      const received = this.#events.shift() ?? this.#answers.shift();
      if (received) return received;
      await this.#read(milliseconds);
    }
  }

  /** The next unasked message, of one entity if given. */
  async event(entityId?: Uint8Array, milliseconds?: number): Promise<Received> {
    for (;;) {
      const index = this.#events.findIndex((event) => !entityId || equal(event.entityId, entityId));
      const [event] = index < 0 ? [] : this.#events.splice(index, 1);
      if (event) return event;
      await this.#read(milliseconds);
    }
  }

  /** True when nothing unasked comes for a while. */
  async isQuiet(milliseconds = 150): Promise<boolean> {
    try {
      await this.event(undefined, milliseconds);
      return false;
    } catch {
      return true;
    }
  }

  sendRaw(data: Uint8Array | string): void {
    this.socket.send(data);
  }

  close(): void {
    this.socket.close();
  }
}

/** An answer as a test names it: `OK`, `IDS`, `ERR AUTH`. */
export function named(message: Message): string {
  return message.tag === "ERR" ? `ERR ${describeError(message.error)}` : message.tag;
}

export function idText(id: Uint8Array): string {
  return hex(id);
}
