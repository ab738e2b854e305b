import { render } from "preact";
import "./style/base.css";
import "./style/controls.css";
import "./style/frame.css";
import "./style/list.css";
import "./style/talk.css";
import "./style/pages.css";
import { eraseStored, openSession } from "./session/open.ts";
import { applyUpdate, installOffline, subscribeUpdate } from "./session/updates.ts";
import { App } from "./state/app.ts";
import { watchLooking } from "./state/notifications.ts";
import { parseRoute } from "./state/route.ts";
import { showTheme } from "./state/theme.ts";
import { Root } from "./view/root.tsx";
import { loadSeldom } from "./view/seldom.tsx";

showTheme();
watchLooking();
const root = document.querySelector("#app");
if (!root) throw new Error("the page has no place for the program");
const app = new App(openSession, eraseStored);
// A notification was pressed.
navigator.serviceWorker?.addEventListener("message", ({ data }: MessageEvent<{ readonly place?: unknown } | null>) => {
  if (typeof data?.place === "string") app.go(parseRoute(data.place));
});
subscribeUpdate((update) => (app.update.value = update === "none" ? null : applyUpdate));
render(<Root app={app} />, root);
await app.start();
// After the first look: what makes it start offline can wait.
await app.attempt(installOffline);
// Another version may be served when they are needed.
await app.attempt(loadSeldom);
