import { chatScript } from "../session/candidate.ts";
import { scriptUrl } from "../session/trusted.ts";
import { type Endpoint, PUSH_SCOPE } from "./api.ts";
import { closeOf } from "./notice.ts";
import { endpointOf, isFor, SubscriptionError, subscribeTo } from "./subscription.ts";

/** `homeScreen`: on an iPhone pages have pushes only when they are installed. */
export type PushSupport = "yes" | "no" | "homeScreen";

export function pushSupport(): PushSupport {
  if ("PushManager" in globalThis && "Notification" in globalThis && "serviceWorker" in navigator) return "yes";
  return /iPhone|iPad|Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 0 ? "homeScreen" : "no";
}

/** The push worker; null: pushes were never turned on here. */
export async function pushRegistration(): Promise<ServiceWorkerRegistration | null> {
  const container = (navigator as Partial<Navigator>).serviceWorker;
  const found = await container?.getRegistration(PUSH_SCOPE);
  // Without one of its own that is the one of all pages.
  return found && new URL(found.scope).pathname === PUSH_SCOPE ? found : null;
}

function activated({ installing, waiting, active }: ServiceWorkerRegistration): Promise<void> {
  const worker = installing ?? waiting;
  if (active || !worker) return Promise.resolve();
  return new Promise((resolve, reject) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") reject(new Error("the browser does not start the worker that pushes need"));
    });
  });
}

/**
 * Installs the push worker, in place of one of another version. It is the very script that has the chat in this page,
 * with its hash in its name: it is never newer or older than the page that was opened last.
 */
async function install(): Promise<ServiceWorkerRegistration> {
  const options = { type: "module", scope: PUSH_SCOPE, updateViaCache: "all" } as const;
  try {
    const registration = await navigator.serviceWorker.register(scriptUrl(chatScript()), options);
    await activated(registration);
    return registration;
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    // The relay serves only the files of its own version.
    const what = "the worker that pushes need cannot be loaded: check the network, or load this page anew";
    throw new SubscriptionError(`${what} (${cause.message})`, { cause });
  }
}

/**
 * Has the browser take pushes of one server.
 * @param key its public key (RFC 8292)
 * @param isDead what the browser gave out before is of no use any more
 */
export async function subscribe(key: Uint8Array<ArrayBuffer>, isDead = false): Promise<Endpoint> {
  const registration = await install();
  const before = await registration.pushManager.getSubscription();
  if (before && !isDead && isFor(before, key)) return endpointOf(before);
  // A browser has one subscription of a worker, for one server.
  await before?.unsubscribe();
  try {
    return endpointOf(await subscribeTo(registration, key));
  } catch (cause) {
    if (!(cause instanceof DOMException)) throw cause;
    const what = `this browser's push service does not answer, or is turned off in its settings (${cause.message})`;
    throw new SubscriptionError(what, { cause });
  }
}

/** Ends the subscription, and takes the push worker away with all that it shows. */
export async function unsubscribe(): Promise<void> {
  const registration = await pushRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  await subscription?.unsubscribe();
  if (registration) await closeOf(registration, () => true);
  await registration?.unregister();
}
