import { concat } from "#crypto/bytes";
import { alertName, refuse, TlsError, TlsUsageError } from "./errors.ts";
import { Frames } from "./frames.ts";
import { handshake, type TlsSession } from "./handshake.ts";
import { type Content, Incoming } from "./incoming.ts";
import { MOST_HANDSHAKE_MESSAGE, MOST_IDLE_RECORDS } from "./limits.ts";
import { readKeyUpdate, writeKeyUpdate } from "./messages/key-update.ts";
import {
  HANDSHAKE,
  HANDSHAKE_HEADER_LENGTH,
  type HandshakeMessage,
  readHandshakeHeader,
} from "./messages/message.ts";
import { Outgoing } from "./outgoing.ts";
import { CONTENT } from "./record.ts";
import type { ServerIdentity } from "./server-identity.ts";

/** What happened on a connection. */
export type TlsEvent =
  /** The server is the one expected; application data may flow. */
  | { readonly type: "connected"; readonly session: TlsSession }
  /** Application data in the order in which it was sent, 1 to 16384 bytes. */
  | { readonly type: "data"; readonly bytes: Uint8Array }
  /** The server will send nothing more (close_notify). The client may still send until it closes too. */
  | { readonly type: "ended" }
  /** The connection is over and unusable. Nothing follows. */
  | { readonly type: "failed"; readonly error: TlsError };

/** Messages after which the keys change: RFC 8446 section 5.1 wants nothing to follow them in their record. */
const CHANGES_KEYS: ReadonlySet<number> = new Set([HANDSHAKE.server_hello, HANDSHAKE.finished, HANDSHAKE.key_update]);

function messageLength(header: Uint8Array): number {
  const { type, length } = readHandshakeHeader(header);
  if (length > MOST_HANDSHAKE_MESSAGE) {
    refuse("illegal_parameter", `handshake message ${type} has ${length} bytes, more than ${MOST_HANDSHAKE_MESSAGE}`);
  }
  return length;
}

/**
 * A client of TLS 1.3 (RFC 8446) for servers of SMP: strict, synchronous and without input or output of its own.
 * It speaks TLS_CHACHA20_POLY1305_SHA256 with X25519, Ed25519 or Ed448 and ALPN `smp/1`, and nothing else; it sends
 * no server name, never resumes and has no certificate. The carrier gives it every byte that comes, and after each
 * call sends what {@link takeOutgoing} answers, at first the hello.
 */
export class TlsClient {
  readonly #incoming = new Incoming();
  readonly #outgoing = new Outgoing();
  readonly #messages = new Frames(HANDSHAKE_HEADER_LENGTH, messageLength);
  #handshake: Generator<undefined, TlsSession, HandshakeMessage> | null;
  #isReading = true;
  #isWriting = true;
  #idleRecords = 0;

  constructor(expected: ServerIdentity) {
    this.#handshake = handshake(this.#incoming, this.#outgoing, expected);
    this.#handshake.next();
  }

  /** The bytes that wait to be sent to the server, each once; none when nothing waits. */
  takeOutgoing(): Uint8Array {
    return this.#outgoing.take();
  }

