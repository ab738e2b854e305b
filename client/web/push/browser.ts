import { scriptUrl } from "../session/trusted.ts";
import { type Endpoint, PUSH_SCOPE, PUSH_SCRIPT } from "./api.ts";
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

/** Installs the push worker, or looks for a new version of it. */
async function install(): Promise<ServiceWorkerRegistration> {
  // What it loads has its hash in its name, so that the page's copy of it will do.
  const options = { type: "module", scope: PUSH_SCOPE, updateViaCache: "imports" } as const;
  const registration = await navigator.serviceWorker.register(scriptUrl(PUSH_SCRIPT), options);
  await activated(registration);
  return registration;
}

/** Has the browser take pushes of one server. @param key its public key (RFC 8292) */
export async function subscribe(key: Uint8Array<ArrayBuffer>): Promise<Endpoint> {
  const registration = await install();
  const before = await registration.pushManager.getSubscription();
  if (before && isFor(before, key)) return endpointOf(before);
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
  for (const shown of await registration?.getNotifications() ?? []) shown.close();
  await registration?.unregister();
}
