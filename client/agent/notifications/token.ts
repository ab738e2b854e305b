import { generateKeyPair } from "#crypto/keys";
import type { Server } from "#protocol/address";
import type { TokenStatus } from "#protocol/ntf/status";
import { sameServer } from "#protocol/address";
import { equal } from "#crypto/bytes";
import { ProtocolError } from "../../errors.ts";
import { isTemporary } from "../rules/send-failure.ts";
import type { Device, NotificationMode } from "./records.ts";

// The life of a device token (NTF, token life cycle in the agent).

/** What the application wants. */
export interface Wish {
  /** As `formatDeviceToken` writes it. */
  readonly token: string;
  readonly mode: NotificationMode;
  readonly server: Server;
}

/** A token that no server knows yet, with keys of its own. */
export function newDevice({ token, mode, server: { hosts, port, keyHash } }: Wish): Device {
  return {
    server: { hosts: [...hosts], port, keyHash },
    token,
    mode,
    verifyKeys: generateKeyPair("Ed25519"),
    dhKeys: generateKeyPair("X25519"),
    registration: null,
    status: "NEW",
    action: { type: "register" },
    hasInterval: false,
  };
}

export function isAt({ server }: Device, other: Server): boolean {
  return sameServer(server, other) && equal(server.keyHash, other.keyHash);
}

/** The application starts with a token that is known at this server, or with another one of the same device. */
export function registerAgain(record: Device, { token, mode }: Wish): Device {
  const known: Device = { ...record, mode };
  if (record.registration === null) return { ...known, token, action: { type: "register" } };
  if (token !== record.token) return { ...known, token, status: "REGISTERED", action: { type: "replace" } };
  if (record.action.type === "verify" || record.action.type === "replace") return known;
  // The push that verifies it may have got lost, or the server gave the token up: both are mended by TNEW.
  return { ...known, action: { type: record.status === "ACTIVE" ? "check" : "register" } };
}

/** The push with the code came. Null: it says nothing new. */
export function codeReceived(record: Device, code: Uint8Array): Device | null {
  if (record.status === "ACTIVE") return null;
  // What a token that was replaced meanwhile was told: the other one gets a code of its own.
  if (record.registration === null || record.action.type === "replace") return null;
  return { ...record, status: "CONFIRMED", action: { type: "verify", code } };
}

export function registered(record: Device, registration: NonNullable<Device["registration"]>): Device {
  return { ...record, registration, status: "REGISTERED", action: { type: "none" } };
}

export function replaced(record: Device): Device {
  return { ...record, status: "REGISTERED", action: { type: "none" } };
}

export function verified(record: Device): Device {
  return { ...record, status: "ACTIVE", action: { type: "none" } };
}

export function statusChecked(record: Device, status: TokenStatus): Device {
  // How often it is to push is said again with every start of the application.
  return { ...record, status, action: { type: "none" }, hasInterval: false };
}

/** What a failure of the present action means. */
export type TokenVerdict =
  /** The same again, later. */
  | "retry"
  /** The server does not know it: it is registered anew, with other keys. */
  | "anew"
  /** The server does not want it. */
  | "forget";

export function judgeTokenFailure({ action }: Device, error: unknown): TokenVerdict {
  if (isPassing(error)) return "retry";
  return action.type === "register" ? "forget" : "anew";
}

/** Whether the server may well do the same later; QUOTA: too many registrations in a short time. */
export function isPassing(error: unknown): boolean {
  return isTemporary(error) || (error instanceof ProtocolError && error.error.type === "QUOTA");
}

/** Or it knows the token by another key. */
export function isUnknownToken(error: unknown): boolean {
  return error instanceof ProtocolError && error.error.type === "AUTH";
}
