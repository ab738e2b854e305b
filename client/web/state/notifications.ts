import { signal } from "@preact/signals";
import type { App } from "./app.ts";

const KEY = "notifications";

/** Whether a message is shown by the system while one does not look at the page. It is no secret. */
export const isNotifying = signal(localStorage.getItem(KEY) === "on");

/** What the browser allows; null where it has no notifications. */
export function permission(): NotificationPermission | null {
  return "Notification" in globalThis ? Notification.permission : null;
}

export async function setNotifying(isOn: boolean): Promise<void> {
  const isAllowed = isOn && (await Notification.requestPermission()) === "granted";
  isNotifying.value = isAllowed;
  localStorage.setItem(KEY, isAllowed ? "on" : "off");
}

/** Held by every tab that somebody looks at. */
const LOOKING = "smp-edge looking";

let leave: (() => void) | null = null;

function look(): void {
  const isLooking = document.visibilityState === "visible" && document.hasFocus();
  if (isLooking === (leave !== null)) return;
  leave?.();
  leave = null;
  if (!isLooking) return;
  const left = Promise.withResolvers<void>();
  leave = left.resolve;
  // Without a secure origin the browser has no locks, and the page says so.
  void navigator.locks?.request(LOOKING, { mode: "shared" }, () => left.promise);
}

/** Lets all tabs know whether somebody looks at this one. */
export function watchLooking(): void {
  for (const event of ["focus", "blur"]) addEventListener(event, look);
  document.addEventListener("visibilitychange", look);
  look();
}

async function isAnybodyLooking(): Promise<boolean> {
  const held = (await navigator.locks?.query())?.held ?? [];
  return held.some(({ name }) => name === LOOKING);
}

/** Shows that something came, when nobody looks. Who wrote is shown; what, is not: others may see the screen. */
export async function notify(app: App, chat: string, name: string, text: string): Promise<void> {
  if (!isNotifying.value || permission() !== "granted" || await isAnybodyLooking()) return;
  // The same of several tabs is one.
  const options = { body: text, tag: chat, icon: new URL("icons/icon-192.png", document.baseURI).href };
  const worker = await navigator.serviceWorker?.getRegistration();
  // Phones allow it only to the service worker.
  if (worker) return worker.showNotification(name, options);
  const shown = new Notification(name, options);
  shown.addEventListener("click", () => {
    focus();
    shown.close();
    app.go({ page: "chat", chat });
  });
}
