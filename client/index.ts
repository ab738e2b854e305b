/** A client for SimpleX relays (SMP routers), for browsers, Node and Workers. */
export { generateKeyPair, type KeyPair } from "#crypto/keys";
export { formatServerAddress, parseServerAddress, type ServerAddress } from "#protocol/address";
export {
  ConnectError,
  DisconnectedError,
  ProtocolError,
  SimplexError,
  TimeoutError,
  UnexpectedAnswerError,
  UsageError,
} from "./errors.ts";
export * as smp from "./smp/api.ts";
export { SmpClient } from "./smp/client.ts";
export { RelayConnection, type RelayEvent, type RelayOptions } from "./smp/relay-connection.ts";
export type { KeptQueue } from "./smp/kept.ts";
export type { ClientEvent, Requester, RequestOptions } from "./smp/request.ts";
export type { Channel } from "./transport/channel.ts";
export { connect, type ConnectOptions, type ServiceCredentials } from "./transport/connect.ts";
export type { SocketFactory, SocketLike } from "./transport/socket.ts";
