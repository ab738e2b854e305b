import * as v from "valibot";
import type { SubscriptionStatus, TokenStatus } from "#protocol/ntf/status";
import { bytes, checked, count, keyPair, secretKey, server } from "../records.ts";

// What the agent stores about notifications. All of it belongs to one device: see leave-device.ts.

export type NotificationMode = "instant" | "periodic";

const tokenStatus = v.string() as unknown as v.GenericSchema<unknown, TokenStatus>;
const subscriptionStatus = v.string() as unknown as v.GenericSchema<unknown, SubscriptionStatus>;

/** What is to be done next with the token. */
const action = v.variant("type", [
  /** TNEW. */
  v.object({ type: v.literal("register") }),
  /** TRPL with the token that stands in the record. */
  v.object({ type: v.literal("replace") }),
  /** TVFY. */
  v.object({ type: v.literal("verify"), code: bytes }),
  /** TCHK, because the server seems not to know it. */
  v.object({ type: v.literal("check") }),
  /** Nothing: it is verified, or its push has to come. */
  v.object({ type: v.literal("none") }),
]);

/** The token of this device: the only record of its table. */
const device = v.object({
  server,
  /** As `formatDeviceToken` writes it. */
  token: v.string(),
  mode: v.picklist(["instant", "periodic"]),
  verifyKeys: keyPair("Ed25519"),
  dhKeys: keyPair("X25519"),
  /** Null until the server has answered. */
  registration: v.nullable(v.object({ tokenId: bytes, dhSecret: bytes })),
  status: tokenStatus,
  action,
  /** Whether the server knows how often it is to push when nothing comes. */
  hasInterval: v.boolean(),
});
export type Device = Readonly<v.InferOutput<typeof device>>;

/** A queue of which this device hears, or heard. */
const followed = v.object({
  connection: v.string(),
  /** Number of the receive queue within the connection. */
  queue: count,
  /** Of the queue. */
  server,
  /** What NKEY made; null: nothing yet, or it is to be made anew. */
  notifier: v.nullable(v.object({ id: bytes, key: secretKey("Ed25519"), dhSecret: bytes })),
  /** What SNEW made, and for which token. */
  subscription: v.nullable(v.object({ tokenId: bytes, subId: bytes, status: subscriptionStatus, checkAt: count })),
  /** Before that time nothing is tried: a server refused it. */
  notBefore: count,
  /** The message that was told of last; null: none. */
  told: v.nullable(bytes),
});
export type Followed = Readonly<v.InferOutput<typeof followed>>;

/** A token that its server is still to forget. */
const retired = v.object({ server, tokenId: bytes, key: secretKey("Ed25519"), at: count });
export type Retired = Readonly<v.InferOutput<typeof retired>>;

export const checkDevice = checked<Device>(device);
export const checkFollowed = checked<Followed>(followed);
export const checkRetired = checked<Retired>(retired);

/** Key of the only record of the table `device`. */
export const DEVICE_KEY = "token";

/** Whether the token is verified, as far as this side knows. It may be in doubt. */
export function isActive(record: Device | null): record is Device & { readonly registration: object } {
  if (record?.status !== "ACTIVE" || record.registration === null) return false;
  return record.action.type === "none" || isDoubted(record);
}

/** Whether its server is being asked how it stands with the token: until it answers it is asked for nothing else. */
export function isDoubted(record: Device): boolean {
  return record.action.type === "check";
}

