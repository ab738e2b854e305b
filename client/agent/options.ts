import type { Server, ServerAddress } from "#protocol/address";
import type { Clock } from "../clock.ts";
import type { RelayOptions } from "../smp/relay-connection.ts";
import type { Store } from "../store/store.ts";
import type { ProxyPolicy } from "./rules/route.ts";

export interface AgentOptions {
  /** Where everything is kept. One agent at a time may use it; the adapters see to that. */
  readonly store: Store;
  /** Relays to receive at, by their addresses; a new queue is made on any of them. */
  readonly servers: readonly ServerAddress[];
  /**
   * `automatic` (the default): encryption that cannot read anything any more is repaired without asking. `ask`: the
   * application calls `synchronise` after a `sync` event. Both sides' security codes change by a repair.
   */
  readonly repair?: "automatic" | "ask";
  /**
   * Whether commands for other people's relays go through one's own, which then see no more than that, while the other
   * relay does not see this client's network address. `unknown` with fallback `allowProtected` unless given.
   */
  readonly proxy?: Partial<ProxyPolicy>;
  /** Where to connect to a relay if not to its first host, for example to one on this machine. */
  readonly urlOf?: (server: Server) => string | undefined;
  readonly openSocket?: RelayOptions["openSocket"];
  readonly backoff?: RelayOptions["backoff"];
  readonly client?: RelayOptions["client"];
  readonly connectTimeout?: number;
  readonly clock?: Clock;
}

export interface NewLinkOptions {
  /** Whose connection it is: profiles share no connection to a relay. `main` unless given. */
  readonly profile?: string;
  /** Whether post-quantum encryption may be used; true unless given. */
  readonly pq?: boolean;
  /** The relay to receive at; any of the configured ones unless given. */
  readonly server?: ServerAddress;
  /** Behind the short link, to be seen by whoever opens it. Up to 13,000 bytes or so; empty unless given. */
  readonly data?: Uint8Array;
  /** In the long link of an address: what the application tells those who follow it, as JSON. */
  readonly clientData?: string;
  /** False: no short link, for relays that do not have them. */
  readonly short?: boolean;
  /** Whether a long invitation link has the post-quantum key in it: then it is too long for a QR code. */
  readonly longKem?: boolean;
}

export interface JoinOptions {
  readonly profile?: string;
  readonly pq?: boolean;
}

export interface SendOptions {
  /** Whether the peer is to be woken by a notification. */
  readonly notification?: boolean;
}

/** A link that was made. */
export interface MadeLink {
  readonly connection: string;
  /** The long form: works everywhere. */
  readonly link: string;
  /** The short form, in the scheme `https`; null when none was made. */
  readonly shortLink: string | null;
}

/** What a link leads to, before anything is done with it. */
export interface LinkPreview {
  readonly type: "invitation" | "contact";
  /** What its maker put behind a short link; null for a long link. */
  readonly data: Uint8Array | null;
  /** The long link that it leads to. */
  readonly link: string;
}

/** A relay in use by one profile. */
export interface RelayInfo {
  readonly server: Server;
  /** Whether there is a connection now; queues may still wait for their subscription. */
  readonly isConnected: boolean;
  /** Whether messages are received there: a relay may be in use for sending alone. */
  readonly hasQueues: boolean;
  /** Whether all queues there are subscribed now, so that nothing waits unasked for. True when there is none. */
  readonly isSubscribed: boolean;
}

/** What is known of a connection. */
export interface ConnectionInfo {
  readonly id: string;
  readonly profile: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly role: "initiator" | "joiner" | "contact";
  readonly status: "pending" | "connected" | "failed" | "leaving";
  /** Servers of the queues, the one in use first. */
  readonly receivesAt: readonly Server[];
  readonly sendsTo: readonly Server[];
  readonly agentVersion: number;
  /** Whether messages are safe against quantum computers now, in each direction. */
  readonly quantumSafe: { readonly sending: boolean; readonly receiving: boolean };
  readonly sync: "ok" | "allowed" | "required" | "started" | "agreed";
  readonly isMoving: boolean;
  /** Whether a push tells of its messages. */
  readonly notifications: boolean;
  /** 32 bytes that are the same on both sides unless somebody sits in between; null before there is a ratchet. */
  readonly securityCode: Uint8Array | null;
  /** To be passed to `allow`; null when there is none. */
  readonly confirmation: string | null;
}
