import { base64url, EMPTY, utf8 } from "#crypto/bytes";
import { hkdf } from "#crypto/hash";
import type { DeviceToken } from "#protocol/ntf/token";
import { ConfigError } from "../config.ts";
import type { PushConfig } from "../push-config.ts";
import { apnsProvider } from "../push/apns.ts";
import { PushConfigError } from "../push/config-error.ts";
import { fcmProvider } from "../push/fcm.ts";
import type { Provider } from "../push/provider.ts";
import { oneOf } from "../push/providers.ts";
import { readVapid, type Vapid } from "../push/vapid.ts";
import { webPushProvider } from "../push/web-push.ts";
import { identityFingerprint } from "../relay/identity.ts";
import { type NotificationIds, notificationIds } from "../relay/notification/ids.ts";
import { DEFAULT_NOTIFICATION_LIMITS, type NotificationLimits } from "../relay/notification/limits.ts";
import { placeOf } from "../relay/notification/registrations.ts";
import { type Context, contextOf } from "./context.ts";
import type { Env } from "./env.ts";
import { storedVapidKeys } from "./relay-object.ts";

/** What the objects of the notification server need to know. The same for the life of an isolate. */
export interface Notifications {
  readonly ids: NotificationIds;
  readonly limits: NotificationLimits;
  readonly provider: Provider;
  /** With which clients subscribe at their push service. */
  readonly vapidKey: string;
  /** SHA-256 of this relay's own identity certificate. */
  readonly ownKeyHash: Uint8Array;
  /**
   * The name of the object that knows all registrations of a device token, and of others that lead to the same place;
   * without the relay's secret it says nothing.
   */
  tokensName(token: DeviceToken): string;
}

const NAME_LENGTH = 24;
const TOKENS_PURPOSE = utf8("smp-edge device tokens");

async function providersOf(config: PushConfig, vapid: Vapid): Promise<Provider> {
  const { apns, fcm, endpoints } = config;
  return oneOf([
    webPushProvider(vapid, endpoints),
    ...(apns ? [await apnsProvider(apns)] : []),
    ...(fcm === null ? [] : [await fcmProvider(fcm)]),
  ]);
}

async function readProviders(push: PushConfig, vapidKey: string): Promise<{ vapid: Vapid; provider: Provider }> {
  try {
    const vapid = await readVapid(vapidKey, push.contact);
    return { vapid, provider: await providersOf(push, vapid) };
  } catch (cause) {
    if (cause instanceof PushConfigError) throw new ConfigError(`the settings for pushes are wrong: ${cause.message}`, { cause });
    throw cause;
  }
}

async function load(env: Env, { config: { push }, identity }: Context): Promise<Notifications> {
  const vapidKey = push.vapidKey ?? (await storedVapidKeys(env.RELAY)).privateKey;
  const { vapid, provider } = await readProviders(push, vapidKey);
  const key = hkdf(EMPTY, identity.idSecret, TOKENS_PURPOSE, 32);
  return {
    ids: notificationIds(identity.idSecret),
    limits: DEFAULT_NOTIFICATION_LIMITS,
    provider,
    vapidKey: vapid.publicKey,
    ownKeyHash: identityFingerprint(identity),
    tokensName: (token) => base64url(hkdf(key, placeOf(token), TOKENS_PURPOSE, NAME_LENGTH)),
  };
}

// As for contexts: providers keep what they have signed for half an hour or more.
let cached: { readonly context: Context; readonly loaded: Promise<Notifications> } | null = null;

/** @throws ConfigError, IdentityError */
export async function notificationsOf(env: Env): Promise<Notifications> {
  const context = await contextOf(env);
  // Another after the identity was replaced.
  if (cached?.context !== context) {
    const loaded = load(env, context);
    cached = { context, loaded };
    // A failure is not kept: the next caller tries again.
    loaded.catch(() => (cached = null));
  }
  return await cached.loaded;
}
