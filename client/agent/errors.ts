import { type ErrorCode, SimplexError } from "../errors.ts";

/** Why the agent refuses what the application asks. */
export type AgentRefusal =
  /** There is no such connection, request, confirmation or message. */
  | "NOT_FOUND"
  /** Not in this state of the connection; the message says what has to happen first. */
  | "PROHIBITED"
  /** The message does not fit. */
  | "LARGE"
  /** No version in common with the other side. */
  | "VERSION"
  /** The agent was closed. */
  | "CLOSED";

/** The agent cannot do what was asked; nothing was changed. */
export class AgentError extends SimplexError {
  override readonly name = "AgentError";
  readonly code: ErrorCode = "AGENT";
  readonly refusal: AgentRefusal;

  constructor(refusal: AgentRefusal, what: string, options?: ErrorOptions) {
    super(what, options);
    this.refusal = refusal;
  }
}

/** What a peer did wrong, by the names of the agent protocol. */
export type PeerFault =
  /** Bytes that cannot be read. */
  | "A_MESSAGE"
  /** Not allowed in this state of the connection. */
  | "A_PROHIBITED"
  | "A_VERSION"
  /** The ratchet could not decrypt it. */
  | "A_CRYPTO"
  | "A_DUPLICATE"
  /** A step of queue rotation that does not fit. */
  | "A_QUEUE";

/** Something that came from the peer was refused. The connection lives on. */
export class PeerError extends SimplexError {
  override readonly name = "PeerError";
  readonly code: ErrorCode = "PEER";
  readonly fault: PeerFault;

  constructor(fault: PeerFault, what: string, options?: ErrorOptions) {
    super(`${fault}: ${what}`, options);
    this.fault = fault;
  }
}
