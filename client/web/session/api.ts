import type { ProxyPolicy } from "../../agent/rules/route.ts";
import type { Chat } from "../../chat/chat.ts";
import type { ChatHappening } from "../../chat/events.ts";
import type { PushApi, PushState } from "../push/api.ts";

/** Everything of a chat that is a group of methods: `users`, `links`, `contacts`, `messages`, `history`... */
export type FacadeName = Exclude<keyof Chat, "events" | "notes" | "close">;

type Methods<T> = {
  readonly [K in keyof T as T[K] extends (...args: never[]) => Promise<unknown> ? K : never]: T[K];
};

/**
 * A chat as the page sees it, whichever tab it runs in: the same methods with the same errors. A call that another tab
 * was doing while it was closed fails with SessionError "INTERRUPTED", unless doing it twice does no harm.
 */
export type ChatApi = { readonly [K in FacadeName]: Methods<Chat[K]> };

/** What the profile keeps of how it is used, in the same store as the messages. */
export interface Settings {
  /** Addresses (`smp://...`) of the relays to receive at; none: the one that serves this page. */
  readonly relays: readonly string[];
  readonly proxy: ProxyPolicy;
}

/** One relay that is in use. */
export interface RelayState {
  /** `smp://<fingerprint>@host` */
  readonly address: string;
  /** What to show: its first host. */
  readonly host: string;
  readonly isUp: boolean;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Why it is not up. */
  readonly reason: string | null;
}

export interface SessionStatus {
  /**
   * `opening`: no tab has the profile open yet, or another one is taking it over. `locked`: the passphrase is needed;
   * `openSession` takes it. `failed`: it cannot be opened, `openSession` tries again. `deleted`: `deleteEverything`.
   */
  readonly phase: "opening" | "open" | "locked" | "failed" | "deleted";
  /** Whether it is this tab that is connected. */
  readonly isLeader: boolean;
  /** What the browser knows of the network. */
  readonly isOnline: boolean;
  readonly relays: readonly RelayState[];
  /** When it became as it is. Milliseconds since 1970. */
  readonly since: number;
  /** Becomes greater when events may have been missed: read everything again then. */
  readonly generation: number;
  /** Why it failed. */
  readonly failure: Error | null;
  /** Null while it is not known. */
  readonly push: PushState | null;
}

/** What the relay that serves the page says of itself (/relay.json). */
export interface OwnRelay {
  readonly address: string;
  readonly fingerprint: string;
  /** Whether new connections can be made on it: by anybody, those who know its password, or nobody. */
  readonly newQueues: "open" | "password" | "off";
  /** Null: it sends no pushes. */
  readonly notifications: {
    /** `ntf://<fingerprint>@host[:port]` */
    readonly address: string;
    /** Whose pushes the browser is to take (RFC 8292): base64url of an uncompressed point of P-256. */
    readonly vapid: string;
  } | null;
}

export interface PassphraseApi {
  isSet(): Promise<boolean>;
  /** Encrypts what is stored. @throws UsageError when there is one, or it is empty */
  set(passphrase: string): Promise<void>;
  /** @throws StoreError "PASSPHRASE" when `from` is wrong */
  change(from: string, to: string): Promise<void>;
  /** @throws StoreError "PASSPHRASE" when it is wrong */
  remove(passphrase: string): Promise<void>;
}

/** Stops listening. */
export type Unsubscribe = () => void;

/** A profile that is open, in this tab or another one of this browser. */
export interface Session {
  readonly chat: ChatApi;
  /** The conversation of a user with itself. */
  notes(user: string): string;
  subscribe(listener: (happening: ChatHappening) => void): Unsubscribe;
  readonly status: SessionStatus;
  subscribeStatus(listener: (status: SessionStatus) => void): Unsubscribe;
  readonly passphrase: PassphraseApi;
  readonly push: PushApi;
  settings(): Promise<Settings>;
  /** Takes effect at once. @throws AddressError for a relay that is none; nothing is changed then */
  setSettings(part: Partial<Settings>): Promise<Settings>;
  /** Null while it was never reached. */
  ownRelay(): Promise<OwnRelay | null>;
  /** Connects again now to relays that are down, instead of waiting. */
  reconnect(): Promise<void>;
  /** Closes the profile in all tabs; only with a passphrase is it kept from anybody. */
  lock(): Promise<void>;
  /** Erases the profile from this browser, with all that the page keeps. Contacts are not told. */
  deleteEverything(): Promise<void>;
}

/** Why a session cannot do what was asked. */
export type SessionFailure =
  /** The tab that was doing it is gone: it was done, or not. */
  | "INTERRUPTED"
  /** The profile was locked or deleted meanwhile. */
  | "CLOSED"
  /** The browser lacks what it takes; the message names it. */
  | "UNSUPPORTED"
  /** Another tab runs another version of this page: reload it. */
  | "OUTDATED";

export class SessionError extends Error {
  override readonly name = "SessionError";
  readonly failure: SessionFailure;

  constructor(failure: SessionFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}
