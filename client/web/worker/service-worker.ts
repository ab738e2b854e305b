// Lets the page start without a network: every version keeps its own files, and answers with them alone.

import { placeOf } from "../push/notice.ts";
import { showPlace } from "./show-place.ts";

/** Of the build. */
declare const VERSION: string;
/** All files of the page but `index.html` and this one. */
declare const FILES: readonly string[];

const worker = globalThis as unknown as ServiceWorkerGlobalScope;

const SCOPE = "/app/";
const PREFIX = "smp-edge app ";
const CACHE = PREFIX + VERSION;
const SHELL = `${SCOPE}index.html`;

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  // From the server, not from a cache of the browser that may hold the version before.
  const requests = [SHELL, ...FILES.map((name) => SCOPE + name)].map((url) => new Request(url, { cache: "reload" }));
  await cache.addAll(requests);
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

async function respond(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request.mode === "navigate" ? SHELL : request, { ignoreVary: true });
  return kept ?? fetch(request);
}

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
// A new version waits until the page says that the old one may go.
worker.addEventListener("message", ({ data }) => {
  if (data === "activate") void worker.skipWaiting();
});
worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(showPlace(worker, placeOf(event.notification)));
});
worker.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  const isOwn = origin === worker.location.origin && pathname.startsWith(SCOPE) && event.request.method === "GET";
  if (isOwn) event.respondWith(respond(event.request));
});
