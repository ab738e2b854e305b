import type { Server } from "#protocol/address";
import type { Integrity } from "./integrity.ts";
import type { NotificationsState } from "./notifications/state.ts";
import type { SyncState } from "./records.ts";
import type { SimplexError } from "../errors.ts";

/** Why a message or a connection came to nothing. */
export type FailureReason =
  /** The other side removed its queue, somebody else secured it, or it was never there. */
  | "NOT_AVAILABLE"
  /** The other side did not accept the connection. */
  | "NOT_ACCEPTED"
  /** The other side received nothing for seven days and its queue is full. */
  | "QUOTA"
  /** The relay could not be reached for two days. */
  | "EXPIRED"
  /** The relay refused it; the message says how. */
  | "REFUSED";

/** The progress of moving a queue to another relay, as seen by both sides. */
export type RotationPhase = "started" | "confirmed" | "secured" | "completed" | "aborted" | "failed";

/** Things that happen to a connection and that the application must not miss. They are kept until they were handled. */
export type ConnectionEvent =
  /** Somebody used the invitation. `allow` goes on with this one. */
  | { readonly type: "confirmation"; readonly confirmation: string; readonly info: Uint8Array; readonly pq: boolean }
  /** What the initiator says of itself. */
  | { readonly type: "info"; readonly info: Uint8Array }
  /** Both sides can send. */
  | { readonly type: "connected"; readonly pq: boolean }
  /** The connection will never be. */
  | { readonly type: "failed"; readonly reason: FailureReason; readonly detail: string }
  /** Somebody asks to connect through this address: `accept` or `reject`. */
  | { readonly type: "request"; readonly request: string; readonly info: Uint8Array; readonly pq: boolean }
  /** A message; to be acknowledged with `acknowledge` once it is stored. Until then no other one comes from its queue. */
  | ReceivedMessageEvent
  /** The peer's relay has the message. `isProxied`: it went there through one's own; not known of earlier versions' events. */
  | { readonly type: "sent"; readonly item: number; readonly isProxied?: boolean }
  /** The message will not be sent any more. */
  | { readonly type: "unsent"; readonly item: number; readonly reason: FailureReason; readonly detail: string }
  /** The peer's application has the message; `badHash`: it got something else. */
  | { readonly type: "receipt"; readonly item: number; readonly status: "ok" | "badHash" }
  | {
    readonly type: "rotation";
    /** Of the queue that this side receives from, or of the one that it sends to. */
    readonly direction: "receive" | "send";
    readonly phase: RotationPhase;
    readonly detail: string;
  }
  /** The state of the ratchet. `required`: nothing can be read any more until `synchronise`. */
  | { readonly type: "sync"; readonly state: SyncState; readonly detail: string }
  /** Somebody else subscribed to the queue: a copy of this profile runs elsewhere. */
  | { readonly type: "ended"; readonly queue: number }
  /** The relay no longer has the queue; `detail` says how it told. */
  | { readonly type: "queueLost"; readonly queue: number; readonly detail: string };

export interface ReceivedMessageEvent {
  readonly type: "message";
  readonly item: number;
  readonly body: Uint8Array;
  readonly integrity: Integrity;
  /** Number that the sender gave it. */
  readonly sndMsgId: number;
  /** When the relay got it: milliseconds since 1970. */
  readonly brokerTime: number;
  /** Whether the sender asked for a notification. */
  readonly notification: boolean;
  readonly pq: boolean;
}

/** Things that only matter now. They are told once. */
export type PassingEvent =
  /** These connections can receive. */
  | { readonly type: "up"; readonly server: Server; readonly connections: readonly string[] }
  | { readonly type: "down"; readonly server: Server; readonly connections: readonly string[]; readonly error: SimplexError }
  /** Sending waits and will be tried again: the relay cannot be reached, or the peer's queue is full. */
  | { readonly type: "delayed"; readonly connection: string; readonly item: number | null; readonly error: SimplexError }
  /** Something that came could not be used, or something could not be done. The connection lives on. */
  | { readonly type: "error"; readonly connection: string | null; readonly error: Error }
  /** The notification server was asked in the background, and it stands so now. */
  | { readonly type: "notifications"; readonly state: NotificationsState }
  /** `moveAll` has come this far. */
  | { readonly type: "moving"; readonly done: number; readonly failed: number; readonly total: number };

export type AgentEvent = (ConnectionEvent & { readonly connection: string }) | PassingEvent;
