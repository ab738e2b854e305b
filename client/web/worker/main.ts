import { servePushes } from "./push/serve.ts";
import { serveTab } from "./tab.ts";

// One script for both places where the chat runs, so that browsers fetch and keep it once: the worker of a tab, and the
// service worker that pushes wake.

if ("ServiceWorkerGlobalScope" in globalThis) servePushes(globalThis as unknown as ServiceWorkerGlobalScope);
else serveTab();
