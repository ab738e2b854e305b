import type { PushState } from "../push/api.ts";
import type { RelayState, SessionStatus } from "./api.ts";
import type { PlainError } from "./errors.ts";
import type { PlainHappening } from "./happenings.ts";

// What the pages of one browser and the worker that has the chat say to each other. All of them hear everything.

export const CHANNEL = "smp-edge chat";
/** Web Lock of the worker that has the chat. */
export const LEADER_LOCK = "smp-edge chat leader";
/** Web Lock of every tab that somebody looks at. */
export const LOOKING = "smp-edge looking";
export const PROFILE = "smp-edge chat";

/** Ids of leaders: later ones are greater. */
export function newLeaderId(): string {
  return `${Date.now().toString().padStart(15, "0")} ${crypto.randomUUID()}`;
}

/** Which build a page is, and when it was loaded: of two that differ the one that was loaded later is newer. */
export interface PageBuild {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly begunAt: number;
}

/** What the leader tells of itself. */
export interface LeaderState {
  readonly phase: SessionStatus["phase"];
  readonly relays: readonly RelayState[];
  readonly since: number;
  readonly failure: PlainError | null;
  readonly push: PushState | null;
}

export interface Call {
  readonly type: "call";
  readonly from: string;
  /** Whom it is for: a leader that comes after it must not do it too. */
  readonly leader: string;
  readonly id: number;
  /** `session`, or a group of methods of the chat. */
  readonly facade: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

interface Answer {
  readonly to: string;
  /** Who answers: a call may have been made again to another one. */
  readonly leader: string;
  /** Of the call. */
  readonly id: number;
}

export type Result =
  | Answer & { readonly type: "result"; readonly value: unknown }
  | Answer & { readonly type: "failure"; readonly error: PlainError };

export type ToLeader =
  | Call
  /** Who leads? The leader answers with its state. */
  | { readonly type: "ask" }
  /** A page wants its worker to be able to open the profile when it comes to lead. */
  | { readonly type: "heir"; readonly from: string };

export type FromLeader =
  | Result
  | PageBuild & { readonly type: "state"; readonly leader: string; readonly state: LeaderState }
  | PlainHappening & { readonly type: "happening"; readonly leader: string }
  /** To one page, or to all. Null: there is none any more. */
  | { readonly type: "secret"; readonly to: string | null; readonly passphrase: string | null };

export type Message = ToLeader | FromLeader;

/** From a page to its own worker. */
export type Order =
  | PageBuild & { readonly type: "start"; readonly origin: string }
  /** What opens the profile, as other tabs know it. */
  | { readonly type: "secret"; readonly passphrase: string | null }
  /** The leader gives no sign of life, or is of an older version. */
  | { readonly type: "takeOver" };

/** From a worker to its page. */
export interface Report {
  readonly type: "leading";
  /** Id of the leader when this worker is it. */
  readonly leader: string | null;
}
