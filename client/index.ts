/**
 * A client for SimpleX, for browsers, Node and Workers. Its floors from top to bottom: people talking to each other, an
 * agent that makes connections between them and keeps these, stores to keep all of it in, and connections to relays
 * (SMP routers).
 */

// People talking. What others wrote is to be shown through displayName, displayLine and displayText.
export { Chat } from "./chat/chat.ts";
export { ChatError, type ChatRefusal } from "./chat/errors.ts";
export type { Attachments } from "./chat/attachments.ts";
export type { Contacts, SecurityCode } from "./chat/contacts.ts";
export type { ChatHappening } from "./chat/events.ts";
export type { Files, OutgoingFile } from "./chat/files.ts";
export type { Group, GroupLink, GroupStatus, Member, MemberStatus } from "./chat/group-records.ts";
export type { Groups, MemberSettings } from "./chat/groups.ts";
export type { History, Overview, Page, SearchOptions } from "./chat/history.ts";
export type {
  AddressOptions,
  FollowOptions,
  Invitation,
  InviteOptions,
  LinkLook,
  Links,
  NewAddressOptions,
} from "./chat/links.ts";
export type { FileOptions, Messages } from "./chat/messages.ts";
export type { ChatOptions } from "./chat/options.ts";
export type {
  Address,
  Contact,
  ContactStatus,
  Conversation,
  Edition,
  Item,
  ItemBody,
  ItemEvent,
  ItemFile,
  ItemReaction,
  ItemStatus,
  MessageItem,
  Request,
  User,
} from "./chat/records.ts";
export type { ContactSettings } from "./chat/rules/contacts.ts";
export type { GroupSettings } from "./chat/rules/group/manage.ts";
export type { Agreement } from "./chat/rules/preferences.ts";
export type { Users } from "./chat/users.ts";
export type { Compression } from "./chat/wire/compression.ts";
export type { MsgContainer } from "./chat/wire/container.ts";
export type { MsgContent } from "./chat/wire/content.ts";
export type { GroupPreferences, Preferences, Role } from "./chat/wire/preferences.ts";
export type { GroupProfile, Profile } from "./chat/wire/profile.ts";
export { displayLine, displayName, displayText } from "./chat/wire/rules/display.ts";
export type { ShortLinkUserData } from "./chat/wire/short-link-data.ts";
// The Zstandard of Node is in client/node/zstd.ts.
export { decodeZstd } from "./chat/wire/zstd/decode.ts";
export { type Decompress, portableZstd } from "./chat/wire/zstd/portable.ts";

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
  RelayInfo,
  SendOptions,
} from "./agent/options.ts";
export { leaveDevice } from "./agent/notifications/leave-device.ts";
export type { Notifications } from "./agent/notifications/notifications.ts";
export type { OpenedPush, PushedMessage } from "./agent/notifications/open.ts";
export type { NotificationMode } from "./agent/notifications/records.ts";
export type { FollowedQueue, NotificationsState } from "./agent/notifications/state.ts";
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
export { formatNtfServer, parseNtfServer } from "#protocol/ntf/server";
export type { SubscriptionStatus, TokenStatus } from "#protocol/ntf/status";
export { type DeviceToken, formatDeviceToken, parseDeviceToken, TokenError, webPushToken } from "#protocol/ntf/token";
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
export * as ntf from "./ntf/calls.ts";
export { NtfConnection, type NtfOptions } from "./ntf/ntf-connection.ts";
export * as smp from "./smp/api.ts";
export { SmpClient } from "./smp/client.ts";
export { ProxiedRelay, type ProxiedRelayOptions, type ProxyConnection } from "./smp/proxied-relay.ts";
export { RelayConnection, type RelayEvent, type RelayOptions } from "./smp/relay-connection.ts";
export type { KeptQueue } from "./smp/kept.ts";
export type { ClientEvent, Requester, RequestOptions } from "./smp/request.ts";
export type { Channel } from "./transport/channel.ts";
export { connect, type ConnectOptions, type ServiceCredentials } from "./transport/connect.ts";
export type { SocketEvent, SocketFactory, SocketLike } from "./transport/socket.ts";
