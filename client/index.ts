/**
 * A client for SimpleX, for browsers, Node and Workers. Its floors from top to bottom: an agent that makes connections
 * between people and keeps them, stores to keep them in, and connections to relays (SMP routers).
 */

// Connections between people.
export { Agent } from "./agent/agent.ts";
export { AgentError, type AgentRefusal, PeerError, type PeerFault } from "./agent/errors.ts";
export type {
  AgentEvent,
  ConnectionEvent,
  FailureReason,
  PassingEvent,
  ReceivedMessageEvent,
  RotationPhase,
} from "./agent/events.ts";
export type { Integrity } from "./agent/integrity.ts";
export type {
  AgentOptions,
  ConnectionInfo,
  JoinOptions,
  LinkPreview,
  MadeLink,
  NewLinkOptions,
  SendOptions,
} from "./agent/options.ts";
export type { SyncState } from "./agent/records.ts";
export type { ProxyFallback, ProxyMode, ProxyPolicy } from "./agent/rules/route.ts";

// Links: to look at one, and to write it in another form. The agent takes and makes them as text.
export type { ConnectionRequest } from "./agent/wire/connection-request.ts";
export { formatLink, type Link, type LinkForm, parseLink } from "./agent/wire/link.ts";
export { LinkError, type LinkFailure } from "./agent/wire/link-error.ts";
export type { ShortLink } from "./agent/wire/short-link.ts";

// Stores. The one for Node is in client/node/sqlite-store.ts.
export { deleteIndexedDbStore, openIndexedDbStore } from "./store/indexeddb.ts";
export { MemoryFile, MemoryStore } from "./store/memory.ts";
export {
  addPassphrase,
  changePassphrase,
  isSealed,
  openProfile,
  removePassphrase,
  SCRYPT_COST,
  SCRYPT_FLOOR,
  type ScryptCost,
} from "./store/passphrase.ts";
export { scoped } from "./store/scoped.ts";
export {
  type BaseStore,
  type Change,
  type Entry,
  type Range,
  type Store,
  StoreError,
  type StoreErrorCode,
} from "./store/store.ts";

// Relays, for programs that speak SMP themselves.
export { generateKeyPair, type KeyPair } from "#crypto/keys";
export {
  AddressError,
  formatServerAddress,
  parseServerAddress,
  type Server,
  type ServerAddress,
} from "#protocol/address";
export { type Clock, systemClock } from "./clock.ts";
export {
  ConnectError,
  DisconnectedError,
  ProtocolError,
  ProxyError,
  type ProxyFailure,
  SimplexError,
  TimeoutError,
  UnexpectedAnswerError,
  UsageError,
} from "./errors.ts";
export * as smp from "./smp/api.ts";
export { SmpClient } from "./smp/client.ts";
export { ProxiedRelay, type ProxiedRelayOptions, type ProxyConnection } from "./smp/proxied-relay.ts";
export { RelayConnection, type RelayEvent, type RelayOptions } from "./smp/relay-connection.ts";
export type { KeptQueue } from "./smp/kept.ts";
export type { ClientEvent, Requester, RequestOptions } from "./smp/request.ts";
export type { Channel } from "./transport/channel.ts";
export { connect, type ConnectOptions, type ServiceCredentials } from "./transport/connect.ts";
export type { SocketEvent, SocketFactory, SocketLike } from "./transport/socket.ts";
