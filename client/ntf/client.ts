import { EMPTY, equal, hex } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import { authorize, type AuthSecretKey } from "#protocol/authorize";
import { DecodeError, EncodeError } from "#protocol/codec";
import { encodeNtfTransmission, fitsNtfBlock, packNtf, readNtfContent, readNtfTransmission } from "#protocol/ntf/block";
import { decodeNtfAnswer, encodeNtfCommand, type NtfAnswer, type NtfCommand } from "#protocol/ntf/commands";
import { checkNtfAnswer, checkNtfCredentials } from "#protocol/ntf/credentials";
import { UnknownTagError } from "#protocol/tagged";
import { authorizedBytes, TransmissionError } from "#protocol/transmission";
import type { Clock } from "../clock.ts";
import { DisconnectedError, type SimplexError, TimeoutError, UnexpectedAnswerError, UsageError } from "../errors.ts";
import type { NtfChannel } from "./channel.ts";

/** Shorter than in SMP, where it is a nonce too: with 24 bytes TNEW has no room for the endpoints of Firefox. */
const CORR_ID_LENGTH = 8;

export interface NtfRequestOptions {
  /** The token or the subscription that the command is about. */
  readonly entityId?: Uint8Array | undefined;
  /** What authorizes the command. */
  readonly key?: AuthSecretKey | undefined;
}

/** What does commands of a notification server. */
export interface NtfRequester {
  /** Where they go, for messages to people. */
  readonly host: string;
  /**
   * The server's answer; ERR is an answer like others. Commands given together share blocks.
   * @throws TimeoutError, DisconnectedError, ConnectError, UnexpectedAnswerError, UsageError
   */
  request(command: NtfCommand, options?: NtfRequestOptions): Promise<NtfAnswer>;
}

interface Pending {
  readonly command: NtfCommand;
  readonly entityId: Uint8Array;
  resolve(answer: NtfAnswer): void;
  reject(error: SimplexError): void;
}

export interface NtfClientOptions {
  /** Milliseconds without any answer while some are awaited, after which the connection counts as dead. */
  readonly timeout: number;
  readonly clock: Clock;
}

/** Commands on one connection to a notification server: questions and answers, nothing else. */
export class NtfClient implements NtfRequester {
  readonly host: string;
  readonly #channel: NtfChannel;
  readonly #options: NtfClientOptions;
  readonly #pending = new Map<string, Pending>();
  #waiting: Uint8Array[] = [];
  #isFlushing = false;
  #ended: SimplexError | null = null;
  #cancelTimer: (() => void) | null = null;

  constructor(channel: NtfChannel, options: NtfClientOptions) {
    this.#channel = channel;
    this.host = channel.host;
    this.#options = options;
    void this.#read();
  }

  get isClosed(): boolean {
    return this.#ended !== null;
  }

  get isIdle(): boolean {
    return this.#pending.size === 0;
  }

  close(): void {
    this.#end(() => new DisconnectedError(this.host, "the connection was closed by this client"));
  }

  async request(command: NtfCommand, { entityId = EMPTY, key }: NtfRequestOptions = {}): Promise<NtfAnswer> {
    if (this.#ended) throw new DisconnectedError(this.host, "the connection has ended", { cause: this.#ended });
    const corrId = randomBytes(CORR_ID_LENGTH);
    const transmission = this.#write(command, entityId, corrId, key);
    return new Promise((resolve, reject) => {
      this.#pending.set(hex(corrId), { command, entityId, resolve, reject });
      this.#waiting.push(transmission);
      if (!this.#cancelTimer) this.#expectAnswer();
      if (this.#isFlushing) return;
      this.#isFlushing = true;
      queueMicrotask(() => void this.#flush());
    });
  }

  #write(command: NtfCommand, entityId: Uint8Array, corrId: Uint8Array, key: AuthSecretKey | undefined): Uint8Array {
    if (checkNtfCredentials(command.tag, key !== undefined, entityId.length > 0)) {
      throw new UsageError(`${command.tag} has a key or an id too many or too few`);
    }
    const { version, sessionId, serverKey } = this.#channel;
    try {
      const authorized = authorizedBytes(sessionId, corrId, entityId, encodeNtfCommand(command, version));
      const authorization = key ? authorize(key, serverKey, corrId, authorized) : null;
      const transmission = encodeNtfTransmission(this.#channel, authorized, authorization);
      if (fitsNtfBlock(version, transmission)) return transmission;
      throw new EncodeError(`its ${transmission.length} bytes fit no block`);
    } catch (cause) {
      if (!(cause instanceof EncodeError)) throw cause;
      throw new UsageError(`${command.tag} cannot be sent: ${cause.message}`, { cause });
    }
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const contents = packNtf(this.#channel.version, this.#waiting.splice(0));
      for (const content of contents) await this.#channel.send(content);
    }
    this.#isFlushing = false;
  }

  #expectAnswer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (this.#pending.size === 0) return;
    const { clock, timeout } = this.#options;
    this.#cancelTimer = clock.after(timeout, () => {
      this.#end((command) => new TimeoutError(this.host, command, timeout));
    });
  }

  async #read(): Promise<void> {
    for await (const content of this.#channel.contents()) {
      if (this.#ended) return;
      try {
        for (const bytes of readNtfContent(this.#channel.version, content)) this.#receive(bytes);
      } catch (cause) {
        if (!isMalformed(cause)) throw cause;
        return this.#end(() => new UnexpectedAnswerError(this.host, "what the notification server sent cannot be read", { cause }));
      }
      this.#expectAnswer();
    }
    const { code, reason, violation } = await this.#channel.closed;
    const detail = violation ?? `close code ${code}${reason === "" ? "" : `, ${reason}`}`;
    this.#end(() => new DisconnectedError(this.host, `the connection ended before the answer (${detail})`, { sent: true }));
  }

  #receive(bytes: Uint8Array): void {
    const { corrId, entityId, command } = readNtfTransmission(this.#channel, bytes);
    const answer = decodeNtfAnswer(command, this.#channel.version);
    const id = hex(corrId);
    const pending = this.#pending.get(id);
    if (!pending) {
      // A block that could not be read is answered without saying which one it was.
      const what = answer.tag === "ERR" ? `the notification server answered ERR ${answer.error.type} to no command` : "an answer came to no command";
      return this.#end(() => new UnexpectedAnswerError(this.host, what));
    }
    this.#pending.delete(id);
    const isAbout = entityId.length === 0 || equal(entityId, pending.entityId);
    if (isAbout && checkNtfAnswer(answer.tag, entityId.length > 0) === null) return pending.resolve(answer);
    const what = `${answer.tag} answers ${pending.command.tag} for something else`;
    pending.reject(new UnexpectedAnswerError(this.host, what));
  }

  #end(why: (command: string) => SimplexError): void {
    if (this.#ended) return;
    this.#ended = why("a command");
    this.#cancelTimer?.();
    for (const { command, reject } of this.#pending.values()) reject(why(command.tag));
    this.#pending.clear();
    this.#waiting = [];
    this.#channel.close();
  }
}

function isMalformed(error: unknown): boolean {
  return error instanceof DecodeError || error instanceof UnknownTagError || error instanceof TransmissionError;
}
