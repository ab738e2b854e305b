import { describeError, type ErrorType } from "#protocol/errors";

export type ErrorCode =
  | "CONNECT"
  | "PROTOCOL"
  | "TIMEOUT"
  | "UNEXPECTED"
  | "DISCONNECTED"
  | "PROXY"
  | "USAGE"
  | "AGENT"
  | "PEER"
  | "LINK"
  | "CHAT";

/** Everything the client throws on purpose. The message says what went wrong, where, and what to do about it. */
export abstract class SimplexError extends Error {
  abstract readonly code: ErrorCode;
}

/** Why no connection came to be. */
export type ConnectFailure =
  /** Nothing answers there, or what answers takes no WebSocket. */
  | "unreachable"
  /** The relay answered too slowly. */
  | "timeout"
  /** The relay is not the one that the address names. */
  | "identity"
  /** The relay did not prove that it is the one that the address names. */
  | "noProof"
  /** No protocol version in common. */
  | "version"
  /** The relay refused this client or its service certificate. */
  | "refused"
  /** What came is not SMP. */
  | "malformed"
  /** The caller gave up. */
  | "aborted";

const RETRYABLE: ReadonlySet<ConnectFailure> = new Set<ConnectFailure>(["unreachable", "timeout"]);

/** A connection could not be made. */
export class ConnectError extends SimplexError {
  override readonly name = "ConnectError";
  readonly code = "CONNECT";
  readonly host: string;
  readonly failure: ConnectFailure;
  /** Whether the same attempt may succeed later with nothing changed. */
  readonly retryable: boolean;

  constructor(host: string, failure: ConnectFailure, what: string, options?: ErrorOptions) {
    super(`${host}: ${what}`, options);
    this.host = host;
    this.failure = failure;
    this.retryable = RETRYABLE.has(failure);
  }
}

/** The relay answered a command with ERR. */
export class ProtocolError extends SimplexError {
  override readonly name = "ProtocolError";
  readonly code = "PROTOCOL";
  readonly host: string;
  /** Tag of the command. */
  readonly command: string;
  readonly error: ErrorType;

  constructor(host: string, command: string, error: ErrorType) {
    super(`${host} answered ${command} with ERR ${describeError(error)}`);
    this.host = host;
    this.command = command;
    this.error = error;
  }
}

/** Why a command was not forwarded to its destination, or brought back no answer of it. */
export type ProxyFailure =
  /** The proxy does not reach the destination by its address, or has no version in common with it. */
  | "host"
  /** The proxy does not forward for this client: it never does, or it wants another password. */
  | "notAllowed"
  /** What the proxy shows is not the relay that the destination's address names. */
  | "identity"
  /** Not now: the network, a time-out, or trouble at one of the two relays. */
  | "unreachable"
  /** The proxy has no such session with the destination any more. */
  | "noSession"
  /** One of the two relays does not take what was forwarded; trying again would not help. */
  | "refused";

/** A proxy did not forward a command. What the destination itself answers is a ProtocolError. */
export class ProxyError extends SimplexError {
  override readonly name = "ProxyError";
  readonly code = "PROXY";
  /** Of the proxy. */
  readonly host: string;
  readonly destination: string;
  readonly failure: ProxyFailure;
  /** What the proxy answered, if that was why. Nothing vouches for it but the proxy. */
  readonly error: ErrorType | null;

  constructor(
    { host, destination }: { readonly host: string; readonly destination: string },
    failure: ProxyFailure,
    what: string,
    options?: ErrorOptions & { readonly error?: ErrorType },
  ) {
    super(`${host}, as proxy for ${destination}: ${what}`, options);
    this.host = host;
    this.destination = destination;
    this.failure = failure;
    this.error = options?.error ?? null;
  }
}

/** The relay did not answer a command in time. It may have been executed all the same. */
export class TimeoutError extends SimplexError {
  override readonly name = "TimeoutError";
  readonly code = "TIMEOUT";
  readonly host: string;
  readonly command: string;

  constructor(host: string, command: string, milliseconds: number) {
    super(`${host} did not answer ${command} within ${milliseconds} ms; it may still do so`);
    this.host = host;
    this.command = command;
  }
}

/** What the relay sent does not follow the protocol, or does not fit what it answers. */
export class UnexpectedAnswerError extends SimplexError {
  override readonly name = "UnexpectedAnswerError";
  readonly code = "UNEXPECTED";
  readonly host: string;

  constructor(host: string, what: string, options?: ErrorOptions) {
    super(`${host}: ${what}`, options);
    this.host = host;
  }
}

/** The connection ended before the answer came. */
export class DisconnectedError extends SimplexError {
  override readonly name = "DisconnectedError";
  readonly code = "DISCONNECTED";
  readonly host: string;
  /** True when the command had been written, so that the relay may have executed it. */
  readonly sent: boolean;

  constructor(host: string, what: string, options?: ErrorOptions & { readonly sent?: boolean }) {
    super(`${host}: ${what}`, options);
    this.host = host;
    this.sent = options?.sent ?? false;
  }
}

/** The caller asked for something that cannot be done; the message says what to change. */
export class UsageError extends SimplexError {
  override readonly name = "UsageError";
  readonly code = "USAGE";
}
