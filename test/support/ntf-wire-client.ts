import { EMPTY, equal } from "#crypto/bytes";
import type { PublicKey, SignatureAlgorithm } from "#crypto/keys";
import { randomBytes } from "#crypto/random";
import { verifySignedKey } from "#crypto/signed-key";
import { type AuthSecretKey, authorize } from "#protocol/authorize";
import { encode } from "#protocol/codec";
import { describeError } from "#protocol/errors";
import { challengeQuery } from "#protocol/handshake";
import {
  encodeNtfTransmission,
  ntfBlock,
  openNtfBlock,
  packNtf,
  readNtfContent,
  readNtfTransmission,
} from "#protocol/ntf/block";
import { decodeNtfAnswer, encodeNtfCommand, type NtfAnswer, type NtfCommand } from "#protocol/ntf/commands";
import { ntfClientHello, type NtfServerHello, readNtfServerHello } from "#protocol/ntf/handshake";
import { authorizedBytes } from "#protocol/transmission";
import { Inbox, type Socket } from "./wire-client.ts";

export interface NtfReceived {
  readonly corrId: Uint8Array;
  readonly entityId: Uint8Array;
  readonly answer: NtfAnswer;
}

/** Who the relay is: what a client of notifications knows from its address and from TLS or SMP. */
export interface KnownRelay {
  readonly keyHash: Uint8Array;
  /** Of its online certificate. */
  readonly key: PublicKey<SignatureAlgorithm>;
}

/** A client of the notification server that does exactly what a test tells it, on the protocol floor alone. */
export class NtfWireClient {
  readonly socket: Socket;
  readonly hello: NtfServerHello;
  readonly inbox: Inbox;
  version = 3;
  #serverKey: PublicKey<"X25519"> | null = null;
  #sessionId: Uint8Array;
  readonly #answers: NtfReceived[] = [];

  private constructor(socket: Socket, inbox: Inbox, hello: NtfServerHello) {
    this.socket = socket;
    this.inbox = inbox;
    this.hello = hello;
    this.#sessionId = hello.sessionId;
  }

  /** The server has said its hello; the client has not. */
  static async open(openSocket: (query: string) => Promise<Socket>): Promise<NtfWireClient> {
    const socket = await openSocket(challengeQuery(randomBytes(32)));
    const inbox = new Inbox(socket);
    return new NtfWireClient(socket, inbox, readNtfServerHello(openNtfBlock(await inbox.next())));
  }

  greet({ keyHash, key }: KnownRelay, version = 3): this {
    this.version = version;
    if (this.hello.signedKey) this.#serverKey = verifySignedKey(this.hello.signedKey, key, "X25519");
    this.socket.send(ntfBlock(encode(ntfClientHello, { version, keyHash })));
    return this;
  }

  get closed(): Promise<{ code: number; reason: string }> {
    return this.inbox.closed;
  }

  get #params(): { version: number; sessionId: Uint8Array } {
    return { version: this.version, sessionId: this.#sessionId };
  }

  transmission(command: NtfCommand, key: AuthSecretKey | null, entityId = EMPTY, corrId = randomBytes(24)): Uint8Array {
    const bytes = encodeNtfCommand(command, this.version);
    const authorized = authorizedBytes(this.#sessionId, corrId, entityId, bytes);
    const authorization = key && authorize(key, this.#serverKey, corrId, authorized);
    return encodeNtfTransmission(this.#params, authorized, authorization);
  }

  sendAll(transmissions: readonly Uint8Array[]): void {
    for (const content of packNtf(this.version, transmissions)) this.socket.send(ntfBlock(content));
  }

  async next(milliseconds?: number): Promise<NtfReceived> {
    while (this.#answers.length === 0) {
      for (const bytes of readNtfContent(this.version, openNtfBlock(await this.inbox.next(milliseconds)))) {
        const { corrId, entityId, command } = readNtfTransmission(this.#params, bytes);
        this.#answers.push({ corrId, entityId, answer: decodeNtfAnswer(command, this.version) });
      }
    }
    return this.#answers.shift() as NtfReceived;
  }

  async ask(command: NtfCommand, key: AuthSecretKey | null = null, entityId = EMPTY): Promise<NtfAnswer> {
    const corrId = randomBytes(24);
    this.sendAll([this.transmission(command, key, entityId, corrId)]);
    const { corrId: answered, answer } = await this.next();
    if (!equal(corrId, answered)) throw new Error("the answer is to something else");
    return answer;
  }

  close(): void {
    this.socket.close();
  }
}

/** An answer as a test names it: `OK`, `ACTIVE`, `ERR AUTH`. */
export function namedNtf(answer: NtfAnswer): string {
  if (answer.tag === "ERR") return `ERR ${describeError(answer.error)}`;
  return answer.tag === "TKN" || answer.tag === "SUB" ? answer.status : answer.tag;
}
