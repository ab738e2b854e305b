import { type Codec, tail, text, transform } from "../codec.ts";
import { NTF_VERSION } from "./version.ts";

// The statuses are the very texts of the protocol: they are stored and shown as they are sent.

/** Why a push provider does not take a token any more. */
export type InvalidReason = "BAD" | "TOPIC" | "EXPIRED" | "UNREGISTERED";

export type TokenStatus =
  | "NEW"
  /** After TNEW or TRPL. */
  | "REGISTERED"
  | "INVALID"
  | `INVALID,${InvalidReason}`
  /** The provider took the verification push. */
  | "CONFIRMED"
  /** After TVFY. */
  | "ACTIVE"
  | "EXPIRED";

export type SubscriptionStatus =
  | "NEW"
  | "PENDING"
  | "ACTIVE"
  /** The connection to the relay was lost. */
  | "INACTIVE"
  /** Another subscriber took the queue over. */
  | "END"
  | "DELETED"
  | "AUTH"
  | "SERVICE"
  | `ERR ${string}`;

const TOKEN_STATUSES: ReadonlySet<string> = new Set<TokenStatus>([
  "NEW",
  "REGISTERED",
  "INVALID",
  "INVALID,BAD",
  "INVALID,TOPIC",
  "INVALID,EXPIRED",
  "INVALID,UNREGISTERED",
  "CONFIRMED",
  "ACTIVE",
  "EXPIRED",
]);

const SUBSCRIPTION_STATUSES: ReadonlySet<string> = new Set<SubscriptionStatus>([
  "NEW",
  "PENDING",
  "ACTIVE",
  "INACTIVE",
  "END",
  "DELETED",
  "AUTH",
  "SERVICE",
]);

export function isInvalid(status: TokenStatus): boolean {
  return status.startsWith("INVALID");
}

/** Nothing is pushed any more until the token is registered and verified anew. */
export function isDead(status: TokenStatus): boolean {
  return isInvalid(status) || status === "EXPIRED";
}

function readTokenStatus(status: string): TokenStatus {
  if (!TOKEN_STATUSES.has(status)) throw new RangeError("no such token status");
  return status as TokenStatus;
}

function readSubscriptionStatus(status: string): SubscriptionStatus {
  const isKnown = SUBSCRIPTION_STATUSES.has(status) || status.startsWith("ERR ");
  if (!isKnown) throw new RangeError("no such subscription status");
  return status as SubscriptionStatus;
}

const anyTokenStatus = transform<string, TokenStatus>(text(tail), readTokenStatus, (status) => status);

/** TKN's parameter. Before version 3 INVALID is written without its reason. */
export const tokenStatus: Codec<TokenStatus> = {
  write(writer, status, version) {
    const known = version < NTF_VERSION.invalidReason && isInvalid(status) ? "INVALID" : status;
    anyTokenStatus.write(writer, known, version);
  },
  read: (reader, version) => anyTokenStatus.read(reader, version),
};

/** SUB's parameter. */
export const subscriptionStatus: Codec<SubscriptionStatus> = transform<string, SubscriptionStatus>(
  text(tail),
  readSubscriptionStatus,
  (status) => status,
);

/** Statuses in which the server still follows the queue, or will again. */
const FOLLOWED: ReadonlySet<SubscriptionStatus> = new Set(["NEW", "PENDING", "ACTIVE", "INACTIVE"]);

export function isFollowed(status: SubscriptionStatus): boolean {
  return FOLLOWED.has(status);
}
