import { scriptUrl } from "./trusted.ts";

/** `ready`: a new version waits. `stale`: it was begun with in another tab, and this one should follow. */
export type Update = "none" | "ready" | "stale";

const ACTIVATE = "activate";
/** How often a page that stays open looks for a new version, in milliseconds. */
const INTERVAL = 3_600_000;

let state: Update = "none";
let registration: ServiceWorkerRegistration | null = null;
let isApplying = false;
const listeners = new Set<(update: Update) => void>();

function set(next: Update): void {
  state = next;
  for (const listener of listeners) listener(next);
}

function watch(worker: ServiceWorker | null): void {
  worker?.addEventListener("statechange", () => {
    // Without one that is in charge it is the first version, not a new one.
    if (worker.state === "installed" && navigator.serviceWorker.controller) set("ready");
  });
}

/** Another version is in charge now: the files of the one before are gone. */
function replaced(): void {
  if (isApplying || document.visibilityState === "hidden") location.reload();
  else set("stale");
}

/**
 * Installs what makes the page start without a network. Pages that are not secure have no service workers.
 * @throws what the browser says when it does not take it
 */
export async function installOffline(): Promise<void> {
  const container = (navigator as Partial<Navigator>).serviceWorker;
  if (!container) return;
  // The first one takes charge of a page that has none; that is no new version.
  if (container.controller) container.addEventListener("controllerchange", replaced);
  else container.addEventListener("controllerchange", () => container.addEventListener("controllerchange", replaced), { once: true });
  registration = await container.register(scriptUrl("/app/service-worker.js"), { scope: "/app/", updateViaCache: "none" });
  if (registration.waiting && container.controller) set("ready");
  watch(registration.installing);
  registration.addEventListener("updatefound", () => watch(registration?.installing ?? null));
  // Without a network there is nothing to be found: the next time will do.
  setInterval(() => void checkForUpdate().catch(() => undefined), INTERVAL);
}

/** Looks for a new version now. */
export async function checkForUpdate(): Promise<void> {
  await registration?.update();
}

export function subscribeUpdate(listener: (update: Update) => void): () => void {
  listeners.add(listener);
  listener(state);
  return () => void listeners.delete(listener);
}

/** Begins with the new version: the page is loaded anew. */
export function applyUpdate(): void {
  isApplying = true;
  if (state === "ready" && registration?.waiting) registration.waiting.postMessage(ACTIVATE);
  else location.reload();
}
