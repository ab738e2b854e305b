import { signal } from "@preact/signals";
import { pushRegistration } from "../push/browser.ts";
import type { Mark } from "../push/api.ts";
import { closeOf, show } from "../push/notice.ts";
import { isVague } from "../push/what-to-show.ts";
import { LOOKING } from "../session/protocol.ts";
import { words } from "../words/words.ts";
import type { App } from "./app.ts";
import { formatRoute } from "./route.ts";

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
export async function notify(app: App, { tag, mark }: Mark, name: string, text: string): Promise<void> {
  const isSeen = await isAnybodyLooking();
  if (!isSeen && (!isNotifying.value || permission() !== "granted")) return;
  if (!isSeen) await display(app, { tag, mark }, name, text);
  // No push has to tell of it any more.
  if (!app.push.state?.mode) return;
  // Then it is told once more.
  await app.session.push.seen([{ tag, mark }]).catch((error: unknown) => app.note(error));
}

async function display(app: App, told: Mark, name: string, text: string): Promise<void> {
  const chat = told.tag;
  // With pushes it looks the same whether the page is open or not, and of a message there is one.
  const push = app.push.state;
  const isNamed = push !== null && (push.mode === null || push.isNaming);
  const place = formatRoute({ page: "chat", chat });
  const news = { ...told, title: isNamed ? name : words.product, body: text, place };
  const worker = await pushRegistration() ?? await navigator.serviceWorker?.getRegistration();
  // Phones allow it only to the service worker.
  if (worker) return show(worker, news);
  const shown = new Notification(news.title, { body: text, tag: chat });
  shown.addEventListener("click", () => {
    focus();
    shown.close();
    app.go({ page: "chat", chat });
  });
}

async function closeEverywhere(isIt: (shown: Mark) => boolean): Promise<void> {
  for (const one of await navigator.serviceWorker?.getRegistrations() ?? []) await closeOf(one, isIt);
}

let gone = new Set<string>();
let closing: Promise<void> | null = null;

async function closeGone(): Promise<void> {
  // Whole conversations go at once.
  await new Promise((resolve) => setTimeout(resolve));
  const names = gone;
  [gone, closing] = [new Set(), null];
  await closeEverywhere(({ tag, mark }) => names.has(tag) || names.has(mark));
}

/** What was read or deleted, in whichever tab, is not to be shown any more. @param name a conversation, an item... */
export function closeShown(name: string): Promise<void> {
  gone.add(name);
  closing ??= closeGone();
  return closing;
}

/** Nothing of this profile is to be seen any more. */
export const closeAll = (): Promise<void> => closeEverywhere(() => true);

/** The page is here: it says better what came. */
export const closeStale = (): Promise<void> => closeEverywhere(isVague);
