import type { Mark, News } from "./api.ts";

const ICON = "/app/icons/icon-192.png";

/** What TypeScript does not know of yet. */
interface Options extends NotificationOptions {
  /** Whether one that takes the place of another is heard too. */
  readonly renotify?: boolean;
}

/** Where the notification leads; one of the page's own has the conversation for its tag. */
export function placeOf({ tag, data }: Notification): string {
  const { place } = (data ?? {}) as { readonly place?: unknown };
  return typeof place === "string" ? place : `#/chat/${encodeURIComponent(tag)}`;
}

/** What a notification is about. */
export function markOf({ tag, data }: Notification): Mark {
  const { mark } = (data ?? {}) as { readonly mark?: unknown };
  return { tag, mark: typeof mark === "string" ? mark : "" };
}

/** Shows something; in place of what was shown of the same conversation. */
export async function show(
  registration: ServiceWorkerRegistration,
  { title, body, tag, mark, place }: News,
  { again = false, silent = false }: { readonly again?: boolean; readonly silent?: boolean } = {},
): Promise<void> {
  const options: Options = { body, tag, icon: ICON, data: { place, mark }, ...(silent ? { silent } : { renotify: again }) };
  await registration.showNotification(title, options);
}

export async function closeOf(
  registration: ServiceWorkerRegistration,
  isIt: (shown: Mark) => boolean,
): Promise<void> {
  // Safari has it only where the page is installed.
  if (!("getNotifications" in registration)) return;
  for (const shown of await registration.getNotifications()) if (isIt(markOf(shown))) shown.close();
}