  /**
   * Takes bytes of the server, cut anywhere. Never throws for what a server sends: the last event tells a failure.
   * After the end or a failure they are ignored.
   */
  receive(bytes: Uint8Array): TlsEvent[] {
    const events: TlsEvent[] = [];
    if (!this.#isReading) return events;
    try {
      for (const content of this.#incoming.read(bytes)) {
        this.#take(content, events);
        if (!this.#isReading) break;
      }
    } catch (error) {
      events.push({ type: "failed", error: this.#fail(error) });
    }
    return events;
  }

  /** The carrier has ended: a failure unless the server said before that it would. */
  receiveEnd(): TlsEvent[] {
    if (!this.#isReading) return [];
    const when = this.#handshake ? "in the handshake" : "without close_notify: data may be missing";
    return [{ type: "failed", error: this.#fail(new TlsError("truncated", null, `the connection ended ${when}`)) }];
  }

  /**
   * Application data of any length for the server.
   * @throws TlsUsageError before `connected`, after {@link close} and after a failure.
   */
  send(data: Uint8Array): void {
    if (this.#handshake) throw new TlsUsageError("nothing can be sent before the handshake is done");
    if (!this.#isWriting) throw new TlsUsageError("nothing can be sent on a connection that was closed or failed");
    this.#outgoing.applicationData(data);
  }

  /** Says that the client will send nothing more. What the server still sends is received until its end. */
  close(): void {
    if (this.#isWriting) this.#outgoing.alert("close_notify");
    this.#stopWriting();
    if (this.#handshake) this.#stopReading();
    this.#handshake = null;
  }

  #take({ type, bytes }: Content, events: TlsEvent[]): void {
    if (type !== CONTENT.handshake && this.#messages.isInside) {
      refuse("unexpected_message", `a record of type ${type} stands inside a handshake message`);
    }
    switch (type) {
      case CONTENT.handshake:
        return this.#takeMessages(bytes, events);
      case CONTENT.applicationData:
        return this.#takeData(bytes, events);
      case CONTENT.alert:
        return this.#takeAlert(bytes, events);
      case CONTENT.changeCipherSpec:
        return this.#takeChangeCipherSpec(bytes);
    }
  }

  #takeMessages(bytes: Uint8Array, events: TlsEvent[]): void {
    if (bytes.length === 0) refuse("unexpected_message", "a record of handshake messages is empty");
    for (const { header, body, isLast } of this.#messages.read(bytes)) {
      const message = { type: readHandshakeHeader(header).type, body, bytes: concat(header, body) };
      if (!isLast && CHANGES_KEYS.has(message.type)) {
        refuse("unexpected_message", `something follows handshake message ${message.type} under the same keys`);
      }
      if (!this.#handshake) {
        this.#takeLateMessage(message);
        continue;
      }
      const step = this.#handshake.next(message);
      if (!step.done) continue;
      this.#handshake = null;
      this.#idleRecords = 0;
      events.push({ type: "connected", session: step.value });
    }
  }

  /** RFC 8446 section 4.6: nothing but key updates, and tickets for a resumption that there is not. */
  #takeLateMessage(message: HandshakeMessage): void {
    this.#countIdle();
    if (message.type === HANDSHAKE.new_session_ticket) return;
    const isAnswered = readKeyUpdate(message) && this.#isWriting;
    this.#incoming.updateKeys();
    if (!isAnswered) return;
    this.#outgoing.handshake(writeKeyUpdate(false));
    this.#outgoing.updateKeys();
  }

  #takeData(bytes: Uint8Array, events: TlsEvent[]): void {
    if (this.#handshake) refuse("unexpected_message", "the server sent application data in the handshake");
    if (bytes.length === 0) return this.#countIdle();
    this.#idleRecords = 0;
    events.push({ type: "data", bytes });
  }

  /** RFC 8446 section 6: whatever level it claims, an alert is the end of the connection or of its reading half. */
  #takeAlert(bytes: Uint8Array, events: TlsEvent[]): void {
    const [, code] = bytes;
    if (code === undefined || bytes.length > 2) {
      refuse("decode_error", `an alert has ${bytes.length} bytes instead of 2`);
    }
    const name = alertName(code);
    if (name === "user_canceled") return this.#countIdle();
    if (name !== "close_notify" || this.#handshake) {
      throw new TlsError("refused", name, `the server ended the connection with alert ${code}`);
    }
    this.#stopReading();
    events.push({ type: "ended" });
  }

  /** RFC 8446 section 5: one byte of 1 before the handshake is done; it means nothing. */
  #takeChangeCipherSpec(bytes: Uint8Array): void {
    if (!this.#handshake || bytes[0] !== 1) refuse("unexpected_message", "change_cipher_spec is not 1 or comes late");
    this.#countIdle();
  }

  #countIdle(): void {
    this.#idleRecords++;
    if (this.#idleRecords > MOST_IDLE_RECORDS) {
      refuse("unexpected_message", `the server sent ${this.#idleRecords} records in a row that bring nothing`);
    }
  }

  /** Tells the server why, as far as it can be told. What is no TlsError is a mistake of ours: it goes on. */
  #fail(error: unknown): TlsError {
    const isOurs = !(error instanceof TlsError);
    const alert = isOurs ? "internal_error" : error.failure === "refused" ? null : error.alert;
    if (alert && this.#isWriting) this.#outgoing.alert(alert);
    this.#stopWriting();
    this.#stopReading();
    this.#handshake = null;
    if (isOurs) throw error;
    return error;
  }

  #stopReading(): void {
    this.#isReading = false;
    this.#incoming.wipe();
  }

  #stopWriting(): void {
    this.#isWriting = false;
    this.#outgoing.wipe();
  }
}
