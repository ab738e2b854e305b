import { equal } from "#crypto/bytes";
import { sameKey } from "#crypto/keys";
import { type AuthContext, isAuthorizedBy, verifyDummy } from "#protocol/authorize";
import type { NtfCommand, NtfCommandOf } from "#protocol/ntf/commands";
import type { NtfQueue } from "#protocol/ntf/queue";
import { type DeviceToken, sameDevice } from "#protocol/ntf/token";
import type { NotificationLimits } from "./limits.ts";
import { answered, done, ntfRefused, ntfUnauthorized } from "./outcome.ts";
import type { DeviceStore, NtfOutcome, Subscription, TokenRecord } from "./ports.ts";
import { subscribe, subscribes, unsubscribe } from "./subscriptions.ts";
import * as tokens from "./tokens.ts";

/** A command on its way to its token. */
export interface NtfRequest {
  readonly command: Exclude<NtfCommand, { readonly tag: "PING" }>;
  readonly entityId: Uint8Array;
  readonly auth: AuthContext;
}

/** What rules need besides the token. `now` in milliseconds since 1970. */
export interface NtfConditions {
  readonly now: number;
  readonly limits: NotificationLimits;
  /** Whether this server pushes to such a device: its provider is set up, its endpoint may be reached. */
  readonly allows: (token: DeviceToken) => boolean;
  /** The id under which this store's token is or would be known. */
  readonly tokenId: Uint8Array;
  readonly newSubId: () => Uint8Array;
}

/** The token that a command is about and may be done on; null: refused, after as much work as a wrong key costs. */
function authorizedToken(store: DeviceStore, { command, entityId, auth }: NtfRequest): TokenRecord | null {
  const record = store.record();
  const isKnown = record !== null && leadsHere(store, record, command, entityId);
  if (!isKnown) {
    verifyDummy(auth);
    return null;
  }
  return isAuthorizedBy(auth, record.verifyKey) ? record : null;
}

function leadsHere(
  store: DeviceStore,
  record: TokenRecord,
  command: NtfRequest["command"],
  entityId: Uint8Array,
): boolean {
  switch (command.tag) {
    case "SNEW":
      return equal(record.tokenId, command.tokenId) && tokens.mayHaveSubscriptions(record.status);
    case "SCHK":
    case "SDEL":
      return store.subscription(entityId) !== null && tokens.mayHaveSubscriptions(record.status);
    default:
      return equal(record.tokenId, entityId);
  }
}

/**
 * TNEW. The caller has found the store of the registration with this device token and this key, or an empty one; it
 * has not verified anything.
 */
function registerToken(
  store: DeviceStore,
  command: NtfCommandOf<"TNEW">,
  auth: AuthContext,
  { now, allows, tokenId }: NtfConditions,
): NtfOutcome {
  if (!isAuthorizedBy(auth, command.verifyKey)) return ntfUnauthorized();
  if (!allows(command.token)) return ntfRefused("PROHIBITED");
  const record = store.record();
  if (!record) return tokens.register(store, command, tokenId, now);
  const isIt = sameDevice(record.token, command.token) && sameKey(record.verifyKey, command.verifyKey);
  return isIt ? tokens.registerAgain(store, tokens.use(store, record, now), command) : ntfUnauthorized();
}

/** A command for an id that leads to no token: AUTH, after the work that a wrong key costs. */
export function unknownToken(auth: AuthContext): NtfOutcome {
  verifyDummy(auth);
  return ntfUnauthorized();
}

/**
 * The queue to claim (`mayClaim`) before an SNEW is done. Null for every other command, and for an SNEW that makes no
 * subscription: nobody else is to have any trouble with it.
 */
export function needsClaim(store: DeviceStore, request: NtfRequest, limits: NotificationLimits): NtfQueue | null {
  const { command } = request;
  if (command.tag !== "SNEW" || !subscribes(store, command, limits)) return null;
  return authorizedToken(store, request) ? command.queue : null;
}

/**
 * What a TRPL asks for, when it will be done: the new device token must know of this registration before. Null for
 * every other command and every other TRPL.
 */
export function needsEnrolment(
  store: DeviceStore,
  request: NtfRequest,
  { allows }: Pick<NtfConditions, "allows">,
): { readonly token: DeviceToken; readonly verifyKey: TokenRecord["verifyKey"] } | null {
  const { command } = request;
  if (command.tag !== "TRPL" || !allows(command.token)) return null;
  const record = authorizedToken(store, request);
  return record && { token: command.token, verifyKey: record.verifyKey };
}

/** Verifies and does one command on one token. All of its writes belong into one transaction. */
export function executeNtf(store: DeviceStore, request: NtfRequest, conditions: NtfConditions): NtfOutcome {
  const { command, entityId, auth } = request;
  if (command.tag === "TNEW") return registerToken(store, command, auth, conditions);
  const record = authorizedToken(store, request);
  if (!record) return ntfUnauthorized();
  return run(store, tokens.use(store, record, conditions.now), command, entityId, conditions);
}

function run(
  store: DeviceStore,
  record: TokenRecord,
  command: Exclude<NtfRequest["command"], NtfCommandOf<"TNEW">>,
  entityId: Uint8Array,
  { now, limits, allows, newSubId }: NtfConditions,
): NtfOutcome {
  switch (command.tag) {
    case "TVFY":
      return tokens.verifyCode(store, record, command.code);
    case "TCHK":
      return answered({ tag: "TKN", status: record.status });
    case "TRPL":
      return allows(command.token) ? tokens.replaceToken(store, record, command.token) : ntfRefused("PROHIBITED");
    case "TDEL":
      return done(...tokens.forget(store, record));
    case "TCRN":
      return tokens.setInterval(store, record, command.minutes, now);
    case "SNEW":
      return subscribe(store, command, newSubId, limits);
    case "SCHK":
      return onSubscription(store, entityId, ({ status }) => answered({ tag: "SUB", status }));
    case "SDEL":
      return onSubscription(store, entityId, (subscription) => unsubscribe(store, subscription));
  }
}

function onSubscription(
  store: DeviceStore,
  subId: Uint8Array,
  answer: (subscription: Subscription) => NtfOutcome,
): NtfOutcome {
  const subscription = store.subscription(subId);
  return subscription ? answer(subscription) : ntfUnauthorized();
}
