import type { Endpoint } from "./api.ts";

/** What the browser cannot do, in words of this program. */
export class SubscriptionError extends Error {
  override readonly name = "SubscriptionError";
}

function keyOf(subscription: PushSubscription, name: PushEncryptionKeyName): Uint8Array {
  const key = subscription.getKey(name);
  if (!key) throw new SubscriptionError(`the browser's subscription has no ${name}`);
  return new Uint8Array(key);
}

/** What the relay is to know of a subscription. */
export function endpointOf(subscription: PushSubscription): Endpoint {
  return { url: subscription.endpoint, auth: keyOf(subscription, "auth"), p256dh: keyOf(subscription, "p256dh") };
}

/** Subscribes to the pushes of one server. @param key its public key (RFC 8292) @throws what the browser throws */
export function subscribeTo(
  { pushManager }: ServiceWorkerRegistration,
  key: Uint8Array<ArrayBuffer>,
): Promise<PushSubscription> {
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

/** Whether a subscription is for the pushes of the server with this key. */
export function isFor({ options }: PushSubscription, key: Uint8Array): boolean {
  const own = new Uint8Array(options.applicationServerKey ?? new ArrayBuffer(0));
  return own.length === key.length && own.every((byte, at) => byte === key[at]);
}
