import { hex } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import { err, type Message } from "#protocol/commands";
import type { FwdTransmission } from "#protocol/commands/proxy";
import { ID_LENGTH } from "#protocol/limits";
import {
  type DestinationSession,
  ForwardingError,
  openAnswer,
  readAnswers,
  sealForwarding,
  TIMEOUT,
} from "../relay/destination.ts";
import { DESTINATION } from "../relay/limits.ts";
import type { Carriage } from "./carriage/carriage.ts";

/** A forwarded command whose answer has not come. */
interface Waiting {
  readonly answer: (message: Message) => void;
  readonly timer: ReturnType<typeof setTimeout>;
  /** Blocks that had come before it was sent. */
  readonly heard: number;
}

/** Blocks in a row that answer nothing which anybody waits for: answers that come too late, or noise. */
const MOST_VAIN_BLOCKS = 2 * DESTINATION.underWay;

/** The session with another relay that all clients of this one share. */
export class OutgoingSession {
  readonly session: DestinationSession;
  readonly #carriage: Carriage;
  readonly #onClosed: () => void;
  readonly #waiting = new Map<string, Waiting>();
  #heard = 0;
  #vain = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(session: DestinationSession, carriage: Carriage, onClosed: () => void) {
    this.session = session;
    this.#carriage = carriage;
    this.#onClosed = onClosed;
    this.touch();
  }

  /** Puts its end off: a client is about to use it. */
  touch(): void {
    clearTimeout(this.#idle);
    if (!this.#isClosed) this.#idle = setTimeout(() => this.close(TIMEOUT), DESTINATION.idle);
  }

  /** PRES, or ERR with what went wrong. */
  forward(forwarded: FwdTransmission): Promise<Message> {
    this.touch();
    const isFull = this.#waiting.size >= DESTINATION.underWay || this.#carriage.buffered > DESTINATION.buffered;
    if (isFull) return Promise.resolve(err(TIMEOUT));
    const corrId = randomBytes(ID_LENGTH);
    try {
      const block = sealForwarding(this.session, corrId, forwarded);
      return new Promise((answer) => {
        const key = hex(corrId);
        const timer = setTimeout(() => this.#giveUp(key), DESTINATION.answer);
        this.#waiting.set(key, { answer, timer, heard: this.#heard });
        this.#carriage.send(block);
      });
    } catch (error) {
      if (error instanceof ForwardingError) return Promise.resolve(err(error.error));
      throw error;
    }
  }

  /** A block of the other relay. */
  block(block: Uint8Array): void {
    this.#heard++;
    try {
      const answers = readAnswers(this.session, block).filter((answer) => this.#waiting.has(hex(answer.corrId)));
      for (const answer of answers) this.#settle(hex(answer.corrId), openAnswer(this.session, answer));
      this.#vain = answers.length > 0 ? 0 : this.#vain + 1;
      if (this.#vain > MOST_VAIN_BLOCKS) this.close(TIMEOUT);
    } catch (error) {
      if (!(error instanceof ForwardingError)) throw error;
      this.close(error.error);
    }
  }

  /** Ends it; whoever waits is told why. */
  close(error: ForwardingError["error"]): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#idle);
    this.#onClosed();
    this.#carriage.close();
    for (const key of this.#waiting.keys()) this.#settle(key, err(error));
  }

  #settle(key: string, message: Message): void {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    clearTimeout(waiting?.timer);
    waiting?.answer(message);
  }

  #giveUp(key: string): void {
    const isSilent = this.#waiting.get(key)?.heard === this.#heard;
    this.#settle(key, err(TIMEOUT));
    // What hangs is not waited for any longer: what it was sent would only pile up.
    if (isSilent) this.close(TIMEOUT);
  }
}
