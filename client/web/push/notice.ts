import { type News, NOTHING_TAG, SOMETHING_TAG } from "./api.ts";

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

/** Shows something; in place of what was shown of the same conversation. */
export async function show(
  registration: ServiceWorkerRegistration,
  { title, body, tag, place }: News,
  { again = false, silent = false }: { readonly again?: boolean; readonly silent?: boolean } = {},
): Promise<void> {
  const options: Options = { body, tag, icon: ICON, data: { place }, ...(silent ? { silent } : { renotify: again }) };
  await registration.showNotification(title, options);
}

/** What was said without knowing what came: something says it better now. */
export function closeVague(registration: ServiceWorkerRegistration): Promise<void> {
  return closeOf(registration, (tag) => tag === SOMETHING_TAG || tag === NOTHING_TAG);
}

export async function closeOf(
  registration: ServiceWorkerRegistration,
  isIt: (tag: string) => boolean,
): Promise<void> {
  for (const shown of await registration.getNotifications()) if (isIt(shown.tag)) shown.close();
}
