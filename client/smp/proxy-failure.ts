import type { BrokerError, ErrorType, ProxyError as ProxyAnswer } from "#protocol/errors";
import type { ProxyFailure } from "../errors.ts";

const PASSING: ReadonlySet<ErrorType["type"]> = new Set<ErrorType["type"]>(["STORE", "INTERNAL", "BLOCK", "SESSION"]);

/** Whether a relay that answers so may well do the same command later. */
export function isPassing({ type }: ErrorType): boolean {
  return PASSING.has(type);
}

/** What ERR of a proxy, in answer to PRXY or PFWD, means for the command (SMP commands, errors). */
export function proxyFailureOf(error: ErrorType): ProxyFailure {
  switch (error.type) {
    case "PROXY":
      return forwardingFailureOf(error.proxyErr);
    case "CMD":
      // Routers before v8 know neither command.
      return error.cmdErr.type === "UNKNOWN" || error.cmdErr.type === "PROHIBITED" ? "notAllowed" : "refused";
    case "AUTH":
    case "SERVICE":
      return "notAllowed";
    case "QUOTA":
      return "unreachable";
    default:
      return isPassing(error) ? "unreachable" : "refused";
  }
}

function forwardingFailureOf(error: ProxyAnswer): ProxyFailure {
  switch (error.type) {
    case "BASIC_AUTH":
      return "notAllowed";
    case "NO_SESSION":
      return "noSession";
    case "BROKER":
      return brokerFailureOf(error.brokerErr);
    case "PROTOCOL":
      // CRYPTO: a box did not open at the destination; it will with the keys of another session.
      return isPassing(error.protocolErr) || error.protocolErr.type === "CRYPTO" ? "unreachable" : "refused";
  }
}

function brokerFailureOf(error: BrokerError): ProxyFailure {
  if (error.type === "HOST") return "host";
  if (error.type !== "TRANSPORT") return "unreachable";
  const { transportErr } = error;
  if (transportErr.type === "version") return "host";
  if (transportErr.type === "noServerAuth") return "identity";
  const isIdentity = transportErr.type === "handshake" &&
    (transportErr.handshakeErr.type === "IDENTITY" || transportErr.handshakeErr.type === "BAD_AUTH");
  return isIdentity ? "identity" : "unreachable";
}

const MEANINGS: Readonly<Record<ProxyFailure, string>> = {
  host: "it does not reach this relay by its address, or shares no version with it",
  notAllowed: "it does not forward for this client; check its settings and the password in its address",
  identity: "what it reaches there is not the relay that the address names",
  unreachable: "it does not reach this relay now",
  noSession: "it has lost its session with this relay",
  refused: "what was forwarded is not taken",
};

/** In words, for messages to people. */
export function meaningOf(failure: ProxyFailure): string {
  return MEANINGS[failure];
}
