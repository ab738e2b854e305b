/** Shows a place of the page: in a window that is there, or a new one. */
export async function showPlace(worker: ServiceWorkerGlobalScope, place: string): Promise<void> {
  const windows = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const pages = windows.filter(({ url }) => new URL(url).pathname.startsWith("/app/"));
  const [page] = pages.toSorted((a, b) => Number(b.focused) - Number(a.focused));
  if (!page) return void await worker.clients.openWindow(`/app/${place}`);
  page.postMessage({ place });
  await page.focus();
}
